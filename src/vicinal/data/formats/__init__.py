"""One file a format; ``vicinal.data.readers`` knows them all."""

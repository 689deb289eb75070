"""Labelled images: ``read(path)`` and ``from_arrays(images, labels)`` give a checked ``Dataset``, a ``Loader`` augmented batches."""

from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.data.loader import Loader
from vicinal.data.readers import read

__all__ = ["Dataset", "Loader", "from_arrays", "read"]

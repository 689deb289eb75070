"""Labelled items: ``read``, ``from_arrays`` and ``from_series`` give a checked ``Dataset``, a ``Loader`` augmented batches."""

from vicinal.data.build import from_arrays, from_series
from vicinal.data.dataset import Dataset
from vicinal.data.loader import Loader
from vicinal.data.readers import read

__all__ = ["Dataset", "Loader", "from_arrays", "from_series", "read"]

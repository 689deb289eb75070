"""Labelled images from files or arrays: ``read(path)`` and ``from_arrays(images, labels)`` give a checked ``Dataset``."""

from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.data.readers import read

__all__ = ["Dataset", "from_arrays", "read"]

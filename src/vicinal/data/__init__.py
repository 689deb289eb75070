"""Labelled items: ``read``, ``from_arrays``, ``from_series`` and ``from_texts`` give a checked ``Dataset``, ``read_annotations`` pictures
with boxes, masks and keypoints, a ``Loader`` augmented batches of either."""

from vicinal.data.annotated import Annotated
from vicinal.data.annotations import read_annotations
from vicinal.data.build import from_arrays, from_series, from_texts
from vicinal.data.dataset import Dataset
from vicinal.data.loader import Loader
from vicinal.data.readers import read

__all__ = ["Annotated", "Dataset", "Loader", "from_arrays", "from_series", "from_texts", "read", "read_annotations"]

"""vicinal: data augmentation that proves itself.

An *engine* turns samples into other samples; a *lab* answers which augmentation helps on your data, by how much, and whether that can
be believed. Importing this module loads NumPy alone; everything heavier is loaded where it is used.
"""

from vicinal.core.compose import Barrier, Compose, OneOf, SomeOf, Views
from vicinal.core.draw import Address, Draw
from vicinal.core.errors import (
    BackendError,
    DataError,
    Faults,
    LeakageError,
    ParameterError,
    PolicyError,
    StoreError,
    TargetError,
    UnknownTransform,
    VicinalError,
)
from vicinal.core.policy import load, parse
from vicinal.core.recipe import Recipe
from vicinal.core.targets import Boxes, Mask
from vicinal.core.transform import Transform, option, parameter, register, registry
from vicinal.image.colour import Brightness, Contrast, Gamma, Grayscale, Invert, Normalize, ToTensor
from vicinal.image.crop import CenterCrop, Pad, RandomCrop, RandomResizedCrop, Resize
from vicinal.image.damage import Erase
from vicinal.image.move import Affine, HorizontalFlip, RandomRotate90, Rotate, Scale, Shear, Translate, Transpose, VerticalFlip
from vicinal.image.noise import GaussianNoise, UniformNoise
from vicinal.signal.series import Jitter, Scaling, TimeShift
from vicinal.testing import check

__version__ = "0.1.0"

__all__ = [name for name in dir() if not name.startswith("_") and name not in {"core", "image", "signal", "testing"}]

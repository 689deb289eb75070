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
from vicinal.core.policy import load, parse, read_recipe
from vicinal.core.recipe import Recipe
from vicinal.core.targets import Boxes, Mask
from vicinal.core.transform import Transform, option, parameter, register, registry
from vicinal.image.blur import *
from vicinal.image.colour import *
from vicinal.image.crop import *
from vicinal.image.damage import *
from vicinal.image.move import *
from vicinal.image.noise import *
from vicinal.image.sharpen import *
from vicinal.signal.series import *
from vicinal.testing import check

__version__ = "0.1.0"

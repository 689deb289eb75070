"""Every public name of the library in one place. ``vicinal`` itself shows them, and loads this module when the first one is asked for."""

from vicinal.bridges import bridge_report, from_albumentations, from_torchvision, wrapped
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
from vicinal.core.mixer import Mixer
from vicinal.core.policy import load, parse, read_recipe
from vicinal.core.recipe import Recipe
from vicinal.core.survival import Survival, survival
from vicinal.core.targets import Boxes, Events, Image, InstanceMasks, Keypoints, Labels, Mask, Polygons
from vicinal.core.transform import Transform, option, parameter, register, registry
from vicinal.image.blur import *
from vicinal.image.caption import *
from vicinal.image.channels import *
from vicinal.image.colour import *
from vicinal.image.compression import *
from vicinal.image.corners import *
from vicinal.image.crop import *
from vicinal.image.custom import *
from vicinal.image.distort import *
from vicinal.image.dropout import *
from vicinal.image.grid import *
from vicinal.image.histogram import *
from vicinal.image.hue import *
from vicinal.image.light import *
from vicinal.image.move import *
from vicinal.image.noise import *
from vicinal.image.objects import *
from vicinal.image.overlay import *
from vicinal.image.resize import *
from vicinal.image.safe_crop import *
from vicinal.image.sharpen import *
from vicinal.image.tone import *
from vicinal.image.weather import *
from vicinal.mix.augmix import *
from vicinal.mix.copypaste import *
from vicinal.mix.cutmix import *
from vicinal.mix.mixup import *
from vicinal.mix.mosaic import *
from vicinal.policies import preset, presets
from vicinal.policies.auto import *
from vicinal.signal.series import *
from vicinal.testing import check

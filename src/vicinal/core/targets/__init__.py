"""What a sample carries besides its data, and how each kind follows the moves of a plan.

Points follow by the very map that moved the pixels. Boxes keep their polygon along the whole policy and become boxes once, at the end;
their visible share is measured against the original polygon. Dropping an instance drops its box, mask, polygon, label and keypoints
together. A target of any kind may have any name: ``policy(image=..., depth=v.Mask(depth, content="heatmap"), left=v.Boxes(...))``.
"""

from types import MappingProxyType

from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.boxes import Boxes
from vicinal.core.targets.labels import Labels
from vicinal.core.targets.masks import Image, InstanceMasks, Mask, valid
from vicinal.core.targets.points import Events, Keypoints
from vicinal.core.targets.polygons import Polygons
from vicinal.core.targets.rows import Instances

KINDS = MappingProxyType({cls.kind: cls for cls in (Mask, InstanceMasks, Polygons, Boxes, Keypoints, Events, Labels)})

__all__ = [
    "KINDS",
    "Boxes",
    "Events",
    "Image",
    "InstanceMasks",
    "Instances",
    "Keypoints",
    "Known",
    "Labels",
    "Mask",
    "Polygons",
    "Target",
    "Way",
    "valid",
]

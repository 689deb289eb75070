"""Nothing in, nothing out: samples without boxes, masks, polygons, points or labels, alone and among others, for every transform."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vicinal as v
from vicinal.core.targets import Target

SIZE = (33, 41)
OURS = {name: cls for name, cls in v.registry().items() if issubclass(cls, v.Transform) and cls.__module__.startswith("vicinal.")}
IMAGE = {name: cls for name, cls in OURS.items() if "image" in cls.needs and not cls.mixes}
transforms = pytest.mark.parametrize("cls", IMAGE.values(), ids=IMAGE)


def empty() -> dict:
    """A target of every kind and form that holds nothing."""
    return {
        "boxes": [],
        "yolo": v.Boxes(np.zeros((0, 4)), "yolo"),
        "turned": v.Boxes([], "cxcywhr"),
        "quads": v.Boxes(np.zeros((0, 8)), "quad", min_visible=0.5),
        "tight": v.Boxes([], tight=True, min_size=3),
        "masks": np.zeros((0, *SIZE), bool),
        "no_masks": v.InstanceMasks([]),
        "polygons": [],
        "keypoints": [],
        "visible": v.Keypoints(np.zeros((0, 3))),
        "people": v.Keypoints(np.zeros((0, 17, 3)), swap=[(1, 2)]),
        "label": [],
        "names": v.Labels([], swap={"left": "right"}),
    }


FULL = {
    "boxes": [[3.0, 3, 20, 20]],
    "yolo": [[0.5, 0.5, 0.2, 0.2]],
    "turned": [[20.0, 15, 6, 4, 30]],
    "quads": [[5.0, 5, 15, 5, 15, 12, 5, 12]],
    "tight": [[3.0, 3, 20, 20]],
    "masks": np.ones((1, *SIZE), bool),
    "no_masks": np.ones((1, *SIZE), bool),
    "polygons": [np.array([[3.0, 3], [20, 3], [20, 20]])],
    "keypoints": [[5.0, 5]],
    "visible": [[5.0, 5, 2]],
    "people": np.ones((1, 17, 3)),
    "label": ["left"],
    "names": ["left"],
}


@transforms
def test_nothing_comes_of_nothing(cls: type[v.Transform]) -> None:
    out = cls(**cls.example)(image=np.zeros((*SIZE, 3), np.uint8), **empty(), seed=0, valid=True)
    assert all(len(out[name]) == 0 for name in empty())
    assert len(out.kept) == 0


@transforms
def test_a_sample_without_anything_among_others_has_nothing(cls: type[v.Transform]) -> None:
    images = np.zeros((3, *SIZE, 3), np.uint8)
    mixed = {}
    for name, target in empty().items():
        of = target.data if isinstance(target, Target) else target
        rows = [of, FULL[name], of]
        mixed[name] = replace(target, data=rows) if isinstance(target, Target) else rows
    out = cls(**cls.example)(image=images, **mixed, seed=0)
    for name in mixed:
        assert [len(out[name][row]) for row in (0, 2)] == [0, 0]
        assert len(out[name][1]) <= len(FULL[name])


@pytest.mark.parametrize(
    "name", ["HorizontalFlip", "Rotate", "ElasticTransform", "JigsawShuffle", "Perspective", "RandomSizedBBoxSafeCrop"]
)
def test_nothing_of_nothing_can_be_undone_too(name: str) -> None:
    cls = IMAGE[name]
    out = cls(**cls.example)(image=np.zeros((*SIZE, 3), np.uint8), seed=0)
    height, width = out["image"].shape[:2]
    back = out.undo(boxes=[], keypoints=[], polygons=[], masks=np.zeros((0, height, width), bool))
    assert [len(part) for part in back.values()] == [0, 0, 0, 0]

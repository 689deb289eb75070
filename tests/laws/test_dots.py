"""The dot test far from the examples: scales 0.1 to 8, odd, even and non-square sizes, 1 to 9 channels, fused and in turn."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v

WITHIN = 0.1


def dot(centre: tuple[float, float], sigma: float, size: tuple[int, int], channels: int) -> np.ndarray:
    """(H, W, C) float32; pixel (i, j) has its centre at (j + 0.5, i + 0.5)."""
    x, y = np.arange(size[1]) + 0.5, (np.arange(size[0]) + 0.5)[:, None]
    value = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2))
    return np.repeat(value[..., None], channels, 2).astype(np.float32)


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image[..., -1].astype(float)
    x, y = np.arange(image.shape[1]) + 0.5, (np.arange(image.shape[0]) + 0.5)[:, None]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def distance(policy: v.Compose, size: tuple[int, int], sigma: float, channels: int, dtype: type, seed: int = 0) -> float:
    point = np.array([[size[1] * 0.49, size[0] * 0.52]])
    image = dot(tuple(point[0]), sigma, size, channels)
    image = image if dtype is np.float32 else np.rint(image * np.iinfo(dtype).max).astype(dtype)
    out = policy(image=image, keypoints=point, seed=seed)
    return float(np.hypot(*(centroid(out["image"]) - out["keypoints"][0])))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("scale", [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("size", [(161, 161), (160, 202), (203, 120)])
def test_scale(scale: float, size: tuple[int, int], dtype: type) -> None:
    sigma = max(2.0, 2.5 / scale) if scale < 1 else 2.0
    policy = v.Compose([v.Scale(factor=scale, antialias=True)])
    assert distance(policy, size, sigma, 1, dtype) < WITHIN


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.7, 4.0])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 9])
def test_resize(scale: float, channels: int) -> None:
    size = (181, 240)
    new = (round(size[0] * scale), round(size[1] * scale))
    assert distance(v.Compose([v.Resize(size=new)]), size, max(3.0, 2.5 / scale), channels, np.float32) < WITHIN


CHAIN = (v.Rotate(angle=(-40, 40)), v.Scale(factor=(0.7, 1.3)), v.Translate(x=(-9, 9), y=(-9, 9)), v.HorizontalFlip(), v.Transpose())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [(181, 181), (180, 222)])
@pytest.mark.parametrize("between", [(), (v.Barrier(),)], ids=["fused", "in turn"])
def test_chain(between: tuple, size: tuple[int, int], seed: int) -> None:
    nodes = [node for move in CHAIN for node in (move, *between)]
    policy = v.Compose(nodes)
    assert distance(policy, size, 3.0, 3, np.uint8, seed) < WITHIN
    assert len(policy.explain(np.zeros((*size, 3), np.uint8)).splitlines()) == (7 if between else 3)


CANVASES = {  # by rule, by turning, or by what is seen; for a canvas of (height, width)
    "D4": lambda h, w: v.D4(),
    "Rotate": lambda h, w: v.Rotate(angle=(-180, 180), expand=True),
    "LongestMaxSize, smaller": lambda h, w: v.LongestMaxSize(size=max(h, w) // 3),
    "LongestMaxSize": lambda h, w: v.LongestMaxSize(size=400),
    "SmallestMaxSize, smaller": lambda h, w: v.SmallestMaxSize(size=min(h, w) // 4),
    "SmallestMaxSize": lambda h, w: v.SmallestMaxSize(size=301),
    "RandomScale": lambda h, w: v.RandomScale(factor=(0.4, 3)),
    "Letterbox, smaller": lambda h, w: v.Letterbox(size=(100, 77)),
    "Letterbox": lambda h, w: v.Letterbox(size=(300, 401), border="replicate"),
    "PadIfNeeded": lambda h, w: v.PadIfNeeded(size=(250, 301)),
    "RandomSizedBBoxSafeCrop": lambda h, w: v.RandomSizedBBoxSafeCrop(size=(140, 151)),
    "CropNonEmptyMask": lambda h, w: v.CropNonEmptyMask(size=(h - 5, w - 8)),
    "CornerCrop": lambda h, w: v.CornerCrop(size=(h - 9, w - 12), crops=10),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("size", [(121, 121), (120, 162), (163, 98)])
@pytest.mark.parametrize("name", CANVASES)
def test_canvas(name: str, size: tuple[int, int], dtype: type) -> None:
    policy, sigma = CANVASES[name](*size), 9.0 if "smaller" in name else 6.0
    point = np.array([[size[1] * 0.48, size[0] * 0.51]])
    image = dot(tuple(point[0]), sigma, size, 2)
    box = np.clip(np.concatenate([point - 4 * sigma, point + 4 * sigma], 1), 0, [*size[::-1]] * 2)
    mask = np.zeros(size, np.uint8)
    mask[int(point[0, 1]), int(point[0, 0])] = 1
    image = image if dtype is np.float32 else np.rint(image * 255).astype(dtype)
    for seed in range(3):
        out = policy(image=image, keypoints=point, boxes=box, mask=mask, seed=seed, view=seed)
        where, (height, width) = out["keypoints"][0], out["image"].shape[:2]
        reach = int(min(*where, width - where[0], height - where[1]))
        assert np.hypot(*(crop(out["image"], where, reach) - where)) < WITHIN


def crop(image: np.ndarray, where: np.ndarray, reach: int) -> np.ndarray:
    """The centroid of what lies within ``reach`` pixels of a place: a dot that is cut is cut on both sides."""
    x, y = (np.rint(where).astype(int) - reach).clip(0)
    return centroid(image[y : y + 2 * reach, x : x + 2 * reach]) + [x, y]


TURNS = (
    v.D4(),
    v.Rotate(angle=(-90, 90), expand=True),
    v.RandomScale(factor=(0.5, 2)),
    v.PadIfNeeded(size=300),
    v.Letterbox(size=(190, 171)),
)


@pytest.mark.parametrize("channels", [1, 3, 4, 9])
@pytest.mark.parametrize("size", [(121, 121), (100, 142), (163, 98)])
@pytest.mark.parametrize("between", [(), (v.Barrier(),)], ids=["fused", "in turn"])
def test_chain_of_canvases(between: tuple, size: tuple[int, int], channels: int) -> None:
    policy = v.Compose([node for move in TURNS for node in (move, *between)])
    assert max(distance(policy, size, 6.0, channels, np.float32, seed) for seed in range(2)) < WITHIN

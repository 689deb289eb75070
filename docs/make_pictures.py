"""Small pictures of what a policy does: the original, and a few versions at fixed addresses."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from vicinal.core.inputs import main_kind
from vicinal.core.transform import Node

VERSIONS, GAP, HEIGHT, WIDTH = 4, 6, 80, 120
LENGTH = 160


def picture(policy: Node, suffix: str) -> bytes:
    """An encoded picture: a strip of photographs, or curves for a policy of series."""
    return curves(policy) if main_kind(policy) == "series" else encoded(strip(tiles(policy)), suffix)


def photograph(name: str = "flower.jpg") -> NDArray[np.uint8]:
    """(80, 120, 3): one of scikit-learn's sample images (427 x 640), its middle reduced by 4."""
    middle = np.asarray(load_sample_image(name))[40:360, 100:580]
    return np.rint(middle.reshape(HEIGHT, 4, WIDTH, 4, 3).mean((1, 3))).astype(np.uint8)


def tiles(policy: Node) -> list[NDArray[np.uint8]]:
    """The original and what the policy makes of it, on the backend that is the same on every machine."""
    image = photograph()
    if any(getattr(node, "mixes", False) for node in policy.walk()):
        return mixtures(policy, image)
    count = 1 if policy.views is None else policy.views
    looks = any(getattr(node, "looks", False) for node in policy.walk())
    made = [version(policy, image, index, looks) for index in range(max(1, VERSIONS // count))]
    versions = [seen(np.asarray(array)) for one in made for array in (one if isinstance(one, list) else [one])]
    same = all(np.array_equal(version, versions[0]) for version in versions)
    return [image, *([versions[0]] if same else versions)]


def version(policy: Node, image: NDArray[np.uint8], index: int, looks: bool) -> NDArray | list[NDArray]:
    """What comes at one index; where the policy looks at annotations, the flower has a box and a mask."""
    if not looks:
        return policy(image, seed=0, index=index, backend="reference")
    return policy(image=image, mask=flower(), boxes=[FLOWER], seed=0, index=index, backend="reference")["image"]


FLOWER, TEMPLE = (18, 10, 88, 76), (0, 0, 64, 74)  # what CopyPaste may cut out


def flower() -> NDArray[np.uint8]:
    """(80, 120) the flower's petals as 1 and its heart as 2."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    petals, heart = ((x - 53) ** 2 / wide**2 + (y - 43) ** 2 / high**2 < 1 for wide, high in ((35, 33), (13, 13)))
    return petals.astype(np.uint8) + heart


def mixtures(policy: Node, image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The two samples of a batch, and versions of the first."""
    batch = np.stack([image, photograph("china.jpg")])
    needed = any(getattr(node, "instances", False) for node in policy.walk())
    more = {"boxes": np.array([[FLOWER], [TEMPLE]], float)} if needed else {}
    indices = [[number, 1000 + number] for number in range(VERSIONS)]
    versions = [policy(image=batch, seed=0, index=index, backend="reference", **more)["image"][0] for index in indices]
    return [*batch, *(seen(np.asarray(version)) for version in versions)]


def seen(array: NDArray) -> NDArray[np.uint8]:
    """Any image as (H, W, 3) uint8: channels first become planes side by side, other ranges are stretched to the whole grey scale."""
    if array.ndim == 3 and array.shape[0] == 3 and array.dtype == np.float32:
        array = np.repeat(np.concatenate(list(array), 1)[..., None], 3, 2)
    if array.dtype == np.uint8:
        return array
    low, high = min(array.min(), 0.0), max(array.max(), 1.0)
    return np.rint((array - low) / (high - low) * 255).astype(np.uint8)


def strip(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Images of any size side by side on white, centred."""
    height = max(HEIGHT, *(image.shape[0] for image in images))
    width = sum(image.shape[1] for image in images) + GAP * (len(images) - 1)
    page, left = np.full((height, width, 3), 255, np.uint8), 0
    for image in images:
        top = (height - image.shape[0]) // 2
        page[top : top + image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + GAP
    return page


def encoded(image: NDArray[np.uint8], suffix: str) -> bytes:
    """As a file's bytes."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, {"jpg": "JPEG", "png": "PNG"}[suffix], quality=88)
    return file.getvalue()


def series() -> NDArray[np.float32]:
    """(160, 1): a decaying oscillation that begins late."""
    time = np.arange(LENGTH) / LENGTH
    late = np.clip(time - 0.2, 0, None)
    return (np.sin(40 * late) * np.exp(-4 * late) * (late > 0)).astype(np.float32)[:, None]


def curves(policy: Node) -> bytes:
    """The original and four versions of a series, in one plot each."""
    original = series()
    made = [np.asarray(policy(original, seed=0, index=index, backend="reference")) for index in range(VERSIONS)]
    figure = Figure(figsize=(6.24, 0.9), dpi=100)
    FigureCanvasAgg(figure)
    for place, curve in enumerate([original, *made]):
        axes = figure.add_axes((place / 5 + 0.004, 0.03, 0.192, 0.94), ylim=(-1.6, 1.6), xticks=[], yticks=[])
        axes.plot(original[:, 0], color="0.8", linewidth=1)
        axes.plot(curve[:, 0], color="black" if place == 0 else "tab:blue", linewidth=1)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()

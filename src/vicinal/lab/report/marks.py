"""Annotations drawn over the pictures of a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vicinal.core.targets.oriented import corners_of

_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")  # Okabe and Ito, 2008
_VEIL = 110  # of 255: how opaque a mask is
_DOT = 2  # pixels: the radius of a point


@final
@dataclass(frozen=True, eq=False)
class Marks:
    """What is drawn over one picture, in its pixels.

    Attributes:
        boxes: (n, 4) xyxy, or (n, 8) corners.
        outlines: n polygons, each (K, 2).
        masks: (n, H, W), one an instance.
        points: (m, 2 or 3) or (n, K, 2 or 3); those that are unknown, or have visibility 0, are not drawn.
        classes: (n,) numbers that colours go by.
    """

    boxes: NDArray = field(default_factory=lambda: np.zeros((0, 4)))
    outlines: Sequence[NDArray] = ()
    masks: NDArray | None = None
    points: NDArray = field(default_factory=lambda: np.zeros((0, 2)))
    classes: Sequence[int] = ()

    @staticmethod
    def of(targets: Mapping[str, Any], number: int) -> Marks:
        """The annotations of one sample of a batch, as a call gives them back; boxes are xyxy or have four corners."""
        held = {name: targets[name][number] for name in ("boxes", "polygons", "masks", "keypoints", "label") if name in targets}
        boxes, label = np.asarray(held.get("boxes", np.zeros((0, 4))), float), np.atleast_1d(held.get("label", 0))
        boxes = corners_of(boxes, "cxcywhr").reshape(-1, 8) if boxes.shape[-1] == 5 else boxes
        classes = [int(one) for one in label] if len(label) == len(boxes) else [0] * len(boxes)
        return Marks(boxes, held.get("polygons", ()), held.get("masks"), np.asarray(held.get("keypoints", np.zeros((0, 2)))), classes)

    def over(self, tile: Image.Image, scale: float) -> Image.Image:
        """A tile, ``scale`` times the size of the picture, with everything drawn on it."""
        for number, mask in enumerate(() if self.masks is None else self.masks):
            veil = Image.fromarray(np.where(mask, _VEIL, 0).astype(np.uint8)).resize(tile.size, Image.Resampling.NEAREST)
            tile.paste(Image.new("RGBA", tile.size, self._colour(number)), mask=veil)
        draw = ImageDraw.Draw(tile)
        for number, ring in enumerate(self.outlines):
            if len(ring):
                draw.polygon(_placed(ring, scale), outline=self._colour(number))
        for number, box in enumerate(self.boxes):
            ring = box.reshape(4, 2) if len(box) == 8 else box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)
            draw.polygon(_placed(np.minimum(ring, np.array(tile.size) / scale - 1 / scale), scale), outline=self._colour(number))
        for x, y in self._seen() * scale:
            draw.ellipse((x - _DOT, y - _DOT, x + _DOT, y + _DOT), fill="white", outline="black")
        return tile

    def _colour(self, number: int) -> str:
        chosen = self.classes[number] if number < len(self.classes) else number
        return _COLOURS[chosen % len(_COLOURS)]

    def _seen(self) -> NDArray:
        """(m, 2) the points that are known and visible."""
        points = self.points.reshape(-1, self.points.shape[-1])
        visible = points[:, 2] > 0 if points.shape[1] == 3 else np.ones(len(points), bool)
        return points[visible & np.isfinite(points[:, :2]).all(1), :2]


def _placed(ring: NDArray, scale: float) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(ring) * scale]

"""Boxes: their polygon follows the whole policy and becomes a box once, at its end; what is cut or unusable meets one declared policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import ParameterError, TargetError
from vicinal.core.space import is_number
from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.oriented import corners_of, turned_of
from vicinal.core.targets.outline import Outlines, followed
from vicinal.core.targets.rows import Instances, Rows, like, per_sample

FORMATS = ("xyxy", "xywh", "cxcywh", "yolo", "normalised", "cxcywhr", "quad")
SAME = {"pascal_voc": "xyxy", "coco": "xywh", "albumentations": "normalised"}
WIDTHS = {"cxcywhr": 5, "quad": 8}
OUTSIDE = ("clip", "keep", "drop")
INVALID = ("raise", "clip", "drop")
_TOLERANCE = 0.5


@final
@dataclass(frozen=True, eq=False)
class Boxes(Target):
    """Boxes together with what is to happen to those that a transform cuts, and to those that are unusable from the start.

    Args:
        data: (N, 4) for one sample; (B, N, 4) or a list of (N_i, 4) for a batch. Oriented formats have 5 or 8 columns.
        format: "xyxy" (also "pascal_voc"), "xywh" ("coco") and "cxcywh" in pixels; "yolo" (cxcywh) and "normalised" (xyxy,
            "albumentations") as shares of the canvas; oriented boxes as "cxcywhr" (pixels, and degrees counter-clockwise as the image is
            shown) or "quad" (four corners x0, y0 ... x3, y3 in pixels). They come back in their format on the new canvas.
        outside: "clip" cuts boxes at the canvas, "keep" leaves them as they are, "drop" removes every box that is cut at all. Oriented
            boxes are never clipped: a cut one is kept whole or dropped.
        min_visible: boxes of which less than this share of the original area is left are dropped; 0 keeps all that touch the canvas.
        min_size: boxes whose shorter side is shorter than this, in pixels, are dropped in the end.
        invalid: what happens to boxes that reach more than half a pixel over the canvas, are turned around, without area, or not numbers:
            "raise" an error that names the box, "clip" them to the canvas (and drop what has no area then), or "drop" them. Half a pixel
            of float noise is cut off silently.
        tight: take the box from the polygons or instance masks of the same call, where they are given: it then fits what is left.

    Example:
        >>> import vicinal as v, numpy as np
        >>> boxes = v.Boxes(np.array([[1.0, 2.0, 4.0, 6.0]]), min_visible=0.3)
        >>> v.HorizontalFlip()(image=np.zeros((8, 8, 3), np.uint8), boxes=boxes, seed=0)["boxes"].tolist()
        [[4.0, 2.0, 7.0, 6.0]]
    """

    data: Any
    format: str = "xyxy"
    outside: str = "clip"
    min_visible: float = 0.0
    min_size: float = 0.0
    invalid: str = "raise"
    tight: bool = False
    kind: ClassVar[str] = "boxes"
    rank: ClassVar[int] = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "format", SAME.get(self.format, self.format))
        settings = (("format", FORMATS), ("outside", OUTSIDE), ("invalid", INVALID))
        for name, known in settings:
            value = getattr(self, name)
            if value not in known:
                raise ParameterError(f"Boxes.{name}", f"one of {', '.join(map(repr, known))}", repr(value), f"{name}={known[0]!r}")
        if not is_number(self.min_visible) or not 0 <= self.min_visible <= 1:
            raise ParameterError("Boxes.min_visible", "a share in [0, 1]", repr(self.min_visible), "min_visible=0.2")
        if not is_number(self.min_size) or self.min_size < 0:
            raise ParameterError("Boxes.min_size", "pixels, 0 or more", repr(self.min_size), "min_size=2")

    def follow(self, name: str, way: Way, known: Known) -> Any:
        rows = self.read(name, way.before)
        corners, table = self.usable(rows, way.before, name)
        moved = followed(way, corners, rows.owner, self.outside, self.min_visible)
        boxes, kept = self._final(moved, known.outlined(rows.owner) if self.tight else None)
        stays = known.decide(replace(table, kept=table.valid & kept, visible=moved.share)).kept
        values = from_xyxy(boxes[stays], rows.owner[stays], self.format, way.after) if boxes.shape[1:] == (4,) else boxes[stays]
        return like(Rows(values, rows.owner[stays]).parts(len(way.before)), self.data)

    def read(self, name: str, spec: Spec) -> Rows:
        """The rows of all samples, in the format that was given."""
        return Rows.of(per_sample(self.data, len(spec), name), (WIDTHS.get(self.format, 4),), name, finite=self.invalid == "raise")

    def usable(self, rows: Rows, spec: Spec, name: str) -> tuple[NDArray, Instances]:
        """(N, 4, 2) corners that lie on the canvas, and which of them were unusable or had to be clipped."""
        boxes = corners_of(rows.values, self.format) if self.format in WIDTHS else to_xyxy(rows, self.format, spec)
        limit = spec.size[rows.owner][:, ::-1]
        bad = faults(boxes, limit)
        if self.invalid == "raise" and bad.any():
            _refuse(boxes, rows.owner, limit, int(np.argmax(bad)), name)
        lost = bad & ((self.invalid == "drop") | ~np.isfinite(boxes).all(tuple(range(1, boxes.ndim))))
        boxes = np.where(np.isfinite(boxes), boxes, 0)
        if self.format not in WIDTHS:
            boxes = np.clip(boxes, 0, limit[:, [0, 1, 0, 1]])
            lost |= np.asarray((boxes[:, 2:] <= boxes[:, :2]).any(1))  # also one that is turned around: it never becomes another
            boxes = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
        lost |= _area(boxes) <= 0
        plain = Instances.all(rows.owner)
        return boxes, replace(plain, valid=~lost, repaired=bad & ~lost)

    def _final(self, moved: Outlines, fitting: NDArray | None) -> tuple[NDArray, NDArray[np.bool_]]:
        """Boxes, upright or oriented, and which of them stay; ``fitting`` ones take their place where they are known."""
        kept = moved.kept
        if self.format in WIDTHS:
            return turned_of(moved.whole, self.format), kept
        boxes = extent(moved.whole if self.outside == "keep" else moved.seen)
        if fitting is not None:
            empty = np.asarray(np.isnan(fitting).any(1))
            boxes, kept = np.where(empty[:, None], boxes, fitting), kept & ~empty
        sides = boxes[:, 2:] - boxes[:, :2]
        return boxes, kept & (sides.min(1, initial=np.inf) >= self.min_size)


def _area(corners: NDArray) -> NDArray[np.float64]:
    x, y = corners[..., 0], corners[..., 1]
    return np.abs((x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(1)) / 2


def faults(boxes: NDArray, limit: NDArray) -> NDArray[np.bool_]:
    """(N,) boxes (N, 4), or corners (N, 4, 2), that are not on the canvas, turned around, without area, or not numbers."""
    if boxes.ndim == 3:
        inside = ((boxes >= -_TOLERANCE) & (boxes <= limit[:, None] + _TOLERANCE)).all((1, 2))
        return ~(inside & np.isfinite(boxes).all((1, 2)) & (_area(boxes) > 0))
    ends = limit[:, [0, 1, 0, 1]]
    inside, left = (boxes >= -_TOLERANCE).all(1) & (boxes <= ends + _TOLERANCE).all(1), np.clip(boxes, 0, ends)
    return ~np.asarray(inside & (left[:, 2:] > left[:, :2]).all(1) & np.isfinite(boxes).all(1))


def _refuse(boxes: NDArray, owner: NDArray, limit: NDArray, row: int, name: str) -> None:
    sample, number = int(owner[row]), int(row - np.argmax(owner == owner[row]))
    canvas = f"the canvas of {limit[row, 1]} rows and {limit[row, 0]} columns"
    oriented = boxes.ndim == 3
    expected = f"four corners with an area, within {canvas}" if oriented else f"x0 < x1 and y0 < y1 within {canvas}"
    got = f"{'corners' if oriented else 'xyxy'} {boxes[row].tolist()}"
    advice = "v.Boxes(..., format='xywh'), if that is what they are; or v.Boxes(..., invalid='clip') or 'drop'"
    raise TargetError(f"{name}[{sample}][{number}]", expected, got, advice)


def to_xyxy(boxes: Rows, format: str, spec: Spec) -> NDArray[np.float64]:
    """(N, 4) boxes of any upright format as x0, y0, x1, y1 in pixels."""
    values = boxes.values.copy()
    if format in ("yolo", "normalised"):
        values *= spec.size[boxes.owner][:, [1, 0, 1, 0]]
    if format in ("cxcywh", "yolo"):
        values[:, :2] -= values[:, 2:] / 2
    if format in ("xywh", "cxcywh", "yolo"):
        values[:, 2:] += values[:, :2]
    return values


def from_xyxy(values: NDArray, owner: NDArray, format: str, spec: Spec) -> NDArray[np.float64]:
    """The inverse of ``to_xyxy`` on the new canvas."""
    values = values.copy()
    if format in ("xywh", "cxcywh", "yolo"):
        values[:, 2:] -= values[:, :2]
    if format in ("cxcywh", "yolo"):
        values[:, :2] += values[:, 2:] / 2
    if format in ("yolo", "normalised"):
        values /= spec.size[owner][:, [1, 0, 1, 0]]
    return values


def extent(polygons: NDArray) -> NDArray[np.float64]:
    """(N, 4) the smallest upright boxes around polygons (N, n, 2)."""
    return np.concatenate([polygons.min(1), polygons.max(1)], 1)

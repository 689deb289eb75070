"""What a sample carries besides its data, and how each kind follows the moves of a plan.

Points follow by the very map that moved the pixels. Boxes keep their polygon along the whole policy and become boxes once, at the end;
their visible share is measured against the original polygon. Dropping an instance drops its box, label and keypoints together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import ParameterError, TargetError
from vicinal.core.polygon import area, clip
from vicinal.core.space import is_number
from vicinal.core.warp import Warp

FORMATS = ("xyxy", "xywh", "cxcywh", "yolo", "normalised")
OUTSIDE = ("clip", "keep", "drop")
_TOLERANCE = 0.5
_NOISE = 1e-6  # pixels: a box that ends at the edge still does after rounding


@final
@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes together with what is to happen to those that a transform cuts.

    Args:
        data: (N, 4) for one sample; (B, N, 4) or a list of (N_i, 4) for a batch.
        format: "xyxy" and "xywh" and "cxcywh" in pixels; "yolo" (cxcywh) and "normalised" (xyxy) as shares of the canvas.
        outside: "clip" cuts boxes at the canvas, "keep" leaves them as they are, "drop" removes every box that is cut at all.
        min_visible: boxes of which less than this share of the original area is left are dropped; 0 keeps all that touch the canvas.

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

    def __post_init__(self) -> None:
        for name, value, known in (("format", self.format, FORMATS), ("outside", self.outside, OUTSIDE)):
            if value not in known:
                raise ParameterError(f"Boxes.{name}", f"one of {', '.join(map(repr, known))}", repr(value), f"{name}={known[0]!r}")
        if not is_number(self.min_visible) or not 0 <= self.min_visible <= 1:
            raise ParameterError("Boxes.min_visible", "a share in [0, 1]", repr(self.min_visible), "min_visible=0.2")


@final
@dataclass(frozen=True, eq=False)
class Mask:
    """A mask with the value that fills what a move uncovers; a plain array fills with 0.

    Args:
        data: (H, W) or (H, W, C), or a batch of them; any integer, boolean or float dtype; sampled by the nearest pixel.
        fill: for example 255 where a loss ignores that value.
    """

    data: Any
    fill: float = 0


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of numbers of all samples in one array, with the sample that each belongs to: (N, ...) and (N,)."""

    values: NDArray[np.float64]
    owner: NDArray[np.int64]

    @staticmethod
    def of(parts: Sequence[Any], width: tuple[int, ...], where: str) -> Rows:
        """From one array per sample, each (n, *width); -1 in ``width`` admits any number."""
        arrays = [_rows(part, width, f"{where}[{number}]") for number, part in enumerate(parts)]
        owner = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
        filled = [array for array in arrays if len(array)]
        empty = np.zeros((0, *(max(size, 2) for size in width)))
        try:
            return Rows(np.concatenate(filled) if filled else empty, owner)
        except ValueError:
            raise TargetError(where, "the same number of columns for every sample", "different ones") from None

    def parts(self, batch: int) -> list[NDArray]:
        """One array per sample again."""
        return [self.values[self.owner == number] for number in range(batch)]


def _rows(part: Any, width: tuple[int, ...], where: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(part, np.float64)
    except (TypeError, ValueError):
        raise TargetError(where, "numbers", repr(part)[:80]) from None
    if array.size == 0:
        return np.zeros((0, *(max(size, 2) for size in width)))
    fits = array.ndim == len(width) + 1 and all(want in (-1, have) for want, have in zip(width, array.shape[1:], strict=True))
    if not fits:
        shape = ", ".join("n" if size == -1 else str(size) for size in ("n", *width))
        raise TargetError(where, f"an array of shape ({shape})", f"shape {array.shape}")
    if not np.isfinite(array).all():
        raise TargetError(where, "finite numbers", f"NaN or infinity in row {int(np.argwhere(~np.isfinite(array))[0][0])}")
    return array


def forward(moves: Sequence[Warp], points: NDArray, owner: NDArray) -> NDArray[np.float64]:
    """Points (N, n, d) of the samples ``owner`` (N,) through all moves; nothing is clipped."""
    for move in moves:
        points = move.forward(points, owner)
    return points


def to_xyxy(boxes: Rows, format: str, spec: Spec) -> NDArray[np.float64]:
    """(N, 4) boxes of any format as x0, y0, x1, y1 in pixels."""
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


def checked(boxes: NDArray, owner: NDArray, spec: Spec) -> NDArray[np.float64]:
    """Boxes in pixels that lie on the canvas; half a pixel of float noise is cut off silently, more is an error."""
    limit = spec.size[owner][:, [1, 0, 1, 0]]
    bad = (boxes < -_TOLERANCE).any(1) | (boxes > limit + _TOLERANCE).any(1)
    turned = (boxes[:, 2:] < boxes[:, :2]).any(1)
    if (bad | turned).any():
        row = int(np.argmax(np.asarray(bad | turned)))
        sample, number = int(owner[row]), int(row - np.argmax(owner == owner[row]))
        expected = f"x0 <= x1 and y0 <= y1 within the canvas of {limit[row, 1]} rows and {limit[row, 0]} columns"
        advice = "Boxes(..., format='xywh'), if that is what they are; or clip them before"
        raise TargetError(f"boxes[{sample}][{number}]", expected, f"xyxy {boxes[row].tolist()}", advice)
    return np.clip(boxes, 0, limit)


def follow_boxes(moves: Sequence[Warp], boxes: NDArray, owner: NDArray, options: Boxes) -> tuple[NDArray, NDArray[np.bool_]]:
    """(N, 4) boxes after all moves, and (N,) which of them stay."""
    if not moves:
        return boxes, np.ones(len(boxes), bool)
    full = seen = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    inside = np.ones(len(boxes), bool)
    for move in moves:
        canvas = _canvas(move, owner)
        full, seen = move.forward(full, owner), clip(move.forward(seen, owner), canvas)
        inside &= np.asarray(((full >= -_NOISE) & (full <= canvas[:, None] + _NOISE)).all((1, 2)))
    whole = area(full)
    share = np.divide(area(seen), whole, out=np.zeros(len(boxes)), where=whole > 0)
    share = np.where(inside, 1.0, share)
    kept = inside | ((share > 0) & (share >= options.min_visible - 1e-9) & (options.outside != "drop"))
    return _extent(full if options.outside == "keep" else seen), kept


def _extent(polygons: NDArray) -> NDArray[np.float64]:
    """(N, 4) the smallest boxes around polygons (N, n, 2)."""
    return np.concatenate([polygons.min(1), polygons.max(1)], 1)


def follow_points(moves: Sequence[Warp], points: NDArray, owner: NDArray) -> NDArray[np.float64]:
    """(N, K, 2) or (N, K, 3) keypoints after all moves; a third column is a visibility that becomes 0 off the canvas of any."""
    places, seen = points[..., :2], np.ones(points.shape[:2], bool)
    for move in moves:
        places = move.forward(places, owner)
        canvas = _canvas(move, owner)[:, None]
        seen &= ((places >= 0) & (places <= canvas)).all(-1)
    rest = points[..., 2:] * seen[..., None]
    return np.concatenate([places, rest], -1)


def _canvas(move: Warp, owner: NDArray) -> NDArray[np.float64]:
    """(N, 2) width and height that a pass leaves; none for samples that it does not concern, whose canvas it may not know."""
    return np.where(move.active[owner][:, None], move.size[owner][:, ::-1], np.inf)


def per_sample(value: Any, batch: int, where: str, unpack: Callable[[Any], Any] = lambda part: part) -> list[Any]:
    """One entry per sample, or an error that counts."""
    if not hasattr(value, "__len__") or len(value) != batch:
        got = f"{len(value)}" if hasattr(value, "__len__") else repr(value)
        raise TargetError(where, f"{batch} entries, one a sample", got)
    return [unpack(part) for part in value]

"""Dense targets: label masks and heat maps, instance masks, and further images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense
from vicinal.core.batch import Spec
from vicinal.core.errors import ParameterError, TargetError
from vicinal.core.primitive import Hide
from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.dense import copied, dense
from vicinal.core.targets.rows import Instances, per_sample, uneven
from vicinal.core.volume import expanded, regrouped, slices
from vicinal.core.warp import CONSTANT, LINEAR, NONE, Warp

KINDS = ("labels", "heatmap")


@final
@dataclass(frozen=True, eq=False)
class Mask(Target):
    """A mask with the value that fills what a move uncovers; a plain array under the name ``mask`` fills with 0.

    Args:
        data: (H, W) or (H, W, C), or a batch of them; labels of any integer, boolean or float dtype, heat maps of uint8, uint16, float32.
        fill: for example 255 where a loss ignores that value; in the units of the data.
        content: "labels" are sampled by the nearest pixel, so that no new value appears; a "heatmap" is interpolated.

    Example:
        >>> import vicinal as v, numpy as np
        >>> depth = v.Mask(np.ones((4, 4), np.float32), content="heatmap")
        >>> v.Resize(size=2)(image=np.zeros((4, 4, 3), np.uint8), depth=depth, seed=0)["depth"].tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    data: Any
    fill: float = 0
    content: str = "labels"
    kind: ClassVar[str] = "mask"

    def __post_init__(self) -> None:
        if self.content not in KINDS:
            raise ParameterError("Mask.content", f"one of {', '.join(map(repr, KINDS))}", repr(self.content), "content='labels'")

    def follow(self, name: str, way: Way, known: Known) -> Any:
        series = way.before.dims == 1
        masks, squeeze = dense(self.data, 4 if way.depth is not None else 2 if series else 3, name)
        if way.depth is not None:
            moved = self._slices(masks, way, name)
        elif series:
            masks = [array[None] for array in masks] if isinstance(masks, list) else masks[:, None]
            moved = self._moved(masks, way.moves, way, name)
            moved = [array[0] for array in moved] if isinstance(moved, list) else moved[:, 0]
        else:
            moved = self._moved(masks, way.moves, way, name)
        return ([array[..., 0] for array in moved] if isinstance(moved, list) else moved[..., 0]) if squeeze else moved

    def _slices(self, volumes: Dense, way: Way, name: str) -> Dense:
        flat, counts = slices(volumes)
        if counts.tolist() != np.asarray(way.depth).tolist():
            expected = f"as many slices as the volumes have, {np.asarray(way.depth).tolist()}"
            raise TargetError(name, expected, f"{counts.tolist()}", "a mask (D, H, W) for each volume (D, H, W, C)")
        moved = regrouped(self._moved(flat, expanded(way.moves, counts), way.sliced(), name), counts)
        return np.stack(moved) if isinstance(volumes, np.ndarray) and len({part.shape for part in moved}) == 1 else moved

    def _moved(self, masks: Dense, moves: Sequence[Any], way: Way, name: str) -> Dense:
        fits(masks, way.before, name)
        dtype = masks[0].dtype
        if dtype.kind in "iub" and np.asarray(self.fill).astype(dtype) != self.fill:
            raise TargetError(f"{name}.fill", f"a value that {dtype} can hold", repr(self.fill), f"fill=0, or {name}.astype(np.int32)")
        if self.content == "labels":
            masks = _without(masks, way)
        if not moves:
            return copied(masks)
        if self.content == "labels":
            return way.engine.follow(moves, masks, self.fill)
        if str(dtype) not in ("uint8", "uint16", "float32"):
            raise TargetError(name, "a heat map of dtype uint8, uint16 or float32", str(dtype), f"{name}.astype(np.float32)")
        return way.engine.run([_interpolated(move, self.fill, dtype) for move in moves], masks)


def _without(masks: Dense, way: Way) -> Dense:
    """The masks without the labels that a pass hides; moves keep labels, so it does not matter when."""
    for hide in way.passes:
        if isinstance(hide, Hide) and any(len(hide.labels[row]) for row in np.flatnonzero(hide.active)):
            gone = [hide.labels[row] if hide.active[row] else () for row in range(len(masks))]
            masks = [_blanked(mask, labels) if len(labels) else mask for mask, labels in zip(masks, gone, strict=True)]
    return np.stack(masks) if isinstance(masks, list) and len({mask.shape for mask in masks}) == 1 else masks


def _blanked(mask: NDArray, labels: Any) -> NDArray:
    made = mask.copy()
    made[among(mask, labels)] = 0
    return made


def among(mask: NDArray, values: NDArray) -> NDArray[np.bool_]:
    """Where a mask has one of some of its values; of bytes by a table, which takes a tenth of the time."""
    if mask.dtype != np.uint8:
        return np.isin(mask, values)
    table = np.zeros(256, bool)
    table[values] = True
    return table[mask]


def _interpolated(move: Warp, fill: float, dtype: Any) -> Warp:
    """The move with a fill of its own, by linear interpolation even where the image takes the nearest pixel."""
    share = float(fill) / (np.iinfo(dtype).max if dtype.kind == "u" else 1)
    sampling = np.where(move.interpolation == NONE, NONE, LINEAR).astype(np.int8)
    return replace(move, fill=np.full(len(move.fill), share), interpolation=sampling)


@final
@dataclass(frozen=True, eq=False)
class InstanceMasks(Target):
    """One mask an instance, bound to boxes, labels and keypoints by its row; plain arrays under the name ``masks`` are taken for it.

    Args:
        data: (N, H, W) for one sample, boolean or integer, with N possibly 0; a list of them, or (B, N, H, W), for a batch.

    An instance of which no pixel is left is dropped, and with it the rows of all other targets that belong to it.
    """

    data: Any
    kind: ClassVar[str] = "masks"
    rank: ClassVar[int] = 0

    def follow(self, name: str, way: Way, known: Known) -> Any:
        parts = per_sample(self.data, len(way.before), name, np.asarray)
        held = [self._checked(part, way, sample, f"{name}[{sample}]") for sample, part in enumerate(parts)]
        moved = way.engine.follow(way.moves, held, 0) if way.moves else copied(held)
        out = [np.ascontiguousarray(np.moveaxis(array[..., : len(part)], -1, 0)) for array, part in zip(moved, parts, strict=True)]
        around = np.concatenate([extents(array) for array in out])
        owner = np.repeat(np.arange(len(out)), [len(array) for array in out])
        known.outline(around, owner)
        # An instance that was empty from the start has lost nothing.
        full = np.concatenate([np.any(part, (1, 2)) if part.size else np.zeros(len(part), bool) for part in parts])
        gone = np.isnan(around).any(1) & full | _dropped(way, owner)
        known.decide(replace(Instances.all(owner), kept=~gone))
        return out

    def _checked(self, part: NDArray, way: Way, sample: int, where: str) -> NDArray:
        size = tuple(int(side) for side in way.before.size[sample])
        if not part.size:
            return np.zeros((*size, 1), bool)
        if part.ndim != 3 or part.shape[1:] != size or part.dtype.kind not in "biu":
            expected, write = f"masks of shape (n, {size[0]}, {size[1]}), boolean or whole", _stacked(part, size)
            raise TargetError(where, expected, f"{part.dtype} {part.shape}", write)
        return np.ascontiguousarray(np.moveaxis(part, 0, -1))


def _stacked(part: NDArray, size: tuple[int, ...]) -> str:
    """What makes masks, one an instance, of another array, in code where that can be told."""
    if part.shape[1:] == size:
        return "masks > 0"
    if part.shape[:2] == size:
        return "masks[None]" if part.ndim == 2 else "np.moveaxis(masks, -1, 0)"
    return f"np.stack(masks), each of its image's size {size}"


def _dropped(way: Way, owner: NDArray) -> NDArray[np.bool_]:
    """(N,) the instances that a pass hides."""
    gone = np.zeros(len(owner), bool)
    for hide in way.passes:
        if not isinstance(hide, Hide):
            continue
        for row in np.flatnonzero(hide.active):
            gone[np.flatnonzero(owner == row)[hide.instances[row]]] = True
    return gone


def extents(masks: NDArray) -> NDArray[np.float64]:
    """(N, 4) x0, y0, x1, y1 around the pixels of masks (N, H, W) that are not 0; NaN where all are."""
    columns, rows = np.asarray(np.any(masks, 1)), np.asarray(np.any(masks, 2))
    ends = [columns.argmax(1), rows.argmax(1)]
    ends += [side.shape[1] - side[:, ::-1].argmax(1) for side in (columns, rows)]
    return np.where(np.asarray(np.any(rows, 1))[:, None], np.stack(ends, 1).astype(float), np.nan)


@final
@dataclass(frozen=True, eq=False)
class Image(Target):
    """A further image of the same sample, of the size, channels and dtype of the main one: it goes through every pass with the same draws.

    Example:
        >>> import vicinal as v, numpy as np
        >>> left, right = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 9, np.uint8)
        >>> v.Invert()(image=left, right=v.Image(right), seed=0)["right"].max()
        np.uint8(246)
    """

    data: Any
    kind: ClassVar[str] = "image"

    def follow(self, name: str, way: Way, known: Known) -> Any:
        images, squeeze = dense(self.data, 3, name)
        fits(images, way.before, name)
        first, spec = images[0], way.before
        if (str(first.dtype), first.shape[-1]) != (spec.dtype, spec.channels):
            expected, advice = f"{spec.dtype} with {spec.channels} channels, as the main image", f"{name}=v.Mask(..., content='heatmap')"
            raise TargetError(name, expected, f"{first.dtype} with {first.shape[-1]}", advice)
        made = way.engine.run(way.passes, images) if way.passes else copied(images)
        flat = squeeze and way.after.layout == "HWC"
        return ([array[..., 0] for array in made] if isinstance(made, list) else made[..., 0]) if flat else made


def fits(masks: Dense, spec: Spec, name: str) -> None:
    """Refuse masks that are not one a sample, or not of the size of their image."""
    if len(masks) != len(spec):
        raise uneven(name, len(spec), str(len(masks)))
    if isinstance(masks, np.ndarray) and (spec.size == masks.shape[1:3]).all():
        return
    for number, mask in enumerate(masks):
        expected = (int(spec.height[number]), int(spec.width[number]))
        if mask.shape[:2] != expected:
            write = f"cv2.resize(mask, {expected[::-1]}, interpolation=cv2.INTER_NEAREST)"
            raise TargetError(f"{name}[{number}]", f"the size of its image, {expected}", f"{mask.shape[:2]}", write)


def valid(way: Way) -> Dense:
    """(H, W) boolean for each sample: True where the result shows pixels of the input, not a border."""
    ones: Dense = [np.ones((int(height), int(width), 1), bool) for height, width in zip(way.before.height, way.before.width, strict=True)]
    moves = [replace(move, border=np.full(len(move.border), CONSTANT, np.int8)) for move in way.moves]
    return [array[..., 0] for array in (way.engine.follow(moves, ones, 0) if moves else ones)]

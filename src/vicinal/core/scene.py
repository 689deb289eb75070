"""What a transform may see of the annotations: where boxes and mask pixels lie when its turn comes. It never sees pixels of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense, load
from vicinal.core.batch import Spec
from vicinal.core.inputs import Inputs
from vicinal.core.targets import Boxes, InstanceMasks, Mask, Way
from vicinal.core.targets.boxes import extent
from vicinal.core.targets.dense import dense
from vicinal.core.targets.masks import fits
from vicinal.core.targets.outline import followed
from vicinal.core.warp import Warp


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """The annotations of a batch, after the moves so far."""

    before: Spec
    boxes: Boxes | None
    mask: Mask | None
    masks: InstanceMasks | None = None
    moves: Sequence[Warp] = field(default_factory=tuple)

    def after(self, moves: Sequence[Warp]) -> Scene:
        """The same annotations, some moves later."""
        return replace(self, moves=tuple(moves))

    def hulls(self) -> NDArray[np.float64]:
        """(B, 4) x0, y0, x1, y1 around what is left of the boxes of each sample, wherever they are by now; NaN without boxes."""
        hull = np.full((len(self.before), 4), np.nan)
        if self.boxes is None:
            return hull
        rows = self.boxes.read("boxes", self.before)
        corners, table = self.boxes.usable(rows, self.before, "boxes")
        now = followed(Way(self.moves, self.before, self.before, load("reference")), corners, rows.owner, "clip", 0.0)
        box, here = extent(now.seen), table.valid & now.kept
        owner, box = rows.owner[here], box[here]
        first = np.flatnonzero(np.diff(owner, prepend=-1))  # rows stand sample by sample
        if len(first):
            low, high = np.minimum.reduceat(box[:, :2], first), np.maximum.reduceat(box[:, 2:], first)
            hull[owner[first]] = np.concatenate([low, high], 1)
        return hull

    def spots(self, where: NDArray) -> NDArray[np.float64]:
        """(B, 2) the middle of one mask pixel that is not 0, the share ``where`` (B,) of the way through them; NaN where there is none."""
        spot, masks = np.full((len(self.before), 2), np.nan), self._masks()
        if isinstance(masks, np.ndarray):
            return _spots(masks, where)
        for sample, mask in enumerate(masks):
            spot[sample] = _spots(mask[None], where[sample : sample + 1])[0]
        return spot

    def objects(self) -> list[tuple[NDArray[np.int64], NDArray]] | None:
        """For each sample the numbers of its instances with their masks (n, H, W), or the values of its label mask with the mask (H, W),
        on the canvas as it is by now; None without masks."""
        if self.masks is not None:
            parts = [np.moveaxis(np.asarray(part), 0, -1) for part in self.masks.data]
            numbers = [np.arange(part.shape[-1]) for part in parts]
            filled = [part if part.size else np.zeros((*size, 1), bool) for part, size in zip(parts, self.before.size, strict=True)]
            moved = load("reference").follow(self.moves, filled, 0)
            return [(number, np.moveaxis(part, -1, 0)) for number, part in zip(numbers, moved, strict=True)]
        if self.mask is None or self.mask.content != "labels":
            return None
        return [(values[values != 0], mask[..., 0]) for mask in self._masks() for values in (_present(mask[..., 0]),)]

    def _masks(self) -> Dense:
        """The masks as the moves leave them, pixel for pixel, since the nearest rule may lose a pixel; borders are 0."""
        if self.mask is None:
            return []
        masks, _ = dense(self.mask.data, 3, "mask")
        fits(masks, self.before, "mask")
        # By the reference, so that what is seen, and with it what is drawn, is the same with every backend.
        return load("reference").follow(self.moves, masks, 0) if self.moves else masks


def scene(inputs: Inputs) -> Scene:
    """What may be seen of the targets of a call."""
    if not inputs.others:
        return Scene(inputs.spec, None, None)
    boxes, mask, masks = (inputs.others.get(name) for name in ("boxes", "mask", "masks"))
    if isinstance(mask, Mask) and inputs.kind == "volume":
        mask = replace(mask, data=[_through(volume) for volume in dense(mask.data, 4, "mask")[0]])
    upright = boxes if isinstance(boxes, Boxes) else None
    return Scene(inputs.spec, upright, mask if isinstance(mask, Mask) else None, masks if isinstance(masks, InstanceMasks) else None)


def _through(volume: NDArray) -> NDArray:
    """(H, W, C) the first value that is not 0 along the slices of a mask (D, H, W, C)."""
    return np.take_along_axis(volume, np.argmax(volume != 0, 0)[None], 0)[0]


def _spots(masks: NDArray, where: NDArray) -> NDArray[np.float64]:
    """(b, 2) for equal masks (b, H, W, C): the pixels that are not 0 stand in one list, sample by sample."""
    found = (masks[..., 0] != 0 if masks.shape[3] == 1 else np.asarray(masks.any(3))).reshape(len(masks), -1)
    count = np.count_nonzero(found, axis=1)
    some, start = count > 0, np.cumsum(count) - count
    chosen = start + np.minimum((where * count).astype(np.int64), count - 1)
    pixel = np.flatnonzero(found)[chosen[some]] % found.shape[1]
    spot = np.full((len(masks), 2), np.nan)
    spot[some] = np.stack([pixel % masks.shape[2], pixel // masks.shape[2]], 1) + 0.5
    return spot


def _present(mask: NDArray) -> NDArray:
    """The values of a mask, in order; of bytes by counting, which takes a tenth of the time."""
    return np.flatnonzero(np.bincount(mask.ravel())).astype(mask.dtype) if mask.dtype == np.uint8 else np.unique(mask)

"""What a transform may see of the annotations: where boxes and mask pixels lie when its turn comes. It never sees pixels of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.inputs import Inputs
from vicinal.core.targets import Boxes, Mask
from vicinal.core.targets.boxes import extent
from vicinal.core.targets.dense import dense
from vicinal.core.warp import Warp


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """The annotations of a batch, after the moves so far."""

    before: Spec
    boxes: Boxes | None
    mask: Mask | None
    moves: Sequence[Warp] = field(default_factory=tuple)

    def after(self, moves: Sequence[Warp]) -> Scene:
        """The same annotations, some moves later."""
        return Scene(self.before, self.boxes, self.mask, tuple(moves))

    def hulls(self) -> NDArray[np.float64]:
        """(B, 4) x0, y0, x1, y1 around all usable boxes of each sample, wherever they are by now; NaN without boxes."""
        hull = np.full((len(self.before), 4), np.nan)
        if self.boxes is None:
            return hull
        rows = self.boxes.read("boxes", self.before)
        corners, table = self.boxes.usable(rows, self.before, "boxes")
        now = extent(self._moved(corners, rows.owner)) if len(corners) else np.zeros((0, 4))
        for sample in np.unique(rows.owner[table.valid]):
            mine = now[table.valid & (rows.owner == sample)]
            hull[sample] = [*mine[:, :2].min(0), *mine[:, 2:].max(0)]
        return hull

    def spots(self, where: NDArray) -> NDArray[np.float64]:
        """(B, 2) the middle of one mask pixel that is not 0, the share ``where`` (B,) of the way through them; NaN where there is none."""
        spot = np.full((len(self.before), 1, 2), np.nan)
        if self.mask is None:
            return spot[:, 0]
        masks, _ = dense(self.mask.data, 3, "mask")
        for sample, mask in enumerate(masks):
            found = np.flatnonzero(mask.any(2))
            if len(found):
                pixel = found[min(int(where[sample] * len(found)), len(found) - 1)]
                spot[sample, 0] = pixel % mask.shape[1] + 0.5, pixel // mask.shape[1] + 0.5
        return self._moved(spot, np.arange(len(spot)))[:, 0]

    def _moved(self, points: NDArray, owner: NDArray) -> NDArray[np.float64]:
        for move in self.moves:
            points = move.forward(points, owner)
        return points


def scene(inputs: Inputs) -> Scene:
    """What may be seen of the targets of a call."""
    boxes, mask = (inputs.others.get(name) for name in ("boxes", "mask"))
    upright = boxes if isinstance(boxes, Boxes) else None
    return Scene(inputs.spec, upright, mask if isinstance(mask, Mask) else None)

"""Crops by the number of the view: the corners and the centre."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.compose import Compose, Group
from vicinal.core.declare import is_size
from vicinal.core.draw import Draw
from vicinal.core.errors import ParameterError
from vicinal.core.transform import Transform, register
from vicinal.core.warp import Warp
from vicinal.image.fields import Params, border_option, count_option, fill_option, sides, size_option

if TYPE_CHECKING:
    from vicinal.core.plan import Builder

__all__ = ["CornerCrop", "FiveCrop", "TenCrop"]


@register
@final
class CornerCrop(Transform):
    """A corner or the middle, by the number of the view: upper left, upper right, lower left, lower right, centre; then mirrored.

    Args:
        size: of the window; crops: 5, or 10 with the mirrored ones.

    Example:
        >>> [CornerCrop(size=1)(np.array([[1, 2], [3, 4]], np.uint8), seed=0, view=view).item() for view in range(4)]
        [1, 2, 3, 4]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    crops: int = count_option(5, 5, 10, "5, or 10 with the mirrored ones")
    border: str = border_option()
    fill: float = fill_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"place": draw.address.view % self.crops}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        place, size = params["place"] % 5, sides(self.size, len(spec))
        share = np.array([(0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5)]).take(place, 0)  # of the free room, y before x
        start = np.floor((spec.size - size) * share + 0.5)
        matrix = affine.translation(-start[:, 1], -start[:, 0])
        if self.crops > 5:
            flip = params["place"] >= 5
            matrix[flip, 0] = -matrix[flip, 0]
            matrix[flip, 0, 2] += size[flip, 1]
        return [Warp.of(matrix, spec, size, self.border, self.fill)]


@dataclass(frozen=True, repr=False)
class Corners(Group):
    """Abstract: several views, each a corner crop followed by the operations that are given.

    Args:
        of: what follows each crop; size: of the crops, in pixels.
    """

    size: int | tuple[int, int] = field(default=224, kw_only=True)
    crops: ClassVar[int]

    def more_faults(self) -> list[ParameterError]:
        if is_size(self.size):
            return []
        expected = "a whole number of 1 or more, or (height, width)"
        return [ParameterError(f"{type(self).__name__}.size", expected, repr(self.size), "size=224")]

    @property
    def views(self) -> int | None:
        return self.crops

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        self.emit(build, "", on)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        Compose((CornerCrop(size=self.size, crops=self.crops), *self.of)).emit(build, path, on)


@register
@final
class FiveCrop(Corners):
    """Five views: the four corners and the centre, each followed by the operations that are given. Stands at the top of a policy.

    Args:
        of: what follows each crop; size: of the crops, in pixels.

    Example:
        >>> import vicinal as v
        >>> [crop.shape for crop in v.FiveCrop([v.Grayscale()], size=48)(np.zeros((80, 120, 3), np.uint8), seed=0)][:2]
        [(48, 48, 3), (48, 48, 3)]
    """

    crops: ClassVar[int] = 5


@register
@final
class TenCrop(Corners):
    """Ten views: FiveCrop, and the same mirrored left to right. Stands at the top of a policy.

    Args:
        of: what follows each crop; size: of the crops, in pixels.

    Example:
        >>> import vicinal as v
        >>> len(v.TenCrop([], size=48)(np.zeros((80, 120, 3), np.uint8), seed=0))
        10
    """

    crops: ClassVar[int] = 10

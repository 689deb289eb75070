"""Functions of your own, by their import path, so that a policy stays data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.named import EXPECTED, imported, is_path
from vicinal.core.primitive import Opaque, everywhere
from vicinal.core.transform import Transform, option, register
from vicinal.image.fields import Params

__all__ = ["Lambda"]


@register
@final
class Lambda(Transform):
    """A function of your own on every image or text; boxes, masks and keypoints stay, so it must not move anything.

    It is imported on first use. Code and typed text may name any function; a policy file only where ``v.load(..., trusted=True)``.

    Args:
        function: its import path. It sees one image (H, W, C), read-only, and returns the same shape and dtype, or one str and returns one;
            it must not draw.

    Example:
        >>> import numpy as np
        >>> Lambda(function="numpy:sort")(np.array([[[30, 10, 20]]], np.uint8), seed=0).tolist()
        [[[10, 20, 30]]]
    """

    verb: ClassVar[str] = "opaque"
    needs: ClassVar[frozenset[str]] = frozenset({"image", "text"})
    imports: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"function": "numpy:sort"}

    function: str = option(expected=EXPECTED, admits=is_path)

    def lower(self, params: Params, spec: Spec) -> list[Opaque]:
        return [Opaque(same_form(imported(self.function, "Lambda.function"), f"Lambda({self.function})"), everywhere(len(spec)))]


def same_form(function: Callable[..., Any], where: str) -> Callable[..., NDArray]:
    """The function, held to what it promises: shape and dtype stay, and a text, which it sees as a str, stays one."""

    def held(image: NDArray, **arguments: Any) -> NDArray:
        if image.dtype == object:
            return np.full_like(image, _text(function(image.item(), **arguments), where))
        made = function(image, **arguments)
        shape, dtype = getattr(made, "shape", None), getattr(made, "dtype", type(made).__name__)
        if shape != image.shape or dtype != image.dtype:
            write = f"return made.astype({str(image.dtype)!r})" if shape == image.shape else f"return made, an array of shape {image.shape}"
            raise TargetError(where, f"{image.dtype} {image.shape}, as it came", f"{dtype} {shape}", write)
        return made

    return held


def _text(made: Any, where: str) -> str:
    if not isinstance(made, str):
        raise TargetError(where, "a str, as it came", type(made).__name__, "return str(made)")
    return str(made)

"""Functions of your own, by their import path, so that a policy stays data."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, final

from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import PolicyError, TargetError
from vicinal.core.primitive import Opaque, everywhere
from vicinal.core.transform import Transform, option, register
from vicinal.image.fields import Params

__all__ = ["Lambda"]


def _is_path(value: Any) -> bool:
    """``package.module:name`` whose outermost package is there; nothing is imported to find out."""
    if not isinstance(value, str) or value.count(":") != 1:
        return False
    parts = value.replace(":", ".").split(".")
    return len(parts) > 1 and all(part.isidentifier() for part in parts) and importlib.util.find_spec(parts[0]) is not None


@register
@final
class Lambda(Transform):
    """A function of your own on every image; boxes, masks and keypoints stay, so it must not move anything.

    It is imported on first use. Code and typed text may name any function; a policy file only where ``v.load(..., trusted=True)``.

    Args:
        function: its import path. It sees one image (H, W, C), read-only, and returns the same shape and dtype; it must not draw.

    Example:
        >>> import numpy as np
        >>> Lambda(function="numpy:sort")(np.array([[[30, 10, 20]]], np.uint8), seed=0).tolist()
        [[[10, 20, 30]]]
    """

    verb: ClassVar[str] = "opaque"
    imports: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"function": "numpy:sort"}

    function: str = option(expected="the import path of a function, 'package.module:name', of an installed package", admits=_is_path)

    def lower(self, params: Params, spec: Spec) -> list[Opaque]:
        return [Opaque(same_form(imported(self.function), f"Lambda({self.function})"), everywhere(len(spec)))]


@lru_cache(maxsize=256)
def imported(path: str) -> Callable[..., Any]:
    """The function behind ``package.module:name``.

    Raises:
        PolicyError: where there is none.
    """
    module, name = path.split(":")
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as fault:
        raise PolicyError("Lambda.function", "the import path of a function", f"{path!r} ({fault})") from None
    if not callable(found):
        raise PolicyError("Lambda.function", "a function", f"{path!r}, which is {type(found).__name__}")
    return found


def same_form(function: Callable[..., Any], where: str) -> Callable[..., NDArray]:
    """The function, held to what it promises: shape and dtype stay."""

    def held(image: NDArray, **arguments: Any) -> NDArray:
        made = function(image, **arguments)
        form = (getattr(made, "shape", None), str(getattr(made, "dtype", type(made).__name__)))
        if form != (image.shape, str(image.dtype)):
            raise TargetError(where, f"{image.dtype} {image.shape}, as it came", f"{form[1]} {form[0]}")
        return made

    return held

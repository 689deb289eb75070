"""Any callable on one item as a transform, with randomness that has an address."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.bridges.foreign import ANNOTATIONS, Foreign, attempted
from vicinal.bridges.seeded import number, seeded
from vicinal.core.batch import Spec
from vicinal.core.errors import PolicyError, TargetError
from vicinal.core.primitive import Opaque, everywhere
from vicinal.core.transform import Node, Transform, option
from vicinal.image.custom import same_form
from vicinal.image.fields import Params, switch

__all__ = ["Wrapped", "wrapped"]


@final
@dataclass(frozen=True, repr=False)
class Named:
    """A callable by a name that tells it apart; two of one name count as the same."""

    name: str
    function: Callable[..., Any] = field(compare=False)

    def __repr__(self) -> str:
        return self.name


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class Wrapped(Transform):
    """A callable of yours on every item by itself; see `wrapped`. Like ``Foreign``, it can be neither saved nor parsed.

    Args:
        pipeline: what is called; moves: True where pixels may move: then boxes, masks and keypoints are refused.
    """

    verb: ClassVar[str] = "opaque"
    needs: ClassVar[frozenset[str]] = frozenset({"image", "series", "text"})
    keys: ClassVar[tuple[str, ...]] = ("key",)

    pipeline: Any = option(expected="a callable, by v.wrapped(callable)", admits=lambda value: isinstance(value, Named))  # noqa: RUF009
    moves: bool = switch(True, "pixels may move")

    def lower(self, params: Params, spec: Spec) -> list[Opaque]:
        where = f"Wrapped({self.pipeline})"
        refused = sorted(ANNOTATIONS & spec.targets) if self.moves else []
        if refused:
            expected, write = "items alone: annotations cannot follow it", "v.wrapped(..., moves=False) if nothing moves"
            raise TargetError(where, expected, f"{' and '.join(refused)} as well", write)
        run = attempted(partial(call, self.pipeline.function, spec.dims == 1), where)
        return [Opaque(same_form(run, where), everywhere(len(spec)), {"key": params["key"]})]


def call(function: Callable[..., Any], series: bool, item: NDArray | str, *, key: NDArray) -> Any:
    """One item (H, W, C) through the function, or a text, or one series, which comes as (1, T, C) and is shown as (T, C)."""
    shown = item if isinstance(item, str) else item[0].copy() if series else item.copy()
    more = {"rng": np.random.default_rng(number(key))} if _takes_rng(function) else {}
    with seeded(key):
        made = function(shown, **more)
    if isinstance(item, str):
        return made
    return np.asarray(made)[None] if series else np.asarray(made)


def _takes_rng(function: Callable[..., Any]) -> bool:
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # of some functions in C
        return False


def wrapped(pipeline: Callable[..., Any], *, name: str | None = None, moves: bool = True, p: float = 1.0) -> Node:
    """A pipeline of another library, or any callable on one item, as it is: a policy, so also an arm of a comparison.

    What it draws from the global generators of Python, NumPy and torch is decided by the address of the item: they are seeded for every
    call and put back afterwards. A callable with a parameter ``rng`` is given a ``numpy.random.Generator`` of its own. Generators that
    it keeps for itself cannot be reached: let it draw from one of these. Pipelines of Albumentations and torchvision run as those
    libraries have them (see ``from_albumentations`` for a translation, which is faster).

    Args:
        pipeline: sees one image (H, W, C) or one series (T, C) in the dtype of the data, and returns the same shape and dtype; or one
            text, a str, and returns a str.
        name: tells it apart from others in results and in the store of trials; that of an importable function, or a ``repr`` of all
            settings, will do. Change it when the code changes.
        moves: True where pixels may move; then boxes, masks and keypoints are refused, because they cannot follow.
        p: probability with which an item is touched.

    Raises:
        PolicyError: no callable, or one without a name that says the same again.

    Example:
        >>> policy = wrapped(lambda image, rng: np.roll(image, rng.integers(-2, 3), axis=1), name="roll")
        >>> policy(np.zeros((4, 8, 8, 1), np.uint8), seed=0).shape
        (4, 8, 8, 1)
        >>> wrapped(str.upper, name="upper")("in one voice")
        'IN ONE VOICE'
    """
    if not callable(pipeline):
        raise PolicyError("wrapped", "a callable on one item", type(pipeline).__name__, 'v.wrapped(lambda image: 255 - image, name="mine")')
    library = _library(pipeline)
    if library:
        return Foreign(operation=pipeline, library=library, moves=moves, p=p)
    return Wrapped(pipeline=Named(name or _name(pipeline), pipeline), moves=moves, p=p)


def _library(pipeline: Any) -> str:
    roots = {base.__module__.split(".")[0] for base in type(pipeline).__mro__}
    return next((name for name in ("albumentations", "torchvision") if name in roots), "")


def _name(pipeline: Callable[..., Any]) -> str:
    """The import path of a function, else its repr, where either says the same again in another process."""
    path = f"{getattr(pipeline, '__module__', '')}:{getattr(pipeline, '__qualname__', '')}"
    if re.fullmatch(r"[\w.]+:[\w.]+", path) and not path.startswith("__main__"):
        return path
    if re.search(r" at 0x[0-9a-f]+", repr(pipeline)) or getattr(pipeline, "__qualname__", ""):
        raise PolicyError("wrapped", "a name for a callable that has none of its own", repr(pipeline)[:200], 'v.wrapped(..., name="mine")')
    return repr(pipeline)

"""Several augmentations of one picture, averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from typing import Any, cast, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.compose import Group, OneOf
from vicinal.core.errors import ParameterError, PolicyError, VicinalError
from vicinal.core.mixing import Blend
from vicinal.core.plan import Builder
from vicinal.core.primitive import Primitive
from vicinal.core.space import is_number, pick
from vicinal.core.special import beta_quantile
from vicinal.core.transform import Transform, find, register

__all__ = ["AugMix"]

PAPER = ("AutoContrast", "Equalize", "Posterize", "Solarize")  # its operations that neither move anything nor change the canvas
ANNOTATIONS = frozenset({"boxes", "mask", "masks", "keypoints", "events"})


@register
@final
class AugMix(Group):
    """Chains of operations on one picture, averaged with each other and then with the picture itself.

    Each of ``width`` chains takes ``depth`` operations, drawn one by one. Their weights come from a Dirichlet law with concentration
    ``alpha``, the weight of their average beside the picture from Beta(alpha, alpha). Labels and annotations stay; so with boxes, masks or
    keypoints no operation may move anything. For the consistency loss of the paper (Hendrycks et al., AugMix: a simple data processing
    method to improve robustness and uncertainty, 2020) use Views.

    Args:
        of: the operations; by default those of the paper that move nothing: AutoContrast, Equalize, Posterize, Solarize;
        width: how many chains; depth: how many operations a chain, or (fewest, most); alpha: the concentration of both laws.

    Example:
        >>> import vicinal as v
        >>> v.AugMix([v.Grayscale(), v.Gamma(exponent=(0.5, 2)), v.Contrast(gain=(0.5, 2))], width=2)
        AugMix([Grayscale(), Gamma(exponent=(0.5, 2)), Contrast(gain=(0.5, 2))], width=2)
    """

    width: int = field(default=3, kw_only=True)
    depth: int | tuple[int, int] = field(default=(1, 3), kw_only=True)
    alpha: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.of, (list, tuple)) and not self.of:
            object.__setattr__(self, "of", tuple(_typical(name) for name in PAPER))
        Group.__post_init__(self)

    def more_faults(self) -> Iterator[VicinalError]:
        if not _is_whole(self.width, 1):
            yield ParameterError("AugMix.width", "a whole number of 1 or more", repr(self.width), "width=3")
        ends = self._ends()
        if len(ends) != 2 or not all(_is_whole(end, 1) for end in ends) or ends[0] > ends[1]:
            yield ParameterError("AugMix.depth", "a whole number of 1 or more, or (fewest, most)", repr(self.depth), "depth=(1, 3)")
        if not is_number(self.alpha) or self.alpha < 0.01:
            yield ParameterError("AugMix.alpha", "a number of 0.01 or more", repr(self.alpha), "alpha=1")
        for node in self.of:
            for below in node.walk():
                if isinstance(below, Transform) and (below.whole or below.mixes):
                    expected = "operations on one sample that keep its dtype"
                    yield PolicyError(f"AugMix/{below.label}", expected, below.label, f"AugMix(...) | {below!r}")

    def _ends(self) -> Any:
        return self.depth if isinstance(self.depth, tuple) else (self.depth, self.depth)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        on = build.gate(path, self.p, on)
        if not on.any():
            return
        self._check(build, path)
        drawn = self._drawn(build, path)
        chains = tuple(self._chain(build, f"{path}/{number + 1}", drawn["depth"][:, number], on) for number in range(self.width))
        build.add(cast(Primitive, Blend(chains, drawn["weights"], drawn["amount"], on)), path)

    def _check(self, build: Builder, path: str) -> None:
        there = sorted(build.spec.targets & ANNOTATIONS)
        moving = [node.label for child in self.of for node in child.walk() if isinstance(node, Transform) and node.verb == "move"]
        if there and moving:
            expected = f"operations that move nothing, because {' and '.join(there)} cannot be averaged"
            raise PolicyError(path, expected, ", ".join(moving), "AugMix([Invert(), Gamma(exponent=(0.5, 2))])")

    def _drawn(self, build: Builder, path: str) -> dict[str, NDArray]:
        given = (build.given or {}).get(path)
        if given is None:
            draw = build.draw.below(path)
            fewest, most = self._ends()
            depth = fewest + pick(draw.units("depth", self.width), most - fewest + 1)
            amount = beta_quantile(draw.unit("amount"), self.alpha, self.alpha)
            drawn = {"depth": depth, "weights": dirichlet(draw.units("weights", self.width), self.alpha), "amount": amount}
        else:
            drawn = {name: given[name] for name in ("depth", "weights", "amount")}
        build.params.setdefault(path, {}).update(drawn)
        return drawn

    @cached_property
    def _step(self) -> OneOf:
        return OneOf(self.of)

    def _chain(self, build: Builder, path: str, depth: NDArray[np.int64], on: NDArray[np.bool_]) -> tuple[Primitive, ...]:
        chain = Builder(build.draw, build.spec, build.given)
        for step in range(self._ends()[1]):
            chain.enter(self._step, f"{path}/{step + 1}", on & (depth > step))
        made = chain.plan()
        build.params.update({place: dict(params) for place, params in made.params.items()})
        if not np.array_equal(made.after.size, build.spec.size):
            raise PolicyError(path, "operations that keep the canvas", "one that changes it", "RandomResizedCrop(...) | AugMix(...)")
        return made.primitives


def dirichlet(u: NDArray, alpha: float) -> NDArray[np.float64]:
    """(B, k) draws of the Dirichlet law with k equal concentrations, from uniform numbers (B, k).

    For ``alpha`` 1 by exponential variables, else by breaking a stick: each piece is a Beta share of what is left.
    """
    if alpha == 1:
        clocks = -np.log(u)
        return clocks / clocks.sum(1, keepdims=True)
    left, pieces, k = np.ones(len(u)), [], u.shape[1]
    for number in range(k - 1):
        piece = left * beta_quantile(u[:, number], alpha, alpha * (k - 1 - number))
        pieces.append(piece)
        left = left - piece
    return np.stack([*pieces, left], 1)


def _typical(name: str) -> Any:
    cls = find(name, "AugMix")
    return cls(**getattr(cls, "example", {}))


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least

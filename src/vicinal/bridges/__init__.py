"""Pipelines of other libraries as policies: what has a counterpart is translated, the rest is wrapped, and a report says which.

The other libraries are never imported here; only the objects given are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from vicinal.bridges import albumentations, torchvision
from vicinal.bridges.anything import wrapped
from vicinal.bridges.translate import Line, Translation
from vicinal.core.errors import PolicyError
from vicinal.core.transform import Node

__all__ = ["BridgeReport", "bridge_report", "from_albumentations", "from_torchvision", "wrapped"]


@final
@dataclass(frozen=True)
class BridgeReport:
    """What became of every operation of a pipeline: ``str`` of it is a table; ``wrapped`` are those that run as they are."""

    lines: tuple[Line, ...]

    @property
    def wrapped(self) -> tuple[Line, ...]:
        """The operations without a counterpart."""
        return tuple(line for line in self.lines if line.verdict == "wrapped")

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))


def from_albumentations(pipeline: Any, *, near: bool = True) -> Node:
    """A pipeline of Albumentations (2.0) as a policy: the same operations, probabilities and ranges, drawn by address.

    Values of ``fill`` are read as those of 8-bit images. Annotations are given to the policy at each call, with their format.

    Args:
        pipeline: an ``albumentations.Compose``, or any transform of that library.
        near: True takes a counterpart that differs a little, which ``bridge_report`` tells; False wraps such operations as well, and puts
            a Barrier where fused geometry would see what was pushed off the canvas.

    Returns:
        The policy. Wrapped operations are ``Foreign`` nodes in it: it then runs, but cannot be saved, and a wrapped operation that may
        move pixels refuses boxes, masks and keypoints.

    Raises:
        PolicyError: for an object of another library, or a pipeline that has no meaning here (a cast inside a random group).

    Example:
        >>> import albumentations as A  # doctest: +SKIP
        >>> from_albumentations(A.Compose([A.HorizontalFlip(p=0.5), A.Rotate(limit=15, p=1)]))  # doctest: +SKIP
        HorizontalFlip(p=0.5) | Rotate(angle=(-15.0, 15.0))
    """
    return _walked(pipeline, "albumentations", near)[0]


def from_torchvision(pipeline: Any, *, near: bool = True) -> Node:
    """A pipeline of torchvision (either generation of transforms) as a policy; arguments, result and errors as ``from_albumentations``.

    ToTensor, ToDtype and Normalize move to the end, because they change dtype or layout; results are NumPy arrays.

    Example:
        >>> from torchvision.transforms import v2  # doctest: +SKIP
        >>> from_torchvision(v2.Compose([v2.RandomHorizontalFlip(), v2.RandAugment()]))  # doctest: +SKIP
        HorizontalFlip(p=0.5) | RandAugment(interpolation='nearest', magnitude=9.0)
    """
    return _walked(pipeline, "torchvision", near)[0]


def bridge_report(pipeline: Any, *, near: bool = True) -> BridgeReport:
    """What a translation of a pipeline keeps, changes and wraps, and why, line by line.

    Example:
        >>> print(bridge_report(v2.Compose([v2.RandomHorizontalFlip(), v2.ElasticTransform()])))  # doctest: +SKIP
        exact    Compose[0].RandomHorizontalFlip
        wrapped  Compose[1].ElasticTransform: no counterpart; refuses boxes, masks and keypoints
    """
    return BridgeReport(tuple(_walked(pipeline, _library(pipeline), near)[1]))


def _library(pipeline: Any) -> str:
    roots = {base.__module__.split(".")[0] for base in type(pipeline).__mro__}
    known = [name for name in ("albumentations", "torchvision") if name in roots]
    if not known and "torch" in roots:  # a torch.nn.Sequential of its transforms
        return "torchvision"
    if not known:
        raise PolicyError(
            "pipeline", "a pipeline of Albumentations or torchvision", f"{type(pipeline).__module__}.{type(pipeline).__name__}"
        )
    return known[0]


def _walked(pipeline: Any, library: str, near: bool) -> tuple[Node, list[Line]]:
    if _library(pipeline) != library:
        raise PolicyError("pipeline", f"a pipeline of {library}", _library(pipeline), f"v.from_{_library(pipeline)}(pipeline)")
    names = {"albumentations": albumentations, "torchvision": torchvision}[library]
    walk = Translation(library, names.RULES, names.GROUPS, names.stays, near)
    return walk.whole(pipeline), walk.lines

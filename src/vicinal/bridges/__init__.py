"""Pipelines of other libraries as policies: what has a counterpart is translated, the rest is wrapped, and a report says which.

The other libraries are never imported here; only the objects given are looked at.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, final

from vicinal.bridges import albumentations, torchvision
from vicinal.bridges.anything import wrapped
from vicinal.bridges.translate import Library, Line, Translation
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
        PolicyError: for an object of another library, or of another version than Albumentations 2.0 and torchvision 0.28, whose settings
            may mean something else; and for a pipeline that has no meaning here (a cast inside a random group).

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
        >>> print(bridge_report(v2.Compose([v2.RandomHorizontalFlip(), v2.RandomZoomOut()])))  # doctest: +SKIP
        exact    Compose[0].RandomHorizontalFlip
        wrapped  Compose[1].RandomZoomOut: a canvas that grows by a random factor; refuses boxes, masks and keypoints
    """
    return BridgeReport(tuple(_walked(pipeline, _library(pipeline).name, near)[1]))


def _library(pipeline: Any) -> Library:
    roots = {base.__module__.split(".")[0] for base in type(pipeline).__mro__}
    if "albumentations" in roots:
        return albumentations.LIBRARY
    if roots & {"torchvision", "torch"}:  # torch: a torch.nn.Sequential of its transforms
        return torchvision.LIBRARY
    got, write = f"{type(pipeline).__module__}.{type(pipeline).__name__}", 'v.wrapped(function, name="mine") for any other callable'
    raise PolicyError("pipeline", "a pipeline of Albumentations or torchvision", got, write)


def _same_series(library: Library) -> None:
    """Names and settings are those of the versions that were looked at."""
    version = str(getattr(sys.modules.get(library.name), "__version__", library.series))
    if version != library.series and not version.startswith(f"{library.series}."):
        write = f"pip install '{library.name}=={library.series}.*'"
        raise PolicyError("pipeline", f"one of {library.name} {library.series}", f"one of {library.name} {version}", write)


def _walked(pipeline: Any, name: str, near: bool) -> tuple[Node, list[Line]]:
    library = _library(pipeline)
    if library.name != name:
        raise PolicyError("pipeline", f"a pipeline of {name}", library.name, f"v.from_{library.name}(pipeline)")
    _same_series(library)
    walk = Translation(library, near)
    return walk.whole(pipeline), walk.lines

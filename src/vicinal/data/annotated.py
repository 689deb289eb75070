"""Annotated pictures: files with boxes, masks, polygons and keypoints of their instances, ready for a policy and for a ``Loader``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.targets import Boxes, Keypoints, Labels
from vicinal.data.noted import Segment
from vicinal.data.segments import filled, from_runs


@final
@dataclass(frozen=True, eq=False)
class Losses:
    """What was found wrong while annotations were read, and what the declared rules made of it.

    Args:
        invalid, repaired: (K,) instances of every class that were unusable and left out, or clipped to their picture.
        crowd: (K,) instances left out because they stand for many; missing: annotations without their picture, by name;
        unlabelled: pictures without any instance.
    """

    invalid: NDArray[np.int64]
    repaired: NDArray[np.int64]
    crowd: NDArray[np.int64]
    missing: tuple[str, ...] = ()
    unlabelled: int = 0


@final
@dataclass(frozen=True, eq=False)
class Picture:
    """One picture with its n instances.

    Args:
        path: the file; size: (height, width), upright; boxes: (n, 4) xyxy or (n, 8) corners in pixels; labels: (n,) class numbers;
        segments: one an instance; points: (n, K, 3); crowd: (n,) which stand for many.
    """

    path: Path
    size: tuple[int, int]
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    segments: Sequence[Segment]
    points: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def rings(self, number: int) -> Sequence[NDArray]:
        """The outline of an instance that has no run lengths; of one without any, its box."""
        segment = self.segments[number]
        if segment is not None:
            assert not isinstance(segment, Mapping)
            return segment
        box = self.boxes[number]
        return (box.reshape(4, 2) if len(box) == 8 else box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2),)

    def masks(self) -> NDArray[np.bool_]:
        """(n, H, W) one mask an instance."""
        out = np.zeros((len(self.labels), *self.size), bool)
        for number, segment in enumerate(self.segments):
            out[number] = from_runs(segment) if isinstance(segment, Mapping) else filled(self.rings(number), self.size)
        return out


@final
@dataclass(frozen=True, eq=False)
class Annotated:
    """N pictures with annotations, as ``read_annotations`` gives them. Pixels are read when they are asked for.

    ``data[i]`` is a mapping of targets for ``policy(**data[i])``; ``Loader(data, policy)`` makes batches; ``data`` itself is the ``source``
    of mixers with ``partner="dataset"``, and what ``v.survival(policy, data)`` counts.

    Args:
        name, format, origin: as for a ``Dataset``.
        pictures: the files and what is on them; classes: the names of the class numbers in ``label``.
        segments: "masks", "polygons" or "none": how outlines come; swap: keypoints that a mirror exchanges;
        crowds: whether crowds were kept and are told; oriented: whether boxes have four corners.
        losses: what was found wrong in the files.

    The targets of a picture: ``boxes`` (n, 4) xyxy in pixels, or ``v.Boxes`` in the format "quad"; ``label`` (n,) class numbers; where the
    files have them, ``masks`` (n, H, W) or ``polygons``, and ``keypoints`` (n, K, 3), NaN where a point is not known; ``crowd`` (n,) where
    crowds were kept.
    """

    name: str
    pictures: tuple[Picture, ...]
    classes: tuple[str, ...]
    format: str
    origin: str
    losses: Losses
    segments: str = "none"
    swap: tuple[tuple[int, int], ...] = ()
    crowds: bool = False
    oriented: bool = False

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"image": self.image(index), **self._wrapped(self._of(self.pictures[index]))}

    def image(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) the pixels of a picture, upright RGB."""
        from vicinal.data.decode import opened  # OpenCV and Pillow are needed for pixels alone

        return opened(self.pictures[index].path).pixels()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(picture.path for picture in self.pictures)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(N, 2) height and width of every picture, turned upright as EXIF says."""
        return np.array([picture.size for picture in self.pictures], np.int64).reshape(-1, 2)

    def take(self, rows: ArrayLike) -> Annotated:
        """Some of the pictures, in the order given: integers or a boolean mask. What was found wrong stays that of the files."""
        return replace(self, pictures=tuple(self.pictures[row] for row in np.arange(len(self))[np.asarray(rows)]))

    def targets(self, rows: ArrayLike) -> dict[str, Any]:
        """Everything but the pixels of some pictures: by name, one entry a picture."""
        found = [self._of(self.pictures[row]) for row in np.asarray(rows, np.int64).tolist()]
        return self._wrapped({name: [one[name] for one in found] for name in (found[0] if found else ())})

    def _of(self, picture: Picture) -> dict[str, Any]:
        held: dict[str, Any] = {"boxes": picture.boxes, "label": picture.labels}
        if self.segments == "masks":
            held["masks"] = picture.masks()
        elif self.segments == "polygons":
            held["polygons"] = [picture.rings(number)[0] for number in range(len(picture.labels))]
        if picture.points.shape[1]:
            held["keypoints"] = picture.points
        return held | ({"crowd": picture.crowd} if self.crowds else {})

    def _wrapped(self, held: dict[str, Any]) -> dict[str, Any]:
        """The same with those that have settings saying so themselves."""
        kinds = {"crowd": Labels} | ({"boxes": lambda data: Boxes(data, "quad")} if self.oriented else {})
        kinds |= {"keypoints": lambda data: Keypoints(data, self.swap)} if self.swap else {}
        return {name: kinds[name](value) if name in kinds else value for name, value in held.items()}

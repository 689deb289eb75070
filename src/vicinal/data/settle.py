"""What annotation files say, held against their pictures: all faults at once, or clipped and dropped as the rules declare, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import DataError
from vicinal.core.targets import Boxes
from vicinal.core.targets.boxes import WIDTHS, extent
from vicinal.core.targets.rows import Instances
from vicinal.data.annotated import Annotated, Losses, Picture
from vicinal.data.files import stem
from vicinal.data.noted import Found, Instance, Noted, Rules
from vicinal.data.segments import declared_size, from_runs

_THREADS, _SHOWN = 8, 5


def settled(found: Found, rules: Rules, path: Path, format: str) -> Annotated:
    """The data set that a reader has found.

    Raises:
        DataError: faults of the files, and whatever the rules say is to be raised, all together.
    """
    faults, lost = list(found.faults), [*found.lost]
    held = _measured(found.pictures, lost, faults)
    if rules.missing == "raise":
        faults += [DataError(place, "a picture that is there and can be read", "none", "--skip-bad (missing='drop')") for place in lost]
    if not held:
        write = "missing='raise' to see which are not there" if lost else "the path of a folder with pictures and their annotations"
        raise_together(path, faults or [DataError(str(path), "annotated pictures", "none", write)])
    table = Table.of([noted for noted, _ in held], [size for _, size in held], found, rules)
    raise_together(path, faults + (table.refused() if rules.invalid == "raise" else []))
    losses = table.losses(tuple(lost), sum(not noted.instances for noted, _ in held))
    kept = [one for one, stays in zip(table.instances, table.kept, strict=True) if stays]
    outlines = rules.segments if any(one.segment is not None for one in kept) else "none"
    crowds, oriented = rules.crowd == "keep" and any(one.crowd for one in kept), found.boxes == "quad"
    return Annotated(stem(path), table.pictures(), found.classes, format, str(path), losses, outlines, found.swap, crowds, oriented)


def raise_together(path: Path, faults: Sequence[DataError]) -> None:
    """Raise nothing, the one fault itself, or one error that shows the first few and counts the rest."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        lines = [*map(str, faults[:_SHOWN]), *([f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else [])]
        raise DataError(str(path), "annotations that fit their pictures", "\n  ".join([f"{len(faults)} faults:", *lines]))


def _measured(pictures: Sequence[Noted], lost: list[str], faults: list[DataError]) -> list[tuple[Noted, tuple[int, int]]]:
    """The pictures that are there, with their sizes; the others are lost, and sizes that contradict them are faults."""
    with ThreadPoolExecutor(_THREADS) as pool:
        sizes = list(pool.map(_size, [noted.path for noted in pictures]))
    held = []
    for noted, size in zip(pictures, sizes, strict=True):
        if isinstance(size, str):
            lost.append(f"{noted.where}: {noted.path.name}{f' ({size})' if size else ''}")
            continue
        held.append((noted, size))
        if noted.size not in (None, size):
            said, is_ = (f"{width}x{height}" for height, width in (noted.size or size, size))
            faults.append(
                DataError(noted.where, f"{said} pixels, as it says, in {noted.path.name}", f"{is_} when upright", "the true size")
            )
    return held


def _size(path: Path) -> tuple[int, int] | str:
    """Height and width, or why there is none ("": no such file)."""
    from vicinal.data.decode import opened  # Pillow is needed nowhere else

    try:
        return opened(path).size
    except DataError as fault:
        return fault.got if path.exists() else ""


@final
@dataclass(frozen=True, eq=False)
class Table:
    """All N instances of a data set, a row each.

    Args:
        noted, sizes: the pictures; found: what came with them; instances, owner: (N,) the instances and the numbers of their pictures;
        boxes: (N, 4) as they came, or (N, 8) in pixels; usable: (N, 4) xyxy or (N, 8), in pixels, clipped to the canvas;
        fate: which were unusable, and which had to be clipped;
        reasons: (N,) what else makes one unusable, "" for nothing; crowd: (N,) which are left out for being crowds.
    """

    noted: Sequence[Noted]
    sizes: Sequence[tuple[int, int]]
    found: Found
    instances: Sequence[Instance]
    owner: NDArray[np.int64]
    boxes: NDArray[np.float64]
    usable: NDArray[np.float64]
    fate: Instances
    reasons: Sequence[str]
    crowd: NDArray[np.bool_]

    @staticmethod
    def of(noted: Sequence[Noted], sizes: Sequence[tuple[int, int]], found: Found, rules: Rules) -> Table:
        """The table of some pictures."""
        instances, spec = [one for picture in noted for one in picture.instances], Spec.of(sizes)
        counts = [len(picture.instances) for picture in noted]
        owner, columns = np.repeat(np.arange(len(noted)), counts), WIDTHS.get(found.boxes, 4)
        boxes: Any = np.array([one.box for one in instances], float).reshape(-1, columns)
        if found.shares and columns == 8:
            boxes = boxes * np.tile(spec.size[owner][:, ::-1], 4)
        target = Boxes(np.split(boxes, np.cumsum(counts)[:-1]), found.boxes, invalid="drop" if rules.invalid == "drop" else "clip")
        corners, fate = target.usable(target.read("boxes", spec), spec, "boxes")
        usable = corners.reshape(-1, 8) if columns == 8 else extent(corners)
        reasons = [one.fault or _outline_fault(one, sizes[row], rules) for one, row in zip(instances, owner.tolist(), strict=True)]
        crowd = np.array([one.crowd for one in instances], bool) & (rules.crowd == "drop")
        return Table(noted, sizes, found, instances, owner, boxes, usable, fate, reasons, crowd)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(N,) the instances that stay."""
        return self.fate.valid & (np.array(self.reasons, str) == "") & ~self.crowd

    def refused(self) -> list[DataError]:
        """An error for every instance that is not as it should be."""
        bad = np.flatnonzero((~self.fate.valid | self.fate.repaired | (np.array(self.reasons, str) != "")) & ~self.crowd)
        return [self._refusal(int(row)) for row in bad]

    def _refusal(self, row: int) -> DataError:
        where = f"{self.noted[self.owner[row]].where}: {self.instances[row].place}"
        height, width = self.sizes[self.owner[row]]
        if self.reasons[row]:
            return DataError(where, f"an annotation for a picture of {width}x{height}", self.reasons[row], "--skip-bad (invalid='drop')")
        got = f"{self.found.boxes} {np.round(self.boxes[row], 6).tolist()}"
        return DataError(where, f"a box with an area, inside the picture of {width}x{height}", got, "--skip-bad (invalid='clip' or 'drop')")

    def losses(self, missing: tuple[str, ...], unlabelled: int) -> Losses:
        """The counts, by class."""
        labels, kept = np.array([one.label for one in self.instances], np.int64), self.kept
        which = (~kept & ~self.crowd, kept & self.fate.repaired, self.crowd)
        invalid, repaired, crowd = (np.bincount(labels[rows], minlength=len(self.found.classes)) for rows in which)
        return Losses(invalid, repaired, crowd, missing, unlabelled)

    def pictures(self) -> tuple[Picture, ...]:
        """The pictures with the instances that stay."""
        ends = np.cumsum(np.bincount(self.owner, minlength=len(self.noted)))
        kept = np.split(np.flatnonzero(self.kept), np.searchsorted(np.flatnonzero(self.kept), ends[:-1]))
        most = max((len(one.points) for one in self.instances if one.points is not None), default=0)
        return tuple(self._picture(number, rows, most) for number, rows in enumerate(kept))

    def _picture(self, number: int, rows: NDArray[np.int64], most: int) -> Picture:
        mine, size = [self.instances[row] for row in rows], self.sizes[number]
        scale = np.array(size[::-1], float) if self.found.shares else np.ones(2)
        points = np.full((len(mine), most, 3), np.nan)
        for one, row in zip(mine, points, strict=True):
            row[:, 2] = 0
            if one.points is not None:
                row[: len(one.points)] = one.points * [*scale, 1]
        segments = [
            one.segment if one.segment is None or isinstance(one.segment, Mapping) else [ring * scale for ring in one.segment]
            for one in mine
        ]
        labels, crowd = np.array([one.label for one in mine], np.int64), np.array([one.crowd for one in mine], bool)
        return Picture(self.noted[number].path, size, self.usable[rows], labels, segments, points, crowd)


def _outline_fault(one: Instance, size: tuple[int, int], rules: Rules) -> str:
    """Why a segmentation cannot be used in a picture of this size, "" where it can, or is not asked for."""
    if one.segment is None or rules.segments == "none" or (one.crowd and rules.crowd == "drop"):
        return ""
    if not isinstance(one.segment, Mapping):
        many = rules.segments == "polygons" and len(one.segment) > 1
        return f"{len(one.segment)} polygons, of which segments='polygons' takes one" if many else ""
    if rules.segments == "polygons":
        return "run lengths, which are no polygon: segments='masks' takes them"
    try:
        height, width = declared_size(one.segment)
        if (height, width) != size:
            return f"a mask of {width}x{height}"
        from_runs(one.segment)
    except ValueError as fault:
        return f"a mask with {fault}"
    return ""

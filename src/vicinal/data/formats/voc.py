"""Pascal VOC (Everingham et al., 2010): a folder with ``Annotations``, ``JPEGImages``, perhaps ``ImageSets`` and ``SegmentationObject``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, nearest
from vicinal.data.build import natural
from vicinal.data.formats.folder import is_image
from vicinal.data.formats.parsed import text_of, xml_of
from vicinal.data.noted import Found, Instance, Noted, Rules, Segment
from vicinal.data.segments import as_runs

_LARGEST = 1e6  # pixels a side
_WRITE = "segments='none' to read boxes alone"
_VOID = 255  # of a segmentation: the edges between objects, which belong to none


@final
@dataclass(frozen=True)
class Voc:
    """One XML file a picture. ``part`` is the name of a list in ``ImageSets/Main``, or with its folder that of another list, as in
    "Segmentation/train"; without it, all pictures.

    The format counts pixels from 1 and takes both ends of a box in, so its left edge lies at xmin - 1 and its right edge at xmax. With
    ``origin=0`` the numbers are edges already. Classes are the names that occur, in natural order. Objects marked difficult are taken.

    A picture in ``SegmentationObject`` holds the number of the object that each pixel belongs to, in the order of the XML file: outlines.
    """

    name: str = "voc"
    looks: str = "a folder with Annotations/*.xml and JPEGImages"

    def matches(self, path: Path) -> bool:
        return (path / "Annotations").is_dir()

    def read(self, path: Path, rules: Rules) -> Found:
        folder = rules.images or path / "JPEGImages"
        there = {file.stem: file for file in sorted(folder.iterdir()) if is_image(file.name)} if folder.is_dir() else {}
        notes = {file.stem: file for file in (path / "Annotations").iterdir() if file.suffix.lower() == ".xml"}
        stems = sorted({*there, *notes}, key=natural) if rules.part is None else _listed(path, rules.part)
        faults, named = [], []
        for stem in stems:
            try:
                root = xml_of(notes[stem]) if stem in notes else ET.Element("annotation")
                noted = _noted(stem, root, notes.get(stem), there, folder)
                objects = _objects(noted[0], root, rules.origin)
                outlines = _outlines(path / "SegmentationObject" / f"{stem}.png", len(objects), rules)
                named.append((noted, objects, outlines))
            except DataError as fault:
                faults.append(fault)
        classes = sorted({name for _, objects, _ in named for name, _ in objects}, key=natural)
        number = {name: row for row, name in enumerate(classes)}
        pictures = [
            Noted(
                where,
                file,
                size,
                [
                    Instance(f"object {row}", number[name], box, outline)
                    for row, ((name, box), outline) in enumerate(zip(objects, outlines, strict=True), 1)
                ],
            )
            for (where, file, size), objects, outlines in named
        ]
        return Found(pictures, tuple(classes), "xyxy", faults=faults)


def _listed(path: Path, part: str) -> list[str]:
    file = path / "ImageSets" / f"{part if '/' in part else f'Main/{part}'}.txt"
    if not file.is_file():
        known = sorted(one.stem for one in file.parent.glob("*.txt")) if file.parent.is_dir() else []
        raise DataError(str(file), "a list of pictures", "no such file", f"part={nearest(part, known) or next(iter(known), None)!r}")
    return [line.split()[0] for line in text_of(file).splitlines() if line.strip()]


def _noted(stem: str, root: ET.Element, note: Path | None, there: dict[str, Path], folder: Path) -> tuple:
    """What an error names, the picture's file, and its size."""
    said = folder / Path(root.findtext("filename") or f"{stem}.jpg").name
    file = said if said.is_file() else there.get(stem, said)
    sides = [_number(root.findtext(f"size/{side}")) for side in ("height", "width")]
    return str(note or file), file, (int(sides[0]), int(sides[1])) if all(1 <= side < _LARGEST for side in sides) else None


def _objects(where: str, root: ET.Element, origin: int) -> list[tuple[str, list[float]]]:
    objects = [(" ".join((one.findtext("name") or "").split()), _box(one, origin)) for one in root.findall("object")]
    if unnamed := [str(row) for row, (name, _) in enumerate(objects, 1) if not name]:
        raise DataError(where, "a name for every object", f"none for object {', '.join(unnamed)}", "<name>cat</name> into <object>, say")
    return objects


def _outlines(file: Path, count: int, rules: Rules) -> list[Segment]:
    """The run lengths of every object of a picture, None for those that its segmentation does not show."""
    if rules.segments == "none" or not file.is_file():
        return [None] * count
    numbers = _owners(file)
    if (strange := np.setdiff1d(numbers, [*range(count + 1), _VOID])).size:
        expected = f"the numbers 0 to {count} of the objects in its XML file, or {_VOID}"
        raise DataError(str(file), expected, str(strange.tolist()), _WRITE)
    there = [numbers == number for number in range(1, count + 1)]
    return [as_runs(mask) if mask.any() else None for mask in there]


def _owners(file: Path) -> NDArray[np.uint8]:
    """(H, W) the number of the object that each pixel belongs to."""
    from PIL import Image  # needed for pixels alone

    try:
        with Image.open(file) as picture:
            if picture.mode not in ("P", "L"):
                expected = "a picture with a palette or grey, whose values are numbers of objects"
                raise DataError(str(file), expected, f"mode {picture.mode}", _WRITE)
            return np.asarray(picture)
    except DataError:
        raise
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them run into
        raise DataError(str(file), "a picture that can be read", str(error).splitlines()[0] if str(error) else "none", _WRITE) from error


def _box(one: ET.Element, origin: int) -> list[float]:
    numbers = [_number(one.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")]
    return [numbers[0] - origin, numbers[1] - origin, numbers[2], numbers[3]]


def _number(text: str | None) -> float:
    """NaN for what is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")

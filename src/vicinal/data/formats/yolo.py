"""YOLO label files (docs.ultralytics.com/datasets): ``images`` and ``labels`` side by side, perhaps with a ``data.yaml``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, nearest
from vicinal.data.build import natural
from vicinal.data.formats.folder import is_image
from vicinal.data.formats.parsed import text_of, yaml_of
from vicinal.data.noted import Found, Instance, Noted, Rules, unknown_box

_PARTS = ("train", "val", "test")
_NAMES = "names: [cat, dog], say"


@final
@dataclass(frozen=True)
class Yolo:
    """A folder with ``images`` and ``labels``, or the ``data.yaml`` that names them; a line of text an instance, in shares of the picture.

    A line is the class number with four numbers (centre, width, height), with three or more corners (an outline), or, where ``data.yaml``
    has a ``kpt_shape``, with the box and its keypoints. Four corners that are an oriented box must be declared: ``lines="oriented"``.
    ``part`` is train, val or test; without it all of them.
    """

    name: str = "yolo"
    looks: str = "a data.yaml, or a folder with images and labels"

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in (".yaml", ".yml") if path.is_file() else _config(path) is not None or _pair(path)

    def read(self, path: Path, rules: Rules) -> Found:
        config = path if path.is_file() else _config(path)
        settings = _settings(config)
        root = path if config is None else _root(config, settings)
        files, names = sorted(_images(root, settings, rules), key=lambda file: natural(str(file))), _names(settings, config)
        lines, faults = _Lines(rules.lines == "oriented", _shape(settings, config), len(names)), []
        pictures = [Noted(str(_label(file)), file, None, list(lines.read(_label(file), faults))) for file in files]
        most = max([one.label for noted in pictures for one in noted.instances], default=-1)
        swap = [(a, b) for a, b in enumerate(settings.get("flip_idx") or ()) if isinstance(b, int) and a < b]
        lost = [] if rules.part is not None else _alone({_label(file).parent for file in files}, {_label(file) for file in files})
        classes = names or tuple(map(str, range(most + 1)))
        return Found(pictures, classes, "quad" if lines.oriented else "yolo", True, tuple(swap), lost, faults)


def _config(folder: Path) -> Path | None:
    """The YAML file of a folder that names its classes."""
    found = [folder / name for name in ("data.yaml", "data.yml", "dataset.yaml") if (folder / name).is_file()]
    return found[0] if found else None


def _pair(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "labels").is_dir()


def _settings(config: Path | None) -> dict[str, Any]:
    found = {} if config is None else yaml_of(config)
    if not isinstance(found, dict):
        raise DataError(str(config), "names of classes and of folders, as YOLO has them", type(found).__name__, _NAMES)
    return found


def _root(config: Path, settings: Mapping[str, Any]) -> Path:
    said = config.parent / str(settings.get("path") or ".")
    return said if said.is_dir() else config.parent


def _names(settings: Mapping[str, Any], config: Path | None) -> tuple[str, ...]:
    names = settings.get("names") or []
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            expected = f"the class numbers 0 to {len(names) - 1}"
            raise DataError(f"{config}: names", expected, f"{list(names)[:8]}", "names: {0: cat, 1: dog}, say")
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list):
        raise DataError(f"{config}: names", "a list of names, or a name for each number", repr(names)[:80], _NAMES)
    return tuple(map(str, names))


def _shape(settings: Mapping[str, Any], config: Path | None) -> tuple[int, int] | None:
    shape = settings.get("kpt_shape")
    if shape is None:
        return None
    if not isinstance(shape, list) or len(shape) != 2 or not all(isinstance(x, int) and x > 0 for x in shape) or shape[1] not in (2, 3):
        raise DataError(f"{config}: kpt_shape", "how many points, and 2 or 3 numbers for each", repr(shape)[:80], "kpt_shape: [17, 3], say")
    return shape[0], shape[1]


def _images(root: Path, settings: Mapping[str, Any], rules: Rules) -> set[Path]:
    if rules.images is not None:
        return set(_below(rules.images))
    known = [part for part in _PARTS if settings.get(part)]
    if rules.part is not None and rules.part not in known:
        expected = f"one of {', '.join(known)}" if known else "no part, where a data.yaml names none"
        raise DataError("part", expected, repr(rules.part), f"part={nearest(rules.part, known) or next(iter(known), None)!r}")
    said = [settings[part] for part in known if rules.part in (None, part)] or ["images"]
    places = [root / str(place) for entry in said for place in (entry if isinstance(entry, list) else [entry])]
    return {file for place in places for file in _at(place, root)}


def _at(place: Path, root: Path) -> Iterator[Path]:
    """The pictures of one entry: below a folder, or in a list of paths."""
    if place.is_dir():
        return _below(place)
    if place.suffix == ".txt" and place.is_file():
        return (root / line.strip() for line in text_of(place).splitlines() if line.strip())
    write = "the path of one into data.yaml, train: images/train, say"
    raise DataError(str(place), "a folder of pictures, or a .txt that lists them", "neither", write)


def _below(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if is_image(file.name))


def _label(image: Path) -> Path:
    """Where the labels of a picture lie: the last ``images`` in its path is ``labels``."""
    parts = list(image.parts)
    places = [number for number, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def _alone(folders: set[Path], known: set[Path]) -> list[str]:
    """Label files that belong to no picture."""
    files = {file for folder in folders if folder.is_dir() for file in folder.glob("*.txt") if file.name != "classes.txt"}
    return sorted(map(str, files - known))


@final
@dataclass(frozen=True)
class _Lines:
    """How lines are understood: whether four corners are a box, the shape of keypoints, and the number of classes (0: unknown)."""

    oriented: bool
    points: tuple[int, int] | None
    classes: int

    def read(self, file: Path, faults: list[DataError]) -> Iterator[Instance]:
        """The instances of a file; of none at all where there is none."""
        lines = text_of(file).splitlines() if file.is_file() else []
        for number, line in enumerate(lines, 1):
            if not (words := line.split()):
                continue
            label = _numbers(words[:1])[0]
            if not label.is_integer() or label < 0 or (self.classes and label >= self.classes):
                expected = f"a class number from 0 to {self.classes - 1}" if self.classes else "a class number"
                write = "a known number, or its name into data.yaml" if label >= self.classes > 0 else "0 0.5 0.5 0.2 0.2, say"
                faults.append(DataError(f"{file}: line {number}", expected, repr(words[0])[:40], write))
            else:
                yield self._instance(f"line {number}", int(label), np.array(_numbers(words[1:])))

    def _instance(self, place: str, label: int, values: NDArray) -> Instance:
        count = 4 if self.points is None else 4 + math.prod(self.points)
        if self.oriented and len(values) == 8:
            return Instance(place, label, values.tolist())
        if not self.oriented and len(values) == count:
            return Instance(place, label, values[:4].tolist(), points=None if self.points is None else _points(values[4:], self.points))
        if not self.oriented and self.points is None and len(values) >= 6 and len(values) % 2 == 0 and np.isfinite(values).all():
            ring = values.reshape(-1, 2)
            low, high = ring.min(0), ring.max(0)
            return Instance(place, label, [*(low + high) / 2, *high - low], [ring])
        expected = "8" if self.oriented else f"{count}" + ("" if self.points else ", or 3 or more corners")
        return Instance(place, label, unknown_box(8 if self.oriented else 4), fault=f"{len(values)} numbers, not {expected}")


def _numbers(words: list[str]) -> list[float]:
    """NaN for what is none."""
    try:
        return [float(word) for word in words]
    except ValueError:
        return [float("nan")] * len(words)


def _points(values: NDArray, shape: tuple[int, int]) -> NDArray:
    """(K, 3) points in shares; those with visibility 0 are unknown, and without visibilities those at (0, 0)."""
    points = values.reshape(shape)
    seen = points[:, 2] if shape[1] == 3 else 2.0 * (points != 0).any(1)
    return np.column_stack([np.where(seen[:, None] > 0, points[:, :2], np.nan), seen])

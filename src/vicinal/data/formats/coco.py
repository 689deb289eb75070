"""COCO JSON (Lin et al., 2014; cocodataset.org/#format-data): boxes, polygons, run lengths, keypoints, crowds, categories with any ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.data.formats.parsed import json_of
from vicinal.data.noted import Found, Instance, Noted, Rules, Segment, unknown_box

_LARGEST = 1e12  # of what can be a coordinate; JSON has integers of any length
_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


@final
@dataclass(frozen=True)
class Coco:
    """One JSON file with ``images``, ``annotations`` and ``categories``.

    Classes are the categories in the order of their ids, which need not be without gaps. Keypoints count pixel centres as integers, so
    0.5 is added; those with visibility 0 are unknown. Names with "left" and "right" in them change places in a mirror.
    """

    name: str = "coco"
    looks: str = "a .json file with images, annotations and categories"

    def matches(self, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() == ".json"

    def read(self, path: Path, rules: Rules) -> Found:
        document = json_of(path)
        images, notes, categories = (_listed(document, key, path) for key in ("images", "annotations", "categories"))
        known, held = _sorted(categories, path), _by_image(images, path)
        lost, faults = _shared_out(notes, held, {one["id"]: number for number, one in enumerate(known)}, path)
        folder = _folder(path, images, rules)
        pictures = [Noted(f"{path}: image {one['id']}", folder / one["file_name"], _size(one), held[one["id"]]) for one in images]
        return Found(pictures, tuple(str(one["name"]) for one in known), "xywh", swap=_swap(known), lost=lost, faults=faults)


def _shared_out(notes: Sequence[dict], held: dict[Any, list[Instance]], classes: Mapping[Any, int], path: Path) -> tuple[list, list]:
    """Give every annotation to its image; those of images that are not there, and faults."""
    lost, faults = [], []
    for number, note in enumerate(notes):
        place = f"annotation {note.get('id', f'number {number}')}"
        if (mine := held.get(_key(note, "image_id"))) is None:
            lost.append(f"{path}: {place}: image {note.get('image_id')!r}")
        elif _key(note, "category_id") not in classes:
            write = f'"category_id": {next(iter(classes), 1)}, or its category into "categories"'
            faults.append(DataError(f"{path}: {place}", "a category_id among the categories", repr(note.get("category_id")), write))
        else:
            mine.append(_instance(place, classes[note["category_id"]], note))
    return lost, faults


def _listed(document: Any, key: str, path: Path) -> list[dict[str, Any]]:
    found = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        got, write = "none" if found is None else type(found).__name__, '{"images": [...], "annotations": [...], "categories": [...]}'
        raise DataError(f"{path}: {key}", "a list of objects, as in COCO", got, write)
    return found


def _key(one: Mapping[str, Any], name: str) -> int | str | None:
    """An id, or None for what can be none."""
    return one[name] if isinstance(one.get(name), (int, str)) else None


def _sorted(categories: Sequence[dict], path: Path) -> list[dict]:
    ids = [one.get("id") for one in categories]
    if not all(_whole(one) for one in ids) or len(set(ids)) != len(ids) or any("name" not in one for one in categories):
        expected = "each with a name and a whole number of its own as id"
        raise DataError(f"{path}: categories", expected, f"ids {ids[:8]}", '{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, ...')
    return sorted(categories, key=lambda one: one["id"])


def _by_image(images: Sequence[dict], path: Path) -> dict[Any, list[Instance]]:
    for number, one in enumerate(images):
        if _key(one, "id") is None or not isinstance(one.get("file_name"), str):
            raise DataError(f"{path}: images[{number}]", "an id and a file_name", str(one)[:80], '{"id": 1, "file_name": "1.jpg"}, say')
    held: dict[Any, list[Instance]] = {one["id"]: [] for one in images}
    if len(held) < len(images):
        got, write = f"{len(images) - len(held)} ids twice", "another id, and the same as image_id of its annotations"
        raise DataError(f"{path}: images", "an id of its own for each", got, write)
    return held


def _folder(path: Path, images: Sequence[dict], rules: Rules) -> Path:
    """Where the pictures lie: as declared, or the first likely folder that holds one of them."""
    if rules.images is not None:
        return rules.images
    names = [path.stem.removeprefix("instances_").removeprefix("person_keypoints_"), "images", "."]
    places = [root / name for root in (path.parent, path.parent.parent, path.parent.parent / "images") for name in names]
    return next((place for place in places if any((place / one["file_name"]).is_file() for one in images[:20])), path.parent)


def _size(one: Mapping[str, Any]) -> tuple[int, int] | None:
    said = one.get("height"), one.get("width")
    return (int(said[0]), int(said[1])) if all(_whole(side) and side > 0 for side in said) else None  # type: ignore[arg-type]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _instance(place: str, label: int, note: Mapping[str, Any]) -> Instance:
    try:
        segment, points = _segment(note.get("segmentation")), _points(note.get("keypoints"))
        box = note["bbox"] if "bbox" in note else _around(segment)
    except ValueError as fault:
        return Instance(place, label, unknown_box(4), fault=str(fault))
    return Instance(place, label, box if _numbers(box, 4) else unknown_box(4), segment, points, bool(note.get("iscrowd", 0)))


def _numbers(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(isinstance(x, (int, float)) and not abs(x) > _LARGEST for x in values)


def _segment(given: Any) -> Segment:
    if not given:
        return None
    if isinstance(given, dict):
        return given
    rings = given if isinstance(given, list) else []
    for ring in rings:
        if not isinstance(ring, list) or not _numbers(ring, max(6, len(ring) // 2 * 2)) or not np.isfinite(ring).all():
            raise ValueError(f"a polygon {str(ring)[:60]}, not 3 or more corners x, y")
    return [np.array(ring, float).reshape(-1, 2) for ring in rings]


def _around(segment: Segment) -> list[float]:
    """The box x, y, width, height around polygons; unknown where there are none."""
    if not segment or isinstance(segment, Mapping):
        return unknown_box(4)
    corners = np.concatenate(list(segment))
    return [*corners.min(0).tolist(), *np.ptp(corners, 0).tolist()]


def _points(given: Any) -> NDArray | None:
    """(K, 3) points, NaN where they are not known."""
    if not given:
        return None
    if not isinstance(given, list) or len(given) % 3 or not _numbers(given, len(given)):
        raise ValueError(f"keypoints {str(given)[:60]}, not x, y, visibility in turn")
    points = np.array(given, float).reshape(-1, 3)
    points[:, :2] = np.where(points[:, 2:] > 0, points[:, :2] + 0.5, np.nan)
    return points


def _swap(categories: Iterable[Mapping[str, Any]]) -> tuple[tuple[int, int], ...]:
    """Pairs of keypoints that differ in "left" and "right" alone; they hold for a file whose categories agree."""
    names = next((one["keypoints"] for one in categories if isinstance(one.get("keypoints"), list)), [])
    place = {name: number for number, name in enumerate(names) if isinstance(name, str)}
    pairs = [(place[name], place.get(name.replace(left, right))) for name in place for left, right in _SIDES if left in name]
    return tuple((a, b) for a, b in pairs if b is not None)

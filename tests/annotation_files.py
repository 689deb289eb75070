"""Small annotated data sets of every format, written to a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = (40, 60)


def pictures(folder: Path, *names: str, size: tuple[int, int] = SIZE) -> Path:
    """Grey pictures of height and width ``size``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(folder / name)
    return folder


def note(number: int, box: Any, category: int = 3, image: Any = 5, **more: Any) -> dict[str, Any]:
    """A COCO annotation."""
    return {"id": number, "image_id": image, "category_id": category, "bbox": box, **more}


def coco(root: Path, notes: Sequence[Mapping[str, Any]], **changes: Any) -> Path:
    """A COCO file of two pictures, 5 and 2, and of the categories dog (3) and cat (70)."""
    pictures(root / "images", "a.png", "b.png")
    height, width = SIZE
    document = {
        "images": [{"id": 5, "file_name": "a.png", "height": height, "width": width}, {"id": 2, "file_name": "b.png"}],
        "annotations": list(notes),
        "categories": [{"id": 70, "name": "cat"}, {"id": 3, "name": "dog"}],
    }
    path = root / "instances.json"
    path.write_text(json.dumps(document | changes))
    return path


def voc(root: Path, objects: Mapping[str, str], size: tuple[int, int] = SIZE) -> Path:
    """A VOC folder: for every stem the objects of its picture, as XML."""
    pictures(root / "JPEGImages", *(f"{stem}.png" for stem in objects))
    (root / "Annotations").mkdir()
    for stem, text in objects.items():
        told = f"<filename>{stem}.png</filename><size><width>{size[1]}</width><height>{size[0]}</height></size>"
        (root / "Annotations" / f"{stem}.xml").write_text(f"<annotation>{told}{text}</annotation>")
    return root


def thing(name: str, *box: Any) -> str:
    """A VOC object."""
    sides = "".join(f"<{side}>{number}</{side}>" for side, number in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name><bndbox>{sides}</bndbox></object>"


def yolo(root: Path, labels: Mapping[str, str], settings: str | None = "names: [cat, dog]\n") -> Path:
    """A YOLO folder: for every stem the lines of its picture."""
    pictures(root / "images", *(f"{stem}.png" for stem in labels))
    (root / "labels").mkdir()
    for stem, text in labels.items():
        (root / "labels" / f"{stem}.txt").write_text(text)
    if settings is not None:
        (root / "data.yaml").write_text(settings)
    return root

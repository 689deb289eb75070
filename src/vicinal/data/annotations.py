"""Read annotation files from whatever the user names; the format is sniffed and can be forced."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vicinal.core.errors import DataError, nearest
from vicinal.data.annotated import Annotated
from vicinal.data.files import missing as absent
from vicinal.data.formats.coco import Coco
from vicinal.data.formats.voc import Voc
from vicinal.data.formats.yolo import Yolo
from vicinal.data.noted import Found, Rules
from vicinal.data.settle import settled


class Reader(Protocol):
    """One format: what it is called, what it looks like, whether a path looks like that, and the reading."""

    @property
    def name(self) -> str: ...
    @property
    def looks(self) -> str: ...
    def matches(self, path: Path) -> bool: ...
    def read(self, path: Path, rules: Rules) -> Found: ...


READERS: tuple[Reader, ...] = (Coco(), Voc(), Yolo())


def read_annotations(source: str | Path, *, format: str = "auto", part: str | None = None, images: str | Path | None = None,
                     segments: str = "masks", lines: str = "auto", origin: int = 1, crowd: str = "drop", invalid: str = "raise",
                     missing: str = "raise") -> Annotated:  # fmt: skip
    """Pictures with boxes, outlines and keypoints from COCO JSON, a Pascal VOC folder, or a YOLO folder or ``data.yaml``.

    Every picture is looked at for its size, but its pixels are read when they are asked for. All faults come at once.

    Args:
        source: the file or folder; format: "coco", "voc" or "yolo" where it is not to be sniffed.
        part: a list in ``ImageSets/Main``, or "Segmentation/train" for one elsewhere (VOC), or train, val or test (YOLO); COCO has a file
            for each part.
        images: the folder of the pictures, where it is not found beside the annotations.
        segments: what outlines come as: "masks" (n, H, W), "polygons" of one ring an instance, or "none". An instance without an outline,
            among others that have one, gets its box. A pixel belongs to a polygon if its centre does.
        lines: "oriented" where YOLO lines of eight numbers are boxes with four corners.
        origin: the number of the first pixel in VOC files: 1 as the format has it, 0 where a tool wrote edges counted from 0.
        crowd: "drop" instances that stand for many (COCO's ``iscrowd``), or "keep" them and tell which in the target ``crowd``.
        invalid: what happens to boxes that reach more than half a pixel over their picture, are turned around, without area, or not
            numbers, as for ``v.Boxes``: "raise", "clip" or "drop". Outlines that cannot be used, such as masks of another size, are
            dropped with their instance under both of the latter.
        missing: what happens to annotations of a picture that is missing or cannot be opened: "raise" or "drop".

    Raises:
        DataError: nothing there, no format fits, a file says what cannot be, a size that contradicts its picture, and what the rules say.
        ParameterError: for a rule that there is none of.
    """
    path = Path(source).expanduser()
    rules = Rules(part, None if images is None else Path(images).expanduser(), segments, lines, origin, crowd, invalid, missing)
    if not path.exists():
        raise absent(path)
    try:
        reader = _chosen(path) if format == "auto" else _forced(format)
        return settled(reader.read(path, rules), rules, path, reader.name)
    except OSError as error:
        where, got = str(error.filename or path), error.strerror or str(error)
        raise DataError(where, "something that can be read", got, "a path that you may read") from error
    except ModuleNotFoundError as error:
        raise DataError(str(path), f"the package {error.name}", "none installed", "pip install 'vicinal[lab]'") from error


def is_annotated(path: Path, format: str = "auto") -> bool:
    """True for what ``read_annotations`` would take."""
    return any(format == reader.name or (format == "auto" and path.exists() and reader.matches(path)) for reader in READERS)


def _chosen(path: Path) -> Reader:
    for reader in READERS:
        if reader.matches(path):
            return reader
    formats = "; ".join(f"{reader.name}: {reader.looks}" for reader in READERS)
    got = f"a file {path.name}" if path.is_file() else "a folder of something else"
    raise DataError(str(path), f"one of these formats ({formats})", got, "read(...) for labelled images without boxes")


def _forced(format: str) -> Reader:
    known = {reader.name: reader for reader in READERS}
    if format not in known:
        raise DataError("format", f"auto, {', '.join(known)}", repr(format), nearest(format, ["auto", *known]) or "auto")
    return known[format]

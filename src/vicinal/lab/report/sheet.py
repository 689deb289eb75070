"""Contact sheets: originals and what an arm made of them, as one picture that lives inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vicinal.lab.report.marks import Marks

_TILE = 84  # pixels: small images are magnified by the largest integer that stays at or below this
_LARGEST = 128  # larger images are reduced to this
_MARKED = 240  # or each to this, where something is drawn over them; no page shows these
_BUDGET = 900_000  # values a sheet may hold before its tiles shrink, so that photographs do not swell the page
_GAP, _GUTTER = 4, 16  # between tiles; between the originals and their versions


ROWS, VERSIONS = 6, 6  # originals on a sheet, and what is made of each


def spread(rows: NDArray[np.int64]) -> list[int]:
    """Some of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)].tolist()


@final
@dataclass(frozen=True)
class SheetRow:
    """One original and its versions.

    Attributes:
        original: (H, W, C) uint8, uint16, or float32 in [0, 1].
        versions: the same item after the arm, each (H', W', C) of one of these dtypes.
        address: where the versions can be found again, ``seed=0 epoch=0 index=17``.
        marks: what is drawn over the original and over each version, or nothing.
    """

    original: NDArray
    versions: list[NDArray]
    address: str
    marks: Sequence[Marks] = ()

    def tiles(self, scale: float) -> list[Image.Image]:
        """The original and its versions, each ``scale`` times as large; where something is drawn over them, as large as shows it."""
        images = [self.original, *self.versions]
        if not self.marks:
            return [_tile(image, scale) for image in images]
        scales = [min(1.0, _MARKED / max(image.shape[:2])) for image in images]
        return [mark.over(_tile(image, own), own) for mark, image, own in zip(self.marks, images, scales, strict=True)]


@final
@dataclass(frozen=True)
class Sheet:
    """What one arm really produced.

    Attributes:
        arm: the name of the arm.
        rows: some items, one to a row.
    """

    arm: str
    rows: list[SheetRow]

    @property
    def images(self) -> list[NDArray]:
        return [image for row in self.rows for image in (row.original, *row.versions)]


@final
@dataclass(frozen=True)
class Picture:
    """A sheet as the page shows it: ``uri`` is a PNG data URI, ``width`` its pixels, ``clipped`` if values left [0, 1]."""

    uri: str
    width: int
    height: int
    clipped: bool


def picture(sheet: Sheet) -> Picture:
    """Draw a sheet: originals in the first column, a gutter, then the versions.

    Small images are magnified by one integer factor without smoothing, so that a pixel stays a pixel; large ones are
    reduced. Of an image with two channels the first is shown, of one with more than three the first three.

    Example:
        >>> row = SheetRow(np.zeros((8, 8, 1), np.uint8), [np.full((8, 8, 1), 255, np.uint8)], "seed=0 epoch=0 index=0")
        >>> drawn = picture(Sheet("invert", [row]))
        >>> drawn.width, drawn.height, drawn.uri[:22]
        (176, 80, 'data:image/png;base64,')
    """
    canvas = _assemble([row.tiles(_scale(sheet.images)) for row in sheet.rows])
    clipped = any(image.dtype.kind == "f" and bool(((image < 0) | (image > 1)).any()) for image in sheet.images)
    return Picture(_data_uri(canvas), canvas.width, canvas.height, clipped)


def _scale(images: list[NDArray]) -> float:
    """One factor for the whole sheet: an integer for small images, at most 1 for large ones."""
    side = max(max(image.shape[:2]) for image in images)
    if side <= _TILE // 2:
        return float(_TILE // side)
    affordable = (_BUDGET / (len(images) * images[0].shape[2])) ** 0.5
    return min(1.0, max(32.0, min(_LARGEST, affordable)) / side)


def _tile(image: NDArray, scale: float) -> Image.Image:
    drawn = Image.fromarray(_displayable(image))
    size = (max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale)))
    return drawn.resize(size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX).convert("RGBA")


def _displayable(image: NDArray) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) bytes."""
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    elif image.dtype.kind == "f":
        image = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(image[..., :3] if image.shape[2] >= 3 else image[..., 0])


def _assemble(tiles: list[list[Image.Image]]) -> Image.Image:
    cell_w = max(tile.width for row in tiles for tile in row)
    cell_h = max(tile.height for row in tiles for tile in row)
    columns = max(len(row) for row in tiles)
    width = columns * (cell_w + _GAP) - _GAP + (_GUTTER - _GAP if columns > 1 else 0)
    canvas = Image.new("RGBA", (width, len(tiles) * (cell_h + _GAP) - _GAP))
    for i, row in enumerate(tiles):
        for j, tile in enumerate(row):
            left = j * (cell_w + _GAP) + (_GUTTER - _GAP if j else 0)
            canvas.paste(tile, (left + (cell_w - tile.width) // 2, i * (cell_h + _GAP) + (cell_h - tile.height) // 2))
    return canvas


def _data_uri(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

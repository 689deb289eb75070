"""Four pictures on one canvas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, Spec
from vicinal.core.declare import is_size
from vicinal.core.draw import Draw
from vicinal.core.items import Items, Table, joined, pictures
from vicinal.core.mixer import Mixer, Mixture, Params
from vicinal.core.space import SpaceLike, is_number, pick
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.mix import cover
from vicinal.mix.fields import labels, min_visible_option

__all__ = ["Mosaic"]


@register
@final
class Mosaic(Mixer):
    """Four pictures around a point of a new canvas, each with its inner corner on it and at its own size; what none covers is filled.

    A picture larger than its quarter is cut there, so a canvas of twice the size of the pictures shows most of them. Boxes, masks and
    keypoints of all four follow; boxes are cut at their tile and dropped where too little is left, keypoints outside their tile become
    invisible and stay where they are. Class labels are weighted by the area that each picture has. Pictures may have any sizes. A batch
    of one shows its sample four times.

    Args:
        size: the canvas; x, y: the point; fill: the value of what is not covered; min_visible, partner, classes: as for every mixer.

    Example:
        >>> grey = np.array([10, 200], np.uint8)[:, None, None, None] + np.zeros((1, 3, 3, 1), np.uint8)
        >>> Mosaic(size=6, x=0.5, y=0.5)(grey, seed=0)[0, ::3, ::3, 0].tolist()
        [[10, 200], [200, 200]]
    """

    paper: ClassVar[str] = "Bochkovskiy et al., YOLOv4: optimal speed and accuracy of object detection, 2020"
    example: ClassVar[Mapping[str, Any]] = {"size": (80, 120)}
    partners: ClassVar[int] = 3
    one_size: ClassVar[bool] = False
    bounded: ClassVar[bool] = True

    size: int | tuple[int, int] = option(
        expected="a whole number of 1 or more, or (height, width)",
        admits=is_size,
        doc="the canvas in pixels",
    )
    x: SpaceLike = parameter(default=(0.25, 0.75), unit="shares of the canvas", low=0, high=1)
    y: SpaceLike = parameter(default=(0.25, 0.75), unit="shares of the canvas", low=0, high=1)
    fill: float = option(default=0.0, expected="a share of the value range in [0, 1]", admits=lambda v: is_number(v) and 0 <= v <= 1,
                         doc="value of what no picture covers, as a share of the value range")  # fmt: skip
    min_visible: float = min_visible_option()

    def canvas(self, spec: Spec) -> NDArray[np.int64]:
        return np.tile(np.asarray(self.size if isinstance(self.size, tuple) else (self.size, self.size), np.int64), (len(spec), 1))

    def drawn(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return Transform.sample(self, draw, spec) | {"place": pick(draw.unit("place"), 4)}

    def mix(self, params: Params, items: Items, pool: Items, partner: NDArray[np.int64], on: NDArray[np.bool_]) -> Mixture:
        canvas = self.canvas(items.spec)
        centre = np.rint(canvas[:, ::-1] * np.stack([params["x"], params["y"]], 1)).astype(np.int64)
        where = zip(partner, params["place"].tolist(), canvas, centre, strict=True)
        tiles = [_tiles(items, pool, row, *one) if on[row] else [] for row, one in enumerate(where)]
        box = np.zeros((len(items), 4, 4), np.int64)
        box[:, 0, 2:] = items.spec.size[:, ::-1]
        box[on] = [[tile.frame for tile in four] for four in tiles if four]
        area = (box[..., 2:] - box[..., :2]).prod(-1)
        shares = area / area.sum(1, keepdims=True)
        size = int(canvas[0, 0]), int(canvas[0, 1])
        made = items.but(
            data=_laid(items.data, tiles, size, self._stored(items.spec.dtype), items.spec),
            mask=None if items.mask is None else _laid(items.mask, tiles, size, items.fill, None),
            label=labels(items, pool, partner, shares),
            points=None if items.points is None else [_points(four) if four else items.points[row] for row, four in enumerate(tiles)],
            tables=tuple([self._table(four, size) if four else table for four, table in zip(tiles, items.tables, strict=False)]),
        )
        return made, {"weight": shares, "box": box}

    def _stored(self, dtype: str) -> float:
        return self.fill if dtype.startswith("float") else round(self.fill * RANGES[dtype])

    def _table(self, tiles: list[_Tile], size: tuple[int, int]) -> Table:
        own, *others = (cover.inside(tile.table(size), tile.frame, size, self.min_visible) for tile in tiles)
        for other in others:
            own = joined(own, other)
        return own


@final
@dataclass(frozen=True, eq=False)
class _Tile:
    """One picture of a mosaic.

    Args:
        items, row: the picture; shift: x, y of its corner on the canvas; frame: the part x0, y0, x1, y1 of the canvas that shows it.
    """

    items: Items
    row: int
    shift: NDArray[np.int64]
    frame: NDArray[np.int64]

    def lay(self, out: NDArray, array: NDArray) -> None:
        """Copy the part of an array (h, w, ...) of the picture's size that the canvas shows."""
        (x0, y0, x1, y1), (left, top) = self.frame, self.shift
        out[y0:y1, x0:x1] = array[y0 - top : y1 - top, x0 - left : x1 - left]

    def table(self, canvas: tuple[int, int]) -> Table:
        """The instances of the picture in coordinates of the canvas."""
        table = dict(self.items.tables[self.row])
        if "boxes" in table:
            table["boxes"] = table["boxes"] + np.tile(self.shift, 2)
        if "keypoints" in table:
            table["keypoints"] = self.moved(table["keypoints"])
        if "masks" in table:
            masks = np.zeros((len(table["masks"]), *canvas), table["masks"].dtype)
            self.lay(np.moveaxis(masks, 0, -1), np.moveaxis(table["masks"], 0, -1))
            table["masks"] = masks
        return table

    def moved(self, points: NDArray) -> NDArray[np.float64]:
        """Points of the picture in coordinates of the canvas."""
        return np.concatenate([points[..., :2] + self.shift, points[..., 2:]], -1, dtype=np.float64)


def _tiles(
    items: Items, pool: Items, row: int, partner: NDArray, place: int, canvas: NDArray[np.int64], centre: NDArray[np.int64]
) -> list[_Tile]:
    """The own tile in the quarter ``place`` (0 and 1 above, 2 and 3 below the centre), then those of the partners in the others."""
    tiles = []
    quarters = [place, *(quarter for quarter in range(4) if quarter != place)]
    for (source, number), quarter in zip([(items, row), *((pool, int(other)) for other in partner)], quarters, strict=True):
        behind, size = np.array([quarter % 2, quarter // 2], bool), source.spec.size[number, ::-1]
        shift = np.where(behind, centre, centre - size)
        low, high = np.where(behind, centre, 0), np.where(behind, canvas[::-1], centre)
        tiles.append(_Tile(source, number, shift, np.concatenate([np.clip(shift, low, high), np.clip(shift + size, low, high)])))
    return tiles


def _laid(own: Dense, tiles: list[list[_Tile]], size: tuple[int, int], fill: float, spec: Spec | None) -> Dense:
    """Pictures, in the layout of a spec, or masks (None) after laying out the tiles; copies of those without. One array if all fit one."""
    first = own[0].shape
    shape = (first[0], *size) if spec is not None and spec.layout == "CHW" else (*size, *first[2:])
    even = all(four or array.shape == shape for four, array in zip(tiles, own, strict=True))
    sheets = (np.full(shape if four else array.shape, fill, array.dtype) for four, array in zip(tiles, own, strict=True))
    out = np.full((len(own), *shape), fill, own[0].dtype) if even else list(sheets)
    shown = out if spec is None else pictures(out, spec)
    for row, four in enumerate(tiles):
        if not four:
            out[row][...] = own[row]
        for tile in four:
            theirs = tile.items.mask if spec is None else tile.items.pictures
            assert theirs is not None
            tile.lay(shown[row], theirs[tile.row])
    return out


def _points(tiles: list[_Tile]) -> NDArray:
    """Loose keypoints: all of the own, flagged where they are not shown, and those of the partners that are."""
    found = {"keypoints": np.zeros((0, 2))}
    for tile in tiles:
        points = tile.items.points[tile.row] if tile.items.points is not None else np.zeros((0, 2))
        if len(points):
            points = tile.moved(points)
            shown = cover.within(points, tile.frame)
            points = cover.unseen(points, ~shown) if tile is tiles[0] else cover.brought(points, shown)
        found = joined(found, {"keypoints": points})
    return found["keypoints"]

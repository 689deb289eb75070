"""Things laid over a picture: shapes, symbols, other pictures, and blocks in place of detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Effect, everywhere
from vicinal.core.space import SpaceLike, pick
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params
from vicinal.image.paint import colour_option, colours, opacity_parameter, several_option
from vicinal.image.rectangles import rectangle

__all__ = ["EmojiOverlay", "ImageOverlay", "Pixelise", "ShapeOverlay"]

SHAPES = ("circle", "rectangle", "triangle", "line")
EMOJI = ("smile", "frown", "laugh", "heart", "star")


@register
@final
class ShapeOverlay(Transform):
    """Lay filled shapes over an image, each of its own kind, size, angle, colour and place; boxes, masks and keypoints stay.

    Edges are antialiased: a pixel takes as much of the colour as the shape covers of it.

    Args:
        kinds: which shapes; count: how many; size: their diameter, as a share of the shorter side of the canvas (a rectangle and a triangle
            fit into the circle, a line is an eighth as wide as long); angle: they are turned; x, y: their centres, as shares of the canvas;
            colour: None for random ones, or shares of the value range: one, or one per channel; opacity: 0 is not to be seen.

    Example:
        >>> ShapeOverlay(kinds=("rectangle",), count=1, colour=1.0)(np.zeros((32, 32), np.uint8), seed=0).max().item()
        255
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True

    kinds: tuple[str, ...] = several_option(SHAPES)
    count: SpaceLike = parameter(default=(1, 4), unit="whole numbers", low=0, high=64, neutral=0, integer=True)
    size: SpaceLike = parameter(default=(0.1, 0.4), unit="shares of the shorter side", low=0, high=4, neutral=0)
    angle: SpaceLike = parameter(default=(0.0, 360.0), unit="degrees", low=-360, high=360)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the width", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the height", low=0, high=1)
    colour: Any = colour_option()
    opacity: SpaceLike = opacity_parameter(1.0)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        # Of a longer row of numbers the first are the same, so a larger count leaves the other shapes as they are.
        many = max(int(max(self.spaces()["count"].ends())), 1)
        each = {name: self.spaces()[name].at(draw.units(name, many)) for name in ("size", "angle", "x", "y")}
        kind = pick(draw.units("kind", many), len(self.kinds))
        tint = {"tint": draw.units("tint", 3 * many).reshape(-1, many, 3)} if self.colour is None else {}
        return {"count": self.value(draw, "count"), "opacity": self.value(draw, "opacity"), "kind": kind, **each, **tint}

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        kind = np.array([SHAPES.index(name) for name in self.kinds])[params["kind"]]
        there = np.arange(kind.shape[1]) < params["count"][:, None]
        arguments = {
            "kind": np.where(there & (params["size"] > 0), kind, -1),
            "radius": params["size"] * spec.size.min(1)[:, None] / 2,
            "angle": np.deg2rad(params["angle"]),
            "centre": np.stack([params["x"] * spec.width[:, None], params["y"] * spec.height[:, None]], -1),
            "colour": colours(self.colour, params.get("tint"), kind.shape[1], spec, "ShapeOverlay"),
            "opacity": params["opacity"],
        }
        return [Effect("shapes.drawn", everywhere(len(spec)), arguments)]


def _pictures(source: NDArray, scale: str, params: Params, spec: Spec) -> Effect:
    arguments = {"source": source, "scale": params[scale], **{name: params[name] for name in ("which", "x", "y", "opacity")}}
    return Effect("pictures.laid", everywhere(len(spec)), arguments)


@register
@final
class EmojiOverlay(Transform):
    """Lay a symbol over an image; boxes, masks and keypoints stay.

    The symbols are drawn by this library, so nothing is downloaded; images that are not of 3 channels take their brightness.

    Args:
        kinds: which of smile, frown, laugh, heart, star; size: as a share of the shorter side of the canvas; x, y: where it lies, as shares
            of the free room; opacity: 0 is not to be seen.

    Example:
        >>> EmojiOverlay(kinds=("heart",), size=0.5)(np.zeros((32, 32, 3), np.uint8), seed=0).max((0, 1)).argmax().item()
        0
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Papakipos and Bitton, AugLy: data augmentations for robustness, 2022"

    kinds: tuple[str, ...] = several_option(EMOJI)
    size: SpaceLike = parameter(default=(0.15, 0.4), unit="shares of the shorter side", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    opacity: SpaceLike = opacity_parameter(1.0)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return Transform.sample(self, draw, spec) | {"which": draw.unit("which")}

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        chosen = np.array([f"emoji:{kind}" for kind in self.kinds])[pick(params["which"], len(self.kinds))]
        return [_pictures(chosen, "size", params, spec)]


@register
@final
class ImageOverlay(Transform):
    """Lay another picture over an image; boxes, masks and keypoints stay.

    Args:
        path: an image file, or a folder of image files of which each sample gets one; its alpha channel, if it has one, is honoured. None
            is a star. scale: the picture is made as large as fits into this share of both sides of the canvas; x, y: where it lies, as
            shares of the free room; opacity: 0 is not to be seen.

    Images that are not of 3 channels take the brightness of the picture.

    Raises:
        DataError: when it is used, where there is no image at the path.

    Example:
        >>> ImageOverlay(scale=0.5)(np.zeros((32, 32, 3), np.uint8), seed=0).any()
        np.True_
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Papakipos and Bitton, AugLy: data augmentations for robustness, 2022"

    path: str | None = option(default=None, expected="the path of an image file or of a folder with image files, or none",
                              admits=lambda value: value is None or (isinstance(value, str) and value != ""),
                              doc="an image file, or a folder of them")  # fmt: skip
    scale: SpaceLike = parameter(default=(0.2, 0.5), unit="shares of the canvas", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    opacity: SpaceLike = opacity_parameter(1.0)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return Transform.sample(self, draw, spec) | {"which": draw.unit("which")}

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_pictures(np.full(len(spec), self.path or "emoji:star"), "scale", params, spec)]


@register
@final
class Pixelise(Transform):
    """Replace blocks of pixels by their mean, in a rectangle; boxes, masks and keypoints stay.

    Args:
        block: the side of a block; area: of the rectangle, as a share of the canvas; ratio: its width over its height; x, y: where it lies,
            as shares of the free room. Blocks begin at its upper left corner; those at the other edges are cut.

    Example:
        >>> Pixelise(block=2, area=1)(np.array([[0, 100], [100, 200]], np.uint8), seed=0).tolist()
        [[100, 100], [100, 100]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Papakipos and Bitton, AugLy: data augmentations for robustness, 2022"
    example: ClassVar[Mapping[str, Any]] = {"area": (0.1, 0.4)}

    block: SpaceLike = parameter(default=(4, 16), unit="pixels", low=1, high=4096, neutral=1, integer=True)
    area: SpaceLike = parameter(default=1.0, unit="shares of the canvas", low=0, high=1, neutral=0)
    ratio: SpaceLike = parameter(default={"log": [0.5, 2]}, unit="times wider than high", low=0.01, high=100)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        whole = params["area"] == 1
        box = np.where(whole[:, None], np.pad(spec.size[:, ::-1], ((0, 0), (2, 0))), rectangle(params["area"], params, spec))
        return [Effect("blocks.averaged", everywhere(len(spec)), {"box": box, "block": params["block"]})]

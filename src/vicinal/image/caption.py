"""Writing: text over a picture, and a caption in a band beside it."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Effect, Primitive, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.core.warp import Warp
from vicinal.image.fields import Params
from vicinal.image.paint import background_option, colour_option, colours, font_option, letters, opacity_parameter, text_option, words

__all__ = ["MemeLayout", "TextOverlay"]


def _drawn(transform: Any, draw: Draw, spec: Spec) -> dict[str, NDArray]:
    """The declared parameters, and letters and a colour where none are given."""
    found = Transform.sample(transform, draw, spec)
    if transform.text is None:
        found["letters"] = letters(draw, max(transform.spaces()["length"].ends()))
    if transform.colour is None:
        found["tint"] = draw.units("tint", 3)
    return found


def _colour(transform: Any, params: Params, spec: Spec) -> NDArray[np.float64]:
    """(B, C)."""
    tint = params["tint"][:, None] if transform.colour is None else None
    return colours(transform.colour, tint, 1, spec, type(transform).__name__)[:, 0]


@register
@final
class TextOverlay(Transform):
    """Write a line of text over an image; boxes, masks and keypoints stay.

    Args:
        text: what is written; None for random letters and digits; length: how many of these; size: of the letters (their em square), as a
            share of the height of the canvas; a line that would be too wide is written smaller; x, y: where it lies, as shares of the
            free room; colour: None for a random one, or shares of the value range: one, or one per channel; opacity: 0 is not to be seen;
        font: a TrueType or OpenType file; None for the one that comes with Pillow, which is needed here.

    Raises:
        DataError: when it is used, where there is no font at the path.

    Example:
        >>> TextOverlay(text="vicinal", colour=1.0)(np.zeros((32, 32, 3), np.uint8), seed=0).any()
        np.True_
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Papakipos and Bitton, AugLy: data augmentations for robustness, 2022"

    text: str | None = text_option()
    length: SpaceLike = parameter(default=(4, 12), unit="letters", low=1, high=64, integer=True)
    size: SpaceLike = parameter(default=(0.08, 0.2), unit="shares of the height", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    colour: Any = colour_option()
    opacity: SpaceLike = opacity_parameter(1.0)
    font: str | None = font_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return _drawn(self, draw, spec)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {
            "text": words(self.text, params, spec),
            "size": params["size"] * spec.height,
            "colour": _colour(self, params, spec),
            **{name: params[name] for name in ("x", "y", "opacity")},
        }
        return [Effect("text.written", everywhere(len(spec)), arguments, (("font", self.font or ""),))]


@register
@final
class MemeLayout(Transform):
    """Make room for a band above or below an image and write a caption into it; boxes, masks and keypoints move along.

    Args:
        text: what is written, as large as fits; None for random letters and digits; length: how many of these; band: "above" or "below";
            height: of the band, as a share of the height of the canvas; background, colour: of the band and of the letters, shares of the
            value range: one, or one per channel (a colour of None is random); font: as for TextOverlay.

    Raises:
        DataError: when it is used, where there is no font at the path.

    Example:
        >>> MemeLayout(text="vicinal", height=0.25)(np.zeros((32, 32, 3), np.uint8), seed=0).shape
        (40, 32, 3)
    """

    verb: ClassVar[str] = "move"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Papakipos and Bitton, AugLy: data augmentations for robustness, 2022"

    text: str | None = text_option()
    length: SpaceLike = parameter(default=(4, 12), unit="letters", low=1, high=64, integer=True)
    band: str = option(default="above", choices=("above", "below"), doc="where the caption stands")
    height: SpaceLike = parameter(default=(0.15, 0.3), unit="shares of the height", low=0, high=2, neutral=0)
    background: Any = background_option()
    colour: Any = colour_option(0.0)
    font: str | None = font_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return _drawn(self, draw, spec)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        room = np.rint(params["height"] * spec.height).astype(np.int64)
        above = room if self.band == "above" else np.zeros_like(room)
        size = spec.size + np.stack([room, np.zeros_like(room)], 1)
        # The band is painted whole, whatever a fused map would show there; masks see the constant border.
        moved = Warp.of(affine.translation(np.zeros(len(spec)), above), spec, size, "constant")
        start = spec.height - (spec.height if self.band == "above" else 0)
        arguments = {
            "text": words(self.text, params, spec),
            "band": np.stack([start, start + room], 1),
            "background": colours(self.background, None, 1, spec, "MemeLayout")[:, 0],
            "colour": _colour(self, params, spec),
        }
        return [moved, Effect("text.captioned", everywhere(len(spec)), arguments, (("font", self.font or ""),))]

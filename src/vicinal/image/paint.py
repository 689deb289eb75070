"""Settings of everything that is drawn over a picture: colours, opacity, kinds, words."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.space import pick
from vicinal.core.transform import option, parameter
from vicinal.image.channels import LUMA
from vicinal.image.fields import Params
from vicinal.image.rectangles import is_colour, per_channel

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def opacity_parameter(default: Any) -> Any:
    """How much of what is drawn is to be seen."""
    return parameter(default, unit="shares", low=0, high=1, neutral=0)


def colour_option(default: Any = None) -> Any:
    """The colour of what is drawn."""
    return option(default, expected="shares of the value range in [0, 1]: one, or one per channel; or none, for random ones",
                  admits=lambda value: value is None or is_colour(value),
                  doc="shares of the value range, one or one per channel; none for random ones")  # fmt: skip


def background_option() -> Any:
    """The colour of new room."""
    return option(1.0, expected="shares of the value range in [0, 1]: one, or one per channel", admits=is_colour,
                  doc="colour of the new room: shares of the value range, one or one per channel")  # fmt: skip


def several_option(names: tuple[str, ...]) -> Any:
    """Some of several kinds, all equally likely."""
    return option(names, expected=f"some of {', '.join(map(repr, names))}",
                  admits=lambda value: isinstance(value, tuple) and len(value) > 0 and all(name in names for name in value),
                  doc="which kinds there are, all equally likely")  # fmt: skip


def text_option() -> Any:
    """What is written."""
    return option(None, expected="a text that is not empty, or none for random letters",
                  admits=lambda value: value is None or (isinstance(value, str) and value.strip() != "" and "\x00" not in value),
                  doc="what is written; none for random letters and digits")  # fmt: skip


def font_option() -> Any:
    """The letters."""
    return option(None, expected="the path of a TrueType or OpenType font file, or none",
                  admits=lambda value: value is None or (isinstance(value, str) and value != ""),
                  doc="a font file; none for Pillow's own font")  # fmt: skip


def colours(colour: Any, drawn: NDArray | None, many: int, spec: Spec, where: str) -> NDArray[np.float64]:
    """(B, many, C) shares of the value range: the given colour, or those drawn (B, many, 3)."""
    if drawn is None:
        given = np.broadcast_to(per_channel(colour, spec, f"{where}.colour"), (len(spec), spec.channels))
        return np.repeat(given[:, None], many, 1)
    if spec.channels == 1:
        return (drawn @ LUMA)[..., None]
    return drawn[..., np.arange(spec.channels) % 3]


def letters(draw: Draw, most: float) -> NDArray[np.int64]:
    """(B, most) numbers of random letters and digits."""
    return pick(draw.units("letters", int(most)), len(LETTERS))


def words(text: str | None, params: Params, spec: Spec) -> NDArray[np.str_]:
    """(B,) texts: the given one, or as many of the drawn letters as the parameter ``length`` says."""
    if text is not None:
        return np.full(len(spec), text)
    numbers = params["letters"]
    codes = np.frombuffer(LETTERS.encode(f"utf-32-{sys.byteorder[0]}e"), np.uint32)[numbers]
    codes[np.arange(numbers.shape[1]) >= params["length"][:, None]] = 0  # what ends a text
    return codes.view(f"U{numbers.shape[1]}")[:, 0]

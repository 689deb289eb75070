"""The page of a check: one file in the style of the report."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vicinal.lab.preflight.survive import THRESHOLD
from vicinal.lab.report.axis import Axis
from vicinal.lab.report.page import rendered, typeset
from vicinal.lab.report.sheet import Sheet, picture

_SIGNS = (
    ("▼", "wrong", "lost"),
    ("◆", "doubt", "partly lost", "doubtful", "unfamiliar", "unknown"),
    ("○", "note"),
    ("▲", "fine", "survives"),
)
SIGNS = MappingProxyType({word: sign for sign, *words in _SIGNS for word in words})
"""A sign for every weight and verdict, always beside the word."""

_LOOKS = (("▼", "hurts"), ("◆", "doubt"), ("○", "no-evidence"), ("▲", "helps"))
_MOST = 20  # classes that are shown


def render_check(result: Mapping[str, Any], sheets: Mapping[str, Sheet], copies: Sheet | None = None) -> str:
    """The page as HTML text: self-contained, no request leaves it."""
    arms = sorted(result["arms"], key=lambda arm: np.nan_to_num(arm["survival"]["share"]))
    shown = [(arm, sheets[arm["name"]]) for arm in arms if arm["name"] in sheets]
    axis, rows = _intervals(arms)
    return rendered(
        "check.html.j2",
        title=result["question"],
        short=lambda value: typeset(f"{value:.3g}"),
        result=result,
        arms=arms,
        axis=axis,
        rows=rows,
        strengths=sorted({pair["strength"] for arm in arms for pair in arm["strengths"]}),
        ranges=[(arm, safe) for arm in arms for safe in arm["safe"]],
        sheets=[(arm, sheet, picture(sheet)) for arm, sheet in shown],
        copies=None if copies is None else (copies, picture(copies)),
        threshold=THRESHOLD,
        most=_MOST,
        SIGNS=SIGNS,
        KINDS={word: dict(_LOOKS)[sign] for word, sign in SIGNS.items()},
    )


class Survival(NamedTuple):
    """One row of the figure; places in per cent of the width."""

    arm: Mapping[str, Any]
    mean: float
    low: float
    high: float


def _intervals(arms: list[Mapping[str, Any]]) -> tuple[Axis, tuple[Survival, ...]]:
    """Shares in per cent on a scale that holds the threshold."""
    known = [arm for arm in arms if np.isfinite(arm["survival"]["share"])]
    axis = Axis.over([100 * THRESHOLD, 100.0, *(100 * arm["survival"][end] for arm in known for end in ("low", "high"))], ticks=6)
    return axis, tuple(Survival(arm, *(float(axis.at(100 * arm["survival"][end])) for end in ("share", "low", "high"))) for arm in known)

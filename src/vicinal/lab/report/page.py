"""The page, and the files that a comparison leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from vicinal.core.files import write_files
from vicinal.lab import wording
from vicinal.lab.report import axis, bands, learning
from vicinal.lab.report.sheet import Picture, Sheet, picture
from vicinal.lab.report.view import applied, view
from vicinal.lab.result_file import result_bytes

PARTS = (
    "head", "verdicts", "forest", "rivals", "metrics", "learning", "classes", "robustness", "axes", "inside", "sheets", "costs", "setting",
)  # fmt: skip
"""The parts of a report in the order of the reader; each shows itself only where the result has what it shows."""

_LONGEST = 14  # characters of a label at the end of a line


def write_report(result: Mapping[str, Any], sheets: Mapping[str, Sheet], path: Path) -> Path:
    """Write ``report.html``.

    Args:
        result: the object that ``result.json`` holds.
        sheets: what each arm really produced, by the name of the arm; arms without one are shown without pictures.
        path: the file to write; its folder is made if missing.

    Returns:
        The path.

    Raises:
        StoreError: the file could not be written; an older one is left as it was.
    """
    write_files({path: _html_bytes(result, sheets)})
    return path


def write_outputs(result: Mapping[str, Any], sheets: Mapping[str, Sheet], folder: Path) -> tuple[Path, Path]:
    """Write ``result.json`` and ``report.html`` together: if one of them finds no room, neither is touched.

    Returns:
        The paths of the two.

    Raises:
        StoreError: as :func:`write_report`.
    """
    data, page = folder / "result.json", folder / "report.html"
    write_files({data: result_bytes(result), page: _html_bytes(result, sheets)})
    return data, page


def render_report(result: Mapping[str, Any], sheets: Mapping[str, Sheet], rebuilt: bool = False) -> str:
    """The report as HTML text: one self-contained page from which no request leaves.

    Args:
        result, sheets: as for :func:`write_report`.
        rebuilt: whether it is made from a stored result alone, so that it says why there are no pictures.
    """
    seen = view(result)
    return rendered("report.html.j2", parts=PARTS, sheets=_pictures(seen["arms"], sheets), rebuilt=rebuilt, **seen)


def rendered(template: str, **known: Any) -> str:
    """A template of this folder; what ends in .html.j2 is escaped."""
    return _environment(escape=".html" in template).get_template(template).render(**known)


def _html_bytes(result: Mapping[str, Any], sheets: Mapping[str, Sheet]) -> bytes:
    return render_report(result, sheets).encode("utf-8", "replace")


def _environment(escape: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vicinal.lab.report", "."),
        autoescape=escape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = (wording.accuracy, wording.decimal, wording.points, wording.estimate, wording.p_value, wording.duration, wording.level)
    environment.filters.update({function.__name__: _set_in_type(function) for function in (*said, axis.tick)})
    count = partial(wording.decimal, digits=0)
    environment.filters.update(seed_range=wording.seed_range, typeset=typeset, mean=_mean, count=count, applied=applied)
    environment.filters.update(gain_ticks=bands.gain_ticks, rungs=_rungs, shortened=_shortened, cell=_cell)
    environment.globals.update(SYMBOLS=wording.SYMBOLS, interval=_set_in_type(wording.interval), PANEL=learning.PANEL, HEIGHT=bands.HEIGHT)
    environment.tests.update(missing=wording.missing, sure=_sure)
    return environment


def _set_in_type(function: Any) -> Any:
    return lambda *args, **options: typeset(function(*args, **options))


def typeset(text: str) -> str:
    """Real minus signs before numbers, and an en dash for a number that is missing.

    Example:
        >>> typeset("hflip (-4.9) and turn-2"), typeset("-")
        ('hflip (−4.9) and turn-2', '–')
    """
    return "–" if text == wording.MISSING else re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def _sure(found: Mapping[str, Any]) -> bool:
    """Whether an interval excludes 0."""
    low, high = axis.number(found["low"]), axis.number(found["high"])
    return bool(low > 0 or high < 0)


def _rungs(ladder: axis.Ladder) -> list[tuple[float, str]]:
    """Places and texts below a chart; where they would touch, only some have a text."""
    shown, last = [], -100.0
    for place, said in zip(ladder.places, ladder.texts, strict=True):
        if place - last >= 4 + 3 * len(said):
            shown.append((place, said))
            last = place
    return shown


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _cell(text: Any) -> str:
    """Text inside a cell of a Markdown table."""
    return re.sub(r"([|*_`\\<>\[\]])", r"\\\1", str(text)).replace("\n", " ")


def _pictures(arms: Sequence[wording.Arm], sheets: Mapping[str, Sheet]) -> list[tuple[wording.Arm, Sheet, Picture]]:
    shown = [(arm, sheets[arm["name"]]) for arm in arms if arm["name"] in sheets]
    return [(arm, sheet, picture(sheet)) for arm, sheet in shown if sheet.rows]


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if not wording.missing(value)]
    return float(np.mean(numbers)) if numbers else None  # type: ignore[arg-type]

"""The page: what the template needs to know, said once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from vicinal.lab import wording
from vicinal.lab.report import figures
from vicinal.lab.report.sheet import Picture, Sheet, picture
from vicinal.lab.result_file import result_bytes, write_files

_INTERVALS = (("t", "paired t interval"), ("bca", "bias-corrected and accelerated (BCa) bootstrap interval"))
_SETTINGS = ("data", "budget", "trainer", "seeds", "alpha", "interval", "leak")


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


def render_report(result: Mapping[str, Any], sheets: Mapping[str, Sheet]) -> str:
    """The report as HTML text: one self-contained page from which no request leaves."""
    arms = wording.ranked(result["arms"])
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            arms=arms,
            counts=_counts(arms),
            leak=wording.leak_sentence(result["leak"]),
            forest=figures.forest(arms),
            curves=figures.curves(arms),
            classes=figures.classes(result["data"]["classes"], arms),
            sheets=_pictures(arms, sheets),
            interval_name=dict(_INTERVALS).get(result["interval"], result["interval"]),
            level=wording.decimal(100 * (1 - result["alpha"]), 0),
            settings=list(_flat({key: result[key] for key in _SETTINGS if key in result})),
            reference_seconds=_reference_seconds(arms),
            PANEL=figures.PANEL,
        )
    )


def _html_bytes(result: Mapping[str, Any], sheets: Mapping[str, Sheet]) -> bytes:
    return render_report(result, sheets).encode("utf-8", "replace")


def environment() -> jinja2.Environment:
    """The templates of the reports, and the words and numbers that they say."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("vicinal.lab.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plain = (wording.accuracy, wording.decimal, wording.points, wording.estimate, wording.p_value, wording.duration)
    made.filters.update({function.__name__: _set_in_type(function) for function in plain})
    count = partial(wording.decimal, digits=0)
    made.filters.update(seed_range=wording.seed_range, typeset=typeset, mean=_mean, count=count)
    made.globals.update(SYMBOLS=wording.SYMBOLS, interval=_set_in_type(wording.interval))
    made.tests["missing"] = wording.missing
    return made


def _set_in_type(function: Any) -> Any:
    return lambda *args, **options: typeset(function(*args, **options))


def typeset(text: str) -> str:
    """Real minus signs before numbers, and an en dash for a number that is missing.

    Example:
        >>> typeset("hflip (-4.9) and turn-2"), typeset("-")
        ('hflip (−4.9) and turn-2', '–')
    """
    return "–" if text == wording.MISSING else re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def _counts(arms: Sequence[wording.Arm]) -> list[tuple[str, list[str]]]:
    """Which arms got which verdict, for the verdicts that were given."""
    named = {kind: [arm["name"] for arm in arms if arm["verdict"] == kind] for kind in ("helps", "hurts", "no evidence")}
    return [(kind, names) for kind, names in named.items() if names]


def _pictures(arms: Sequence[wording.Arm], sheets: Mapping[str, Sheet]) -> list[tuple[wording.Arm, Sheet, Picture]]:
    shown = [(arm, sheets[arm["name"]]) for arm in arms if arm["name"] in sheets]
    return [(arm, sheet, picture(sheet)) for arm, sheet in shown if sheet.rows]


def _reference_seconds(arms: Sequence[wording.Arm]) -> float | None:
    """What the reference took, augmentation and training together."""
    cost = next((arm["cost"] for arm in arms if not arm["difference"]), None)
    return (cost["augment_seconds"] or 0.0) + (cost["train_seconds"] or 0.0) if cost else None


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Settings as dotted names and texts: ``data.train``, ``450``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif name == "seeds":
        yield name, wording.seed_range(value)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        yield name, "–" if value is None or shown == "" else shown


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if not wording.missing(value)]
    return float(np.mean(numbers)) if numbers else None  # type: ignore[arg-type]

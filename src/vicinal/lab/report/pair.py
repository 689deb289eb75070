"""Two studies side by side: do the same arms do the same, and would choosing on one have served the other?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, StoreError
from vicinal.core.files import write_files
from vicinal.lab import wording
from vicinal.lab.analysis import across
from vicinal.lab.measure.metrics import METRICS
from vicinal.lab.report.page import rendered
from vicinal.lab.report.rows import Entry, Rows, rows
from vicinal.lab.report.view import SETTINGS, flat
from vicinal.lab.statistics import Estimate, estimate, within
from vicinal.lab.wording import Arm

SIDES = ("A", "B")


def write_pair(first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, str], folder: Path) -> Path:
    """Write ``comparison.html``.

    Args:
        first, second: results, as ``result.json`` holds them; names: what to call them, such as their folders.
        folder: where the page goes; it is made if missing.

    Raises:
        StoreError: no arm is in both, or the file could not be written.
    """
    path = folder / "comparison.html"
    write_files({path: render_pair(first, second, names).encode("utf-8", "replace")})
    return path


def render_pair(first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, str]) -> str:
    """The page as HTML text, as self-contained as a report."""
    return rendered("report.html.j2", parts=("pair",), title=f"{names[0]} against {names[1]}", **view_pair(first, second, names))


def view_pair(first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, str]) -> dict[str, Any]:
    """What the page shows.

    Raises:
        StoreError: no arm was compared in both.
    """
    results = (first, second)
    tables = [{arm["name"]: arm for arm in wording.ranked(result["arms"]) if arm["difference"]} for result in results]
    shared = [name for name in tables[0] if name in tables[1]]
    if not shared:
        got = " and ".join(wording.listed(list(table)) or "none" for table in tables)
        raise StoreError(f"{names[0]} and {names[1]}", "an arm of the same name in both", got, "two studies with arms in common")
    units = [wording.unit_of(result["metric"]) for result in results]
    same = first["metric"]["name"] == second["metric"]["name"]
    arms = [_row(name, results, tables, same) for name in shared]
    carried, why_not = _transfers(first, second)
    return {
        "names": list(zip(SIDES, names, results, units, strict=True)),
        "arms": arms,
        "same_metric": same,
        "unit": units[0],
        "units": units,
        "level_said": wording.decimal(100 * (1 - first["alpha"]), 0),
        "forest": _forest(arms, units) if same else None,
        "only": [(side, [arm for arm in table if arm not in shared]) for side, table in zip(SIDES, tables, strict=True)],
        "transfers": carried,
        "why_not": why_not,
        "sentences": _sentences(arms, carried),
        "differs": _differs(results),
        "policies": [(one["name"], *(arm["policy"] for arm in one["arms"])) for one in arms if _policies_differ(one["arms"])],
    }


def _row(name: str, results: Sequence[Mapping[str, Any]], tables: Sequence[Mapping[str, Arm]], same: bool) -> dict[str, Any]:
    """An arm in both studies, and by how much its effect differs over the seeds that both have."""
    effects = [paired(result, table[name]) for result, table in zip(results, tables, strict=True)]
    seeds = [seed for seed in effects[0] if seed in effects[1]] if same else []
    gaps = np.array([effects[1][seed] - effects[0][seed] for seed in seeds])
    usable = len(gaps) and np.isfinite(gaps).all()
    change = vars(_change(gaps, results[0])) if usable else None
    return {"name": name, "arms": [table[name] for table in tables], "seeds": len(seeds), "change": change}


def _change(gaps: NDArray[np.float64], result: Mapping[str, Any]) -> Estimate:
    """The mean of differences of two effects."""
    metric = METRICS.get(result["metric"]["name"])  # none of a newer version
    return within(estimate(gaps, 1 - result["alpha"], result["interval"]), math.inf if metric is None else 2 * metric.span)


def paired(result: Mapping[str, Any], arm: Arm) -> dict[int, float]:
    """Seed to paired difference of an arm, for the seeds that its reference has too."""
    reference = next((other for other in result["arms"] if other["name"] == arm["difference"]["against"]), arm)
    seeds = [seed for seed in arm["seeds"] if seed in set(reference["seeds"])]
    pairs = zip(seeds, arm["difference"]["paired"], strict=False)
    return {seed: value for seed, value in pairs if not wording.missing(value)}


def _forest(arms: Sequence[Mapping[str, Any]], units: Sequence[wording.Unit]) -> Rows | None:
    entries = [
        Entry(f"{one['name']}, {side}", arm["difference"], verdict=arm["verdict"], against=arm["difference"]["against"])
        for one in arms
        for side, arm in zip(SIDES, one["arms"], strict=True)
    ]
    return rows(entries, units[0])


def _transfers(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[list[tuple[str, str, dict[str, Any]]], str]:
    """Choosing on one and using on the other, both ways; or why that says nothing."""
    try:
        return [(SIDES[0], SIDES[1], across(first, second)), (SIDES[1], SIDES[0], across(second, first))], ""
    except DataError as fault:
        return [], str(fault)


def _sentences(arms: Sequence[Mapping[str, Any]], carried: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    alike = [one["name"] for one in arms if len({arm["verdict"] for arm in one["arms"]}) == 1]
    opposite = [one["name"] for one in arms if {arm["verdict"] for arm in one["arms"]} == {"helps", "hurts"}]
    found = [f"{len(alike)} of {len(arms)} arms have the same verdict in both."]
    if opposite:
        found.append(f"Opposite verdicts: {wording.listed(opposite)}.")
    if carried:
        found.append(f"The orders of the arms correlate by {_number(carried[0][2]['kendall'])} (Kendall's tau).")
        found += [_chosen(*each) for each in carried]
    return found


def _chosen(there: str, here: str, one: Mapping[str, Any]) -> str:
    if one["chosen"] == one["best"]:
        return f"Choosing on {there} would take {one['chosen']}, which is best on {here} too."
    return f"Choosing on {there} would take {one['chosen']}; on {here} {one['best']} is best."


def _number(found: Mapping[str, Any]) -> str:
    ends = "" if wording.missing(found["low"]) else f" [{found['low']:.2f}, {found['high']:.2f}]"
    return f"{found['mean']:.2f}{ends}"


def _policies_differ(arms: Sequence[Arm]) -> bool:
    return len({arm["policy"] for arm in arms}) > 1


def _differs(results: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Settings and versions that the two do not share: name, and what each has."""
    keys = ("metric", *SETTINGS, "environment")
    known = [dict(flat({key: result[key] for key in keys if result.get(key) is not None})) for result in results]
    every = dict.fromkeys([*known[0], *known[1]])
    return [(name, known[0].get(name, "–"), known[1].get(name, "–")) for name in every if known[0].get(name) != known[1].get(name)]

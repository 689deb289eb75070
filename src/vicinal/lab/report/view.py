"""What the page and the Markdown show of a result, part by part; a part that the result lacks is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vicinal.lab import wording
from vicinal.lab.measure.metrics import METRICS, entry
from vicinal.lab.report import bands, learning, tables
from vicinal.lab.report.rows import forest, listed

_INTERVALS = (("t", "paired t interval"), ("bca", "bias-corrected and accelerated (BCa) bootstrap interval"))
SETTINGS = ("data", "budget", "trainer", "seeds", "alpha", "interval", "leak", "cell", "looks")
_MOST_PLACES = 24  # of a study
_MOST_FAILED = 20
_NO_PERCENT = wording.Unit("per cent", share=True)


def view(result: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a template of a report asks for, besides the contact sheets.

    Args:
        result: the object that ``result.json`` holds, of schema 2.
    """
    arms, analysis = ordered(result["arms"]), result.get("analysis") or {}
    metric, headline = result["metric"], next(iter(arms[0].get("metrics") or ()), result["metric"]["name"])
    return {
        **_frame(result, arms),
        **_units(metric, headline),
        **_against_controls(analysis, wording.unit_of(metric)),
        **_classes(result, analysis, arms),
        **_places(result, analysis, arms),
        "forest": forest(arms, wording.unit_of(metric)),
        "metrics": _metrics(arms),
        "curves": learning.curves(arms, unit_named(headline), analysis.get("fits")),
        "robustness": bands.robustness(arms, styles(arms), unit_named(headline)),
        "attribution": _attribution(analysis.get("attribution"), wording.unit_of(metric)),
        "views": analysis.get("views", ()),
        "per_point": {one["arm"]: one["ms_per_point"] for one in analysis.get("costs", ())},
        "failed": list(result.get("failed", ()))[:_MOST_FAILED],
    }


def _frame(result: Mapping[str, Any], arms: Sequence[wording.Arm]) -> dict[str, Any]:
    return {
        "result": result,
        "title": result["question"],
        "arms": arms,
        "asked": [arm for arm in arms if not _added(arm)],
        "controls": [arm for arm in arms if _added(arm)],
        "reference": arms[0]["name"],
        "counts": _counts(arms),
        "leak": wording.leak_sentence(result["leak"]),
        "sentences": (result.get("analysis") or {}).get("sentences", ()),
        "interval_name": dict(_INTERVALS).get(result["interval"], result["interval"]),
        "level_said": wording.decimal(100 * (1 - result["alpha"]), 0),
        "settings": list(flat({key: result[key] for key in SETTINGS if result.get(key)})),
        "reference_seconds": _reference_seconds(arms),
    }


def _units(metric: Mapping[str, Any], headline: str) -> dict[str, Any]:
    unit = wording.unit_of(metric)
    return {
        "unit": unit,
        "metric_name": metric["name"].replace("_", " "),
        "direction": wording.direction_sentence(metric),
        "gain_heading": ("Difference" if metric["higher"] else "Gain", unit.word),
        "headline": headline.replace("_", " "),
        "headline_unit": unit_named(headline),
    }


def unit_named(metric: str) -> wording.Unit:
    """The unit of a metric by its name; that of one from a newer version is not known, so it is said plainly."""
    return wording.unit_of(entry(metric)) if metric in METRICS else wording.Unit(f"in {metric}", share=False)


def styles(arms: Sequence[wording.Arm]) -> dict[str, int]:
    """The looks of every arm's line, the same in every figure."""
    compared = sorted((arm for arm in arms if arm["difference"]), key=lambda arm: bool(arm.get("control")))
    return {arm["name"]: i % bands.MOST for i, arm in enumerate(compared)}


def ordered(arms: Sequence[wording.Arm]) -> list[wording.Arm]:
    """The reference, then what somebody asked about, then what the lab added; each by falling difference."""
    return sorted(wording.ranked(arms), key=_added)


def _added(arm: wording.Arm) -> bool:
    """Whether the lab added an arm as a control; the reference is what all are compared with."""
    return bool(arm.get("control")) and arm["difference"] is not None


def _counts(arms: Sequence[wording.Arm]) -> list[tuple[str, list[str]]]:
    """Which of the arms that somebody asked about got which verdict, for the verdicts that were given."""
    asked = [arm for arm in arms if not _added(arm)]
    named = {kind: [arm["name"] for arm in asked if arm["verdict"] == kind] for kind in ("helps", "hurts", "no evidence")}
    return [(kind, names) for kind, names in named.items() if names]


def _against_controls(analysis: Mapping[str, Any], unit: wording.Unit) -> dict[str, Any]:
    """What else could explain the gains."""
    confounds = analysis.get("confounds", ())
    shares = [{"arm": one["arm"], "mean": one["share"], "low": one["low"], "high": one["high"]} for one in confounds]
    rivals = (
        ("The best cheap alternative", "cheap", "Each arm against the best cheap alternative, which was chosen on dev."),
        ("Real images instead", "real_images", "Each arm against the same number of real source images."),
    )
    return {
        "confounds": confounds,
        "confound_rows": listed(shares, unit=_NO_PERCENT),
        "rivals": [(title, listed(analysis[key], unit=unit), analysis[key], said) for title, key, said in rivals if analysis.get(key)],
        "items": listed([{"arm": arm, **found} for arm, found in (analysis.get("items") or {}).items()]),
        "selection": analysis.get("selection"),
    }


def _metrics(arms: Sequence[wording.Arm]) -> list[tuple[str, wording.Unit, bool | None]]:
    """Every metric that was measured: its name, its unit, and whether less, more or neither (None) of it is better."""
    names = dict.fromkeys(name for arm in arms for name in arm.get("metrics") or ())
    higher = {name: METRICS[name].higher if name in METRICS else True for name in names}
    return [(name, unit_named(name), None if higher[name] is None else not higher[name]) for name in names]


def _classes(result: Mapping[str, Any], analysis: Mapping[str, Any], arms: Sequence[wording.Arm]) -> dict[str, Any]:
    names = result["data"]["classes"]
    return {
        "classes": tables.classes(names, arms),
        "worst_class": analysis.get("worst_class") or {},
        "confusions": tables.confusions(names, analysis.get("confusion") or {}),
        "reliabilities": [(arm, _bins(found), found["ece"]) for arm, found in (analysis.get("calibration") or {}).items()],
    }


def _bins(found: Mapping[str, Sequence[float | None]]) -> list[tuple[float, float, float]]:
    """Confidence, accuracy and the square root of the share of the items, of the bins that hold any."""
    whole = sum(count or 0 for count in found["count"]) or 1
    cells = zip(found["confidence"], found["accuracy"], found["count"], strict=True)
    known = ((sure, right, count) for sure, right, count in cells if count and sure is not None and right is not None)
    return [(sure, right, float(np.sqrt(count / whole))) for sure, right, count in known]


def _places(result: Mapping[str, Any], analysis: Mapping[str, Any], arms: Sequence[wording.Arm]) -> dict[str, Any]:
    """What changes along the axes of a study."""
    unit, interactions = wording.unit_of(result["metric"]), analysis.get("interactions", ())
    changes = [{**one, "label": f"{one['arm']}, {_span(one)}"} for one in interactions]
    cells = [(_place(cell["cell"]), wording.ranked(cell["arms"])) for cell in result.get("cells", ())]
    return {
        "axes": bands.axes(analysis.get("axes", ()), styles(arms), unit),
        "exchange": analysis.get("exchange", ()),
        "interactions": interactions,
        "interaction_rows": listed(changes, "label", unit),
        "signs": tables.sign_maps(analysis.get("signs", ())),
        "cells": cells[:_MOST_PLACES],
        "cells_left_out": max(0, len(cells) - _MOST_PLACES),
    }


def _span(one: Mapping[str, Any]) -> str:
    low, high = (f"{one[end]:,g}" if isinstance(one[end], (int, float)) else str(one[end]) for end in ("from", "to"))
    return f"{one['axis']} {low} to {high}"


def _place(cell: Mapping[str, Any]) -> str:
    said = [f"{name.replace('_', ' ')} {value:,g}" for name, value in cell.items() if value is not None and not _usual(name, value)]
    return ", ".join(said) or "as it stands"


def _usual(name: str, value: Any) -> bool:
    return (name, value) in (("strength", 1), ("label_noise", 0))


def _attribution(found: Mapping[str, Any] | None, unit: wording.Unit) -> dict[str, Any] | None:
    """The bars of the parts of a pipeline."""
    if not found:
        return None
    kinds = (
        ("Left out one at a time", "leave_one_out", "What the pipeline loses without a part: its gain minus the gain without it."),
        (
            "Shapley values",
            "shapley",
            "What a part adds on average over all orders in which parts can be added; they sum to the whole gain.",
        ),
    )
    figures = [(title, listed(found[key], "part", unit), said) for title, key, said in kinds if found.get(key)]
    return {"arm": found["arm"], "figures": figures, "cost": found.get("cost") or {}, "sentence": found.get("sentence")}


def _reference_seconds(arms: Sequence[wording.Arm]) -> float | None:
    """What the reference took, augmentation and training together."""
    cost = next((arm["cost"] for arm in arms if not arm["difference"]), None)
    return (cost["augment_seconds"] or 0.0) + (cost["train_seconds"] or 0.0) if cost else None


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Settings as dotted names and texts: ``data.train``, ``450``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(item, f"{name}.{key}" if name else str(key))
    elif name == "seeds":
        yield name, wording.seed_range(value)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        yield name, "–" if value is None or shown == "" else shown


def applied(arm: wording.Arm) -> str:
    """How an arm's policy is applied, in words."""
    if arm["mode"] in ("fly", "none"):
        return "on the fly" if arm["mode"] == "fly" else "nothing"
    noun = {"duplicate": ("duplicate", "duplicates")}.get(arm["mode"], ("copy", "copies"))[arm["copies"] != 1]
    return f"{arm['copies']} {noun} per item"

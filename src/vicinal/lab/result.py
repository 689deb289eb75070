"""From measured runs to ``result.json``; the schema stands in ``vicinal.lab.result_file``."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal import __version__
from vicinal.core.errors import StoreError
from vicinal.data.validate import PLURAL, shortlist
from vicinal.lab import statistics, wording
from vicinal.lab.analysis import Scene, analysis
from vicinal.lab.analysis.controls import step_note
from vicinal.lab.analysis.worth import ms_per_item
from vicinal.lab.conduct import Findings
from vicinal.lab.feed import pixels
from vicinal.lab.group import names
from vicinal.lab.measure.metrics import METRICS, entry
from vicinal.lab.sides import Side, sides, verdicts
from vicinal.lab.study import REFERENCE, Study
from vicinal.lab.trial import Cell

LIBRARIES = ("numpy", "torch", "scikit-learn", "scipy", "opencv-python-headless", "numba")


def result(findings: Findings, command: str = "") -> dict[str, Any]:
    """The whole result as plain data.

    Raises:
        StoreError: the reference has no outcome, so that there is nothing to compare with.
    """
    study = findings.study
    cell = next((cell for cell in reversed(study.cells) if REFERENCE in sides(findings, cell)), None)
    if cell is None:
        raise _nothing(findings)
    scene = Scene(findings, cell)
    every, compared = shown(scene.sides), scene.verdicts
    known = {name: side for name, side in every.items() if name == REFERENCE or name in compared}
    arms = [arm_entry(side, scene.reference, compared.get(name), study) for name, side in known.items()]
    first = scene.reference
    return {
        "schema": 2,
        "vicinal": __version__,
        "study": study.name,
        "question": _question(study, first),
        "answer": _answer(arms, cell, scene.unit),
        "step_note": step_note(scene),
        "command": command,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": findings.seconds,
        "metric": entry(study.metric),
        "data": _data(study, first),
        "cell": cell.said(),
        "budget": _budget(cell, study),
        "trainer": dict(study.trainer.data()),
        "seeds": list(study.seeds),
        "alpha": study.alpha,
        "interval": study.interval,
        "looks": list(findings.looks),
        "leak": {"allowed": study.rules.allow_leak, **_leak(known)},
        "warnings": [
            *warnings(study, known),
            *(_alone(name) for name in every if name not in known),
            *_failures(findings),
            *findings.notes,
        ],
        "failed": [vars(fault) for fault in findings.faults.values()],
        "arms": arms,
        "analysis": analysis(findings, cell),
        "cells": [cell_entry(findings, one) for one in study.cells] if len(study.cells) > 1 else [],
        "environment": _environment(),
    }


def shown(known: Mapping[str, Side]) -> dict[str, Side]:
    """The sides that are arms of their own; the parts of one that is taken apart are not."""
    return {name: side for name, side in known.items() if side.arm.control != "part"}


def _nothing(findings: Findings) -> StoreError:
    fault = next(iter(findings.faults.values()), None)
    got = f"{len(findings.faults)} failed trials, the first at {fault.address}: {fault.sentence}" if fault else "no trial that is done"
    return StoreError(findings.study.name, "at least one seed of the arm none that is done", got, "--retry, once the cause is mended")


def _failures(findings: Findings) -> list[str]:
    """How many trials failed for which reason, and where the first of them is."""
    found: dict[str, list[str]] = {}
    for fault in findings.faults.values():
        found.setdefault(fault.sentence, []).append(fault.address)
    return [
        f"{len(places)} trial{'s' * (len(places) != 1)} failed, {'the first ' if len(places) > 1 else ''}at {places[0]}: {sentence}"
        for sentence, places in found.items()
    ]


def _alone(arm: str) -> str:
    return f"arm {arm!r} is left out: it has no seed in common with {REFERENCE}, or a score that does not exist"


def _question(study: Study, first: Side) -> str:
    sizes, kind = first.outcomes[0].sizes, PLURAL[study.data.kind]
    count = sizes["train"] + sizes["dev"]
    return f"Which of these augmentations helps on {study.data.name} ({count:,} {kind}), by how much, and can I believe it?"


def _answer(arms: Sequence[wording.Arm], cell: Cell, unit: wording.Unit) -> str:
    """Nobody asked about controls, but unchanged copies that make a difference are news. What helps at equal epochs may be but steps."""
    told = [arm for arm in arms if not arm["control"] or (arm["control"] == "duplicate" and arm["verdict"] != "no evidence")]
    return ("At equal epochs: " if cell.epochs else "") + wording.answer_sentence(told, unit)


def _budget(cell: Cell, study: Study) -> dict[str, Any]:
    kind = "epochs" if cell.epochs else "steps"
    return {"kind": kind, "steps": cell.steps, "epochs": cell.epochs, "batch": study.trainer.batch}


def _data(study: Study, first: Side) -> dict[str, Any]:
    data, sizes = study.data, first.outcomes[0].sizes
    facts = {"name": data.name, "origin": data.origin, "format": data.format, "classes": list(data.classes), "kind": data.kind}
    counts = {"pool": len(data) - sizes["test"], **sizes}
    return {**facts, "shape": list(pixels(data).shape[1:]), **counts, "skipped": list(data.skipped)}


def _leak(known: Mapping[str, Side]) -> dict[str, float]:
    """The shares of the arm that leaks most, each a mean over seeds."""
    shares = {"share": "leak", "test_share": "test_leak"}
    return {name: max(float(np.mean([getattr(o, of) for o in side.outcomes])) for side in known.values()) for name, of in shares.items()}


def arm_entry(side: Side, reference: Side, compared: statistics.Comparison | None, study: Study) -> dict[str, Any]:
    """One arm as the report, the terminal and result.json show it."""
    arm, metric = side.arm, study.metric
    return {
        "name": arm.name,
        "control": arm.control,
        "policy": None if arm.policy is None else str(arm.policy),
        "fingerprint": None if arm.policy is None else arm.policy.fingerprint,
        "mode": arm.mode,
        "how": {name: value for name, value in arm.data().items() if name not in ("policy", "fingerprint", "copies")},
        "copies": arm.copies,
        "seeds": side.seeds,
        "steps": side.steps,
        "step_ratio": side.steps / reference.steps if reference.steps else 1.0,
        "scores": side.measured(f"test.{metric}").tolist(),
        "mean": float(side.measured(f"test.{metric}").mean()),
        "train_scores": side.measured(f"train.{metric}").tolist(),
        "dev_scores": side.measured(f"dev.{metric}").tolist(),
        "per_class": side.recall().tolist(),
        "difference": None if compared is None else _difference(compared, side, reference, metric),
        "verdict": "reference" if compared is None else compared.verdict,
        "seeds_needed": None if compared is None else compared.seeds_needed,
        "curve": _curve(side),
        "metrics": {name: _metric(side, reference, name, study) for name in names(study.data.regression)},
        "robustness": {family: _robustness(side, reference, family, levels, study) for family, levels in study.curves},
        "cost": _cost(side),
    }


def _difference(compared: statistics.Comparison, side: Side, reference: Side, metric: str) -> dict[str, Any]:
    paired = side.gains(reference, metric).tolist()
    return {
        "against": REFERENCE,
        **vars(compared.difference),
        "paired": paired,
        "per_class": (side.recall() - reference.recall()).tolist(),
    }


def _curve(side: Side) -> dict[str, Any]:
    """Learning curves; the marks are the same for all seeds."""
    lines = [outcome.curve for outcome in side.outcomes]
    return {"steps": [int(step) for step in lines[0]["steps"]]} | {
        part: np.array([line[part] for line in lines]).T.tolist() for part in ("train", "dev")
    }


def _metric(side: Side, reference: Side, name: str, study: Study) -> dict[str, Any]:
    """A metric on test: its mean, and the gain over the reference, above 0 for better, with its interval."""
    gains = side.gains(reference, name)
    gain, low, high = (None, None, None) if side is reference else _gain(gains, name, study)
    return {"mean": float(side.measured(f"test.{name}").mean()), "gain": gain, "low": low, "high": high}


def _robustness(side: Side, reference: Side, family: str, levels: Sequence[float], study: Study) -> dict[str, Any]:
    """Scores under a corruption, and the gain over the reference at every level with its interval."""
    found: dict[str, list[Any]] = {"levels": list(levels), "mean": [], "gain": [], "low": [], "high": []}
    name = names(study.data.regression)[0]
    for level in levels:
        mine = side.measured(f"{family}@{level:g}.{name}")
        theirs = dict(zip(reference.seeds, reference.measured(f"{family}@{level:g}.{name}"), strict=True))
        pairs = [(theirs[seed], score) for seed, score in zip(side.seeds, mine, strict=True) if seed in theirs]
        gains = np.array([METRICS[name].gain(*pair) for pair in pairs])
        gain, low, high = (0.0, None, None) if side is reference else _gain(gains, name, study)
        for key, value in zip(("mean", "gain", "low", "high"), (float(mine.mean()), gain, low, high), strict=True):
            found[key].append(value)
    return found


def _gain(gains: NDArray[np.float64], metric: str, study: Study) -> tuple[float | None, float | None, float | None]:
    """A mean and its interval; nothing where there is no pair, or where something was not measured."""
    if not len(gains) or not np.isfinite(gains).all():
        return None, None, None
    found = statistics.within(statistics.estimate(gains, 1 - study.alpha, study.interval), METRICS[metric].span)
    return found.mean, found.low, found.high


def _cost(side: Side) -> dict[str, float]:
    return {
        "augment_seconds": sum(outcome.augment_seconds for outcome in side.outcomes),
        "train_seconds": sum(outcome.seconds for outcome in side.outcomes),
        "ms_per_item": ms_per_item(side),
    }


def cell_entry(findings: Findings, cell: Cell) -> dict[str, Any]:
    """A cell in short: where it is, and what its arms did."""
    known, compared = shown(sides(findings, cell)), verdicts(findings, cell, looks=findings.looks)
    metric, reference = findings.study.metric, known.get(REFERENCE)
    some = {name: side for name, side in known.items() if name == REFERENCE or name in compared}
    arms = [_short(name, side, reference, compared.get(name), metric) for name, side in some.items()]
    return {"cell": cell.said() | {"size": cell.size, "steps": cell.steps, "epochs": cell.epochs}, "arms": arms}


def _short(name: str, side: Side, reference: Side | None, compared: statistics.Comparison | None, metric: str) -> dict[str, Any]:
    difference = None if compared is None else vars(compared.difference)
    scores, train = (side.measured(f"{part}.{metric}") for part in ("test", "train"))
    paired = [] if reference is None or compared is None else side.gains(reference, metric).tolist()
    return {
        "name": name,
        "control": side.arm.control,
        "seeds": side.seeds,
        "steps": side.steps,
        "scores": scores.tolist(),
        "mean": float(scores.mean()),
        "gap": float((train - scores).mean()),
        "difference": None if difference is None else {**difference, "paired": paired},
        "verdict": "reference" if compared is None else compared.verdict,
    }


def warnings(study: Study, known: Mapping[str, Side]) -> list[str]:
    """What a reader must know before believing the verdicts."""
    found = statistics.identical_scores({name: side.measured(f"test.{study.metric}") for name, side in known.items()})
    arms = max(1, sum(not side.arm.control for side in known.values()))
    least, most = statistics.fewest_seeds(study.alpha, arms), max(len(side.seeds) for side in known.values())
    if most < least:
        count = "1 seed" if most == 1 else f"{most} seeds"
        found.append(
            f"{count} cannot settle anything, however large the effect: the sign-flip test with Holm's correction for "
            f"{arms} arm{'s' * (arms != 1)} needs at least {least}; write --seeds {least}"
        )
    for name in _unmoved(study):
        found.append(f"the axis of strength means nothing for arm {name}: its policy has no parameter that strength could change")
    if study.rules.by == "item":
        found.append(
            "the split came after the copies: arms with copies also train on originals that none has only in dev, "
            "so part of any difference is more data"
        )
    if study.data.skipped:
        items = "1 unreadable item was" if len(study.data.skipped) == 1 else f"{len(study.data.skipped)} unreadable items were"
        found.append(f"{items} left out: {shortlist(study.data.skipped)}")
    return found


def _unmoved(study: Study) -> list[str]:
    """Arms on which strength has no effect, where the study varies it: wrapped callables, flips."""
    if all(cell.strength == 1 for cell in study.cells):
        return []
    policies = {arm.name: arm.policy for arm in study.arms if arm.policy is not None}
    return [name for name, policy in policies.items() if policy.stronger(0.5) == policy]


def _environment() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found

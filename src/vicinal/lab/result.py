"""From measured runs to ``result.json``; the schema stands in ``vicinal.lab.store``."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal import __version__
from vicinal.data.dataset import Dataset
from vicinal.data.validate import shortlist
from vicinal.lab import statistics, wording
from vicinal.lab.compare import Run, Setup
from vicinal.lab.feed import pixels

REFERENCE = "none"
LIBRARIES = ("numpy", "torch", "scikit-learn", "scipy", "opencv-python-headless", "numba")


def result(data: Dataset, setup: Setup, runs: Sequence[Run], command: str, seconds: float) -> dict[str, Any]:
    """The whole result as plain data."""
    by_arm = _by_arm(runs)
    scores = {name: np.array([run.score for run in found]) for name, found in by_arm.items()}
    compared = statistics.compare(scores[REFERENCE], {n: s for n, s in scores.items() if n != REFERENCE}, setup.alpha, setup.interval)
    arms = [_arm(found, by_arm[REFERENCE], compared.get(name)) for name, found in by_arm.items()]
    return {
        "schema": 1,
        "vicinal": __version__,
        "question": _question(data, by_arm[REFERENCE][0]),
        "answer": _answer([arm for arm in arms if by_arm[arm["name"]][0].arm.steps is None], setup),
        "step_note": step_note(by_arm, setup),
        "command": command,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": seconds,
        "data": _data(data, by_arm[REFERENCE][0]),
        "budget": {"kind": "epochs" if setup.epochs else "steps", "steps": setup.steps, "epochs": setup.epochs, "batch": setup.model.batch},
        "trainer": dict(setup.model.data()),
        "seeds": list(setup.seeds),
        "alpha": setup.alpha,
        "interval": setup.interval,
        "leak": {"allowed": setup.allow_leak, **_leak(by_arm)},
        "warnings": warnings(data, setup, scores),
        "arms": arms,
        "environment": _environment(),
    }


def _by_arm(runs: Sequence[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.arm.name, []).append(run)
    return found


def _question(data: Dataset, first: Run) -> str:
    count = len(first.replica.items) + first.dev
    return f"Which of these augmentations helps on {data.name} ({count:,} images), by how much, and can I believe it?"


def _answer(arms: Sequence[wording.Arm], setup: Setup) -> str:
    """Step-matched controls are no answer; and what helps at equal epochs may be nothing but the steps."""
    return ("At equal epochs: " if setup.epochs else "") + wording.answer_sentence(arms)


def _data(data: Dataset, first: Run) -> dict[str, Any]:
    facts = {"name": data.name, "origin": data.origin, "format": data.format, "classes": list(data.classes)}
    test = len(first.test)
    sizes = {"pool": len(data) - test, "train": len(first.replica.items), "dev": first.dev, "test": test}
    return {**facts, "shape": list(pixels(data).shape[1:]), **sizes, "skipped": list(data.skipped)}


def _leak(by_arm: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    """The shares of the arm that leaks most, each a mean over seeds."""
    shares = {"share": "leak", "test_share": "test_leak"}
    return {name: max(float(np.mean([getattr(run, of) for run in runs])) for runs in by_arm.values()) for name, of in shares.items()}


def _arm(runs: Sequence[Run], reference: Sequence[Run], compared: statistics.Comparison | None) -> dict[str, Any]:
    arm, steps = runs[0].arm, runs[0].steps
    recall, usual = (np.mean([run.recall for run in found], axis=0) for found in (runs, reference))
    return {
        "name": arm.name,
        "policy": None if arm.policy is None else str(arm.policy),
        "fingerprint": None if arm.policy is None else arm.policy.fingerprint,
        "mode": arm.mode,
        "copies": arm.copies,
        "seeds": [run.seed for run in runs],
        "steps": steps,
        "step_ratio": steps / reference[0].steps,
        "scores": [run.score for run in runs],
        "mean": float(np.mean([run.score for run in runs])),
        "train_scores": [run.train_curve[-1] for run in runs],
        "dev_scores": [run.dev_curve[-1] for run in runs],
        "per_class": recall.tolist(),
        "difference": None if compared is None else _difference(compared, recall - usual),
        "verdict": "reference" if compared is None else compared.verdict,
        "seeds_needed": None if compared is None else compared.seeds_needed,
        "curve": {"steps": runs[0].marks, "train": _transposed(runs, "train_curve"), "dev": _transposed(runs, "dev_curve")},
        "cost": _cost(runs),
    }


def _difference(compared: statistics.Comparison, per_class: NDArray) -> dict[str, Any]:
    return {"against": REFERENCE, **vars(compared.difference), "per_class": per_class.tolist()}


def _transposed(runs: Sequence[Run], name: str) -> list[list[float]]:
    return np.array([getattr(run, name) for run in runs]).T.tolist()


def _cost(runs: Sequence[Run]) -> dict[str, float]:
    seconds, made = (sum(getattr(run.replica, name) for run in runs) for name in ("seconds", "made"))
    return {
        "augment_seconds": seconds,
        "train_seconds": sum(run.seconds for run in runs),
        "ms_per_item": 1000 * seconds / made if made else 0.0,
    }


def step_note(by_arm: Mapping[str, Sequence[Run]], setup: Setup) -> str | None:
    """Where arms took other numbers of steps: how much of each naive difference is compute and how much is the policy."""
    usual = by_arm[REFERENCE]
    others = [runs for runs in by_arm.values() if runs[0].arm.policy is not None and runs[0].steps != usual[0].steps]
    return " ".join(_step_sentence(runs, usual, _matched(by_arm, runs[0].steps), setup) for runs in others) or None


def _matched(by_arm: Mapping[str, Sequence[Run]], steps: int) -> Sequence[Run]:
    """The control that trained ``none`` for so many steps."""
    return next(runs for runs in by_arm.values() if runs[0].arm.steps == steps)


def _step_sentence(runs: Sequence[Run], usual: Sequence[Run], matched: Sequence[Run], setup: Setup) -> str:
    naive, honest = (np.array([a.score - b.score for a, b in zip(runs, other, strict=True)]) for other in (usual, matched))
    low, high = statistics.interval(honest, 1 - setup.alpha, setup.interval)
    estimate = wording.estimate({"mean": float(honest.mean()), "low": low, "high": high}, " points")
    sentences = (
        f"{runs[0].arm.name} took {runs[0].steps / usual[0].steps:.1f} times the optimiser steps of none and differs from it by "
        f"{wording.points(float(naive.mean()))} points.",
        f"Against none trained for as many steps it differs by {estimate}.",
        _compute(float(naive.mean()), float(honest.mean())) if len(runs) > 1 else "",
    )
    return " ".join(filter(None, sentences))


def _compute(naive: float, honest: float) -> str:
    """How much of a naive gain is compute, in words; nothing where there is no gain to explain."""
    share = (naive - honest) / naive if naive > 0 else 0.0
    if share >= 0.995:
        return "All of the gain is compute, not augmentation."
    return f"About {100 * share:.0f} % of the gain is compute." if share > 0.005 else ""


def warnings(data: Dataset, setup: Setup, scores: Mapping[str, NDArray]) -> list[str]:
    """What a reader must know before believing the verdicts."""
    found = statistics.identical_scores(scores)
    arms = len(scores) - 1
    least = statistics.fewest_seeds(setup.alpha, arms)
    if len(setup.seeds) < least:
        count = "1 seed" if len(setup.seeds) == 1 else f"{len(setup.seeds)} seeds"
        found.append(
            f"{count} cannot settle anything, however large the effect: the sign-flip test with Holm's correction for "
            f"{arms} arms needs at least {least}; write --seeds {least}"
        )
    if setup.by == "item":
        found.append(
            "the split came after the copies: arms with copies also train on originals that none has only in dev, "
            "so part of any difference is more data"
        )
    if data.skipped:
        items = "1 unreadable item was" if len(data.skipped) == 1 else f"{len(data.skipped)} unreadable items were"
        found.append(f"{items} left out: {shortlist(data.skipped)}")
    return found


def _environment() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found

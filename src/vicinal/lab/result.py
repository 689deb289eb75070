"""From measured runs to ``result.json`` (schema: ``vicinal.lab.store``) and the contact sheets of what each arm really made."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.data.dataset import Dataset
from vicinal.lab import statistics, wording
from vicinal.lab.arms import Arm
from vicinal.lab.compare import Run, Setup
from vicinal.lab.feed import Replica, apply
from vicinal.lab.report import Sheet, SheetRow

REFERENCE = "none"
LIBRARIES = ("vicinal", "numpy", "torch", "scikit-learn", "scipy", "opencv-python-headless", "numba")
SHOWN, VERSIONS = 6, 6


def result(data: Dataset, setup: Setup, runs: Sequence[Run], command: str, seconds: float) -> dict[str, Any]:
    """The whole result as plain data."""
    by_arm: dict[str, list[Run]] = {}
    for run in runs:
        by_arm.setdefault(run.replica.arm.name, []).append(run)
    scores = {name: np.array([run.test for run in found]) for name, found in by_arm.items()}
    compared = statistics.compare(scores[REFERENCE], {n: s for n, s in scores.items() if n != REFERENCE}, setup.alpha, setup.interval)
    arms = [_arm(found, by_arm[REFERENCE], compared.get(name)) for name, found in by_arm.items()]
    share = float(np.mean([run.leak for run in runs if run.replica.arm.copies])) if setup.by == "item" else 0.0
    named = [arm for arm in arms if by_arm[arm["name"]][0].replica.arm.steps is None]
    return {
        "schema": 1,
        "vicinal": metadata.version("vicinal"),
        "question": _question(data, setup, runs),
        "answer": wording.answer_sentence(named),
        "step_note": step_note(by_arm, setup),
        "command": command,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": seconds,
        "data": _data(data, runs),
        "budget": {"kind": "epochs" if setup.epochs else "steps", "steps": setup.steps, "epochs": setup.epochs, "batch": setup.model.batch},
        "trainer": {"name": "mlp", **{name: value for name, value in vars(setup.model).items() if name != "stacked"}},
        "seeds": list(setup.seeds),
        "alpha": setup.alpha,
        "interval": setup.interval,
        "leak": {"allowed": setup.allow_leak, "share": share},
        "warnings": _warnings(data, setup, scores, len(compared)),
        "arms": arms,
        "environment": _environment(),
    }


def _question(data: Dataset, setup: Setup, runs: Sequence[Run]) -> str:
    count = len(runs[0].replica.items) + len(runs[0].dev.items)
    return f"Which of these augmentations helps on {data.name} ({count:,} images), by how much, and can I believe it?"


def _data(data: Dataset, runs: Sequence[Run]) -> dict[str, Any]:
    first = next(run for run in runs if run.replica.arm.name == REFERENCE)
    facts = {"name": data.name, "origin": data.origin, "format": data.format, "classes": list(data.classes)}
    shape = list(np.asarray(data.images).shape[1:])
    sizes = {"pool": len(data) - first.test_size, "train": len(first.replica.items), "dev": len(first.dev.items), "test": first.test_size}
    return {**facts, "shape": shape, **sizes, "skipped": list(data.skipped)}


def _arm(runs: Sequence[Run], reference: Sequence[Run], compared: statistics.Comparison | None) -> dict[str, Any]:
    arm, steps = runs[0].replica.arm, runs[0].steps
    recall, usual = (np.mean([run.recall for run in found], axis=0) for found in (runs, reference))
    seconds = sum(run.replica.seconds for run in runs)
    made = sum(run.replica.made for run in runs)
    return {
        "name": arm.name,
        "policy": None if arm.policy is None else str(arm.policy),
        "fingerprint": None if arm.policy is None else arm.policy.fingerprint,
        "mode": arm.mode,
        "copies": arm.copies,
        "seeds": [run.replica.seed for run in runs],
        "steps": steps,
        "step_ratio": steps / reference[0].steps,
        "scores": [run.test for run in runs],
        "mean": float(np.mean([run.test for run in runs])),
        "train_scores": [run.train_curve[-1] for run in runs],
        "dev_scores": [run.dev_curve[-1] for run in runs],
        "per_class": recall.tolist(),
        "difference": None if compared is None else _difference(compared, recall - usual),
        "verdict": "reference" if compared is None else compared.verdict,
        "seeds_needed": None if compared is None else compared.seeds_needed,
        "curve": {"steps": runs[0].marks, "train": _transposed(runs, "train_curve"), "dev": _transposed(runs, "dev_curve")},
        "cost": {
            "augment_seconds": seconds,
            "train_seconds": sum(run.seconds for run in runs),
            "ms_per_item": 1000 * seconds / made if made and arm.policy is not None else 0.0,
        },
    }


def _difference(compared: statistics.Comparison, per_class: NDArray) -> dict[str, Any]:
    return {"against": REFERENCE, **vars(compared.difference), "per_class": per_class.tolist()}


def _transposed(runs: Sequence[Run], name: str) -> list[list[float]]:
    return np.array([getattr(run, name) for run in runs]).T.tolist()


def step_note(by_arm: Mapping[str, Sequence[Run]], setup: Setup) -> str | None:
    """Where arms took other numbers of steps: how much of each naive difference is compute and how much is the policy."""
    usual = by_arm[REFERENCE][0].steps
    sentences = []
    for name, runs in by_arm.items():
        arm, steps = runs[0].replica.arm, runs[0].steps
        if arm.policy is None or steps == usual:
            continue
        control = next(found for found in by_arm.values() if found[0].replica.arm.steps == steps)
        naive, honest = (np.array([a.test - b.test for a, b in zip(runs, found, strict=True)]) for found in (by_arm[REFERENCE], control))
        low, high = statistics.interval(honest, 1 - setup.alpha, setup.interval) if len(honest) > 1 else (None, None)
        sentences.append(
            f"{name} took {steps / usual:.1f} times the optimiser steps of none and differs by {wording.points(naive.mean())} points. "
            f"Against none trained for as many steps it differs by "
            f"{wording.estimate({'mean': honest.mean(), 'low': low, 'high': high}, ' points')}: "
            f"{_share(float(naive.mean()), float(honest.mean()))}."
        )
    return " ".join(sentences) or None


def _share(naive: float, honest: float) -> str:
    """How much of a naive gain is compute, in words."""
    if naive <= 0:
        return "the rest is compute"
    part = (naive - honest) / naive
    return "all of the gain is compute, not augmentation" if part >= 0.995 else f"{100 * max(part, 0):.0f} % of the gain is compute"


def _warnings(data: Dataset, setup: Setup, scores: Mapping[str, NDArray], arms: int) -> list[str]:
    found = statistics.identical_scores(scores)
    least = statistics.fewest_seeds(setup.alpha, arms)
    if len(setup.seeds) < least:
        found.append(
            f"{len(setup.seeds)} seeds cannot settle anything among {arms} arms: Holm and the sign-flip test need at least {least}."
        )
    if data.skipped:
        names = ", ".join(data.skipped[:5]) + (", ..." if len(data.skipped) > 5 else "")
        found.append(f"{len(data.skipped)} unreadable items were left out: {names}")
    return found


def _environment() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def sheets(runs: Sequence[Run]) -> dict[str, Sheet]:
    """For every arm with a policy, what it made of some training items of the first seed, at the addresses of the training itself."""
    first: dict[str, Replica] = {}
    for run in runs:
        if run.replica.arm.policy is not None:
            first.setdefault(run.replica.arm.name, run.replica)
    return {name: _sheet(replica.arm, replica) for name, replica in first.items()}


def _sheet(arm: Arm, replica: Replica) -> Sheet:
    spread = np.flatnonzero(replica.copy == 0)
    chosen = spread[np.linspace(0, len(spread) - 1, min(SHOWN, len(spread))).astype(int)]
    return Sheet(arm.name, [_row(arm, replica, int(item)) for item in chosen])


def _row(arm: Arm, replica: Replica, item: int) -> SheetRow:
    row = int(replica.items[item])
    original, source = np.asarray(replica.data.images[row]), int(replica.data.sources[row])
    fly = arm.mode == "fly"
    count = VERSIONS if fly else min(arm.copies, VERSIONS)
    epochs, views = (np.arange(count), 0) if fly else (0, 1 + np.arange(count))
    address = Address.of(replica.seed, epochs, source, views, size=count)
    made = apply(arm, np.repeat(original[None], count, 0), address)
    span = f"epoch=0..{count - 1}" if fly else f"epoch=0 view=1..{count}"
    return SheetRow(original, list(made), f"seed={replica.seed} {span} index={source}")

"""A made-up but lifelike study: every kind of verdict, any number of seeds, real statistics on invented scores."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy import stats

from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.wording import answer_sentence

PLAN = [  # name, policy, mode, true gain, spread of the gain over seeds, step ratio
    ("none", None, "none", 0.0, 0.0, 1.0),
    ("duplicate", None, "duplicate", 0.002, 0.006, 1.0),
    ("shift", "Translate(x=(-2, 2), y=(-2, 2))", "fly", 0.067, 0.009, 1.0),
    ("hflip", "HorizontalFlip(p=0.5)", "fly", -0.049, 0.010, 1.0),
    ("turn", "Rotate(angle=(-180, 180))", "fly", -0.083, 0.012, 1.0),
    ("noise", "UniformNoise(low=0, high=0.5)", "copies", 0.005, 0.013, 2.0),
]


def specimen(seeds: int = 10, classes: int = 10, seed: int = 0, points: int = 24) -> dict[str, Any]:
    """A result as the lab writes it."""
    rng = np.random.default_rng(seed)
    base, hardness = rng.normal(0.851, 0.008, seeds), rng.normal(0, 0.05, classes)
    arms = [_arm(rng, base, hardness, plan, points) for plan in PLAN]
    for arm in arms[1:]:
        arm["difference"] = _difference(arm, arms[0])
    _judge(arms[1:])
    return {**_frame(seeds, classes), "answer": answer_sentence(arms), "arms": arms}


def sheets(rows: int = 4, versions: int = 6, side: int = 28, channels: int = 1, seed: int = 0) -> dict[str, Sheet]:
    """Blobs, and blobs with noise: enough to be a picture."""
    rng = np.random.default_rng(seed)

    def blob() -> np.ndarray:
        y, x = np.mgrid[:side, :side] / side - rng.uniform(0.3, 0.7, (2, 1, 1))
        return np.repeat((255 * np.exp(-(x**2 + y**2) * 30))[..., None], channels, 2).astype(np.uint8)

    def row(index: int) -> SheetRow:
        return SheetRow(blob(), [blob() for _ in range(versions)], f"seed=0 epoch=0 index={index}")

    return {plan[0]: Sheet(plan[0], [row(index) for index in range(rows)]) for plan in PLAN}


def _arm(rng: np.random.Generator, base: np.ndarray, hardness: np.ndarray, plan: tuple[Any, ...], points: int) -> dict[str, Any]:
    name, policy, mode, gain, spread, ratio = plan
    scores = np.clip(base + gain + rng.normal(0, spread, len(base)), 0, 1)
    train = np.clip(0.985 - 2 * abs(gain) + rng.normal(0, 0.004, len(base)), 0, 1)
    dev = np.clip(scores + rng.normal(0, 0.02, len(base)), 0, 1)
    steps = np.linspace(4000 * ratio / points, 4000 * ratio, points).astype(int)
    rise = (1 - np.exp(-steps / 500))[:, None]
    wiggle = rng.normal(0, 0.008, (2, points, len(base)))
    return {
        "name": name,
        "policy": policy,
        "fingerprint": None if policy is None else hashlib.sha256(policy.encode()).hexdigest()[:12],
        "mode": mode,
        "copies": 1 if mode in ("copies", "duplicate") else 0,
        "seeds": list(range(len(base))),
        "steps": int(4000 * ratio),
        "step_ratio": ratio,
        "scores": scores.tolist(),
        "mean": float(scores.mean()),
        "train_scores": train.tolist(),
        "dev_scores": dev.tolist(),
        "per_class": np.clip(scores.mean() + hardness + rng.normal(0, 0.02, len(hardness)), 0, 1).tolist(),
        "difference": None,
        "verdict": "reference",
        "seeds_needed": None,
        "curve": {
            "steps": steps.tolist(),
            "train": np.clip(0.1 + (train - 0.1) * rise + wiggle[0], 0, 1).tolist(),
            "dev": np.clip(0.1 + (dev - 0.1) * rise + wiggle[1], 0, 1).tolist(),
        },
        "cost": {
            "augment_seconds": 0.4 if policy is None else 3.1,
            "train_seconds": 9.0 * ratio,
            "ms_per_item": 0.0 if policy is None else 0.007,
        },
    }


def _difference(arm: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    paired = np.subtract(arm["scores"], reference["scores"])
    difference = {"against": "none", "mean": float(paired.mean()), "low": None, "high": None, "p": None, "p_adjusted": None}
    if len(paired) > 1:
        test: Any = stats.ttest_1samp(paired, 0)
        low, high = test.confidence_interval(0.95)
        difference |= {"low": float(low), "high": float(high), "p": float(test.pvalue)}
    return {**difference, "per_class": np.subtract(arm["per_class"], reference["per_class"]).tolist()}


def _judge(arms: list[dict[str, Any]]) -> None:
    """Holm's step-down over the arms, then a verdict."""
    adjusted = 0.0
    for rank, arm in enumerate(sorted(arms, key=lambda arm: arm["difference"]["p"] or 0)):
        difference = arm["difference"]
        arm["verdict"] = "no evidence"
        if difference["p"] is None:
            continue
        adjusted = difference["p_adjusted"] = min(1.0, max(adjusted, (len(arms) - rank) * difference["p"]))
        if adjusted < 0.05:
            arm["verdict"] = "helps" if difference["mean"] > 0 else "hurts"
        elif abs(difference["mean"]) > 0.001:
            arm["seeds_needed"] = int(len(arm["seeds"]) * (2.8 / stats.norm.isf(difference["p"] / 2)) ** 2)


def _frame(seeds: int, classes: int) -> dict[str, Any]:
    return {
        "schema": 1,
        "vicinal": "0.1.0",
        "question": "Does this augmentation help on mnist (500 images), by how much, and can I believe it?",
        "command": "vicinal compare ../shared/data/mnist --size 500 --seeds 10 --steps 4000 --lr 0.1 "
        '--arm shift="Translate(x=(-2, 2), y=(-2, 2))" --arm hflip="HorizontalFlip(p=0.5)" --out out',
        "created": "2026-11-20T12:00:00Z",
        "seconds": 211.0,
        "data": {
            "name": "mnist",
            "origin": "../shared/data/mnist",
            "format": "idx",
            "classes": [str(label) for label in range(classes)],
            "shape": [28, 28, 1],
            "pool": 20000,
            "train": 450,
            "dev": 50,
            "test": 10000,
            "skipped": [],
        },
        "budget": {"kind": "steps", "steps": 4000, "epochs": None, "batch": 32},
        "trainer": {"name": "mlp", "hidden": [64, 32], "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "batch": 32},
        "seeds": list(range(seeds)),
        "alpha": 0.05,
        "interval": "t",
        "leak": {"allowed": False, "share": 0.0, "test_share": 0.0},
        "warnings": [],
        "environment": {"python": "3.11.7", "numpy": "2.4.0", "torch": "2.13.0", "machine": "x86_64, 2 cores"},
    }

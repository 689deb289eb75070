"""A made-up but lifelike study: every kind of verdict, any number of seeds, real statistics on invented scores."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy import stats

from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.wording import answer_sentence, unit_of

PLAN = [  # name, policy, mode, true gain, spread of the gain over seeds, step ratio
    ("none", None, "none", 0.0, 0.0, 1.0),
    ("duplicate", None, "duplicate", 0.002, 0.006, 1.0),
    ("shift", "Translate(x=(-2, 2), y=(-2, 2))", "fly", 0.067, 0.009, 1.0),
    ("hflip", "HorizontalFlip(p=0.5)", "fly", -0.049, 0.010, 1.0),
    ("turn", "Rotate(angle=(-180, 180))", "fly", -0.083, 0.012, 1.0),
    ("noise", "UniformNoise(low=0, high=0.5)", "copies", 0.005, 0.013, 2.0),
]


CONTROLS = {"none": "reference", "duplicate": "duplicate"}


def specimen(seeds: int = 10, classes: int = 10, seed: int = 0, points: int = 24) -> dict[str, Any]:
    """A result as the lab writes it, without an analysis: `full` has one."""
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
        "control": CONTROLS.get(name, ""),
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
        "how": {"mode": mode},
        "metrics": {},
        "robustness": {},
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
    return {**difference, "paired": paired.tolist(), "per_class": np.subtract(arm["per_class"], reference["per_class"]).tolist()}


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
        "schema": 2,
        "vicinal": "0.1.0",
        "study": "compare mnist",
        "metric": {"name": "accuracy", "unit": "share of the items", "higher": True, "share": True},
        "cell": {"size": 500},
        "cells": [],
        "failed": [],
        "looks": [],
        "step_note": None,
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


def full(seeds: int = 10, classes: int = 10, seed: int = 0, points: int = 24) -> dict[str, Any]:
    """The same with everything that an analysis can hold."""
    result, rng = specimen(seeds, classes, seed, points), np.random.default_rng(seed + 1)
    asked = [arm for arm in result["arms"] if arm["difference"] and not arm["control"]]
    for arm in result["arms"]:
        gain = arm["difference"]["mean"] if arm["difference"] else 0.0
        arm["metrics"] = {name: _metric(rng, start, sign, gain, bool(arm["difference"])) for name, start, sign in METRICS}
        arm["robustness"] = {family: _curve(rng, levels, gain) for family, levels in FAMILIES}
    result["cells"] = [_cell(size, result["arms"]) for size in (500, 2000)]
    result["failed"] = [{"sentence": "the loss is not finite", "address": "arm=turn size=500 steps=4000 seed=3"}]
    return result | {"analysis": _analysis(rng, result, asked, classes)}


METRICS = (("accuracy", 0.851, 1), ("auc", 0.9, 1), ("nll", 0.55, -3), ("ece", 0.09, -1))
FAMILIES = (("gaussian", [0, 0.1, 0.2, 0.4]), ("blur", [0, 1, 2, 4]), ("contrast", [1, 2, 3, 4, 5]))


def _metric(rng: np.random.Generator, start: float, slope: float, gain: float, compared: bool) -> dict[str, Any]:
    """Less is better where the slope is below 0; gains are above 0 for better."""
    ends = _estimate(rng, abs(slope) * gain) if compared else {"mean": None, "low": None, "high": None}
    return {"mean": start + slope * gain, "gain": ends["mean"], "low": ends["low"], "high": ends["high"]}


def _estimate(rng: np.random.Generator, mean: float, width: float = 0.008) -> dict[str, float]:
    spread = width * rng.uniform(0.7, 1.4)
    return {"mean": float(mean), "low": float(mean - spread), "high": float(mean + spread)}


def _lines(rng: np.random.Generator, means: Any) -> dict[str, list[float]]:
    found = [_estimate(rng, mean, 0.012) for mean in means]
    return {end: [one[end] for one in found] for end in ("mean", "low", "high")}


def _curve(rng: np.random.Generator, levels: list[float], gain: float) -> dict[str, Any]:
    lines = _lines(rng, gain * (1 + np.linspace(0, 1.5, len(levels))) + rng.normal(0, 0.004, len(levels)))
    return {"levels": levels, "mean": [0.8] * len(levels), "gain": lines["mean"], "low": lines["low"], "high": lines["high"]}


def _cell(size: int, arms: list[dict[str, Any]]) -> dict[str, Any]:
    kept = ("name", "control", "seeds", "steps", "scores", "mean", "difference", "verdict")
    short = [{name: arm[name] for name in kept} | {"gap": 0.1} for arm in arms]
    return {"cell": {"size": size, "steps": 4000, "epochs": None}, "arms": short}


def _analysis(rng: np.random.Generator, result: dict[str, Any], asked: list[dict[str, Any]], classes: int) -> dict[str, Any]:
    names, gains = [arm["name"] for arm in asked], {arm["name"]: arm["difference"]["mean"] for arm in asked}
    sizes = [250, 500, 1000, 2000, 4000]
    return {
        "sentences": ["shift is worth 2.4 times the labels at 500.", "The gain of noise is compute, not augmentation."],
        "items": {name: {**_estimate(rng, gains[name], 0.012), "se_seeds": 0.003, "se_items": 0.004} for name in names},
        "confounds": [
            {"arm": "shift", "naive": 0.067, "duplicate": 0.002, "steps": None, "share": 0.03, "low": -0.02, "high": 0.08,
             "sentence": "About 3 % of shift's gain is reached by unchanged copies."},
            {"arm": "noise", "naive": 0.005, "duplicate": 0.002, "steps": 0.004, "share": None, "low": None, "high": None, "sentence": ""},
        ],
        "cheap": [{"arm": name, "against": "cheap flip", **_estimate(rng, gains[name] - 0.01), "p": 0.01,
                   "sentence": f"{name} is compared with flip."} for name in names],
        "real_images": [{"arm": "noise", "against": None, "mean": None, "low": None, "high": None, "sentence": "No real items are left."}],
        "worst_class": {name: {"class": "1", "change": -0.02, "low": -0.05, "high": 0.01} for name in names},
        "confusion": {name: _confusion(rng, classes) for name in ("none", "shift", "turn")},
        "fits": {arm["name"]: {"verdict": "overfit", "gap": 0.1, "train": 0.98, "dev": 0.85,
                               "sentence": f"{arm['name']} overfits: train 98.0 %, dev 85.0 %."} for arm in result["arms"]},
        "calibration": {name: {"confidence": np.linspace(0.03, 0.97, 15).tolist(), "accuracy": [None, *np.linspace(0.1, 0.9, 14).tolist()],
                               "count": [0, *range(10, 150, 10)], "ece": 0.045} for name in ("none", "shift")},
        "exchange": [{"arm": "shift", "size": 500, "times": 2.4, "low": 1.9, "high": None, "words": "worth 2.4x labels [1.9, more]"},
                     {"arm": "turn", "size": 500, "times": None, "low": None, "high": None, "words": "worth no label"}],
        "signs": [_signs(rng, name) for name in ("noise", "shift")],
        "axes": [{"axis": "labels", "values": sizes,
                  "arms": {name: _lines(rng, gains[name] * np.linspace(1.5, 0.2, 5)) for name in names}},
                 {"axis": "label noise", "values": [0.0, 0.2, 0.4],
                  "arms": {name: _lines(rng, gains[name] * np.ones(3)) for name in names}}],
        "interactions": [{"arm": name, "axis": "labels", "from": 250, "to": 4000, **_estimate(rng, -gains[name]), "p": 0.01,
                          "sentence": f"The gain of {name} changes from 250 to 4,000 labels."} for name in names],
        "selection": {"chosen": "shift", "dev": 0.08, "test": 0.066, "optimism": 0.014, "low": 0.0, "high": 0.03, "expected": 0.02,
                      "sentence": "Picked on dev (shift), the best arm promises +8.0 points and test keeps +6.6."},
        "views": [{"arm": name, "gain": 0.007, "fixed": 0.012, "broken": 0.005, "sentence": f"Views move {name} by +0.7 points."}
                  for name in ("none", "shift")],
        "attribution": {"arm": "shift", "cost": {"Translate": 0.007, "Invert": 0.002}, "sentence": "Inside shift, Translate carries it.",
                        **{key: [{"part": "Translate", **_estimate(rng, 0.05)}, {"part": "Invert", **_estimate(rng, 0.001)}]
                           for key in ("leave_one_out", "shapley")}},
        "costs": [{"arm": name, "ms_per_item": 0.007, "ms_per_point": 0.001 if gains[name] > 0 else None} for name in names],
    }  # fmt: skip


def _confusion(rng: np.random.Generator, classes: int) -> list[list[int]]:
    table = rng.poisson(6, (classes, classes)) + np.diag(np.full(classes, 900))
    table[min(4, classes - 1), min(9, classes - 1)] += 60
    return table.tolist()


def _signs(rng: np.random.Generator, arm: str) -> dict[str, Any]:
    means = np.linspace(0.08, -0.04, 3)[:, None] + np.linspace(0.02, -0.05, 4)
    cells = [[_estimate(rng, mean, 0.015) for mean in row] for row in means]
    signed = [[{**cell, "sign": int(cell["low"] > 0) - int(cell["high"] < 0)} for cell in row] for row in cells]
    axes = {"rows": {"name": "label noise", "values": [0.0, 0.2, 0.4]}, "columns": {"name": "steps", "values": [500, 1500, 4000, 12000]}}
    return {"arm": arm, **axes, "cells": signed, "sentence": f"{arm}: helps up to 1,500 steps, hurts from 4,000 steps."}


def regression(seeds: int = 6) -> dict[str, Any]:
    """A result whose metric is no share of 1: less is better, there are no classes."""
    result = specimen(seeds)
    result["metric"] = {"name": "rmse", "unit": "unit of the targets", "higher": False, "share": False}
    result["data"]["classes"] = []
    result["answer"] = answer_sentence(result["arms"], unit_of(result["metric"]))
    for arm in result["arms"]:
        arm["metrics"] = {"rmse": {"mean": arm["mean"], "gain": None, "low": None, "high": None}}
        arm["per_class"] = []
        if arm["difference"]:
            arm["difference"]["per_class"] = []
    return result

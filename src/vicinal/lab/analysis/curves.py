"""What learning curves and scores on dev say."""

from __future__ import annotations

from typing import Any

import numpy as np

from vicinal.lab import statistics, wording
from vicinal.lab.analysis.scene import Scene, together, usable
from vicinal.lab.pace import score
from vicinal.lab.sides import Side

REACH = 0.95  # training score below which an arm may underfit, where some arm reaches it
MARKS = 4  # of a learning curve on which a verdict can rest
_FITS = {
    "overfit": "{} overfits: train {}, dev {}.",
    "still improving": "{} is still improving on dev at its last step: train longer before you judge it.",
    "underfit": "{} underfits: it reaches {} on its own training items; a larger model, more steps or a weaker policy.",
    "fit": "{} neither over- nor underfits.",
}


def fits(scene: Scene) -> dict[str, Any]:
    """The over- or underfitting verdict of every learning curve: on clean originals of train and on dev, in eval mode."""
    shown = {name: side for name, side in scene.sides.items() if side.arm.control != "part" and _marks(side) >= MARKS}
    last = [float(np.mean([one.curve["train"][-1] for one in side.outcomes])) for side in shown.values()]
    reach = min(REACH, max(last, default=REACH))
    return {name: _fit(side, reach, scene.level) for name, side in shown.items()}


def _marks(side: Side) -> int:
    return min(len(one.curve["train"]) for one in side.outcomes)


def _fit(side: Side, reach: float, level: float) -> dict[str, Any]:
    count = _marks(side)
    train, dev = (np.array([one.curve[part][-count:] for one in side.outcomes]).T for part in ("train", "dev"))
    found = statistics.curve_verdict(train, dev, reach=reach, level=level)
    levels = {"train": found.train.mean, "dev": found.dev.mean}
    sentence = _FITS[found.verdict].format(side.arm.name, *map(wording.accuracy, levels.values()))
    return {"verdict": found.verdict, "gap": found.gap.mean, **levels, "sentence": sentence}


def selection(scene: Scene) -> dict[str, Any] | None:
    """What picking the best arm on dev promises, what test keeps of it, and what the best of as many useless arms would promise."""
    names = list(scene.asked)
    common = together(scene.reference, *scene.asked.values()) if len(names) > 1 else []
    dev, test = (np.array([[score(one, scene.metric, part) for one in some] for some in common]) for part in ("dev", "test"))
    if not usable(dev) or not usable(test):
        return None
    found = statistics.winners_curse((dev[1:] - dev[0]).T, (test[1:] - test[0]).T, scene.level)
    chosen, expected = names[int(np.argmax(found.chosen))], _expected(scene, len(names))
    optimism = statistics.within(found.optimism, 2 * scene.span)
    return {
        "chosen": chosen,
        "dev": found.dev.mean,
        "test": found.test.mean,
        "optimism": optimism.mean,
        "low": optimism.low,
        "high": optimism.high,
        "expected": expected,
        "sentence": _selection_sentence(scene, found, chosen, expected),
    }


def _expected(scene: Scene, arms: int) -> float | None:
    """Of as many arms that do nothing; for accuracy, whose chance is known."""
    accuracy, items = float(scene.reference.measured("test.accuracy").mean()), scene.reference.outcomes[0].sizes.get("dev", 0)
    known = scene.metric == "accuracy" and 0 < accuracy < 1 and items > 0
    return statistics.null_optimism(items, arms, accuracy=accuracy) if known else None


def _selection_sentence(scene: Scene, found: statistics.WinnersCurse, chosen: str, expected: float | None) -> str:
    unit, arms = scene.unit, len(found.chosen)
    items = scene.reference.outcomes[0].sizes.get("dev", 0)
    useless = (
        f"; the best of {arms} useless arms would promise {wording.points(expected, unit)} on {wording.counted(items, 'dev item')}"
        if expected is not None
        else ""
    )
    picked = f"{chosen} in {max(found.chosen)} of {sum(found.chosen)} seeds" if max(found.chosen) < sum(found.chosen) else chosen
    return (
        f"Picked on dev ({picked}), the best arm promises {wording.points(found.dev.mean, unit)} {unit.word} and test keeps "
        f"{wording.points(found.test.mean, unit)}{useless}."
    )

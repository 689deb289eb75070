"""What an arm does to single items and classes of test: classifications only."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import wording
from vicinal.lab.analysis.scene import Scene, ends, paired, together
from vicinal.lab.measure.calibration import pooled
from vicinal.lab.measure.scores import worst_class_change
from vicinal.lab.result_file import plain
from vicinal.lab.sides import Side
from vicinal.lab.statistics import estimate, hierarchical, within

RESAMPLES = 1000  # of seeds and items


def items(scene: Scene) -> dict[str, Any]:
    """The gain in accuracy with the interval for other seeds *and* other test items, and where its uncertainty comes from."""
    found = {}
    for name, side in scene.asked.items():
        mine, theirs = (np.array([one.predicted == scene.labels for one in some]) for some in together(side, scene.reference))
        of = hierarchical(theirs, mine, scene.level, RESAMPLES)
        found[name] = {**ends(of), "se_seeds": of.se_seeds, "se_items": of.se_items}
    return found


def worst_class(scene: Scene) -> dict[str, Any]:
    """The class that an arm costs most recall; the interval allows for that it was picked among all of them (Bonferroni)."""
    found = {}
    for name, side in scene.asked.items():
        changes = paired(side, scene.reference, lambda mine, theirs: mine.recall - theirs.recall)
        label, change = worst_class_change(np.zeros(changes.shape[1]), _means(changes))
        own = changes[:, label]
        of = within(estimate(own[np.isfinite(own)], 1 - scene.study.alpha / changes.shape[1], scene.study.interval), 1.0)
        found[name] = {"class": scene.study.data.classes[label], "change": change, "low": of.low, "high": of.high}
    return found


def _means(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(classes,) means over seeds; a class that test does not have stays NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(changes, axis=0)


def confusion(scene: Scene) -> dict[str, list[list[int]]]:
    """(classes, classes) test items of each class by the class that they were taken for: a mean over seeds, rounded.

    Of the reference, and of the best and the worst arm.
    """
    order = sorted(scene.asked, key=lambda name: scene.verdicts[name].difference.mean)
    shown = dict.fromkeys([*order[-1:], *order[:1]])
    return {side.arm.name: _table(scene, side) for side in (scene.reference, *(scene.asked[name] for name in shown))}


def _table(scene: Scene, side: Side) -> list[list[int]]:
    count = len(scene.study.data.classes)
    tables = [np.bincount(scene.labels * count + one.predicted, minlength=count * count) for one in side.outcomes]
    return np.rint(np.mean(tables, axis=0)).astype(int).reshape(count, count).tolist()


def calibration(scene: Scene) -> dict[str, dict[str, Any]]:
    """The reliability diagrams of the reference and of every arm: the test items of all seeds in one table; ECE is a mean over seeds.

    Arms of which a seed has no table are left out.
    """
    sides = [side for side in (scene.reference, *scene.asked.values()) if all(one.calibration for one in side.outcomes)]
    return {side.arm.name: _calibrated(side) for side in sides}


def _calibrated(side: Side) -> dict[str, Any]:
    table = pooled([one.calibration for one in side.outcomes])
    bins = {name: plain(getattr(table, name)) for name in ("confidence", "accuracy", "count")}  # None where a bin is empty
    return {**bins, "ece": float(side.measured("test.ece").mean())}


def views(scene: Scene) -> list[dict[str, Any]]:
    """What several views of every test item do together, and the shares of the items that this fixes and breaks."""
    sides = (scene.reference, *scene.asked.values()) if scene.study.views is not None else ()
    return [_seen(side) for side in sides]


def _seen(side: Side) -> dict[str, Any]:
    gain, fixed, broken = (
        float(values.mean())
        for values in (
            side.measured("views.accuracy") - side.measured("test.accuracy"),
            side.measured("views.fixed"),
            side.measured("views.broken"),
        )
    )
    sentence = (
        f"Averaging over views moves {side.arm.name} by {wording.points(gain)} points: it fixes {wording.accuracy(fixed)} of the items "
        f"and breaks {wording.accuracy(broken)}."
    )
    return {"arm": side.arm.name, "gain": gain, "fixed": fixed, "broken": broken, "sentence": sentence}

"""What a study found beyond its verdicts: pure functions of its measured runs, which train nothing and read no file.

`analysis` gives ``result["analysis"]``; what cannot be said of a study is left out of it.
"""

from __future__ import annotations

from typing import Any

from vicinal.lab.analysis import axes, controls, curves, items, maps, worth
from vicinal.lab.analysis.across import across
from vicinal.lab.analysis.attribution import attribution
from vicinal.lab.analysis.scene import Scene
from vicinal.lab.analysis.sentences import sentences
from vicinal.lab.conduct import Findings
from vicinal.lab.trial import Cell

__all__ = ["Scene", "across", "analysis"]


def analysis(findings: Findings, cell: Cell) -> dict[str, Any]:
    """Everything that the analyses say of a cell, and of the axes that lead through it.

    Args:
        cell: with an outcome of the reference.

    Returns:
        Plain data, by the names of :mod:`vicinal.lab.result_file`.
    """
    scene = Scene(findings, cell)
    found: dict[str, Any] = {
        "confounds": controls.confounds(scene),
        "cheap": controls.cheap(scene),
        "real_images": controls.real_images(scene),
        "exchange": worth.exchange(scene),
        "signs": maps.signs(scene),
        "axes": axes.curves(scene),
        "interactions": maps.interactions(scene),
        "costs": worth.costs(scene),
        "selection": curves.selection(scene),
        "attribution": attribution(scene),
        **({} if findings.study.data.regression else _of_classes(scene)),
    }
    found = {name: value for name, value in found.items() if value is not None}
    return {**found, "sentences": sentences(scene, found)}


def _of_classes(scene: Scene) -> dict[str, Any]:
    return {
        "items": items.items(scene),
        "worst_class": items.worst_class(scene),
        "confusion": items.confusion(scene),
        "calibration": items.calibration(scene),
        "fits": curves.fits(scene),
        "views": items.views(scene),
    }

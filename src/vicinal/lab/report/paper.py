"""Files for a paper: the report as Markdown, and its figures as PNG at 300 dots per inch.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which the colour-blind can tell apart; lines differ in dashes and
marks as well, and signs in letters, so that nothing is lost in grey.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vicinal.core.files import write_files
from vicinal.lab import wording
from vicinal.lab.report import axis, bands, rows, tables
from vicinal.lab.report.page import rendered, typeset
from vicinal.lab.report.view import ordered, styles, unit_named, view

DPI = 300
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#7F7F7F")
_DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 2)), (0, (8, 2)))
_MARKS = "os^Dv<>P"
_VERDICTS = {"helps": ("#0072B2", "o"), "hurts": ("#D55E00", "s"), "no evidence": ("#595959", "o")}
_WIDTH = 3.4  # inches: a column of a paper


def write_paper(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``report.md`` and ``figures/*.png``.

    Args:
        result: the object that ``result.json`` holds.
        folder: where they go; it is made if missing.

    Raises:
        StoreError: a file could not be written; then none is.
    """
    drawn = figures(result)
    files = {folder / "figures" / name: png(figure) for name, (figure, _) in drawn.items()}
    text = render_markdown(result, {f"figures/{name}": said for name, (_, said) in drawn.items()})
    write_files({folder / "report.md": text.encode("utf-8", "replace"), **files})
    return [folder / "report.md", *files]


def render_markdown(result: Mapping[str, Any], images: Mapping[str, str] | None = None) -> str:
    """The report as Markdown with tables.

    Args:
        result: as for `write_paper`.
        images: address of a figure to its text alternative.
    """
    fits = (result.get("analysis") or {}).get("fits") or {}
    step_note = {"step_note": None, **result}
    text = rendered("report.md.j2", fits=fits, images=list((images or {}).items()), **{**view(result), "result": step_note})
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def figures(result: Mapping[str, Any]) -> dict[str, tuple[Figure, str]]:
    """The figures of a result by file name, each with its text alternative; what the result lacks is left out."""
    arms, analysis = ordered(result["arms"]), result.get("analysis") or {}
    unit, looks = wording.unit_of(result["metric"]), styles(arms)
    headline = unit_named(next(iter(arms[0].get("metrics") or ()), result["metric"]["name"]))
    found = {
        "forest.png": _forest(rows.forest(arms, unit)),
        "curves.png": _learning(arms, headline),
        "robustness.png": _robustness(arms, looks, headline),
    }
    found |= {
        f"signs-{_slug(one.arm)}-{i + 1}.png" if i else f"signs-{_slug(one.arm)}.png": _signs(one, unit) for i, one in _numbered(analysis)
    }
    found |= {f"axes-{_slug(one['axis'])}.png": _axis(one, looks, unit) for one in analysis.get("axes", ())}
    return {name: drawn for name, drawn in found.items() if drawn is not None}


def _numbered(analysis: Mapping[str, Any]) -> list[tuple[int, tables.SignMap]]:
    """Sign maps, each with how many of the same arm came before."""
    maps = tables.sign_maps(analysis.get("signs", ()))
    return [(sum(other.arm == one.arm for other in maps[:i]), one) for i, one in enumerate(maps)]


def _slug(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "arm"


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file, which tell no time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": "vicinal"})
    return buffer.getvalue()


def _figure(width: float, height: float, columns: int = 1, count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of panels without frames; no state of matplotlib is touched."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    lines = -(-count // columns)
    axes = [figure.add_subplot(lines, columns, i + 1) for i in range(count)]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=7)
    return figure, axes


def _forest(found: rows.Rows | None) -> tuple[Figure, str] | None:
    if found is None:
        return None
    entries, scale = [row.entry for row in found.rows], axis.factor(found.unit)
    figure, (plot,) = _figure(_WIDTH, 0.7 + 0.26 * len(entries))
    for place, entry in enumerate(entries):
        colour, mark = _VERDICTS.get(entry.kind, _VERDICTS["no evidence"])
        mean, low, high = (scale * axis.number(entry.estimate[end]) for end in ("mean", "low", "high"))
        plot.plot(scale * np.array(entry.dots), np.full(len(entry.dots), place + 0.27), ".", color=colour, alpha=0.45, markersize=2.5)
        plot.plot([low, high], [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
        filled = entry.kind in ("helps", "hurts")
        plot.plot([mean], [place], mark, color=colour, markersize=4.5, markerfacecolor=colour if filled else "white")
    names = [f"{entry.label}{' (control)' if entry.control else ''}" for entry in entries]
    plot.set_yticks(range(len(entries)), names)
    plot.set_ylim(len(entries) - 0.4, -0.6)
    plot.axvline(0, color="#595959", linewidth=0.8)
    plot.set_xlabel(f"Gain, {found.unit.word} (right is better)", fontsize=7)
    said = "; ".join(f"{entry.label} {wording.estimate(entry.estimate, found.unit)}, {entry.kind}" for entry in entries)
    return figure, typeset(f"Forest plot. {said}")


def _learning(arms: Sequence[wording.Arm], unit: wording.Unit) -> tuple[Figure, str] | None:
    recorded = [arm for arm in arms if any(arm["curve"]["steps"])]
    if not recorded:
        return None
    figure, plots = _figure(2 * _WIDTH, 1.6 * -(-len(recorded) // 3), 3, len(recorded))
    for plot, arm in zip(plots, recorded, strict=True):
        for part, dash, colour in (("train", "--", "#595959"), ("dev", "-", "#0072B2")):
            table = axis.factor(unit) * np.array([[axis.number(value) for value in row] for row in arm["curve"][part]])
            plot.plot(arm["curve"]["steps"], table.mean(1), dash, color=colour, linewidth=1.1, label=part)
            low, high = np.quantile(table, [0.1, 0.9], axis=1)
            plot.fill_between(arm["curve"]["steps"], low, high, color=colour, alpha=0.15, linewidth=0)
        plot.set_title(arm["name"], fontsize=8)
    _alike(plots)
    plots[0].legend(fontsize=6, frameon=False)
    figure.supxlabel("Optimiser steps", fontsize=7)
    figure.supylabel("Per cent" if unit.share else unit.word, fontsize=7)
    return figure, f"Learning curves on train and dev of {wording.listed([arm['name'] for arm in recorded])}."


def _alike(plots: Sequence[Axes]) -> None:
    """One vertical scale for all panels."""
    low, high = (of(plot.get_ylim()[end] for plot in plots) for end, of in ((0, min), (1, max)))
    for plot in plots:
        plot.set_ylim(low, high)


def _robustness(arms: Sequence[wording.Arm], looks: Mapping[str, int], unit: wording.Unit) -> tuple[Figure, str] | None:
    families = dict.fromkeys(family for arm in arms for family in arm.get("robustness") or {})
    compared = [arm for arm in arms if arm["difference"] and arm.get("robustness")]
    if not families or not compared:
        return None
    figure, plots = _figure(2 * _WIDTH, 2.0 * -(-len(families) // 3), 3, len(families))
    for plot, family in zip(plots, families, strict=True):
        lines = {arm["name"]: arm["robustness"][family] for arm in compared if family in arm["robustness"]}
        levels = next(iter(lines.values()))["levels"]
        _lines(plot, levels, {name: {**one, "mean": one["gain"]} for name, one in lines.items()}, looks, unit)
        plot.set_title(family, fontsize=8)
    _legend(figure, plots[0])
    figure.supylabel(f"Gain, {unit.word}", fontsize=7)
    return figure, f"Gain over the reference under {wording.listed(list(families))}, against the level."


def _axis(one: Mapping[str, Any], looks: Mapping[str, int], unit: wording.Unit) -> tuple[Figure, str]:
    figure, (plot,) = _figure(_WIDTH, 2.4)
    _lines(plot, one["values"], one["arms"], looks, unit)
    plot.set_xlabel(one["axis"], fontsize=7)
    plot.set_ylabel(f"Gain, {unit.word}", fontsize=7)
    _legend(figure, plot)
    return figure, f"Gain over the reference against {one['axis']}, for {wording.listed(list(one['arms']))}."


def _lines(plot: Axes, values: Sequence[Any], arms: Mapping[str, Mapping[str, Any]], looks: Mapping[str, int], unit: wording.Unit) -> None:
    """Lines with bands on the scale that the page has too."""
    ladder = axis.Ladder.of(values)
    for name in bands.shown(arms, looks):
        line, style = arms[name], looks.get(name, 0)
        mean, low, high = (axis.factor(unit) * np.array([axis.number(value) for value in line[end]]) for end in ("mean", "low", "high"))
        look = {"linestyle": _DASHES[style], "marker": _MARKS[style], "color": _COLOURS[style], "markersize": 3.0, "linewidth": 1.1}
        plot.plot(ladder.places, mean, label=name, **look)
        plot.fill_between(ladder.places, low, high, color=_COLOURS[style], alpha=0.13, linewidth=0)
    plot.axhline(0, color="#595959", linewidth=0.8)
    plot.set_xticks(ladder.places, ladder.texts)


def _legend(figure: Figure, plot: Axes) -> None:
    handles, names = plot.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4, fontsize=6, frameon=False, handlelength=3)


def _signs(one: tables.SignMap, unit: wording.Unit) -> tuple[Figure, str]:
    """Cells from orange over white to blue; a letter says the verdict, bold where the interval excludes 0."""
    weights = np.array([[cell["weight"] * (1 if cell["kind"] == "up" else -1) for cell in row] for row in one.cells])
    figure, (plot,) = _figure(max(_WIDTH, 0.9 * weights.shape[1] + 0.8), 0.6 + 0.42 * len(weights))
    plot.pcolormesh(weights[::-1], cmap="PuOr", vmin=-1.6, vmax=1.6, edgecolors="white", linewidth=1.5)
    for i, row in enumerate(one.cells):
        for j, cell in enumerate(row):
            _sign(plot, j + 0.5, len(one.cells) - i - 0.5, cell, unit)
    plot.set_xticks(np.arange(weights.shape[1]) + 0.5, one.columns[1])
    plot.set_yticks(np.arange(len(weights)) + 0.5, one.rows[1][::-1])
    plot.set_xlabel(one.columns[0], fontsize=7)
    plot.set_ylabel(one.rows[0], fontsize=7)
    plot.set_title(one.arm, fontsize=8)
    plot.tick_params(length=0)
    return figure, typeset(f"Sign map of {one.arm} over {one.rows[0]} and {one.columns[0]}. {one.sentence}")


def _sign(plot: Axes, x: float, y: float, cell: Mapping[str, Any], unit: wording.Unit) -> None:
    letter = {"helps": "▲ ", "hurts": "▼ "}.get(cell["verdict"], "○ ")
    text = f"{letter}{typeset(wording.points(cell['mean'], unit))}\n{typeset(wording.interval(cell['low'], cell['high'], unit))}"
    plot.text(x, y, text, ha="center", va="center", fontsize=6, fontweight="bold" if cell["sure"] else "normal")

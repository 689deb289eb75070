"""The verdicts in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vicinal.lab.forecast import Forecast

from vicinal.lab.wording import (
    MISSING,
    SYMBOLS,
    Arm,
    Unit,
    accuracy,
    decimal,
    direction_sentence,
    duration,
    forecast_sentence,
    interval,
    leak_sentence,
    level,
    listed,
    measured_words,
    p_value,
    points,
    ranked,
    unit_of,
)

_STYLES = (("helps", "bold blue"), ("hurts", "bold yellow"), ("no evidence", "dim"), ("reference", "dim"))

_VERDICTS = (("reproduced", "bold blue"), ("weaker", "yellow"), ("opposite", "bold yellow"), ("cannot tell", "dim"))

_WEIGHTS = (("wrong", "bold yellow"), ("doubt", "yellow"), ("note", "dim"), ("fine", "bold blue"))

_BY_WEIGHT = ("gain", "interval", "score", "p adj.", "seeds to settle", "steps", "train time", "ms/item")
_MOMENT = 5.0  # seconds
_GAP = 3  # characters between two columns
_NAME = 16  # characters that a long name may always have


def print_result(result: Mapping[str, Any], console: Console) -> None:
    """Print the question, the verdict table, the answer, and what a reader must know to believe it.

    Args:
        result: the object that ``result.json`` holds.
        console: where to print; its width decides how many columns the table has.
    """
    _say(console, result["question"], "bold")
    console.line()
    console.print(_table(result, console))
    console.line()
    if direction := direction_sentence(result.get("metric")):
        _say(console, direction, "dim")
    _say(console, result["answer"], "bold")
    print_analysis(result, console)
    if result.get("step_note"):
        _say(console, f"Steps differ: {result['step_note']}", "yellow")
    for warning in result.get("warnings", ()):
        _say(console, f"Warning: {warning}", "yellow")
    if leak := leak_sentence(result["leak"]):
        _say(console, leak, "bold red")


def print_analysis(result: Mapping[str, Any], console: Console) -> None:
    """Print the sentences to be read after the answer, and a small table for every axis of a study that has several values."""
    found = result.get("analysis", {})
    for sentence in found.get("sentences", ()):
        _say(console, f"- {sentence}", "default")
    for axis in found.get("axes", ()):
        console.line()
        console.print(_axis_table(axis, unit_of(result.get("metric")), console))


def _axis_table(axis: Mapping[str, Any], unit: Unit, console: Console) -> Table:
    """Values of an axis down, arms across: the gain, with the sign of a verdict where its interval excludes 0."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column(axis["axis"], no_wrap=True, justify="right")
    for arm in axis["arms"]:
        table.add_column(Text(f"{arm} ({unit.word})" if arm == next(iter(axis["arms"])) else arm), justify="right", overflow="ellipsis")
    for row, value in enumerate(axis["values"]):
        table.add_row(f"{value:,g}", *[_gain(curve, row, unit, console) for curve in axis["arms"].values()])
    return table


def _gain(curve: Mapping[str, Any], row: int, unit: Unit, console: Console) -> Text:
    low, high = curve["low"][row], curve["high"][row]
    verdict = "no evidence" if low is None or high is None or low <= 0 <= high else "helps" if low > 0 else "hurts"
    mark = "*" if console.options.ascii_only else SYMBOLS[verdict]
    text = f"{points(curve['mean'][row], unit)} {mark if verdict != 'no evidence' else ' '}"
    return Text(text, style=dict(_STYLES)[verdict])


def print_forecast(forecast: Forecast, console: Console) -> None:
    """Print what lies ahead, before anything is trained; nothing where it is over in a moment."""
    if forecast.open and (forecast.seconds is None or forecast.seconds >= _MOMENT):
        _say(console, forecast_sentence(forecast), "dim")


def print_policies(result: Mapping[str, Any], console: Console) -> None:
    """Print what every arm does, in full: it may have come from a file, or from the default panel."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=_NAME)
    table.add_column(overflow="fold")
    for arm in result["arms"]:
        if arm["policy"] is not None:
            how = f"{arm['copies']} fixed {'copy' if arm['copies'] == 1 else 'copies'} of every item: " if arm["mode"] == "copies" else ""
            table.add_row(Text(arm["name"]), Text(how + arm["policy"]))
    console.print(table)


def _say(console: Console, text: str, style: str) -> None:
    console.print(Text(text, style=style))  # Text, not markup: names come from the user and may hold brackets


def _table(result: Mapping[str, Any], console: Console) -> Table:
    arms = ranked(result["arms"])
    verdicts = [_verdict(arm["verdict"], console) for arm in arms]
    columns = _columns(arms, result.get("metric"))
    name, shown = _fit(arms, columns, console.width - max(map(len, verdicts)) - _GAP)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("arm", no_wrap=True, overflow="ellipsis", max_width=name)
    table.add_column("verdict", no_wrap=True)
    for column in shown:
        table.add_column(columns[column][0], no_wrap=True, justify="right")
    for i, arm in enumerate(arms):
        table.add_row(Text(arm["name"]), verdicts[i], *[Text(columns[column][1][i]) for column in shown])
    return table


def _verdict(verdict: str, console: Console) -> Text:
    symbol = "" if console.options.ascii_only else f"{SYMBOLS[verdict]} "
    return Text(f"{symbol}{verdict}", style=dict(_STYLES)[verdict])


def _columns(arms: Sequence[Arm], metric: Mapping[str, Any] | None) -> dict[str, tuple[str, list[str]]]:
    """Columns by what they hold, in the order of the page: heading and cells."""
    differences, unit = [arm["difference"] or {} for arm in arms], unit_of(metric)
    return {
        "score": ("accuracy" if metric is None else metric["name"], [level(arm["mean"], unit) for arm in arms]),
        "gain": (unit.word if unit.share else "gain", [points(difference.get("mean"), unit) for difference in differences]),
        "interval": ("interval", [interval(one.get("low"), one.get("high"), unit) or MISSING for one in differences]),
        "p adj.": ("p adj.", [p_value(difference.get("p_adjusted")) for difference in differences]),
        "seeds to settle": ("seeds to settle", [decimal(arm["seeds_needed"], 0) for arm in arms]),
        "steps": ("steps", [f"{decimal(arm['step_ratio'])}x" for arm in arms]),
        "train time": ("train time", [duration(arm["cost"]["train_seconds"]) for arm in arms]),
        "ms/item": ("ms/item", [decimal(arm["cost"]["ms_per_item"], 3) for arm in arms]),
    }


def _fit(arms: Sequence[Arm], columns: Mapping[str, tuple[str, list[str]]], room: int) -> tuple[int, list[str]]:
    """The width of the names and the columns that fit beside them: numbers are never cut, long names are."""
    longest = max((cell_len(arm["name"]) for arm in arms), default=0)
    room -= min(longest, _NAME)
    chosen = set()
    for column in _BY_WEIGHT:
        heading, cells = columns[column]
        width = max(map(len, (heading, *cells))) + _GAP
        if width > room:
            break
        chosen.add(column)
        room -= width
    return min(longest, _NAME + max(room, 0)), [column for column in columns if column in chosen]


def print_claims(console: Console) -> None:
    """Print which claims there are."""
    from vicinal.lab.claims import names, read_claim

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for name in names():
        claim = read_claim(name)
        table.add_row(Text(name), Text(claim.says), Text(f"({claim.source})", style="dim"))
    console.print(table)


def print_replication(result: Mapping[str, Any], console: Console) -> None:
    """Print what became of every row of a claim."""
    _say(console, result["says"], "bold")
    _say(console, result["source"], "dim")
    console.line()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for heading, justify in (("row", "left"), ("claimed", "right"), ("measured", "right"), ("known", "right"), ("verdict", "left")):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in result["rows"]:
        cells = (row["says"], row["claimed"], measured_words(row), row["known"] or MISSING)
        table.add_row(*map(Text, cells), Text(row["verdict"], style=dict(_VERDICTS)[row["verdict"]]))
    console.print(table)
    console.line()
    counts = listed([f"{count} {word}" for word, count in result["counts"].items() if count])
    _say(console, f"{counts}. {duration(result['seconds'])}.", "bold")
    for fault in result["failed"]:
        _say(console, f"Failed: {fault['address']}: {fault['sentence']}", "yellow")


def print_check(result: Mapping[str, Any], console: Console) -> None:
    """Print what a check found, the worst first, and the numbers of every policy."""
    _say(console, result["question"], "bold")
    _say(console, result["answer"], "bold")
    console.line()
    findings = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    findings.add_column(no_wrap=True)
    findings.add_column(overflow="fold")
    for finding in result["findings"]:
        said = f"{finding['sentence']} {finding['advice']}".rstrip()
        findings.add_row(Text(finding["weight"], style=dict(_WEIGHTS)[finding["weight"]]), Text(said))
    console.print(findings)
    if result["arms"]:
        console.line()
        console.print(_checked(result["arms"]))


def _checked(arms: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("policy", overflow="ellipsis", no_wrap=True, max_width=_NAME)
    for heading in ("survival", "taught", "affinity", "diversity", "Vendi", "same", "equiv."):
        table.add_column(heading, justify="right", no_wrap=True)
    for arm in arms:
        numbers = [decimal(arm[name], 2) for name in ("affinity", "diversity")]
        taught = accuracy(None if arm["taught"] is None else arm["taught"]["share"])
        cells = (accuracy(arm["survival"]["share"]), taught, *numbers, f"{decimal(arm['vendi'])}/{decimal(arm['vendi_originals'])}")
        table.add_row(Text(arm["name"]), *cells, accuracy(arm["unchanged"]), decimal(arm["equivariance"], 2))
    return table

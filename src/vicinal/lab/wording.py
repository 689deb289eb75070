"""The words and numbers of a verdict, said the same way in the terminal, in the report and in result.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

Arm = Mapping[str, Any]
"""One entry of ``result["arms"]``: see the schema in :mod:`vicinal.lab.result_file`."""

MISSING = "-"
"""What stands where there is no number: None, NaN or an infinity."""

SYMBOLS = MappingProxyType({"helps": "▲", "hurts": "▼", "no evidence": "○", "reference": "·"})
"""A sign for every verdict, always shown beside the word: colour alone never carries it."""


@final
@dataclass(frozen=True)
class Unit:
    """In what the gains of a metric are said.

    Args:
        word: after a gain.
        share: gains are shares of 1, said in percentage points with one decimal; others are said as they are, with three figures.
    """

    word: str = "points"
    share: bool = True

    def figure(self, gain: float) -> str:
        """A gain without its sign of plus.

        Example:
            >>> POINTS.figure(-0.049), Unit("in rmse", share=False).figure(1234.5), Unit("in nll", share=False).figure(0.02468)
            ('-4.9', '1,234', '0.0247')
        """
        if self.share:
            return decimal(100 * gain)
        return decimal(gain, 0) if abs(gain) >= 1000 else f"{gain + 0.0:.3g}"


POINTS = Unit()


def unit_of(metric: Mapping[str, Any] | None) -> Unit:
    """The unit of a result's metric; points where an older result names none.

    Example:
        >>> unit_of({"name": "nll", "unit": "nats", "share": False}).word
        'in nll'
    """
    return POINTS if metric is None or metric["share"] else Unit(f"in {metric['name']}", share=False)


def direction_sentence(metric: Mapping[str, Any] | None) -> str | None:
    """What a reader must know of a metric of which more is not better; None where more is.

    Example:
        >>> direction_sentence({"name": "nll", "unit": "nats", "higher": False, "share": False})
        'Less nll (nats) is better; gains above 0 are for the better.'
    """
    if metric is None or metric["higher"]:
        return None
    better = "Less" if metric["higher"] is False else "The right"
    return f"{better} {metric['name']} ({metric['unit']}) is better; gains above 0 are for the better."


def level(value: float | None, unit: Unit = POINTS) -> str:
    """A score itself: per cent for shares.

    Example:
        >>> level(0.8507), level(2.5, Unit("in rmse", share=False))
        ('85.1 %', '2.5')
    """
    if unit.share or value is None or missing(value):
        return accuracy(value)
    return unit.figure(value)


def missing(value: float | None) -> bool:
    """True where there is no number to show.

    Example:
        >>> missing(None), missing(float("nan")), missing(0.0)
        (True, True, False)
    """
    return value is None or not math.isfinite(value)


def decimal(value: float | None, digits: int = 1) -> str:
    """A plain number; a zero never carries a sign.

    Example:
        >>> decimal(-0.04), decimal(1234.5), decimal(None)
        ('0.0', '1,234.5', '-')
    """
    if value is None or missing(value):
        return MISSING
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def accuracy(fraction: float | None) -> str:
    """A share of 1 as per cent.

    Example:
        >>> accuracy(0.8507)
        '85.1 %'
    """
    return MISSING if fraction is None or missing(fraction) else f"{decimal(100 * fraction)} %"


def points(difference: float | None, unit: Unit = POINTS) -> str:
    """A gain with its sign, in percentage points or in the unit given.

    Example:
        >>> points(0.067), points(-0.049), points(0.0001), points(0.25, Unit("in nll", share=False))
        ('+6.7', '-4.9', '0.0', '+0.25')
    """
    if difference is None or missing(difference):
        return MISSING
    text = unit.figure(difference)
    return f"+{text}" if float(text.replace(",", "")) > 0 else text


def interval(low: float | None, high: float | None, unit: Unit = POINTS) -> str:
    """The two ends of an interval of gains; empty without an interval (one seed has none).

    Example:
        >>> interval(0.06, 0.073), interval(None, None)
        ('[6.0, 7.3]', '')
    """
    if low is None or high is None or missing(low) or missing(high):
        return ""
    return f"[{unit.figure(low)}, {unit.figure(high)}]"


def estimate(difference: Mapping[str, Any] | None, unit: Unit = POINTS, named: bool = True) -> str:
    """A gain with its interval, and the word of its unit if it is to be named.

    Example:
        >>> estimate({"mean": 0.067, "low": 0.06, "high": 0.073})
        '+6.7 points [6.0, 7.3]'
    """
    if difference is None:
        return MISSING
    word = f" {unit.word}" if named else ""
    return f"{points(difference['mean'], unit)}{word} {interval(difference['low'], difference['high'], unit)}".rstrip()


def percentages(share: Mapping[str, Any]) -> str:
    """A share of something with its interval, in per cent.

    Example:
        >>> percentages({"mean": 0.964, "low": 0.93, "high": 1.01}), percentages({"mean": 0.5, "low": None, "high": None})
        ('96 % [93, 101]', '50 %')
    """
    low, high = share["low"], share["high"]
    ends = "" if low is None or high is None else f" [{decimal(100 * low, 0)}, {decimal(100 * high, 0)}]"
    return f"{decimal(100 * share['mean'], 0)} %{ends}"


def counted(number: int, thing: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "seed"), counted(1200, "item")
        ('1 seed', '1,200 items')
    """
    return f"{number:,} {thing}{'s' * (number != 1)}"


def p_value(p: float | None) -> str:
    """A p-value to three decimals.

    Example:
        >>> p_value(0.00195), p_value(0.0002)
        ('0.002', '< 0.001')
    """
    if p is None or missing(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float | None) -> str:
    """A time span as a person says it.

    Example:
        >>> duration(0.42), duration(211), duration(7500)
        ('0.4 s', '3 min 31 s', '2 h 5 min')
    """
    if seconds is None or missing(seconds):
        return MISSING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def listed(items: Sequence[str]) -> str:
    """Items as an English list.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def seed_range(seeds: Sequence[int]) -> str:
    """Seeds in short.

    Example:
        >>> seed_range([0, 1, 2, 3]), seed_range([3, 7])
        ('0 to 3', '3, 7')
    """
    seeds = list(seeds)
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def ranked(arms: Sequence[Arm]) -> list[Arm]:
    """The arms in the order in which every table and figure shows them: the reference, then by falling difference.

    Example:
        >>> gain = lambda name, mean: {"name": name, "difference": {"mean": mean}}
        >>> [arm["name"] for arm in ranked([gain("b", -0.1), {"name": "none", "difference": None}, gain("a", 0.2)])]
        ['none', 'a', 'b']
    """

    def place(arm: Arm) -> tuple[int, float]:
        if arm["difference"] is None:
            return (0, 0.0)
        mean = arm["difference"]["mean"]
        return (2, 0.0) if missing(mean) else (1, -mean)

    return sorted(arms, key=place)


def leak_sentence(leak: Mapping[str, Any]) -> str | None:
    """What a reader must know first if the split was allowed to separate siblings; None if it was not.

    Example:
        >>> leak_sentence({"allowed": True, "share": 0.9, "test_share": 0.0})
        'Leak allowed: 90.0 % of the dev items have a sibling in train, so dev scores are too high and cannot be believed.'
        >>> leak_sentence({"allowed": True, "share": 0.0, "test_share": 0.0})
        'Leak allowed: no item of dev or test has a sibling in train.'
    """
    if not leak["allowed"]:
        return None
    found = [(part, leak[key]) for part, key in (("dev", "share"), ("test", "test_share")) if leak[key]]
    shares = " and ".join(f"{accuracy(share)} of the {part} items" for part, share in found)
    if not found:
        return "Leak allowed: no item of dev or test has a sibling in train."
    scores = " and ".join(part for part, _ in found)
    return f"Leak allowed: {shares} have a sibling in train, so {scores} scores are too high and cannot be believed."


def answer_sentence(arms: Sequence[Arm], unit: Unit = POINTS) -> str:
    """The answer to "which arm helps, and by how much?".

    Args:
        arms: entries of ``result["arms"]`` with ``name``, ``difference``, ``verdict`` and ``seeds_needed``.
        unit: of the differences.

    Returns:
        One to three short sentences: what helps, what hurts, and what the seeds could not decide.

    Example:
        >>> gain = {"mean": 0.067, "low": 0.06, "high": 0.073}
        >>> answer_sentence([{"name": "shift", "difference": gain, "verdict": "helps", "seeds_needed": None}])
        'shift helps: +6.7 points [6.0, 7.3].'
    """
    order = ranked(arms)
    helps, hurts, open_ = ([arm for arm in order if arm["verdict"] == kind] for kind in ("helps", "hurts", "no evidence"))
    if not (helps or hurts or open_):
        return "Nothing was compared: there is only the reference."
    parts = [_effect(helps, "help", unit, with_interval=True), _effect(hurts, "hurt", unit, with_interval=False), _undecided(open_)]
    if hurts and not helps:
        parts.insert(0, "No arm is shown to help.")
    return " ".join(filter(None, parts))


def _effect(arms: Sequence[Arm], verb: str, unit: Unit, *, with_interval: bool) -> str:
    """``shift helps: +6.7 points [6.0, 7.3].`` or ``hflip (-4.9 points) and turn (-8.3) hurt.``"""
    if not arms:
        return ""
    if len(arms) == 1:
        return f"{arms[0]['name']} {verb}s: {estimate(arms[0]['difference'], unit)}."
    say = estimate if with_interval else _mean_only
    effects = [f"{arm['name']} ({say(arm['difference'], unit, not place)})" for place, arm in enumerate(arms)]
    return f"{listed(effects)} {verb}."


def _mean_only(difference: Mapping[str, Any], unit: Unit, named: bool) -> str:
    return points(difference["mean"], unit) + (f" {unit.word}" if named else "")


def _undecided(arms: Sequence[Arm]) -> str:
    """``No evidence either way for noise (34 seeds would settle it) and duplicate.``"""
    if not arms:
        return ""
    sentence = f"No evidence either way for {listed([_with_seeds(arm) for arm in arms])}."
    lone = all(not interval(arm["difference"]["low"], arm["difference"]["high"]) for arm in arms)
    return f"{sentence} One seed gives no interval: compare over more seeds." if lone else sentence


def _with_seeds(arm: Arm) -> str:
    needed = arm["seeds_needed"]
    return arm["name"] if missing(needed) else f"{arm['name']} ({needed:,} seeds would settle it)"


def forecast_sentence(forecast: Any) -> str:
    """What lies ahead, in words.

    Example:
        >>> from types import SimpleNamespace
        >>> forecast_sentence(SimpleNamespace(trials=40, open=30, seeds=10, floor=8, seconds=65.0))
        '40 trials, 10 of them done before; 30 to run, about 1 min 5 s. 8 seeds are the least that can show anything; there are 10.'
    """
    before = f", {forecast.trials - forecast.open:,} of them done before" if forecast.open < forecast.trials else ""
    time = f", about {duration(forecast.seconds)}" if forecast.seconds is not None else ""
    floor = f"{forecast.floor} seeds are the least that can show anything; there are {forecast.seeds}."
    return f"{forecast.trials:,} trials{before}; {forecast.open:,} to run{time}. {floor}"


def measured_words(row: Mapping[str, Any]) -> str:
    """What was measured of a row of a claim, in its own unit; small numbers keep the digits that tell them from nothing.

    Example:
        >>> measured_words({"unit": "points", "measured": {"mean": 6.66, "low": 6.0, "high": 7.3}})
        '6.7 [6.0, 7.3]'
        >>> measured_words({"unit": "", "measured": {"mean": 1.0294, "low": 1.028, "high": 1.031}})
        '1.029 [1.028, 1.031]'
    """
    found, digits = row["measured"], 1 if row["unit"] else 3
    if missing(found["mean"]):
        return MISSING
    ends = "" if missing(found["low"]) else f" [{decimal(found['low'], digits)}, {decimal(found['high'], digits)}]"
    return decimal(found["mean"], digits) + ends

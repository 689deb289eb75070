"""The few sentences that a reader should read after the answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from vicinal.lab import wording
from vicinal.lab.analysis.controls import step_matched
from vicinal.lab.analysis.maps import flips
from vicinal.lab.analysis.scene import Scene
from vicinal.lab.conduct import Findings

MOST = 8  # sentences in all
_PRICES, _EACH = 3, 2  # of what helps; of every other kind


def sentences(scene: Scene, found: Mapping[str, Any]) -> list[str]:
    """The most important ones first: what helps and its price, what explains it away, where it flips, what a choice is worth, what failed.

    Args:
        found: the analyses by their name in the result.
    """
    kinds = [some for some in _kinds(scene, found) if some]
    kept = list(itertools.chain.from_iterable(kinds))
    failed = failures(scene.findings)
    return [*kept[: MOST - len(failed)], *failed]


def _kinds(scene: Scene, found: Mapping[str, Any]) -> Iterator[list[str]]:
    """Sentences by kind, the most important kind first."""
    helping = ranked(scene, "helps")
    yield [price(scene, found, name) for name in helping[:_PRICES]]
    yield _confounds(scene, found, helping)[:_EACH]
    yield flips(scene)[:_EACH]
    yield [one["sentence"] for one in found["real_images"]][:_EACH]
    yield [one["sentence"] for one in found["cheap"] if one["arm"] in helping][:_EACH]
    yield [found["attribution"]["sentence"]] if found.get("attribution") else []
    yield _classes(found, ranked(scene, "no evidence"))[:_EACH]
    yield [one["sentence"] for one in found.get("views", ())][:1]
    yield [found["selection"]["sentence"]] if found.get("selection") else []
    yield [fit["sentence"] for name, fit in found.get("fits", {}).items() if name in helping and fit["verdict"] == "still improving"][:1]


def ranked(scene: Scene, verdict: str) -> list[str]:
    """The arms with a verdict, by falling gain."""
    named = [name for name in scene.asked if scene.verdicts[name].verdict == verdict]
    return sorted(named, key=lambda name: -scene.verdicts[name].difference.mean)


def price(scene: Scene, found: Mapping[str, Any], name: str) -> str:
    """``shift helps: +6.7 points [6.0, 7.3], worth 7.9x labels, costs 0.04 ms an item, hurts class 1 by 0.4; 8 paired seeds.``"""
    parts = [
        f"{name} helps: {scene.said(scene.verdicts[name].difference)}",
        _worth(scene, found, name),
        f"costs {_milliseconds(next(one['ms_per_item'] for one in found['costs'] if one['arm'] == name))} an item",
        _class(found.get("worst_class", {}).get(name)),
    ]
    seeds = len(scene.asked[name].gains(scene.reference, scene.metric))
    return f"{', '.join(filter(None, parts))}; {wording.counted(seeds, 'paired seed')}."


def _worth(scene: Scene, found: Mapping[str, Any], name: str) -> str:
    """At the largest size at which the reference got as far with more labels; else at the smallest, where most is measured."""
    rates = [one for one in found["exchange"] if one["arm"] == name and one["words"] != "none"]
    if not rates:
        return ""
    known = [one for one in rates if one["times"] is not None]
    rate = known[-1] if known else rates[0]
    return f"worth {rate['words']} at {rate['size']:,}"


def _milliseconds(ms: float) -> str:
    return f"{ms:.2g} ms" if ms >= 0.001 else "under 0.001 ms"


def _class(worst: Mapping[str, Any] | None) -> str:
    if worst is None or worst["high"] is None:
        return ""
    if worst["high"] < 0:
        return f"hurts class {worst['class']} by {wording.decimal(-100 * worst['change'])}"
    return "with no class shown to lose"


def _confounds(scene: Scene, found: Mapping[str, Any], helping: list[str]) -> list[str]:
    """Of the arms that help; what steps explain of others is said in the step note."""
    noted = {name for name, side in scene.asked.items() if step_matched(scene.sides, side, scene.reference)}
    said = {one["arm"]: one["sentence"] for one in found["confounds"] if one["arm"] not in noted and one["sentence"]}
    return [said[name] for name in helping if name in said]


def _classes(found: Mapping[str, Any], names: list[str]) -> list[str]:
    """Arms without a verdict that are shown to hurt a class."""
    worst = {name: found["worst_class"][name] for name in names} if "worst_class" in found else {}
    shown = [(name, one) for name, one in worst.items() if one["high"] is not None and one["high"] < 0]
    return [
        f"{name} takes {wording.decimal(-100 * one['change'])} points of recall from class {one['class']} "
        f"{wording.interval(one['low'], one['high'])}."
        for name, one in sorted(shown, key=lambda pair: pair[1]["change"])
    ]


def failures(findings: Findings) -> list[str]:
    """One sentence with the addresses of the trials that failed."""
    faults = list(findings.faults.values())
    if not faults:
        return []
    rest = f", and {len(faults) - 2} more" if len(faults) > 2 else ""
    said = "; ".join(f"{fault.address}: {fault.sentence.rstrip('.')}" for fault in faults[:2])
    return [f"{wording.counted(len(faults), 'trial')} failed: {said}{rest}."]

"""Two studies against each other: does what helps on one data set help on another?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vicinal.core.errors import DataError
from vicinal.lab import wording
from vicinal.lab.statistics import Transfer, transfer

_FEWEST = 3  # arms, of which an order says anything


def across(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Choose by one study, use in another: rank correlations of the effects of the arms that both compared, and regret.

    Arms are the same where they have the same name and the same policy; the lab's own controls do not count.

    Args:
        there, here: what two ``result.json`` files hold; of the same metric.

    Returns:
        ``there`` and ``here`` (names of the data), ``arms``, ``left_out`` (arms that one of them lacks), ``kendall``, ``spearman`` and
        ``regret`` (mean, low, high), ``best`` (arm here), ``chosen`` (arm there), ``sentence``.

    Raises:
        DataError: other metrics, or fewer than three arms in both.
    """
    names = [str(one["data"]["name"]) for one in (there, here)]
    metrics = [one["metric"]["name"] for one in (there, here)]
    if metrics[0] != metrics[1]:
        raise DataError("two studies", "the same metric", " and ".join(metrics), f"metric: {metrics[0]} in both study files")
    first, second = (_effects(one) for one in (there, here))
    both = [arm for arm in first if arm in second and first[arm][0] == second[arm][0]]
    if len(both) < _FEWEST:
        got = wording.listed(both) or "none"
        raise DataError("two studies", f"{_FEWEST} arms or more of the same name and policy in both", got, "the same arms in both")
    found = transfer({arm: first[arm][1] for arm in both}, {arm: second[arm][1] for arm in both})
    return {
        "there": names[0],
        "here": names[1],
        "arms": both,
        "left_out": sorted({*first, *second} - set(both)),
        **{name: vars(getattr(found, name)) for name in ("kendall", "spearman", "regret")},
        "best": found.best,
        "chosen": found.chosen,
        "sentence": _sentence(names, found, wording.unit_of(here["metric"])),
    }


def _effects(result: Mapping[str, Any]) -> dict[str, tuple[str | None, list[float]]]:
    """Arm to its policy and its paired differences from the reference."""
    compared = [arm for arm in result["arms"] if not arm["control"] and arm["difference"]]
    return {arm["name"]: (arm["policy"], arm["difference"]["paired"]) for arm in compared}


def _sentence(names: list[str], found: Transfer, unit: wording.Unit) -> str:
    there, here = names
    order = f"The order of the arms on {there} and on {here} agrees with Kendall's tau {wording.decimal(found.kendall.mean, 2)}"
    known = found.kendall.low is not None and found.kendall.high is not None
    ends = f" [{wording.decimal(found.kendall.low, 2)}, {wording.decimal(found.kendall.high, 2)}]" if known else ""
    if found.best == found.chosen:
        return f"{order}{ends}; both choose {found.best}."
    lost = f"{unit.figure(found.regret.mean)} {unit.word} {wording.interval(found.regret.low, found.regret.high, unit)}".rstrip()
    return f"{order}{ends}; choosing {found.chosen} by {there} loses {lost} on {here}, where {found.best} is best."

"""Every arm against the reference: difference, interval, corrected p-value, verdict."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

from numpy.typing import ArrayLike

from vicinal.core.errors import ParameterError
from vicinal.lab.statistics.intervals import Method, estimate, within
from vicinal.lab.statistics.power import seeds_to_settle
from vicinal.lab.statistics.scores import finite, share
from vicinal.lab.statistics.significance import holm, sign_flip_p

Verdict = Literal["helps", "hurts", "no evidence"]


@final
@dataclass(frozen=True)
class Difference:
    """How far an arm lies from its reference, in the unit of the scores.

    Args:
        mean: mean of the paired differences.
        low, high: ends of the interval; None where one seed gives no interval.
        p: two-sided sign-flip permutation p-value.
        p_adjusted: the same after Holm's correction for the arms of the family; ``p`` itself for arms outside.
    """

    mean: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float


class Comparison(NamedTuple):
    """One arm against the reference; ``seeds_needed`` as in `seeds_to_settle`."""

    difference: Difference
    verdict: Verdict
    seeds_needed: int | None


def compare(
    reference: ArrayLike,
    arms: Mapping[str, ArrayLike],
    alpha: float = 0.05,
    method: Method = "t",
    family: Collection[str] | None = None,
) -> dict[str, Comparison]:
    """Every arm against the reference, with Holm's correction over the arms of one family.

    Args:
        reference: (S,) scores of the reference arm, one a seed.
        arms: name to (S,) scores, in the same order of seeds.
        family: the arms that are corrected together, those about which the study makes claims; None for all. The others, such as
            step-matched controls, are judged each by itself and cost the family no power.

    Returns:
        Name to (difference, verdict, seeds_needed). ``helps`` means that the adjusted p is below ``alpha`` and the interval
        lies entirely above 0; ``hurts`` is its mirror image; all else is ``no evidence``.

    Raises:
        DataError: a score that is not finite, or arms with different numbers of seeds.
        ParameterError: alpha outside (0, 1), or a family with an arm that is not there.

    Example:
        >>> base = [0.80, 0.81, 0.79, 0.80, 0.82, 0.78]
        >>> compare(base, {"shift": [0.85, 0.87, 0.84, 0.86, 0.86, 0.84]})["shift"].verdict
        'helps'
    """
    base = finite("reference", reference)
    return judged({name: finite(f"arm {name!r}", scores, len(base)) - base for name, scores in arms.items()}, alpha, method, family)


def judged(
    paired: Mapping[str, ArrayLike],
    alpha: float = 0.05,
    method: Method = "t",
    family: Collection[str] | None = None,
    span: float = math.inf,
) -> dict[str, Comparison]:
    """Arms by their paired differences from the reference, of which each may have its own seeds; else as `compare`.

    Args:
        span: how large a difference can be, beyond which no interval reaches; see `within`.

    Example:
        >>> judged({"shift": [0.05, 0.06, 0.05, 0.06, 0.04, 0.06], "noise": [0.01, -0.01]})["noise"].verdict
        'no evidence'
    """
    share("compare.alpha", alpha, "alpha=0.05")
    differences = {name: finite(f"arm {name!r}", values) for name, values in paired.items()}
    together = members("compare.family", family, differences)
    ps = {name: sign_flip_p(values) for name, values in differences.items()}
    adjusted = corrected(ps, together)
    sizes = {name: len(together) if name in together else 1 for name in ps}
    found = {name: within(estimate(values, 1 - alpha, method), span) for name, values in differences.items()}
    return {
        name: Comparison(
            Difference(**vars(found[name]), p=ps[name], p_adjusted=adjusted[name]),
            verdict_of(found[name].sign if adjusted[name] < alpha else 0),
            seeds_to_settle(values, alpha, arms=sizes[name]),
        )
        for name, values in differences.items()
    }


def members(where: str, family: Collection[str] | None, arms: Collection[str]) -> list[str]:
    """The arms of a family, each once, in the order of ``arms``; all of them without one."""
    unknown = sorted(set(family or ()) - set(arms))
    if unknown:
        raise ParameterError(where, f"names out of {', '.join(arms)}", ", ".join(unknown), "the names of the arms")
    return [name for name in arms if family is None or name in family]


def corrected(ps: Mapping[str, float], family: Sequence[str]) -> dict[str, float]:
    """Holm's correction over the arms of the family; the p-values of the others stay."""
    return {**ps, **dict(zip(family, holm([ps[name] for name in family]), strict=True))}


def verdict_of(sign: int) -> Verdict:
    """The word for a sign that is shown; 0 for none."""
    return "helps" if sign > 0 else "hurts" if sign < 0 else "no evidence"

"""Sequential paired racing: seeds are added only where the answer is still open, and looking often costs no false answers.

Every arm is judged at numbers of seeds that were fixed beforehand, the looks. The p-value of an arm so far is the smallest of its
sign-flip p-values at the looks passed, times the number of all looks (Bonferroni over looks). Under the null it is valid at any
look at which the arm may have been stopped, for whatever reason, so Holm's correction over the arms holds the family-wise error:
the group sequential Holm procedure with equal spending (Maurer and Bretz, "Multiple testing in group sequential trials using
graphical approaches", 2013). Confidence sequences would allow a look after every seed, but at the ten to forty seeds of a study they
are wider; exact spending along the sign-flip paths would gain little over Bonferroni with four looks.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics.comparison import Difference, Verdict, corrected, members, verdict_of
from vicinal.lab.statistics.intervals import Estimate, estimate
from vicinal.lab.statistics.power import conditional_power
from vicinal.lab.statistics.scores import finite, share
from vicinal.lab.statistics.significance import sign_flip_p

Reason = Literal["significant", "within delta", "futile", "seeds used up", "undecided"]
"""Why an arm stands as it does; the first four end its race."""


@final
@dataclass(frozen=True)
class Standing:
    """One arm in a race.

    Args:
        verdict: as in `compare`; "no evidence" while undecided.
        reason: ``significant``; ``within delta``: the interval lies inside +-delta; ``futile``: even with all seeds it would hardly
            be found; ``seeds used up``: the last look has passed; ``undecided``: more seeds, please.
        seeds: looked at so far, 0 before the first look.
        wanted: seeds that this arm should have next; None where it needs no more.
        difference: at the last look passed. The interval is a repeated confidence interval, which holds at whatever look the race
            ends (Jennison and Turnbull, 1989); ``p`` is corrected for the looks, ``p_adjusted`` for the arms as well.
    """

    verdict: Verdict
    reason: Reason
    seeds: int
    wanted: int | None
    difference: Difference

    @property
    def decided(self) -> bool:
        """Whether its race is over."""
        return self.reason != "undecided"


def race(
    reference: ArrayLike,
    arms: Mapping[str, ArrayLike],
    looks: Sequence[int],
    alpha: float = 0.05,
    delta: float | None = None,
    hope: float = 0.1,
    family: Collection[str] | None = None,
) -> dict[str, Standing]:
    """Which arms are decided and which get more seeds.

    Call it with all scores so far whenever new ones are there; it has no memory. An arm that was decided is not trained further and
    keeps its fewer scores.

    Args:
        reference: (S,) scores of the reference, in the order of seeds.
        arms: name to (n,) scores of the first n of these seeds, n <= S; scores past the last look wait for the next one.
        looks: numbers of seeds, rising, fixed before the race began (`looks`, `plan`).
        delta: differences smaller than this are of no interest; None where all are.
        hope: an arm is futile when its chance to be significant at the last look is smaller, if the effect is what was seen so far.
        family: as in `compare`.

    Raises:
        DataError: an arm with more scores than the reference, or one that is not finite. ParameterError: looks that do not rise.

    Example:
        >>> base = [0.80, 0.81, 0.79, 0.80, 0.82, 0.78, 0.80, 0.81]
        >>> clear, open_ = np.add(base, 0.05), np.add(base, [0.01, 0.00, 0.02, -0.01, 0.01, 0.02, 0.00, 0.01])
        >>> found = race(base, {"shift": clear, "noise": open_}, looks=(8, 12, 20))
        >>> [(name, standing.verdict, standing.wanted) for name, standing in found.items()]
        [('shift', 'helps', None), ('noise', 'no evidence', 12)]
    """
    _check(looks, alpha, hope)
    base = finite("reference", reference)
    differences = {name: _paired(name, scores, base) for name, scores in arms.items()}
    together = members("race.family", family, differences)
    ps = {name: _sequential_p(values, looks) for name, values in differences.items()}
    adjusted = corrected(ps, together)
    level = {name: alpha / len(looks) / (len(together) if name in together else 1) for name in ps}

    def stand(name: str, values: NDArray[np.float64]) -> Standing:
        seen = max((look for look in looks if look <= len(values)), default=0)
        found = _seen(values, seen, 1 - alpha / len(looks))
        sign = found.sign if adjusted[name] < alpha else 0
        reason = _reason(values[:seen], found, sign, looks[-1], level[name], delta, hope)
        wanted = next(look for look in looks if look > seen) if reason == "undecided" else None
        return Standing(verdict_of(sign), reason, seen, wanted, Difference(found.mean, found.low, found.high, ps[name], adjusted[name]))

    return {name: stand(name, values) for name, values in differences.items()}


def _check(looks: Sequence[int], alpha: float, hope: float) -> None:
    share("race.alpha", alpha, "alpha=0.05")
    share("race.hope", hope, "hope=0.1")
    if not looks or looks[0] < 1 or any(after <= before for before, after in itertools.pairwise(looks)):
        raise ParameterError("race.looks", "rising numbers of seeds", repr(tuple(looks)), "looks=(8, 12, 20)")


def _paired(name: str, scores: ArrayLike, base: NDArray[np.float64]) -> NDArray[np.float64]:
    values = finite(f"arm {name!r}", scores)
    if len(values) > len(base):
        raise DataError(
            f"arm {name!r}", f"at most {len(base)} scores, as many as the reference has", str(len(values)), "the reference first"
        )
    return values - base[: len(values)]


def _sequential_p(values: NDArray[np.float64], looks: Sequence[int]) -> float:
    return min(1.0, len(looks) * min((sign_flip_p(values[:look]) for look in looks if look <= len(values)), default=1.0))


def _seen(values: NDArray[np.float64], seen: int, level: float) -> Estimate:
    return estimate(values[:seen], level) if seen else Estimate(float(values.mean()), None, None)


def _reason(values: NDArray[np.float64], found: Estimate, sign: int, last: int, alpha: float, delta: float | None, hope: float) -> Reason:
    """Stopping for futility only ever loses findings, so it may be as bold as ``hope`` says."""
    if sign:
        return "significant"
    if delta is not None and _inside(found, delta):
        return "within delta"
    if len(values) == last:
        return "seeds used up"
    return "futile" if len(values) > 1 and conditional_power(values, last, alpha) < hope else "undecided"


def _inside(found: Estimate, delta: float) -> bool:
    return found.low is not None and found.high is not None and -delta < found.low <= found.high < delta

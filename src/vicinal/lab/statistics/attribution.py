"""Which of my transforms carry the pipeline? Leave-one-out effects and Shapley values of subsets, with intervals over seeds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics.intervals import Estimate, Method, estimate
from vicinal.lab.statistics.scores import finite

Subset = frozenset[str]
Order = tuple[str, ...]

EXACT_PLAYERS = 8  # 256 trainings a seed


@final
@dataclass(frozen=True)
class Contribution:
    """What one transform contributes.

    Args:
        mean: in the unit of the scores.
        low, high: ends of the interval, which covers the seeds and the sampling of orders; None with one seed.
        sampling_error: standard error of ``mean`` that comes from the sampling of orders alone; 0.0 where all subsets were scored.
    """

    mean: float
    low: float | None
    high: float | None
    sampling_error: float = 0.0


def subsets(players: Sequence[str]) -> list[Subset]:
    """All subsets, the empty one first: what `shapley` needs scores of.

    Example:
        >>> [sorted(subset) for subset in subsets(["shift", "noise"])]
        [[], ['shift'], ['noise'], ['noise', 'shift']]
    """
    _few("subsets", players)
    return [frozenset(chosen) for size in range(len(players) + 1) for chosen in itertools.combinations(players, size)]


def leave_one_out(scores: Mapping[Subset, ArrayLike], level: float = 0.95, method: Method = "t") -> dict[str, Estimate]:
    """What the whole pipeline loses without each of its transforms: paired differences, whole minus all but one.

    A transform whose work another one does as well has no effect here, and so has the other; `shapley` shares it between them.

    Args:
        scores: subset to (S,) scores of the pipeline that has these transforms only; the whole and every whole without one.

    Raises:
        DataError: a subset that is missing, or other numbers of seeds.

    Example:
        >>> found = leave_one_out({frozenset("ab"): [0.9, 0.9], frozenset("a"): [0.8, 0.7], frozenset("b"): [0.9, 0.9]})
        >>> {name: round(effect.mean, 2) for name, effect in found.items()}
        {'a': 0.0, 'b': 0.15}
    """
    whole = _players(scores)
    table = _table(scores, [frozenset(whole), *(frozenset(whole) - {player} for player in whole)])
    return {player: estimate(table[0] - row, level, method) for player, row in zip(whole, table[1:], strict=True)}


def shapley(scores: Mapping[Subset, ArrayLike], level: float = 0.95, method: Method = "t") -> dict[str, Contribution]:
    """Exact Shapley values: the mean contribution of each transform over all orders of adding them (Shapley, "A value for n-person
    games", 1953). They sum to whole minus empty, under every seed.

    Args:
        scores: every subset (`subsets`) of at most 8 transforms to its (S,) scores, the same seeds for all.

    Raises:
        DataError: a subset that is missing, or other numbers of seeds. ParameterError: more than 8 transforms.

    Example:
        >>> found = shapley({frozenset(): [0.7], frozenset("a"): [0.8], frozenset("b"): [0.8], frozenset("ab"): [0.8]})
        >>> {name: round(value.mean, 3) for name, value in found.items()}
        {'a': 0.05, 'b': 0.05}
    """
    players = _players(scores)
    _few("shapley", players)
    every = subsets(players)
    values = _weights(players, every) @ _table(scores, every)
    return {player: Contribution(**vars(estimate(row, level, method))) for player, row in zip(players, values, strict=True)}


def _weights(players: Sequence[str], every: Sequence[Subset]) -> NDArray[np.float64]:
    """(players, subsets): a subset of size k with the player counts (k-1)! (n-k)! / n!, one without it -k! (n-k-1)! / n!."""
    n = len(players)
    gain = [math.factorial(k - 1) * math.factorial(n - k) / math.factorial(n) for k in range(1, n + 1)]
    return np.array([[gain[len(s) - 1] if player in s else -gain[len(s)] for s in every] for player in players])


def sampled_orders(players: Sequence[str], count: int, seed: int = 0) -> list[Order]:
    """Random orders of the transforms, each followed by its reverse, which halves much of the sampling error (Mitchell et al.,
    "Sampling permutations for Shapley value estimation", JMLR 2022). ``count`` is even and 4 at least.

    Example:
        >>> sampled_orders(["a", "b", "c"], 4)
        [('c', 'a', 'b'), ('b', 'a', 'c'), ('c', 'b', 'a'), ('a', 'b', 'c')]
    """
    if count < 4 or count % 2:
        raise ParameterError("sampled_orders.count", "an even number, 4 or more", repr(count), "count=20")
    rng = np.random.default_rng(seed)
    drawn: list[Order] = [tuple(rng.permutation(np.array(players, object)).tolist()) for _ in range(count // 2)]
    return [order for forth in drawn for order in (forth, forth[::-1])]


def prefixes(orders: Iterable[Order]) -> list[Subset]:
    """The subsets that `shapley_sampled` needs scores of, each once.

    Example:
        >>> [sorted(subset) for subset in prefixes([("a", "b"), ("b", "a")])]
        [[], ['a'], ['a', 'b'], ['b']]
    """
    return list(dict.fromkeys(frozenset(order[:size]) for order in orders for size in range(len(order) + 1)))


def shapley_sampled(scores: Mapping[Subset, ArrayLike], orders: Sequence[Order], level: float = 0.95) -> dict[str, Contribution]:
    """Shapley values of any number of transforms from sampled orders (Castro, Gomez and Tejada, "Polynomial calculation of the Shapley
    value based on sampling", 2009). They sum to whole minus empty as well.

    Args:
        scores: every subset of `prefixes` to its (S,) scores.
        orders: from `sampled_orders`, pairs of an order and its reverse.

    Raises:
        DataError: a subset that is missing, or other numbers of seeds.

    Example:
        >>> orders = sampled_orders(["a", "b", "c"], 4)
        >>> additive = {subset: [0.5 + 0.1 * ("a" in subset) + 0.2 * ("b" in subset)] for subset in prefixes(orders)}
        >>> {name: round(value.mean, 3) + 0.0 for name, value in sorted(shapley_sampled(additive, orders).items())}
        {'a': 0.1, 'b': 0.2, 'c': 0.0}
    """
    if len(orders) < 4 or len(orders) % 2:
        raise ParameterError("shapley_sampled.orders", "an even number, 4 or more", str(len(orders)), "sampled_orders(players, 20)")
    needed = prefixes(orders)
    rows = dict(zip(needed, _table(scores, needed), strict=True))
    return {player: _sampled(np.array([_added(rows, order, player) for order in orders]), level) for player in sorted(orders[0])}


def _added(rows: Mapping[Subset, NDArray[np.float64]], order: Order, player: str) -> NDArray[np.float64]:
    place = order.index(player)
    return rows[frozenset(order[: place + 1])] - rows[frozenset(order[:place])]


def _sampled(added: NDArray[np.float64], level: float) -> Contribution:
    """From (orders, S) contributions. Seeds and orders are drawn independently, so their squared errors add."""
    over_seeds = estimate(added.mean(0), level)
    pairs = (added[::2] + added[1::2]).mean(1) / 2
    error = float(pairs.std(ddof=1) / math.sqrt(len(pairs)))
    if over_seeds.low is None:
        return Contribution(over_seeds.mean, None, None, error)
    half = math.hypot(over_seeds.mean - over_seeds.low, float(stats.t.ppf((1 + level) / 2, len(pairs) - 1)) * error)
    return Contribution(over_seeds.mean, over_seeds.mean - half, over_seeds.mean + half, error)


def _players(scores: Mapping[Subset, ArrayLike]) -> list[str]:
    return sorted(frozenset().union(*scores))


def _few(where: str, players: Collection[str]) -> None:
    if len(players) > EXACT_PLAYERS:
        expected = f"at most {EXACT_PLAYERS} transforms, so {2**EXACT_PLAYERS} subsets"
        raise ParameterError(where, expected, f"{len(players)}", "shapley_sampled with sampled_orders")


def _table(scores: Mapping[Subset, ArrayLike], wanted: Sequence[Subset]) -> NDArray[np.float64]:
    """(subsets, S) scores, or an error that names what is missing."""
    missing = [_named(subset) for subset in wanted if subset not in scores]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise DataError("scores", f"all {len(wanted)} subsets of the pipeline that are needed", f"none for {shown}", "their scores too")
    count = len(finite(_named(wanted[0]), scores[wanted[0]]))
    return np.array([finite(_named(subset), scores[subset], count) for subset in wanted])


def _named(subset: Subset) -> str:
    return "{" + ", ".join(sorted(subset)) + "}"

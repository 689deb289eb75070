"""The price of an answer, before anything is trained: seeds, looks, runs and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from vicinal.core.errors import ParameterError
from vicinal.lab.statistics.power import MOST_SEEDS, fewest_seeds, seeds_needed
from vicinal.lab.statistics.scores import positive, share

LOOKS = 4  # more looks stop earlier but each of them may spend less


@final
@dataclass(frozen=True)
class Plan:
    """What a race will take.

    Args:
        seeds: with which an effect of the planned size is found with the planned power at the last look; None for more than 1,000.
        floor: seeds below which no effect, however large, passes the sign-flip test at any look.
        looks: numbers of seeds at which the arms are judged; empty where no number of seeds is enough and no limit was given.
        runs: trainings if all is decided at the first look, and if nothing is before the last; the reference counted in.
        seconds: the same in seconds; None without the time of a run.
        enough: whether the last look has the planned power.
    """

    seeds: int | None
    floor: int
    looks: tuple[int, ...]
    runs: tuple[int, int]
    seconds: tuple[float, float] | None
    enough: bool


def plan(
    effect: float,
    sd: float,
    arms: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    most: int | None = None,
    count: int = LOOKS,
    seconds: float | None = None,
) -> Plan:
    """Seeds, looks and time of a race of ``arms`` arms against one reference.

    Args:
        effect, sd: the smallest mean difference worth finding and the standard deviation of paired differences, in one unit; of a
            small pilot take `cautious_sd`.
        most: seeds that can be afforded; None for as many as are needed.
        count: looks; seconds: of one training.

    Raises:
        ParameterError: fewer seeds than the floor of the sign flips, so that nothing could be decided.

    Example:
        >>> found = plan(effect=0.01, sd=0.01, arms=12, seconds=4.0)
        >>> found.seeds, found.floor, found.looks, found.seconds
        (23, 11, (11, 14, 18, 23), (572.0, 1196.0))
    """
    positive(arms=arms, count=count)
    needed = seeds_needed(effect, sd, alpha / (arms * count), power)
    floor = fewest_seeds(alpha / count, arms)
    seeds = None if needed is None else max(needed, floor)
    last = seeds if most is None else min(most, seeds or MOST_SEEDS)
    at = () if last is None else looks(last, arms, alpha, count)
    runs = ((arms + 1) * at[0], (arms + 1) * at[-1]) if at else (0, 0)
    time = None if seconds is None else (runs[0] * seconds, runs[1] * seconds)
    return Plan(seeds, floor, at, runs, time, seeds is not None and seeds == last)


def looks(most: int, arms: int = 1, alpha: float = 0.05, count: int = LOOKS) -> tuple[int, ...]:
    """Numbers of seeds at which to look: evenly spaced in the logarithm, the first where the sign-flip test can first decide.

    Example:
        >>> looks(40, arms=12), looks(9, arms=12)
        ((11, 17, 26, 40), (9,))
    """
    share("looks.alpha", alpha, "alpha=0.05")
    positive(arms=arms, count=count)
    least = fewest_seeds(alpha, arms)
    if most < least:
        expected = f"at least {least} seeds, the floor of the sign-flip test with Holm's correction for {arms} arms"
        raise ParameterError("looks.most", expected, repr(most), f"most={least}")
    first = fewest_seeds(alpha / count, arms)
    if most <= first:
        return (most,)
    return tuple(np.unique(np.geomspace(first, most, count).round().astype(int)).tolist())

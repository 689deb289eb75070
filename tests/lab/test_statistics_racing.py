"""Racing: who is decided, what it costs, and that looking often makes no false answers."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import cautious_sd, compare, conditional_power, fewest_seeds, looks, plan, race

rng = np.random.default_rng


def raced(base: np.ndarray, arms: np.ndarray, at: tuple[int, ...], **options: float) -> tuple[dict[str, str], int]:
    """Play a race to its end: the verdicts, and the runs it took."""
    given = {str(arm): at[0] for arm in range(len(arms))}
    while True:
        found = race(base, {name: arms[int(name), :count] for name, count in given.items()}, at, **options)
        wanted = {name: standing.wanted for name, standing in found.items() if standing.wanted}
        if not wanted:
            return {name: standing.verdict for name, standing in found.items()}, sum(given.values())
        given |= wanted


@pytest.mark.parametrize("options", [{}, {"delta": 0.004}])
def test_useless_arms_are_rarely_found_however_often_one_looks(options):
    """Twelve useless arms, four looks, 150 races: the family-wise error stays below alpha."""
    at, wrong, naive = looks(16, arms=12), 0, 0
    for replicate in range(150):
        draw = rng(replicate)
        base = draw.normal(0.85, 0.02, at[-1])
        arms = base + draw.normal(0, 0.01, (12, at[-1]))
        wrong += any(verdict != "no evidence" for verdict in raced(base, arms, at, **options)[0].values())
        naive += any(compare(base[:n], {"arm": arms[0, :n]})["arm"].verdict != "no evidence" for n in at)
    assert wrong / 150 <= 0.05
    assert naive / 150 > 0.06, "one arm that is looked at four times without correction must go wrong more often"


def test_clear_arms_stop_early_and_doubtful_ones_go_on():
    at = looks(40, arms=3)
    base = rng(0).normal(0.85, 0.02, 40)
    arms = base + np.array([[0.05], [-0.03], [0.006]]) + rng(1).normal(0, 0.01, (3, 40))
    first = race(base, {name: scores[: at[0]] for name, scores in zip("abc", arms, strict=True)}, at)
    assert [(s.verdict, s.wanted) for s in first.values()] == [("helps", None), ("hurts", None), ("no evidence", at[1])]
    verdicts, runs = raced(base, arms, at)
    assert list(verdicts.values()) == ["helps", "hurts", "helps"]
    assert runs < 3 * 40 / 2


def test_a_decision_stands_when_more_is_seen():
    at = (8, 12, 16)
    base, gain = np.zeros(16), np.concatenate([np.linspace(0.02, 0.03, 8), np.linspace(-0.01, 0.01, 8)])
    early, late = (race(base, {"arm": gain[:n]}, at)["arm"] for n in (8, 16))
    assert early.verdict == "helps"
    assert late.difference.p <= early.difference.p


def test_small_effects_are_given_up():
    at, base = (10, 20, 40), np.zeros(40)
    flat = np.tile([0.001, -0.001], 5)
    found = race(base, {"arm": flat}, at, delta=0.005)["arm"]
    assert (found.verdict, found.reason, found.decided) == ("no evidence", "within delta", True)
    assert race(base, {"arm": np.zeros(10)}, at, delta=0.005)["arm"].reason == "within delta"
    assert race(base, {"arm": flat}, at)["arm"].reason == "futile"
    assert race(base, {"arm": np.tile([0.02, -0.012], 5)}, at)["arm"].reason == "undecided"


def test_before_the_first_and_after_the_last_look():
    base = np.zeros(40)
    early = race(base, {"arm": [0.01] * 4}, (6, 12))["arm"]
    assert (early.seeds, early.wanted, early.difference.p, early.difference.low) == (0, 6, 1, None)
    late = race(base, {"arm": np.tile([0.03, -0.02], 10)}, (10, 20))["arm"]
    assert (late.reason, late.wanted) == ("seeds used up", None)


def test_one_look_is_compare():
    base = rng(0).normal(0.8, 0.01, 10)
    arms = {name: base + rng(seed).normal(0.01, 0.01, 10) for seed, name in enumerate("abc")}
    for name, standing in race(base, arms, (10,)).items():
        found = compare(base, arms)[name]
        assert (standing.verdict, standing.difference) == (found.verdict, found.difference)


def test_a_family_leaves_controls_out():
    base = np.zeros(8)
    arms = {name: np.full(8, 0.01) + rng(seed).normal(0, 0.001, 8) for seed, name in enumerate(["a", "b", "control"])}
    ps = {name: s.difference.p_adjusted for name, s in race(base, arms, (8,), family=("a", "b")).items()}
    assert ps == {"a": 4 / 2**8, "b": 4 / 2**8, "control": 2 / 2**8}


def test_faults_of_a_race_are_named():
    with pytest.raises(ParameterError, match="rising numbers of seeds"):
        race([0.1] * 9, {}, (8, 8))
    with pytest.raises(DataError, match="at most 2 scores, as many as the reference has"):
        race([0.1, 0.2], {"arm": [0.1, 0.2, 0.3]}, (2,))
    with pytest.raises(ParameterError, match="names out of arm"):
        race([0.1, 0.2], {"arm": [0.1, 0.2]}, (2,), family=["other"])


def test_conditional_power_agrees_with_simulation():
    seen = rng(2).normal(0.5, 1, 10)
    mean, sd = seen.mean(), seen.std(ddof=1)
    sums = seen.sum() + rng(3).normal(mean, sd, (20_000, 20)).sum(1)
    share = (np.abs(sums) / (sd * np.sqrt(30)) > 1.96).mean()
    assert conditional_power(seen, 30) == pytest.approx(share, abs=0.01)
    assert conditional_power(np.full(5, 0.1), 30) == 1
    assert conditional_power(np.zeros(5), 30) == 0


# the plan


def test_the_plan_is_the_power_table_at_one_look():
    assert [plan(0.01 * pp, 0.01, count=1).seeds for pp in (0.5, 1, 2)] == [34, 10, 6]
    assert plan(0.05, 0.01, arms=12, count=1).seeds == fewest_seeds(arms=12) == 9


def test_runs_and_time_are_counted_with_the_reference():
    found = plan(0.01, 0.01, arms=3, seconds=2.0)
    assert found.runs == (4 * found.looks[0], 4 * found.looks[-1])
    assert found.seconds == (2.0 * found.runs[0], 2.0 * found.runs[1])
    assert found.enough
    assert found.looks[-1] == found.seeds
    assert plan(0.01, 0.01).seconds is None


def test_a_limit_that_is_too_small_is_said_and_an_impossible_one_refused():
    found = plan(0.003, 0.01, arms=2, most=20)
    assert (found.looks[-1], found.enough) == (20, False)
    hopeless = plan(0.0001, 0.01)
    assert (hopeless.seeds, hopeless.looks, hopeless.enough) == (None, (), False)
    with pytest.raises(ParameterError, match="at least 9 seeds, the floor of the sign-flip test"):
        plan(0.01, 0.01, arms=12, most=8)


def test_every_look_can_decide():
    for arms in (1, 2, 12):
        at = looks(60, arms)
        assert len(at) == 4
        assert 2 / 2 ** at[0] * arms * len(at) < 0.05 <= 2 / 2 ** (at[0] - 1) * arms * len(at)


def test_the_planned_power_is_kept():
    at = plan(0.01, 0.01, arms=2).looks
    found = 0
    for replicate in range(200):
        draw = rng(replicate)
        verdicts, _ = raced(np.zeros(at[-1]), draw.normal([[0.01], [0.0]], 0.01, (2, at[-1])), at, hope=0.01)
        found += verdicts["0"] == "helps"
    assert found / 200 >= 0.75


def test_the_cautious_sd_is_the_limit_that_it_says():
    pilots = rng(0).normal(0, 2, (4000, 5))
    assert np.mean([cautious_sd(pilot) > 2 for pilot in pilots]) == pytest.approx(0.8, abs=0.03)
    with pytest.raises(DataError, match="at least 2 seeds"):
        cautious_sd([0.1])

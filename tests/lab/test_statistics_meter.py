"""The gate on the lab's own verdicts: how often they are wrong where nothing is to be found."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import meter
from vicinal.lab.statistics.readings import null_scores


def test_every_reading_is_where_it_belongs():
    """Acceptance experiment 12, with its limits and 200 studies of each kind."""
    rows = {row.name: row for row in meter(200)}
    assert [name for name, row in rows.items() if not row.holds] == []
    limits = [(row.least, row.most) for row in rows.values()]
    assert limits[:7] == [(0, 0.07), (0, 0.07), (0.3, 1), (0.3, 1), (0.7, 1), (0.1, 1), (0, 0.07)]
    assert [round(100 * row.value, 1) for name, row in rows.items() if "optimism" in name] == [3.4, 2.5, 1.1, 0.8]
    assert all(row.low <= row.value <= row.high for row in rows.values())


def test_null_scores_share_their_seeds():
    scores = null_scores(np.random.default_rng(0), 4000, 3)
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(0.04 / 0.045, abs=0.02)
    assert (scores[:, 1] - scores[:, 0]).std() == pytest.approx(0.01, rel=0.05)


def test_cached_scores_take_the_place_of_made_up_ones():
    """Arms that are not alike are found out: with one good arm in the cache the null studies are no longer null."""
    alike = null_scores(np.random.default_rng(0), 30, 13)
    assert meter(30, scores=alike)[0].value <= 0.1
    assert meter(1, scores=alike)[0].value in (0, 1)
    with pytest.raises(DataError, match="at least 9 seeds and 13 arms"):
        meter(1, scores=alike[:8])
    with pytest.raises(ParameterError, match="1 or more"):
        meter(0)

"""Remaining lives of fleets of which many units go on: how far readings tell, and what is said beyond."""

import numpy as np
import pytest

from models.learning.lifespan import Survival
from models.learning.lifespan.beyond import Beyond, Watched, fit_beyond

SURVIVAL = Survival(2.0, 1000.0, shape_is_assumed=False)
BEYOND = Beyond(100.0, np.array([20.0, 60.0, 100.0]), np.array([0.0, 0.4, 1.0]))


def test_watched_rows_stand_for_those_that_were_not_watched_so_long():
    """The weights of known outcomes add up to all rows, and a cut by chance no longer shortens lives."""
    random = np.random.default_rng(3)
    lives, cuts = random.uniform(0, 100, 4000), random.uniform(0, 200, 4000)
    failed = lives <= cuts
    seen = np.minimum(lives, cuts)
    watched = Watched.of(seen, failed)
    known = seen[failed]
    weights = watched.weights(known)
    assert weights.sum() == pytest.approx(4000, rel=0.03)
    assert known.mean() < 46
    assert np.average(known, weights=weights) == pytest.approx(50, rel=0.03)
    # Of the cuts a quarter lies below 50.
    assert watched.reach() == pytest.approx(50, rel=0.1)


def test_who_is_always_watched_has_no_limit():
    """Where all have failed each row stands for itself."""
    watched = Watched.of(np.array([3.0, 1.0, 2.0]), np.ones(3, np.bool_))
    assert watched.reach() == np.inf
    assert watched.weights(np.array([1.0, 3.0])).tolist() == [1.0, 1.0]


def test_values_and_intervals_reach_as_far_as_units_do():
    """One that is worn is told by readings alone, one that may live on by both, a healthy one by age from there on."""
    told, ages = np.array([20.0, 60.0, 100.0]), np.full(3, 500.0)
    value = BEYOND.value(told, ages, SURVIVAL)
    further = SURVIVAL.remaining(np.full(1, 600.0), np.array([0.5, 0.05, 0.95]))
    assert value[:2].tolist() == [20.0, 60.0]
    assert value[2] == pytest.approx(100 + further[0])
    lower, upper = BEYOND.interval(told, told / 2, np.minimum(told * 2, 100.0), ages, SURVIVAL, 0.9)
    assert (lower[0], upper[0]) == (10.0, 40.0)
    assert lower[1] == 30.0
    assert 100 < upper[1] < upper[2]
    assert (lower[2], upper[2]) == pytest.approx((100 + further[1], 100 + further[2]))


def test_the_share_beyond_never_falls_with_the_prediction():
    """It is that of the rows with about such a prediction, by their weights; neighbours out of order are joined."""
    predicted = np.repeat([10.0, 20.0, 30.0], 40)
    outcomes = np.where(np.arange(120) % 4 < np.repeat([2, 1, 4], 40), 100.0, 5.0)
    found = fit_beyond(predicted, outcomes, np.ones(120), 100.0)
    assert found.predicted.tolist() == [10.0, 20.0, 30.0]
    assert found.shares == pytest.approx([0.375, 0.375, 1.0])
    again = Beyond.from_json(found.to_json())
    np.testing.assert_array_equal(again.shares, found.shares)

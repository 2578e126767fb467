"""Drift of windows in which each unit has several rows."""

import numpy as np
import pytest

from models.learning.drift import Kind, compare, sketch_of
from models.learning.drift_of_units import compare_units


@pytest.fixture(scope="module")
def sketch():
    """A training of independent rows."""
    return sketch_of(np.random.default_rng(3).standard_normal(4000))


def windows(shift=0.0, units=12, days=10):
    """Yield windows in which units that hardly change are looked at on several days."""
    random = np.random.default_rng(5)
    for _ in range(100):
        own = random.standard_normal(units) + shift
        yield np.concatenate([own + 0.05 * random.standard_normal(units) for _ in range(days)])


def test_few_units_are_not_taken_for_drift(sketch):
    """Where rows count as if they were of different units, chance looks like drift; here it does not."""
    naive = sum(compare(sketch, window).drifted for window in windows())
    careful = sum(compare_units(sketch, window, 12).kind is Kind.DRIFT for window in windows())
    assert naive >= 10
    assert careful <= 1


def test_a_great_change_is_found_all_the_same(sketch):
    """The threshold that it is beyond is the wider one."""
    found = [compare_units(sketch, window, 12) for window in windows(shift=2.5)]
    assert sum(each.kind is Kind.DRIFT for each in found) >= 95
    plain = [compare(sketch, window) for window in windows(shift=2.5)]
    assert all(
        abs(wide.threshold) > abs(each.threshold)
        for wide, each in zip(found, plain, strict=True)
        if wide.statistic is each.statistic is not None and wide.drifted
    )


def test_units_with_one_row_each_are_compared_as_they_are(sketch):
    """Nothing is widened."""
    values = np.random.default_rng(8).standard_normal(60) + 1
    assert compare_units(sketch, values, 60) == compare(sketch, values)


def test_what_units_have_in_common_is_not_widened():
    """The thresholds know the weather from the training; more rows of a unit make it no less known."""
    random = np.random.default_rng(11)
    weather = np.repeat(np.cumsum(random.standard_normal(100)) / 5, 40)
    shared = sketch_of(weather + 0.3 * random.standard_normal(4000))
    values = np.full(80, 12.0) + 0.3 * random.standard_normal(80)
    wide, plain = compare_units(shared, values, 20), compare(shared, values)
    assert plain.drifted
    assert wide.statistic is plain.statistic
    assert wide.threshold == pytest.approx(plain.threshold, rel=0.2)


def test_a_feature_that_was_never_known_is_unknown_for_ever():
    """Trainings have such features: nothing is computed of them, and nothing is said."""
    nothing = sketch_of(np.full(4000, np.nan))
    assert compare_units(nothing, np.full(60, 1.0), 60).kind is Kind.UNKNOWN

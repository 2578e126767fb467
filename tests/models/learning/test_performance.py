"""How far predictions were from what came of them."""

import numpy as np
import pytest

from models.learning.performance import design_effect, errors_of_probabilities, errors_of_values

NONE = np.zeros(3, np.bool_)


def test_errors_of_values_that_are_known():
    """Absolute and squared errors, their direction, and the share within the intervals."""
    values, truths = np.array([10.0, 20.0, 30.0]), np.array([12.0, 20.0, 24.0])
    found = errors_of_values(values, values - 3, values + 3, truths, NONE)
    assert found["mae"] == pytest.approx(8 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(40 / 3))
    assert found["bias"] == pytest.approx(4 / 3)
    assert found["interval_coverage"] == pytest.approx(2 / 3)


def test_a_bound_counts_where_it_tells_something():
    """What has outlived its value has at least that error; what has outlived its interval lies outside it."""
    values, bounds = np.array([10.0, 10.0, 10.0]), np.array([5.0, 12.0, 20.0])
    found = errors_of_values(values, values - 3, values + 3, bounds, ~NONE)
    assert found["mae"] == pytest.approx(6)
    assert found["bias"] == pytest.approx(-6)
    assert found["interval_coverage"] == 0


def test_bounds_that_say_nothing_yet_give_no_errors():
    """No metric is better than one that nothing is known of."""
    values = np.array([10.0, 20.0, 30.0])
    assert errors_of_values(values, values - 1, values + 1, values / 2, ~NONE) == {}


def test_intervals_that_are_not_there_are_not_judged():
    """The errors are told all the same."""
    values, lacking = np.array([1.0, 2.0, 3.0]), np.full(3, np.nan)
    assert set(errors_of_values(values, lacking, lacking, values, NONE)) == {"mae", "rmse", "bias"}


def test_errors_of_probabilities():
    """Certain and right is 0, certain and wrong 1; calibrated is what comes as often as it is said."""
    assert errors_of_probabilities(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == {
        "brier": 0,
        "calibration_error": 0,
    }
    assert errors_of_probabilities(np.array([0.0]), np.array([1.0])) == {"brier": 1, "calibration_error": 1}
    half = errors_of_probabilities(np.full(4, 0.5), np.array([1.0, 0.0, 1.0, 0.0]))
    assert half == {"brier": 0.25, "calibration_error": 0}


def test_rows_of_one_unit_count_as_one():
    """Twice the rows of the same units have twice the variance that their number lets expect."""
    assert design_effect(48, 24) == 2
    assert design_effect(24, 24) == 1
    assert design_effect(0, 0) == 1

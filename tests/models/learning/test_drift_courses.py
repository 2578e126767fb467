"""The common course of a fleet: season, weather and single devices are in it; what all meet on one day stands out."""

import numpy as np
import pytest

from models.learning.drift import Finding, Kind, Statistic, compare_days
from models.learning.drift.courses import common_course
from models.severity import Severity

DEVICES, DAYS = 30, 70


def fleet(seed: int, days: int = DAYS) -> np.ndarray:
    """Return (devices, days) of a fleet: own means and scales, a season, weather that lasts, a busy weekend."""
    random = np.random.default_rng(seed)
    weather = random.standard_normal(days + 1)
    day = np.arange(days)
    common = 0.1 * day + 0.25 * (weather[1:] + weather[:-1]) + 0.3 * (day % 7 >= 5)
    own = random.uniform(0.5, 2.0, (DEVICES, 1)) * random.standard_normal((DEVICES, days))
    return random.uniform(10, 50, (DEVICES, 1)) + common + own


def judged(values: np.ndarray, learnt: int = 50) -> Finding:
    """Return the verdict on the newest day."""
    return compare_days(values, learnt, "°C")


@pytest.mark.parametrize("size", [-5.0, 5.0])
def test_a_jump_of_all_devices_is_told_on_the_day_after(size):
    """With its size, in the unit of the values, and the limit of chance."""
    for seed in range(5):
        values = fleet(seed)
        values[:, -1] += size
        found = judged(values)
        assert (found.kind, found.statistic, found.drifted) == (Kind.DRIFT, Statistic.COURSE, True)
        assert found.value == pytest.approx(size, abs=1.5)
        assert abs(found.threshold) < abs(found.value)
        assert found.sample_count == DEVICES
        assert found.severity in {Severity.HIGH, Severity.CRITICAL}
        assert "°C" in found.reason
        assert ("above" if size > 0 else "below") in found.reason


def test_a_jump_is_told_for_as_long_as_a_season_could_not_have_brought_it():
    """Days that stand out are no part of what later ones are compared with."""
    values = fleet(1, 80)
    values[:, 60:] += 5
    assert all(judged(values[:, :end]).drifted for end in range(61, 71))


def test_a_rise_of_a_few_days_is_told():
    """Days that rise by less than the weather may differ by stand out together."""
    for seed in range(1, 5):
        values = fleet(seed)
        values[:, -7:] += np.linspace(0.4, 2.8, 7)
        found = [judged(values[:, :end]) for end in range(DAYS - 6, DAYS + 1)]
        assert found[-1].drifted
        assert not found[0].drifted


def test_neither_season_nor_weather_nor_weekend_is_a_break():
    """Of many days hardly one stands out, and never two of three."""
    for seed in range(4):
        values = fleet(seed, 130)
        flags = np.array([judged(values[:, end - DAYS : end], 0).drifted for end in range(DAYS, 131)], np.int64)
        assert flags.mean() < 0.02
        assert (flags[2:] + flags[1:-1] + flags[:-2]).max() < 2


def test_what_a_version_has_learnt_from_is_its_normal_and_another_break_is_none():
    """Three days of the new world are enough to know its level; a return to the old one is told again."""
    values = fleet(3)
    values[:, 50:] += 5
    for end in range(54, 61):
        assert judged(values[:, :end], 40).drifted
        assert not judged(values[:, :end], 53).drifted
    values[:, 58:] -= 5
    assert judged(values[:, :59], 53).drifted


def test_devices_that_come_and_go_do_not_move_the_course():
    """Each is measured by its own mean; one that goes wild counts for little."""
    values = fleet(4)
    values[:12, 30:] = np.nan
    values[12:20, :25] = np.nan
    values[20, 40:] += 1000
    course = common_course(values)
    assert course is not None
    assert np.abs(np.diff(course.level)).max() < 2.5
    assert not judged(values).drifted


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full((4, DAYS), 1.0), "fewer than 5 devices"),
        (np.zeros((30, DAYS)), "hardly any varies"),
        (np.full((30, DAYS), np.nan), "fewer than 5 devices"),
        (fleet(5)[:, :9], "12 before the newest"),
        (np.column_stack([fleet(5), np.full(DEVICES, np.nan)]), "12 before the newest"),
    ],
)
def test_what_cannot_be_judged_is_unknown_and_says_why(values, why):
    """Too few devices, too few days, values that never vary, a newest day of which nothing is known."""
    found = judged(values)
    assert (found.kind, found.drifted) == (Kind.UNKNOWN, False)
    assert why in found.reason

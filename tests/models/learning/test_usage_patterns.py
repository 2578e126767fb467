"""Profiles, peaks, averages and changes, against what the numbers were drawn from."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.usage import (
    Basis,
    Calendar,
    Heater,
    HeatSource,
    HourlyUse,
    Missing,
    analyse,
    profiles,
    usage_patterns,
)

# A Monday, 2024-07-15.
FIRST = 19_919 * 24
HEATER = Heater(
    source=HeatSource.RESISTIVE,
    capacity_liters=200,
    rated_power_watts=2000,
    target_temperature=60,
    min_temperature=35,
    max_temperature=75,
)
# Nothing at night, two peaks.
DAY = np.array([0, 0, 0, 0, 0, 1, 6, 20, 12, 3, 2, 2, 3, 2, 2, 2, 3, 6, 14, 18, 8, 3, 1, 0], np.float64)


def drawn(days=84, seed=3, weekend=1.5, growth=0.0) -> np.ndarray:
    """Return (days * 24,) litres: gamma noise around DAY, more at weekends, growing from week to week."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 24)
    level = np.where(day % 7 >= 5, weekend, 1.0) * (1 + growth * (day // 7))
    return np.tile(DAY, days) * level * random.gamma(2.0, 0.5, days * 24)


def patterns_of(liters, **changes):
    """Return the patterns of one device with a flow meter."""
    use = HourlyUse.of(FIRST, (1, len(liters)), liters=np.asarray(liters)[None], **changes)
    return usage_patterns(use, None, Calendar.of(FIRST, len(liters), changes.pop("zone", "UTC")))[0]


def test_profile_is_that_of_the_truth():
    """The hours of the day, the peaks, the average and the weekend come out as they were put in."""
    found = patterns_of(drawn())
    assert found.basis is Basis.METERED_LITERS
    assert found.hourly_profile == pytest.approx(DAY * (5 + 2 * 1.5) / 7, rel=0.25, abs=0.3)
    assert found.peak_hours == (7, 8, 18, 19)
    assert found.daily_liters is not None
    assert found.daily_liters.lower < DAY.sum() * 8 / 7 < found.daily_liters.upper
    assert found.weekday_weekend_ratio is not None
    assert found.weekday_weekend_ratio.lower < 1 / 1.5 < found.weekday_weekend_ratio.upper
    assert found.weekly_trend is not None
    assert found.weekly_trend.lower < 0 < found.weekly_trend.upper
    assert not found.missing
    assert found.days_covered == 84
    assert found.coverage == 1
    assert 0.8 < found.confidence < 1


def test_shrunk_profile_is_nearer_to_the_truth_than_raw_means():
    """Over many devices with few weeks the shrunk cells err less than the means of cells and than hours of the day."""
    liters = np.stack([drawn(21, seed) for seed in range(30)])
    truth = np.concatenate([DAY * (1.5 if weekday >= 5 else 1.0) for weekday in range(7)])
    found = profiles(liters, np.full(liters.shape, 3600.0), Calendar.of(FIRST, liters.shape[1], "UTC"))
    raw = liters.reshape(30, 3, 168).mean(axis=1)
    by_hour = np.tile(found.hour_of_day, (1, 7))
    shrunk, plain, daily = (np.mean((guess - truth) ** 2) for guess in (found.hour_of_week, raw, by_hour))
    assert shrunk < 0.7 * plain
    assert shrunk < daily


def test_one_week_tells_hours_of_the_day_only():
    """A cell seen once is no evidence of its own: the hour of the week is the hour of the day."""
    found = patterns_of(drawn(7))
    assert found.hour_of_week is not None
    assert found.hourly_profile is not None
    assert found.hour_of_week.reshape(7, 24) == pytest.approx(np.tile(found.hourly_profile, (7, 1)))
    assert found.missing["weekly_trend"] is Missing.TOO_LITTLE_HISTORY


def test_flat_use_has_no_peak():
    """Where every hour is alike, noise makes none of them a peak."""
    noise = np.random.default_rng(5).gamma(1.0, 5.0, 60 * 24)
    assert patterns_of(noise).peak_hours == ()


def test_clocks_of_the_users_count():
    """The same water is drawn two hours later by Berlin's clocks, in summer."""
    liters = drawn(28)
    use = HourlyUse.of(FIRST, (1, len(liters)), liters=liters[None])
    there = usage_patterns(use, None, Calendar.of(FIRST, len(liters), "Europe/Berlin"))[0]
    assert there.peak_hours == (9, 10, 20, 21)


def test_growth_is_seen():
    """A steady growth of 3 % a week is in the interval of the trend, and in the change from month to month."""
    found = patterns_of(drawn(growth=0.03))
    mean = DAY.sum() * 8 / 7
    assert found.weekly_trend is not None
    assert 0 < found.weekly_trend.lower < 0.03 * mean < found.weekly_trend.upper
    assert found.change_to_previous_month is not None
    assert found.change_to_previous_month.value == pytest.approx(0.1, abs=0.06)


def test_trend_is_robust():
    """A week of leaking does not make a trend."""
    liters = drawn()
    liters[70 * 24 : 77 * 24] += 60
    found = patterns_of(liters)
    assert found.weekly_trend is not None
    assert abs(found.weekly_trend.value) < 1.5


def test_gaps_are_filled_at_their_hours():
    """Missing nights do not raise the average; days mostly missing do not count."""
    liters = drawn()
    gaps = liters.copy().reshape(84, 24)
    gaps[::2, 6:10] = np.nan
    gaps[10:14, :12] = np.nan
    whole, holed = patterns_of(liters), patterns_of(gaps.ravel())
    assert holed.days_covered == 80
    assert holed.coverage < 0.95
    assert holed.confidence < whole.confidence
    assert holed.daily_liters is not None
    assert whole.daily_liters is not None
    assert holed.daily_liters.value == pytest.approx(whole.daily_liters.value, rel=0.06)


@pytest.mark.parametrize(
    ("liters", "reason"),
    [
        (np.full(28 * 24, np.nan), Missing.NO_READINGS),
        (drawn(5), Missing.TOO_LITTLE_HISTORY),
        (np.zeros(84 * 24), Missing.NO_USE),
    ],
)
def test_what_is_not_known_has_a_reason(liters, reason):
    """Without readings, with too few days and where nothing is drawn, figures are missing and say why."""
    found = patterns_of(liters)
    assert found.peak_hours is None
    assert found.weekday_weekend_ratio is None
    assert found.missing["peak_hours"] is reason
    assert found.missing["weekday_weekend_ratio"] is reason
    if reason is not Missing.NO_USE:
        assert found.daily_liters is None
        assert found.confidence == 0


def test_litres_come_from_energy_where_no_flow_is_metered():
    """Energy that heats the water drawn and keeps the tank warm gives the litres back, and says what it assumes."""
    liters = drawn()
    joules = liters * 4186 * 50 + 1.93 * 40 * 3600
    use = HourlyUse.of(FIRST, (1, len(liters)), kwh=joules[None] / 3.6e6)
    found = usage_patterns(use, [HEATER], Calendar.of(FIRST, len(liters), "UTC"))[0]
    assert found.basis is Basis.ESTIMATED_LITERS
    assert found.daily_liters is not None
    assert found.daily_liters.value == pytest.approx(DAY.sum() * 8 / 7, rel=0.06)
    assert found.peak_hours == (7, 8, 18, 19)
    assert found.assumed[-1] == "water comes in at 10 °C"
    assert found.quality == pytest.approx(0.6)
    assert found.hourly_profile is not None
    assert (found.hourly_profile >= 0).all()


def test_a_heat_pump_without_flow_meter_has_no_litres():
    """How much heat it makes is not known, so its energy is told and its litres are not."""
    kwh = drawn()[None] / 50
    use = HourlyUse.of(FIRST, kwh.shape, kwh=kwh)
    pump = replace(HEATER, source=HeatSource.HEAT_PUMP)
    found = usage_patterns(use, [pump], Calendar.of(FIRST, kwh.shape[1], "UTC"))[0]
    assert found.basis is Basis.ENERGY
    assert found.daily_liters is None
    assert found.missing == {"daily_liters": Missing.LITERS_UNKNOWN}
    assert found.daily_average is not None
    assert found.daily_average.value == pytest.approx(kwh.sum() / 84, rel=0.01)
    told = usage_patterns(use, [replace(pump, efficiency=3.0)], Calendar.of(FIRST, kwh.shape[1], "UTC"))[0]
    assert told.basis is Basis.ESTIMATED_LITERS


def test_devices_of_a_batch_do_not_touch_each_other():
    """Each device gets alone what it gets beside others, and inputs stay as they were."""
    liters = np.stack([drawn(seed=1), np.full(84 * 24, np.nan), drawn(seed=2) * 3, np.zeros(84 * 24)])
    calendar = Calendar.of(FIRST, liters.shape[1], "UTC")
    before = liters.copy()
    together = usage_patterns(HourlyUse.of(FIRST, liters.shape, liters=liters), None, calendar)
    for row, found in enumerate(together):
        alone = usage_patterns(HourlyUse.of(FIRST, (1, liters.shape[1]), liters=liters[row : row + 1]), None, calendar)[
            0
        ]
        assert found.daily_average == alone.daily_average
        assert found.peak_hours == alone.peak_hours
        assert found.missing == alone.missing
        if found.hour_of_week is not None:
            assert found.hour_of_week == pytest.approx(alone.hour_of_week)
    assert np.array_equal(before, liters, equal_nan=True)


@pytest.mark.parametrize("hours", [0, 1, 23, 100])
def test_very_short_series_are_no_trouble(hours):
    """From no hour on, there is an answer, if only reasons."""
    use = HourlyUse.of(FIRST, (2, hours), liters=np.ones((2, hours)))
    found = analyse(use, [HEATER, HEATER], "Asia/Kolkata")
    assert [usage.patterns.daily_liters for usage in found] == [None, None]
    assert [usage.savings.optimizations for usage in found] == [(), ()]

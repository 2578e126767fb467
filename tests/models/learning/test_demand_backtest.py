"""Which forecast a machine's backtest prefers, and that it never looks ahead."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.demand import (
    BACKTEST_DAYS,
    CANDIDATES,
    HISTORY_DAYS,
    DailySeries,
    MachineHistory,
    Method,
    Reason,
    backtest,
    choose,
    daily_demand,
)
from models.learning.demand.backtest import choose_from
from models.learning.demand.localtime import DAY, HOUR

# A Monday, 2024-07-15.
MONDAY = 19_919


def weekly(days=200, seed=1, week=(20, 18, 16, 15, 22, 3, 1)):
    """Return daily units that follow the weekday, with Poisson noise."""
    expected = np.resize(np.array(week, np.float64), days)
    return DailySeries(np.random.default_rng(seed).poisson(expected).astype(np.float64), MONDAY)


def level(days=200, seed=2, mean=6.0):
    """Return daily units that are alike on all weekdays."""
    return DailySeries(np.random.default_rng(seed).poisson(mean, days).astype(np.float64), MONDAY)


def history_of(series: DailySeries, **changes) -> MachineHistory:
    """Return sales of one product at noon UTC with these daily units."""
    days = np.arange(len(series.units))
    fields = {
        "products": np.zeros(len(days), np.int64),
        "sold_at_micros": (series.first_day + days) * DAY + 12 * HOUR,
        "units": series.units,
        "product_count": 1,
        "start_micros": series.first_day * DAY,
        "now_micros": (series.first_day + len(days)) * DAY,
    }
    return MachineHistory(**(fields | changes))


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.method)
@pytest.mark.parametrize("units", [weekly().units, level().units, np.zeros(90), np.full(90, 7.0), np.eye(1, 90, 50)[0]])
def test_candidates_forecast_finite_units(candidate, units):
    """Whatever was sold, none, always the same or one unit, a forecast is finite, not negative and has all its days."""
    before = units.copy()
    forecaster = candidate.fit(DailySeries(units, MONDAY))
    expected = forecaster.forecast(28)
    assert expected.shape == (28,)
    assert np.all(np.isfinite(expected))
    assert np.all(expected >= 0)
    assert np.array_equal(forecaster.forecast(28), expected)
    assert np.array_equal(candidate.fit(DailySeries(units, MONDAY)).forecast(28), expected)
    assert np.array_equal(units, before)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.method)
def test_constant_sales_are_forecast_as_such(candidate):
    """A machine that sells the same every day is expected to go on; the regression's half unit may show a little."""
    expected = candidate.fit(DailySeries(np.full(120, 7.0), MONDAY)).forecast(14)
    assert expected == pytest.approx(np.full(14, 7.0), rel=0.02)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.method)
def test_candidates_work_at_their_minimum(candidate):
    """The days that a candidate says it needs are enough."""
    units = weekly(candidate.minimum_days).units
    assert np.all(np.isfinite(candidate.fit(DailySeries(units, MONDAY)).forecast(9)))


@pytest.mark.parametrize("method", [method for method, _, _ in CANDIDATES if method is not Method.POISSON_REGRESSION])
def test_scaled_sales_scale_the_forecast(method):
    """Ten times the units on every day are ten times the forecast."""
    fit = next(candidate.fit for candidate in CANDIDATES if candidate.method is method)
    units = weekly().units
    tenfold = fit(DailySeries(10 * units, MONDAY)).forecast(10)
    assert tenfold == pytest.approx(10 * fit(DailySeries(units, MONDAY)).forecast(10))


def test_seasonal_naive_repeats_the_last_week():
    """The day after a Sunday is expected as the Monday before it."""
    units = np.arange(1.0, 15.0)
    forecaster = next(c for c in CANDIDATES if c.method is Method.SEASONAL_NAIVE).fit(DailySeries(units, MONDAY))
    assert forecaster.forecast(9).tolist() == [8, 9, 10, 11, 12, 13, 14, 8, 9]


def test_weekday_mean_takes_four_weeks():
    """The fifth week back changes nothing."""
    units = np.concatenate([np.full(7, 1000.0), np.repeat([1.0, 2.0, 3.0, 6.0], 7)])
    forecaster = next(c for c in CANDIDATES if c.method is Method.WEEKDAY_MEAN).fit(DailySeries(units, MONDAY))
    assert forecaster.forecast(7) == pytest.approx(np.full(7, 3.0))


def test_backtest_never_looks_ahead():
    """Altered sales of a day and all after it leave the forecasts of that day and of all before it as they were."""
    series = weekly()
    altered = series.units.copy()
    altered[180:] = 500.0
    before, after = backtest(series, 40), backtest(DailySeries(altered, series.first_day), 40)
    assert np.array_equal(before.forecasts[:21], after.forecasts[:21])
    assert not np.array_equal(before.forecasts[21:], after.forecasts[21:])


def test_sales_after_now_change_no_choice():
    """What a history holds of the future is not looked at, nor is the incomplete present day."""
    series = weekly(150)
    full = history_of(series)
    now = (series.first_day + 120) * DAY + 15 * HOUR
    cut = history_of(DailySeries(series.units[:120], series.first_day), now_micros=now)
    assert choose(replace(full, now_micros=now)) == choose(cut)


def test_choice_fits_the_machine():
    """Sales by weekday choose a method that knows weekdays; even sales choose one that does not."""
    by_weekday = {Method.WEEKDAY_MEAN, Method.HOUR_OF_WEEK, Method.POISSON_REGRESSION, Method.COMBINATION}
    assert choose_from(weekly()).method in by_weekday
    assert choose_from(level()).method in {Method.SMOOTHING, Method.INTERMITTENT, Method.COMBINATION}


@pytest.mark.parametrize("seed", range(5))
def test_choice_is_near_the_best_and_repeats(seed):
    """The chosen method erred at most 2 % more than the best, no simpler one as little, and a second run agrees."""
    series = weekly(seed=seed)
    choice = choose_from(series)
    least = min(choice.maes.values())
    assert choice.mae is not None
    assert choice.mae <= least * 1.02
    assert next(method for method, mae in choice.maes.items() if mae <= least * 1.02) is choice.method
    assert choice_members_are_sound(choice)
    assert choice.backtest_days == BACKTEST_DAYS
    assert choose_from(series) == choice


def choice_members_are_sound(choice):
    """Return whether the members are the method itself, or two others in order of simplicity."""
    if choice.method is not Method.COMBINATION:
        return choice.members == (choice.method,)
    order = [member for member in Method if member in choice.members]
    return len(choice.members) == 2 and list(choice.members) == order and Method.COMBINATION not in choice.members


def test_equal_methods_choose_the_simplest():
    """Where every method is right, the seasonal naive is taken."""
    assert choose_from(DailySeries(np.full(120, 4.0), MONDAY)).method is Method.SEASONAL_NAIVE


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        (np.zeros(60), Reason.NO_SALES),
        (np.zeros(0), Reason.NO_SALES),
        (np.full(20, 9.0), Reason.TOO_LITTLE_HISTORY),
        (np.where(np.arange(60) % 5 == 0, 3.0, 0.0), Reason.TOO_LITTLE_HISTORY),
        (np.full(30, 0.3), Reason.TOO_LITTLE_HISTORY),
    ],
    ids=["none sold", "no days", "twenty days", "twelve days with sales", "nine units"],
)
def test_too_little_gives_a_reason(units, reason):
    """Too few days, days with sales or units choose nothing and say why."""
    choice = choose_from(DailySeries(units, MONDAY))
    assert (choice.method, choice.reason, choice.mae) == (None, reason, None)


def test_short_history_leaves_the_regression_out():
    """Three weeks are tested on their newer half, by the methods that the older half suffices for."""
    choice = choose_from(weekly(21))
    assert choice.backtest_days == 10
    assert Method.POISSON_REGRESSION not in choice.maes
    assert {Method.SEASONAL_NAIVE, Method.WEEKDAY_MEAN} <= set(choice.maes)


def test_day_variation_tells_noise_from_more():
    """Poisson sales vary little beyond Poisson noise, sales with a day's own luck by about the square of that luck."""
    random = np.random.default_rng(3)
    lucky = random.poisson(20 * random.gamma(4.0, 1 / 4.0, 400)).astype(np.float64)
    assert choose_from(level(400, mean=20)).day_variation < 0.05
    assert choose_from(DailySeries(lucky, MONDAY)).day_variation == pytest.approx(0.25, abs=0.12)


def test_days_are_those_of_the_machine():
    """A sale at 23:30 in New York is of that day there, and the incomplete first day is left out."""
    evening = (MONDAY + 1) * DAY + 3 * HOUR + HOUR // 2
    history = MachineHistory(
        products=np.array([0, 0]),
        sold_at_micros=np.array([evening, evening + DAY]),
        units=np.array([2.0, 3.0]),
        product_count=1,
        start_micros=MONDAY * DAY,
        now_micros=(MONDAY + 4) * DAY,
        zone="America/New_York",
    )
    demand = daily_demand(history)
    assert demand.first_day == MONDAY
    assert demand.totals.tolist() == [2, 3, 0]
    assert (demand.clock_micros // HOUR).tolist() == [23, 23]


def test_changes_of_clocks_keep_days_apart():
    """On the days around both changes of the clocks a sale each local hour is counted on its day: 23, 24 and 25."""
    for first_utc, hours in ((np.datetime64("2024-03-30T23"), 23), (np.datetime64("2024-10-26T22"), 25)):
        start = int(first_utc.astype("datetime64[us]").astype(np.int64))
        instants = start + np.arange(hours + 24) * HOUR
        history = MachineHistory(
            products=np.zeros(len(instants), np.int64),
            sold_at_micros=instants,
            units=np.ones(len(instants)),
            product_count=1,
            start_micros=start,
            now_micros=int(instants[-1]) + HOUR,
            zone="Europe/Berlin",
        )
        assert daily_demand(history).totals.tolist() == [hours, 24]


def test_history_has_an_end():
    """Sales older than the days that are looked at change nothing."""
    series = weekly(HISTORY_DAYS + 100)
    old = series.units.copy()
    old[:100] = 999.0
    assert choose(history_of(series)) == choose(history_of(DailySeries(old, series.first_day)))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"units": np.array([1.0])}, "one of each"),
        ({"units": np.full(30, -1.0)}, "not negative"),
        ({"units": np.full(30, np.nan)}, "finite"),
        ({"products": np.full(30, 1)}, "product_count"),
        ({"stocked_at_micros": np.zeros(2)}, "stocked_at_micros"),
    ],
)
def test_wrong_arrays_are_refused(changes, named):
    """Arrays that do not fit together are refused by name."""
    with pytest.raises(ValueError, match=named):
        history_of(weekly(30), **changes)

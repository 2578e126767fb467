"""What days tell: the average, working days against weekends, the trend, the change against a month before."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray, IntArray
from models.learning.usage.statistics import mean_and_half_width, slopes

FEWEST_DAYS = 7
_FEWEST_WORKDAYS = 5
_FEWEST_WEEKEND_DAYS = 4
_FEWEST_WEEKS = 6
_FEWEST_DAYS_OF_A_WEEK = 5
MONTH_DAYS = 30
_FEWEST_DAYS_OF_A_MONTH = 20


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """Figures of days; each a (devices, 3) array of value, lower and upper end of the 90 % interval, NaN if unknown.

    Attributes:
        average: amount a day.
        ratio: mean working day over mean weekend day.
        trend: change of a day's amount from week to week.
        change: mean of the newest 30 days over that of the 30 before, less 1.
        days: (devices,) days that these rest on.
    """

    average: FloatArray
    ratio: FloatArray
    trend: FloatArray
    change: FloatArray
    days: IntArray


def daily_figures(amounts: FloatArray, weekday: IntArray) -> Daily:
    """Return the figures of daily amounts.

    Args:
        amounts: (devices, days) consecutive days, NaN where too little was seen.
        weekday: (days,) Monday 0.
    """
    days = np.isfinite(amounts).sum(axis=1)
    mean, half = mean_and_half_width(amounts)
    average = np.stack([mean, np.maximum(mean - half, 0.0), mean + half], axis=1)
    average[days < FEWEST_DAYS] = np.nan
    newest, before = amounts[:, -MONTH_DAYS:], amounts[:, -2 * MONTH_DAYS : -MONTH_DAYS]
    return Daily(
        average=average,
        ratio=quotient(amounts[:, weekday < 5], amounts[:, weekday >= 5], _FEWEST_WORKDAYS, _FEWEST_WEEKEND_DAYS),
        trend=weekly_trend(amounts),
        change=quotient(newest, before, _FEWEST_DAYS_OF_A_MONTH, _FEWEST_DAYS_OF_A_MONTH) - 1.0,
        days=days,
    )


def quotient(above: FloatArray, below: FloatArray, fewest_above: int, fewest_below: int) -> FloatArray:
    """Return (devices, 3) quotients of means with 90 % intervals; NaN with too few days or nothing to divide by.

    Source: Fieller's problem by the delta method on logarithms, as in Hedges, Gurevitch and Curtis, The meta-analysis
    of response ratios in experimental ecology (1999), Ecology 80.
    """
    (upper_mean, upper_half), (lower_mean, lower_half) = mean_and_half_width(above), mean_and_half_width(below)
    enough = (np.isfinite(above).sum(axis=1) >= fewest_above) & (np.isfinite(below).sum(axis=1) >= fewest_below)
    known = enough & (upper_mean > 0) & (lower_mean > 0)
    first, second = np.where(known, upper_mean, 1.0), np.where(known, lower_mean, 1.0)
    spread = np.hypot(np.where(known, upper_half, 0.0) / first, np.where(known, lower_half, 0.0) / second)
    value = first / second
    # A spread of more than three decades says nothing more, and its power would overflow.
    factor = np.exp(np.minimum(spread, 7.0))
    return np.where(known[:, None], np.stack([value, value / factor, value * factor], axis=1), np.nan)


def weekly_trend(amounts: FloatArray) -> FloatArray:
    """Return (devices, 3) changes of a day's amount from week to week, of weeks counted back from the newest day.

    Weeks with five known days at least count; the slope is Sen's, over six such weeks at least.
    """
    weeks = amounts.shape[1] // 7
    if weeks < _FEWEST_WEEKS:
        return np.full((len(amounts), 3), np.nan)
    blocks = amounts[:, amounts.shape[1] - 7 * weeks :].reshape(len(amounts), weeks, 7)
    known = np.isfinite(blocks)
    count = known.sum(axis=2)
    usable = count >= _FEWEST_DAYS_OF_A_WEEK
    sums: FloatArray = np.where(known, blocks, 0.0).sum(axis=2)
    means = np.where(usable, sums / np.maximum(count, 1), np.nan)
    found = np.stack(slopes(means), axis=1)
    found[usable.sum(axis=1) < _FEWEST_WEEKS] = np.nan
    return found

"""Ways to forecast daily units, all with the same two verbs: fit on a history, forecast the days after it.

All forecast the expectation, not the median that would serve the absolute error a little better: loading a machine
for the median of sparse sales leaves it empty half of the time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from models.learning.demand.choice import Method
from models.learning.demand.localtime import FloatArray
from models.learning.demand.regression import fit_poisson_regression
from models.learning.demand.series import DailySeries

_SMOOTHING_GRID = (0.02, 0.05, 0.1, 0.2, 0.4)
_WARM_UP_DAYS = 7
_SIZE_SMOOTHING = 0.1
_PROBABILITY_SMOOTHING = 0.05
_PROFILE_DAYS = 84
_SHAPE_HALF_LIFE_DAYS = 42.0
_LEVEL_HALF_LIFE_DAYS = 14.0


class DemandForecaster(Protocol):
    """What fitting returns."""

    def forecast(self, days: int) -> FloatArray:
        """Return (days,) expected units of the days after the history, not negative."""
        ...


class Candidate(NamedTuple):
    """One way to forecast.

    Attributes:
        method: its name.
        minimum_days: days of history that it needs.
        fit: learns from a series of at least so many days; has no side effect.
    """

    method: Method
    minimum_days: int
    fit: Callable[[DailySeries], DemandForecaster]


@dataclass(frozen=True, slots=True, eq=False)
class WeeklyPattern:
    """The same week again and again.

    Attributes:
        units: (7,) expected units, beginning with the day after the history.
    """

    units: FloatArray

    def forecast(self, days: int) -> FloatArray:
        """Return (days,) expected units."""
        return np.resize(self.units, days)


def fit_seasonal_naive(series: DailySeries) -> WeeklyPattern:
    """Expect of each weekday what was sold on the last one."""
    return WeeklyPattern(series.units[-7:].copy())


def fit_weekday_mean(series: DailySeries) -> WeeklyPattern:
    """Expect of each weekday the mean of its last four, or of as many as there are."""
    weeks = min(len(series.units) // 7, 4)
    return WeeklyPattern(series.units[-7 * weeks :].reshape(weeks, 7).mean(axis=0))


def fit_smoothing(series: DailySeries) -> WeeklyPattern:
    """Expect every day the same, exponentially smoothed; the factor with the least squared one-step errors.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section "Simple exponential smoothing".
    """
    factors = np.array(_SMOOTHING_GRID)
    level = np.full(len(factors), series.units[:_WARM_UP_DAYS].mean())
    squares = np.zeros(len(factors))
    for units in series.units[_WARM_UP_DAYS:]:
        error = units - level
        squares += error * error
        level = level + factors * error
    return WeeklyPattern(np.full(7, level[np.argmin(squares)]))


def fit_intermittent(series: DailySeries) -> WeeklyPattern:
    """Expect every day the smoothed probability of a sale times the smoothed units of a day with one.

    Source: Teunter, Syntetos and Babai, Intermittent demand: linking forecasting to inventory obsolescence (2011),
    European Journal of Operational Research 214(3), the method known as TSB.
    """
    start = series.units[:_WARM_UP_DAYS]
    probability = float(np.mean(start > 0))
    size = float(start[start > 0].mean()) if probability else 0.0
    for units in series.units[_WARM_UP_DAYS:].tolist():
        probability += _PROBABILITY_SMOOTHING * ((units > 0) - probability)
        if units > 0:
            size = units if not size else size + _SIZE_SMOOTHING * (units - size)
    return WeeklyPattern(np.full(7, probability * size))


def fit_hour_of_week(series: DailySeries) -> WeeklyPattern:
    """Expect recency-weighted means of the weekdays, as far as they differ by more than chance, at the recent level.

    These are the daily sums of the hour-of-week profile; how a day's units spread over its hours is the outlook's
    matter. Each weekday's mean is shrunk towards the mean of all days by the share of its variance that is noise.

    Source: Morris, Parametric Empirical Bayes Inference: Theory and Applications (1983), Journal of the American
    Statistical Association 78, with the variances estimated by moments.
    """
    units = series.units[-_PROFILE_DAYS:]
    age = np.arange(len(units), 0.0, -1.0)
    # The weekday of each day, counted from the day after the history.
    weekday = (-age.astype(np.int64)) % 7
    weight = 0.5 ** (age / _SHAPE_HALF_LIFE_DAYS)
    sums = np.bincount(weekday, weight, 7)
    means = np.bincount(weekday, weight * units, 7) / sums
    overall = float(weight @ units / weight.sum())
    freedom = max(len(units) - 7, 1)
    within = float(weight @ (units - means[weekday]) ** 2 / weight.sum()) * len(units) / freedom
    noise = within * np.bincount(weekday, weight**2, 7) / sums**2
    between = max(float(np.mean((means - overall) ** 2 - noise)), 0.0)
    kept = between / np.maximum(between + noise, 1e-12)
    shape = overall + kept * (means - overall)
    recent = 0.5 ** (age / _LEVEL_HALF_LIFE_DAYS)
    explained = float(recent @ shape[weekday])
    return WeeklyPattern(shape * (float(recent @ units) / explained) if explained > 0 else shape)


# The order is that of simplicity: of equals the first wins.
CANDIDATES: tuple[Candidate, ...] = (
    Candidate(Method.SEASONAL_NAIVE, 7, fit_seasonal_naive),
    Candidate(Method.WEEKDAY_MEAN, 7, fit_weekday_mean),
    Candidate(Method.SMOOTHING, 7, fit_smoothing),
    Candidate(Method.INTERMITTENT, 7, fit_intermittent),
    Candidate(Method.HOUR_OF_WEEK, 14, fit_hour_of_week),
    Candidate(Method.POISSON_REGRESSION, 42, fit_poisson_regression),
)

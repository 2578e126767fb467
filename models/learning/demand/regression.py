"""Poisson regression of a day's units on the weekday and on what was sold before."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray, weekdays
from models.learning.demand.series import DailySeries

_LAG_DAYS = 28
_PENALTY = 10.0
_STEPS = 12
_TOLERANCE = 1e-5
_FEWEST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PoissonRegression:
    """Expected units exp(offset + features · coefficients), the offset being the logarithm of the four weeks' mean.

    Attributes:
        coefficients: (12,) intercept, four logarithms of former sales relative to the offset, seven weekdays.
        recent: (28,) units of the newest days.
        next_day: the day after them, as days since 1970-01-01.
        most: no forecast is greater, so that one odd day cannot make the expectations of a month explode.
    """

    coefficients: FloatArray
    recent: FloatArray
    next_day: int
    most: float

    def forecast(self, days: int) -> FloatArray:
        """Return (days,) expected units, each day's expectation standing for its sales on the days after it."""
        units = np.concatenate([self.recent, np.zeros(days)])
        for step in range(days):
            features, offset = _features(units[: _LAG_DAYS + step], step + _LAG_DAYS, self.next_day - _LAG_DAYS)
            exponent = float(offset[-1] + features[-1] @ self.coefficients)
            units[_LAG_DAYS + step] = min(np.exp(min(exponent, 30.0)), self.most)
        return units[_LAG_DAYS:]


def fit_poisson_regression(series: DailySeries) -> PoissonRegression:
    """Fit by iteratively reweighted least squares with a ridge penalty on all but the intercept.

    Source: McCullagh and Nelder, Generalized Linear Models (2nd edition), section 2.5.
    """
    units = series.units
    features, offset = _features(units, _LAG_DAYS, series.first_day)
    design, base, target = features[:-1], offset[:-1], units[_LAG_DAYS:]
    penalty = np.full(design.shape[1], _PENALTY)
    penalty[0] = 1e-6
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log((target.sum() + _FEWEST) / (np.exp(base).sum() + _FEWEST))
    for _ in range(_STEPS):
        expected = np.exp(np.clip(base + design @ coefficients, -8.0, 12.0))
        curvature = (design * expected[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, design.T @ (target - expected) - penalty * coefficients)
        # A long step can overshoot where sales are near zero; the direction is right.
        coefficients = coefficients + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _TOLERANCE:
            break
    return PoissonRegression(
        coefficients, units[-_LAG_DAYS:].copy(), series.first_day + len(units), 1.5 * float(units.max()) + 1.0
    )


def _features(units: FloatArray, first: int, first_day: int) -> tuple[FloatArray, FloatArray]:
    """Return the features (n, 12) and offsets (n,) of the rows from `first` to the one after the last, from past rows.

    Args:
        units: (d,) units a day.
        first: the first row to describe, 28 or later.
        first_day: date of row 0, as days since 1970-01-01.
    """
    rows = np.arange(first, len(units) + 1)
    sums = np.concatenate([[0.0], np.cumsum(units)])
    offset = _log((sums[rows] - sums[rows - _LAG_DAYS]) / _LAG_DAYS)
    same_weekday = (units[rows - 7] + units[rows - 14] + units[rows - 21] + units[rows - 28]) / 4
    former = ((sums[rows] - sums[rows - 7]) / 7, same_weekday, units[rows - 1], units[rows - 7])
    weekday = np.eye(7)[weekdays(first_day + rows)]
    columns = [np.ones(len(rows)), *(_log(values) - offset for values in former)]
    return np.column_stack([*columns, weekday]), offset


def _log(units: FloatArray) -> FloatArray:
    return np.log(units + _FEWEST)

"""Choosing a forecast by rolling backtest: each day forecast from the days before it, then compared with its sales."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.candidates import CANDIDATES
from models.learning.demand.choice import Choice, Method, Reason
from models.learning.demand.history import MachineHistory, daily_demand
from models.learning.demand.localtime import FloatArray
from models.learning.demand.series import DailySeries

BACKTEST_DAYS = 56
_FEWEST_DAYS = 21
_FEWEST_DAYS_WITH_SALES = 14
_FEWEST_UNITS = 10
_COMBINED = 2
# Errors of eight weeks do not tell methods apart that are closer than this; the simpler one is then taken.
_TIE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """One-step forecasts of consecutive days.

    Attributes:
        methods: (c,) the columns: those that could forecast every one of the days, the combination last.
        forecasts: (n, c) expected units of each day, each made from the days before it.
        actuals: (n,) units that were sold.
    """

    methods: tuple[Method, ...]
    forecasts: FloatArray
    actuals: FloatArray


def choose(history: MachineHistory, backtest_days: int = BACKTEST_DAYS) -> Choice:
    """Return the method whose one-step forecasts of the machine's newest days were best, or why there is none.

    Half of the history at most is forecast, so that a short one leaves something to learn from.

    Args:
        history: the sales until now; the present day, being incomplete, is no part of it.
        backtest_days: most days to forecast.
    """
    demand = daily_demand(history)
    return choose_from(DailySeries(demand.totals, demand.first_day), backtest_days)


def choose_from(series: DailySeries, backtest_days: int = BACKTEST_DAYS) -> Choice:
    """Choose as `choose` does, from the daily units of complete days."""
    reason = lack_of(series)
    if reason is not None:
        return Choice(reason=reason, maes={})
    return pick(backtest(series, min(backtest_days, len(series.units) // 2)))


def lack_of(series: DailySeries) -> Reason | None:
    """Return why a machine cannot be forecast; None if it can."""
    if not series.units.any():
        return Reason.NO_SALES
    enough = (
        len(series.units) >= _FEWEST_DAYS
        and np.count_nonzero(series.units) >= _FEWEST_DAYS_WITH_SALES
        and series.units.sum() >= _FEWEST_UNITS
    )
    return None if enough else Reason.TOO_LITTLE_HISTORY


def backtest(series: DailySeries, days: int) -> Backtest:
    """Forecast each of the newest days from those before it.

    Args:
        series: daily units; at least seven days more than are forecast.
        days: how many to forecast.
    """
    first = len(series.units) - days
    able = [candidate for candidate in CANDIDATES if candidate.minimum_days <= first]
    forecasts = np.empty((days, len(able)))
    for row in range(days):
        past = series.until(first + row)
        forecasts[row] = [candidate.fit(past).forecast(1)[0] for candidate in able]
    actuals = series.units[first:]
    combined = _combination(forecasts, actuals)
    methods = (*(candidate.method for candidate in able), Method.COMBINATION)
    return Backtest(methods, np.column_stack([forecasts, combined]), actuals)


def pick(tested: Backtest) -> Choice:
    """Return the method with the least mean absolute error; of those within 2 % of it, the simplest."""
    errors = np.abs(tested.forecasts - tested.actuals[:, None]).mean(axis=0)
    chosen = int(np.argmax(errors <= errors.min() * (1 + _TIE)))
    method = tested.methods[chosen]
    best: list[int] = np.sort(np.argsort(errors[:-1], kind="stable")[:_COMBINED]).tolist()
    members = tuple(tested.methods[index] for index in best) if method is Method.COMBINATION else (method,)
    return Choice(
        method=method,
        members=members,
        backtest_days=len(tested.actuals),
        maes=dict(zip(tested.methods, errors.tolist(), strict=True)),
        day_variation=_day_variation(tested.forecasts[:, chosen], tested.actuals),
    )


def _combination(forecasts: FloatArray, actuals: FloatArray) -> FloatArray:
    """Return (n,) means of the two forecasts that erred least on the days before each; of all on the first."""
    errors = np.abs(forecasts - actuals[:, None])
    before = np.vstack([np.zeros(forecasts.shape[1]), np.cumsum(errors, axis=0)[:-1]])
    best = np.argsort(before, axis=1, kind="stable")[:, :_COMBINED]
    combined = np.take_along_axis(forecasts, best, axis=1).mean(axis=1)
    combined[0] = forecasts[0].mean()
    return combined


def _day_variation(forecasts: FloatArray, actuals: FloatArray) -> float:
    """Return c of Var = μ + c μ², by moments over the residuals.

    Source: the NB2 variance of Cameron and Trivedi, Regression Analysis of Count Data (2nd edition), chapter 3.
    """
    squares = float(np.mean(forecasts**2))
    if squares == 0:
        return 0.0
    return max(float(np.mean((actuals - forecasts) ** 2) - np.mean(forecasts)) / squares, 0.0)

"""Which forecast was chosen for a machine, or why there is none: plain values that can be stored as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """Ways to forecast the daily units of a machine, the simpler first."""

    SEASONAL_NAIVE = "SEASONAL_NAIVE"
    WEEKDAY_MEAN = "WEEKDAY_MEAN"
    SMOOTHING = "SMOOTHING"
    INTERMITTENT = "INTERMITTENT"
    HOUR_OF_WEEK = "HOUR_OF_WEEK"
    POISSON_REGRESSION = "POISSON_REGRESSION"
    COMBINATION = "COMBINATION"


class Reason(StrEnum):
    """Why there is no forecast, or no instant of selling out.

    NO_SALES: nothing was sold in the time that is looked at.
    TOO_LITTLE_HISTORY: too few days or sales to tell.
    BEYOND_HORIZON: it lasts longer than the forecast looks ahead.
    """

    NO_SALES = "NO_SALES"
    TOO_LITTLE_HISTORY = "TOO_LITTLE_HISTORY"
    BEYOND_HORIZON = "BEYOND_HORIZON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The outcome of a machine's backtest.

    Attributes:
        method: the chosen one; None with a reason.
        members: the methods whose mean is the forecast, simplest first: the chosen one, or those of the combination.
        reason: why nothing could be chosen; None with a method.
        backtest_days: days that were forecast one step ahead and compared.
        maes: mean absolute error of each method that could compete, in units a day.
        day_variation: variance of a day's demand beyond Poisson noise, as a share of its squared expectation; from
            the residuals of the backtest, 0 where they are no wider than Poisson noise.
    """

    method: Method | None = None
    members: tuple[Method, ...] = ()
    reason: Reason | None = None
    backtest_days: int = 0
    maes: Mapping[Method, float]
    day_variation: float = 0.0

    @property
    def mae(self) -> float | None:
        """Mean absolute error of the chosen method in the backtest, in units a day."""
        return None if self.method is None else self.maes[self.method]

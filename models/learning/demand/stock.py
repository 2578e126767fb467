"""When the stock of each product is expected to sell out, and what to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.choice import Choice, Method, Reason
from models.learning.demand.counts import expectation_at, quantile
from models.learning.demand.history import MachineHistory
from models.learning.demand.localtime import FloatArray, IntArray
from models.learning.demand.outlook import HORIZON_DAYS, Outlook, outlook

COVERAGE = 0.8
_FEWEST_SOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StockForecast:
    """What is expected of one product's stock.

    Attributes:
        daily_units: (horizon,) expected units by local day, today, the whole of it, being the first; None where
            nothing can be said.
        expected_sold_out_at: microseconds since 1970-01-01 UTC at which the expected units reach the stock; None with
            a reason.
        lower: instant before which it sells out with a probability of 10 %; None where that lies beyond the horizon.
        upper: instant before which it sells out with a probability of 90 %; None where that lies beyond the horizon.
        reason: why there is no expected instant.
        method: the method of the machine's daily units.
        mae: its mean absolute error in the backtest, in units a day of the whole machine.
    """

    daily_units: FloatArray | None
    expected_sold_out_at: int | None
    lower: int | None
    upper: int | None
    reason: Reason | None
    method: Method | None
    mae: float | None


def forecast(
    history: MachineHistory,
    choice: Choice,
    quantities: Sequence[int] | NDArray[Any],
    *,
    horizon_days: int = HORIZON_DAYS,
    coverage: float = COVERAGE,
) -> list[StockForecast]:
    """Return a forecast for each product of a machine, by its index.

    Args:
        history: the sales until now.
        choice: the outcome of `choose` for this machine, of today or of an earlier day.
        quantities: (product_count,) units in the machine now, not negative; with 0 a product is sold out now.
        horizon_days: local days to look ahead, today being the first.
        coverage: probability with which the interval is meant to hold, in (0, 1).

    Raises:
        ValueError: there are not as many quantities as products, or one is negative.
    """
    return forecasts([(history, choice, quantities)], horizon_days=horizon_days, coverage=coverage)[0]


def forecasts(
    machines: Sequence[tuple[MachineHistory, Choice, Sequence[int] | NDArray[Any]]],
    *,
    horizon_days: int = HORIZON_DAYS,
    coverage: float = COVERAGE,
) -> list[list[StockForecast]]:
    """Return what `forecast` does for each of many machines, at a fraction of the time."""
    stocks = [_stock_of(history, quantities) for history, _, quantities in machines]
    seen = [outlook(history, choice, horizon_days) for history, choice, _ in machines]
    instants = iter(_instants([(each, stock) for each, stock in zip(seen, stocks, strict=True) if each], coverage))
    found: list[list[StockForecast]] = []
    for (history, choice, _), each, stock in zip(machines, seen, stocks, strict=True):
        now = history.now_micros
        if each is None:
            reason = choice.reason or Reason.TOO_LITTLE_HISTORY
            found.append([_unknown(reason, now, empty=bool(units == 0)) for units in stock])
            continue
        expected, lower, upper = next(instants)
        found.append(
            [
                _stock_forecast(each, choice, index, now, (expected[index], lower[index], upper[index]))
                for index in range(len(stock))
            ]
        )
    return found


def _stock_of(history: MachineHistory, quantities: Sequence[int] | NDArray[Any]) -> FloatArray:
    stock = np.asarray(quantities, np.float64)
    if stock.shape != (history.product_count,) or not np.all(stock >= 0):
        raise ValueError(f"quantities must be {history.product_count} numbers, none negative.")
    return stock


def quantities_to_load(
    quantities: Sequence[int] | NDArray[Any],
    capacities: Sequence[int] | NDArray[Any],
    *,
    seen: Outlook | None = None,
    next_visit_micros: int | None = None,
    service_level: float = 0.9,
) -> IntArray:
    """Return (p,) units to load: up to the capacity, or fewer where they suffice until the next visit.

    Args:
        quantities: (p,) units in the machine now.
        capacities: (p,) units that fit in.
        seen: the machine's outlook; without it, and for a product without enough sales, the slot is filled.
        next_visit_micros: when the machine is loaded next; without it slots are filled, and so they are when it lies
            beyond the outlook's horizon.
        service_level: probability with which the stock is to last until then.
    """
    stock, room = np.asarray(quantities, np.int64), np.asarray(capacities, np.int64)
    filled = np.maximum(room - stock, 0)
    if seen is None or next_visit_micros is None or next_visit_micros > seen.instants[-1]:
        return filled
    evidence = np.maximum(seen.mix.evidence, 1.0)
    expected = seen.expected_until(next_visit_micros)
    needed = quantile(service_level, expected, seen.excess, evidence, room.astype(np.float64)).astype(np.int64)
    known = seen.mix.sold >= _FEWEST_SOLD
    return np.where(known, np.clip(needed - stock, 0, filled), filled)


def _instants(
    machines: Sequence[tuple[Outlook, FloatArray]], coverage: float
) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """Return for each machine (p,) expected, lower and upper instants, NaN beyond the horizon; of an empty stock, now.

    The products of all machines are searched for their bounds together.
    """
    if not machines:
        return []
    units = np.maximum(np.concatenate([stock for _, stock in machines]), 1.0)
    evidence = np.maximum(np.concatenate([seen.mix.evidence for seen, _ in machines]), 1.0)
    excess, tail = np.concatenate([seen.excess for seen, _ in machines]), (1 - coverage) / 2
    early = np.minimum(expectation_at(tail, units, excess, evidence), units)
    late = np.maximum(expectation_at(1 - tail, units, excess, evidence), units)
    borders = np.cumsum([len(stock) for _, stock in machines])[:-1]
    levels = zip(*(np.split(level, borders) for level in (units, early, late)), strict=True)
    found: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    for (seen, stock), mine in zip(machines, levels, strict=True):
        expected, lower, upper = (np.where(stock == 0, seen.instants[0], seen.when(level)) for level in mine)
        found.append((expected, lower, upper))
    return found


def _stock_forecast(
    seen: Outlook, choice: Choice, index: int, now: int, instants: tuple[float, float, float]
) -> StockForecast:
    sold = seen.mix.sold[index]
    expected, lower, upper = (None if np.isnan(instant) else int(instant) for instant in instants)
    if sold < _FEWEST_SOLD:
        return _unknown(Reason.TOO_LITTLE_HISTORY if sold else Reason.NO_SALES, now, empty=expected == now)
    return StockForecast(
        daily_units=seen.mix.shares[index] * seen.daily_units,
        expected_sold_out_at=expected,
        lower=lower,
        upper=upper,
        reason=Reason.BEYOND_HORIZON if expected is None else None,
        method=choice.method,
        mae=choice.mae,
    )


def _unknown(reason: Reason, now: int, *, empty: bool) -> StockForecast:
    instant = now if empty else None
    return StockForecast(
        daily_units=None,
        expected_sold_out_at=instant,
        lower=instant,
        upper=instant,
        reason=None if empty else reason,
        method=None,
        mae=None,
    )

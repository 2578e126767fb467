"""How often a product sold out within the interval that was forecast."""

from dataclasses import replace

import numpy as np

from models.learning.demand import HORIZON_DAYS, MachineHistory, StockForecast, choose, forecast
from models.learning.demand.localtime import DAY, IntArray, local_micros

_STOCKS = (1, 3, 5, 10)
_ORIGINS = 4
_FEWEST_DAYS = 56


def interval_coverage(history: MachineHistory) -> tuple[int, int]:
    """Return how many sell-outs were forecast with an interval, and how many happened within it.

    Forecasts are made as of four, five, six and seven weeks before the end, as if every product had a stock of 1, 3, 5
    or 10 then, from what was sold before. Days are compared, since sales may carry dates only. A product that was not
    sold so often in the four weeks after counts as sold out at their end or later, as the interval does.
    """
    intervals = covered = 0
    for weeks in range(4, 4 + _ORIGINS):
        earlier = replace(history, now_micros=history.now_micros - weeks * 7 * DAY)
        if earlier.now_micros - history.start_micros < _FEWEST_DAYS * DAY:
            break
        choice = choose(earlier)
        for stock in _STOCKS:
            forecasts = forecast(earlier, choice, np.full(history.product_count, stock))
            happened = _sold_out(history, earlier.now_micros, stock)
            known = [index for index, expected in enumerate(forecasts) if expected.daily_units is not None]
            intervals += len(known)
            covered += sum(_holds(forecasts[index], int(happened[index]), earlier) for index in known)
    return intervals, covered


def _holds(expected: StockForecast, happened: int, history: MachineHistory) -> bool:
    end = history.now_micros + HORIZON_DAYS * DAY
    instants = (
        end if expected.lower is None else expected.lower,
        min(happened, end),
        end if expected.upper is None else expected.upper,
    )
    lower, day, upper = (local_micros(np.array(instants), history.zone) // DAY).tolist()
    return lower <= day <= upper


def _sold_out(history: MachineHistory, now: int, stock: int) -> IntArray:
    """Return (product_count,) instants at which that many units were sold after now; the largest number if never."""
    order = np.argsort(history.sold_at_micros, kind="stable")
    order = order[history.sold_at_micros[order] >= now]
    instants = np.full(history.product_count, np.iinfo(np.int64).max)
    for product in range(history.product_count):
        mine = order[history.products[order] == product]
        reached = int(np.searchsorted(np.cumsum(history.units[mine]), stock))
        if reached < len(mine):
            instants[product] = history.sold_at_micros[mine[reached]]
    return instants

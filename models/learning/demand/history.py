"""What a machine sold, and the same as daily units in its local time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import DAY, FloatArray, IntArray, local_micros

# Half a year to learn from, before each of the eight weeks of the backtest.
LEARNT_DAYS = 182
HISTORY_DAYS = LEARNT_DAYS + 56


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MachineHistory:
    """The sales of one machine until now.

    Sales outside [start, now) are left out, and so are those older than HISTORY_DAYS: they change no forecast.

    Attributes:
        products: (n,) index of the product sold, below product_count; -1 where it is not known, which counts for the
            machine and for no product.
        sold_at_micros: (n,) microseconds since 1970-01-01 UTC, in any order.
        units: (n,) units sold, finite and not negative; refunded ones left out by the caller.
        product_count: products that are forecast; those that never sold too.
        start_micros: since when sales were recorded.
        now_micros: the instant from which to forecast.
        zone: IANA name of the machine's time zone.
        stocked_at_micros: (product_count,) since when each product is in the machine, where that is later than the
            start; None where all were always in it.
    """

    products: NDArray[Any]
    sold_at_micros: NDArray[Any]
    units: NDArray[Any]
    product_count: int
    start_micros: int
    now_micros: int
    zone: str = "UTC"
    stocked_at_micros: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together.

        Raises:
            ValueError: lengths differ, a product is out of range, or units are negative or no finite numbers.
        """
        if not len(self.products) == len(self.sold_at_micros) == len(self.units):
            raise ValueError(
                f"There are {len(self.products)} products, {len(self.sold_at_micros)} instants and "
                f"{len(self.units)} units; a sale has one of each."
            )
        if len(self.products) and not -1 <= np.min(self.products) <= np.max(self.products) < self.product_count:
            raise ValueError(f"products must be from -1 to {self.product_count - 1}, below product_count.")
        if not np.all(np.isfinite(self.units) & (np.asarray(self.units) >= 0)):
            raise ValueError("units must be finite and not negative; leave refunded units out.")
        if self.stocked_at_micros is not None and len(self.stocked_at_micros) != self.product_count:
            raise ValueError(f"stocked_at_micros must have one instant for each of {self.product_count} products.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyDemand:
    """The complete local days of a history, from the first one to yesterday, and the single sales on them.

    Attributes:
        first_day: date of the first row, as days since 1970-01-01.
        totals: (d,) units of the machine on each day; a day without sales is 0.
        product: (m,) product of each sale on these days.
        day: (m,) row of each sale.
        clock_micros: (m,) local time of day of each sale.
        units: (m,) units of each sale.
        stocked_from: (product_count,) first row on which each product was in the machine all day.
    """

    first_day: int
    totals: FloatArray
    product: IntArray
    day: IntArray
    clock_micros: IntArray
    units: FloatArray
    stocked_from: IntArray


def daily_demand(history: MachineHistory) -> DailyDemand:
    """Return the sales of a history by local day; of its first and its present day, which are incomplete, none."""
    bounds = local_micros(np.array([history.start_micros, history.now_micros]), history.zone)
    today = int(bounds[1] // DAY)
    first_day = max(int(-(-bounds[0] // DAY)), today - HISTORY_DAYS)
    instants = np.asarray(history.sold_at_micros, np.int64)
    # A day more at each end than can matter keeps old sales out of the conversion.
    near = (instants >= history.now_micros - (HISTORY_DAYS + 2) * DAY) & (instants < history.now_micros)
    local = local_micros(instants[near], history.zone)
    day = local // DAY - first_day
    length = max(today - first_day, 0)
    kept = (day >= 0) & (day < length)
    day, units = day[kept], np.asarray(history.units, np.float64)[near][kept]
    return DailyDemand(
        first_day=first_day,
        totals=np.bincount(day, units, length)[:length].astype(np.float64),
        product=np.asarray(history.products, np.int64)[near][kept],
        day=day,
        clock_micros=local[kept] % DAY,
        units=units,
        stocked_from=_stocked_from(history, first_day),
    )


def _stocked_from(history: MachineHistory, first_day: int) -> IntArray:
    if history.stocked_at_micros is None:
        return np.zeros(history.product_count, np.int64)
    local = local_micros(history.stocked_at_micros, history.zone)
    return np.maximum(-(-local // DAY) - first_day, 0)

"""The expected units of a machine from now on, hour by hour."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.backtest import lack_of
from models.learning.demand.candidates import CANDIDATES
from models.learning.demand.choice import Choice
from models.learning.demand.history import DailyDemand, MachineHistory, daily_demand
from models.learning.demand.localtime import DAY, HOUR, FloatArray, IntArray, local_micros, weekdays
from models.learning.demand.profile import ProductMix, hour_of_week, product_mix
from models.learning.demand.series import DailySeries

HORIZON_DAYS = 28


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a machine is expected to sell.

    Attributes:
        daily_units: (horizon,) expected units of the machine by local day, the whole of today being the first.
        instants: (h,) ascending microseconds since 1970-01-01 UTC, the first being now, the last the horizon's end.
        cumulative: (h,) expected units of the machine from now to each instant; it never falls, and begins with 0.
        mix: the products' parts.
        excess: (p,) by how much days vary beyond Poisson noise: the variance of a product's units is 1 + excess times
            their expectation, before the uncertainty of its share.
    """

    daily_units: FloatArray
    instants: IntArray
    cumulative: FloatArray
    mix: ProductMix
    excess: FloatArray

    def when(self, expected: FloatArray) -> FloatArray:
        """Return (p,) instants at which each product's expected units reach a number; NaN beyond the horizon.

        Args:
            expected: (p,) expected units since now; inf allowed.
        """
        shares = self.mix.shares
        needed = np.divide(expected, shares, out=np.full(len(shares), np.inf), where=shares > 0)
        after = np.searchsorted(self.cumulative, needed, side="left")
        inside = after < len(self.cumulative)
        end = np.clip(after, 1, len(self.cumulative) - 1)
        rise = self.cumulative[end] - self.cumulative[end - 1]
        missing = np.where(inside, needed, 0.0) - self.cumulative[end - 1]
        part = np.divide(missing, rise, out=np.zeros(len(end)), where=rise > 0)
        start = self.instants[end - 1]
        found = start + np.clip(part, 0.0, 1.0) * (self.instants[end] - start)
        return np.where(inside, found, np.nan)

    def expected_until(self, instant_micros: int) -> FloatArray:
        """Return (p,) expected units of each product from now to an instant, to the horizon's end at most."""
        return self.mix.shares * float(np.interp(instant_micros, self.instants, self.cumulative))


def outlook(history: MachineHistory, choice: Choice, horizon_days: int = HORIZON_DAYS) -> Outlook | None:
    """Return the outlook by the chosen method; None where nothing is chosen or the history has become too little.

    Args:
        history: the sales until now; it may have grown since the choice.
        choice: the outcome of the machine's backtest.
        horizon_days: local days to look ahead, today being the first.
    """
    demand = daily_demand(history)
    series = DailySeries(demand.totals, demand.first_day)
    if choice.method is None or lack_of(series) is not None:
        return None
    daily_units = _daily_units(series, choice, horizon_days)
    instants, hourly = _hourly_units(history, demand, daily_units)
    mix = product_mix(demand)
    return Outlook(
        daily_units=daily_units,
        instants=instants,
        cumulative=np.concatenate([[0.0], np.cumsum(hourly)]),
        mix=mix,
        excess=choice.day_variation * mix.shares * float(daily_units.mean()),
    )


def _daily_units(series: DailySeries, choice: Choice, days: int) -> FloatArray:
    past = series.until(len(series.units))
    by_method = {candidate.method: candidate for candidate in CANDIDATES}
    # A member that the history has become too short for leaves the others; there is always one for 21 days.
    able = [by_method[member] for member in choice.members if by_method[member].minimum_days <= len(past.units)]
    fitted = [candidate.fit(past) for candidate in able or CANDIDATES[1:2]]
    return np.mean([forecaster.forecast(days) for forecaster in fitted], axis=0)


def _hourly_units(history: MachineHistory, demand: DailyDemand, daily_units: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return instants (h,), now and then each full hour, and the expected units (h - 1,) between them.

    An hour that clocks repeat or skip counts twice or not at all.
    """
    now = history.now_micros
    today = demand.first_day + len(demand.totals)
    minutes_gone = int(local_micros(np.array([now]), history.zone)[0]) % HOUR
    starts = np.arange(now - minutes_gone, now + (len(daily_units) + 1) * DAY, HOUR, dtype=np.int64)
    local = local_micros(starts, history.zone)
    day = local // DAY - today
    kept = (day >= 0) & (day < len(daily_units))
    starts, local, day = starts[kept], local[kept], day[kept]
    shares = hour_of_week(demand)[weekdays(today + day), local % DAY // HOUR]
    units = daily_units[day] * shares
    units[0] *= 1 - minutes_gone / HOUR
    return np.concatenate([[now], starts[1:], [starts[-1] + HOUR]]), units

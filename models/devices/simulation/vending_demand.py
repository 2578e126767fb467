"""Who comes to buy what and when, were nothing ever sold out or broken.

An inhomogeneous Poisson process for each slot: its rate in an hour is the machine's daily units, times the slot's share
of them, times the hour's share of the week at such a site, times season, slow trend and the day's own luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from models.devices.simulation.climate import season
from models.devices.simulation.hashing import (
    BoolArray,
    FloatArray,
    IntArray,
    KeyArray,
    hashed,
    normal,
    text_key,
    uniform,
)
from models.devices.simulation.vending_clock import MICROS_PER_HOUR, LocalClock
from models.devices.simulation.vending_products import COLD_DRINKS, HOT_DRINKS
from models.devices.simulation.vending_sites import HOURS_PER_WEEK, PAYMENT_METHODS, SITES
from models.devices.simulation.vending_specs import VendingSpec

# How much more of a category is sold at the warmest time of the year than in the mean.
SEASON_AMPLITUDE = {COLD_DRINKS: 0.2, HOT_DRINKS: -0.18}
# Standard deviations of the logarithm of a rate, and how many days the slow ones take to change.
DAY_DEVIATION = 0.12
MACHINE_TREND = (0.1, 56)
SLOT_TREND = (0.15, 35)
PAIR_CHANCE = 0.06
# Of those who would pay with cash and cannot.
SWITCH_CHANCE = 0.5

_DEMAND_PURPOSE = 700


@dataclass(frozen=True, slots=True)
class Customers:
    """Those who come on a day (UTC), as columns of n rows, ordered by time.

    Attributes:
        slot: (n,) place of the slot in the flat list of all slots of the fleet.
        machine: (n,) place of the machine.
        at: (n,) microseconds since 1970.
        units: (n,) how many they want.
        payment: (n,) place of the payment method in PAYMENT_METHODS.
        has_card: (n,) whether they would pay by card where cash is not taken.
        number: (n,) from 1, counted for each machine through the day.
    """

    slot: IntArray
    machine: IntArray
    at: IntArray
    units: IntArray
    payment: IntArray
    has_card: BoolArray
    number: IntArray

    def __len__(self) -> int:
        return len(self.slot)

    def rows(self, which: slice | BoolArray | IntArray) -> "Customers":
        """Return some of them."""
        return Customers(*(getattr(self, column.name)[which] for column in fields(self)))


class Demand:
    """The demand at all slots of a fleet, a function of seed, serial numbers, slots and time alone."""

    def __init__(self, specs: Sequence[VendingSpec], keys: KeyArray, clock: LocalClock) -> None:
        slots = [(machine, slot) for machine, spec in enumerate(specs) for slot in spec.slots]
        weights = np.array([slot.popularity for _, slot in slots], dtype=np.float64)
        self._keys = keys
        self._clock = clock
        self._machine = np.array([machine for machine, _ in slots], dtype=np.int64)
        self._slot_keys = hashed(keys[self._machine], [text_key(slot.slot) for _, slot in slots])
        totals = np.bincount(self._machine, weights, minlength=len(specs))
        weekly = 7 * np.array([spec.daily_units for spec in specs], dtype=np.float64) / (1 + PAIR_CHANCE)
        self._weekly = weekly[self._machine] * weights / totals[self._machine]
        self._shape = np.array([SITES[spec.site].hour_of_week_shares() for spec in specs]).reshape(-1, HOURS_PER_WEEK)
        self._season = np.array([SEASON_AMPLITUDE.get(slot.category, 0.0) for _, slot in slots])
        shares = np.array([SITES[spec.site].payment_shares for spec in specs]).reshape(-1, len(PAYMENT_METHODS))
        self._payments = np.cumsum(shares, axis=1)

    def of_day(self, day: int) -> Customers:
        """Return who comes on a day, counted from 1970-01-01."""
        rates = self._rates(day)
        counts = poisson(rates, uniform(self._slot_keys[:, None], day, _DEMAND_PURPOSE, np.arange(24)))
        slot, hour, ordinal = _spread(counts)
        key = hashed(self._slot_keys[slot], day, hour, ordinal)

        def chance(number: int) -> FloatArray:
            return uniform(key, _DEMAND_PURPOSE + number)

        at = ((24 * day + hour + chance(1)) * MICROS_PER_HOUR).astype(np.int64)
        machine = self._machine[slot]
        payment = (chance(2)[:, None] >= self._payments[machine, :-1]).sum(axis=1)
        units = 1 + (chance(3) < PAIR_CHANCE)
        order = np.lexsort((slot, at))
        number = np.empty_like(slot)
        number[order] = _count_through(machine[order])
        return Customers(slot, machine, at, units, payment, chance(4) < SWITCH_CHANCE, number).rows(order)

    def _rates(self, day: int) -> FloatArray:
        """Expected purchases in the 24 hours of a day, (slots, 24)."""
        local = self._clock.hours_of_week(24 * day + np.arange(24))
        shape = self._shape[np.arange(local.shape[1]), local]
        machine = _trend(self._keys, day, *MACHINE_TREND) + DAY_DEVIATION * normal(self._keys, day, _DEMAND_PURPOSE + 5)
        slot = _trend(self._slot_keys, day, *SLOT_TREND)
        warmth = 1 + self._season * season(np.array([day * 86_400.0]))
        level = self._weekly * warmth * np.exp(machine[self._machine] + slot)
        return level[:, None] * shape.T[self._machine]


def poisson(rates: FloatArray, chances: FloatArray) -> IntArray:
    """Return the Poisson-distributed counts of given rates that uniform numbers of the same shape stand for."""
    counts = np.zeros(rates.shape, dtype=np.int64)
    mass = np.exp(-rates)
    reached = mass.copy()
    # At rates of some units an hour, nothing beyond sixty is ever met.
    for count in range(1, 60):
        more = chances >= reached
        if not more.any():
            break
        counts += more
        mass = mass * rates / count
        reached += mass
    return counts


def _trend(keys: KeyArray, day: int, deviation: float, days: int) -> FloatArray:
    """Walk smoothly from one random level to the next, each key at its own times; (n,) logarithms."""
    phase = uniform(keys, _DEMAND_PURPOSE + 6, days)
    period, fraction = np.divmod(day / days + phase, 1)
    before, after = (normal(keys, period + ahead, _DEMAND_PURPOSE + 7, days) for ahead in (0, 1))
    return deviation * (before + (after - before) * fraction)


def _spread(counts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Give each of the counted events its (row, column, ordinal)."""
    flat = counts.ravel()
    cell = np.repeat(np.arange(flat.size), flat)
    ordinal = np.arange(cell.size) - np.repeat(np.cumsum(flat) - flat, flat)
    row, column = np.divmod(cell, counts.shape[1])
    return row, column, ordinal


def _count_through(groups: IntArray) -> IntArray:
    """Number the rows of each group from 1, in their order."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    number = np.empty_like(groups)
    number[order] = 1 + np.arange(groups.size) - np.searchsorted(ordered, ordered)
    return number

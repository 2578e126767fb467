"""Stock, sales, cash and the visits of the route: what is discrete about vending machines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray, KeyArray, uniform
from models.devices.simulation.pace import MICROS_PER_DAY
from models.devices.simulation.vending_blocks import Restocks, Sales
from models.devices.simulation.vending_clock import MICROS_PER_HOUR, LocalClock
from models.devices.simulation.vending_demand import Customers, Demand
from models.devices.simulation.vending_incidents import VendingIncident, VendingIncidentKind, VendingIncidents
from models.devices.simulation.vending_sites import PAYMENT_METHODS
from models.devices.simulation.vending_specs import VendingSpec
from models.types import from_micros, to_micros

# What a visit leaves in the box as change.
CHANGE_MINOR = 2_000
CASH, CARD = PAYMENT_METHODS.index("CASH"), PAYMENT_METHODS.index("CARD")

# The route is planned at this local hour for the same day, Monday to Saturday.
PLANNING_HOUR = 6
FIRST_VISIT_HOUR = 8
VISIT_WINDOW_MINUTES = 420
VISIT_MINUTES = (10, 25)
_GRID_MINUTES = 5
# A machine is visited where so many of its slots are low, or so much of its stock is sold, or its cash box so full;
# on some days the van has no place for it.
LOW_SLOTS_SHARE = 0.25
MISSING_SHARE = 0.45
CASH_SHARE = 0.6
OMITTED_CHANCE = 0.12

_NEVER = np.iinfo(np.int64).max
_TRADE_PURPOSE = 800


@dataclass(frozen=True, slots=True)
class Traded:
    """What happened in a span of time.

    Attributes:
        sales: by time.
        restocks: by time.
        emptied: cash taken out: (machine, microseconds since 1970, minor units).
    """

    sales: Sales
    restocks: Restocks
    emptied: list[tuple[int, int, int]]


class Trade:
    """The stock and the cash of a fleet, which go on from `now`, microseconds since 1970.

    Sales happen at their own instants; whoever decides (the route, the lock of a full cash box) does so at full hours.
    So nothing depends on how the time is cut.

    Attributes:
        quantity: (slots,) units in each slot of the fleet, machine after machine.
        capacity: (slots,) units to which a visit fills each slot.
        price: (slots,) minor units.
        cash: (machines,) minor units in the cash box.
        first_slot: (machines,) place of a machine's first slot.
        visits: (machine, begin, end) of the visits under way, lately ended or planned, microseconds since 1970.
    """

    def __init__(self, specs: Sequence[VendingSpec], keys: KeyArray, incidents: VendingIncidents, start: int) -> None:
        counts = np.array([len(spec.slots) for spec in specs], dtype=np.int64)
        slots = [slot for spec in specs for slot in spec.slots]
        self._serials = [spec.serial_number for spec in specs]
        self._keys = keys
        self._incidents = incidents
        self._clock = LocalClock([spec.time_zone for spec in specs])
        self._demand = Demand(specs, keys, self._clock)
        self._machine = np.repeat(np.arange(len(specs)), counts)
        self.first_slot = np.cumsum(counts) - counts
        self.capacity = np.array([slot.capacity for slot in slots], dtype=np.int64)
        self._threshold = np.array([slot.low_stock_threshold for slot in slots], dtype=np.int64)
        self._cash_capacity = np.array([spec.cash_capacity for spec in specs], dtype=np.int64)
        self.price = np.array([slot.price_minor for slot in slots], dtype=np.int64)
        place = np.arange(len(slots)) - self.first_slot[self._machine]
        filling = uniform(keys[self._machine], _TRADE_PURPOSE, place)
        self.quantity = np.rint(self.capacity * (0.45 + 0.55 * filling)).astype(np.int64)
        takings = 0.35 * uniform(keys, _TRADE_PURPOSE + 1) * self._cash_capacity
        self.cash = CHANGE_MINOR + (takings / 50).astype(np.int64) * 50
        self._takes_cash = np.ones(len(specs), dtype=np.bool_)
        self._begin = np.full(len(specs), _NEVER, dtype=np.int64)
        self._end = np.full(len(specs), _NEVER, dtype=np.int64)
        self.visits: list[tuple[int, int, int]] = []
        self._customers: tuple[int, Customers] | None = None
        self._now = start

    def advance(self, until: int) -> Traded:
        """Trade from `now` until just before an instant; the visits that end at the instant are done."""
        self.visits = [visit for visit in self.visits if visit[2] > self._now]
        sales, restocks = [Sales.none()], [Restocks.none()]
        emptied: list[tuple[int, int, int]] = []
        while self._now < until:
            next_hour = (self._now // MICROS_PER_HOUR + 1) * MICROS_PER_HOUR
            edge = min(until, next_hour, int(self._end.min(initial=_NEVER)))
            sales.append(self._sell(self._now, edge))
            self._now = edge
            for machine in np.flatnonzero(self._end == edge).tolist():
                restocks.append(self._restock(machine))
                emptied.append((machine, edge, self._empty(machine)))
            if edge == next_hour:
                self._decide(edge)
        return Traded(Sales.joined(sales), Restocks.joined(restocks), emptied)

    def _sell(self, since: int, until: int) -> Sales:
        came = self._customers_of(since // MICROS_PER_DAY)
        came = came.rows(slice(*np.searchsorted(came.at, [since, until]).tolist()))
        came = came.rows((came.at < self._begin[came.machine]) | (came.at >= self._end[came.machine]))
        came = _without_cash(came, (came.payment == CASH) & ~self._takes_cash[came.machine])
        if not len(came):
            return Sales.none()
        given = _given(came, self.quantity)
        came, given = came.rows(given > 0), given[given > 0]
        np.subtract.at(self.quantity, came.slot, given)
        price = self.price[came.slot]
        np.add.at(self.cash, came.machine, np.where(came.payment == CASH, given * price, 0))
        date = from_micros(since).strftime("%Y%m%d")
        rows = zip(came.machine.tolist(), came.number.tolist(), strict=True)
        return Sales(
            machine_index=came.machine,
            slot_index=came.slot - self.first_slot[came.machine],
            sold_at_micros=came.at,
            units=given,
            unit_price_minor=price,
            payment_index=came.payment,
            transaction_ids=[f"{self._serials[machine]}-{date}-{number:04}" for machine, number in rows],
        )

    def _customers_of(self, day: int) -> Customers:
        """Those who come on a day and find the machine, the slot and the coin slot working."""
        if self._customers is None or self._customers[0] != day:
            incidents = self._incidents.between(day * MICROS_PER_DAY, (day + 1) * MICROS_PER_DAY)
            self._customers = day, self._served(self._demand.of_day(day), incidents)
        return self._customers[1]

    def _served(self, came: Customers, incidents: list[VendingIncident]) -> Customers:
        turned_away, no_cash = np.zeros(len(came), dtype=np.bool_), np.zeros(len(came), dtype=np.bool_)
        for incident in incidents:
            concerned = came.machine == incident.machine_index
            concerned &= (came.at >= to_micros(incident.started_at)) & (came.at < to_micros(incident.ended_at))
            if incident.slot_index is not None:
                turned_away |= concerned & (came.slot == self.first_slot[incident.machine_index] + incident.slot_index)
            elif incident.kind is VendingIncidentKind.DOOR_LEFT_OPEN:
                turned_away |= concerned
            elif incident.kind is VendingIncidentKind.COIN_JAM:
                no_cash |= concerned
        return _without_cash(came.rows(~turned_away), (no_cash & (came.payment == CASH))[~turned_away])

    def _restock(self, machine: int) -> Restocks:
        """Fill every slot of a machine that is not full, and forget the visit."""
        slots = np.flatnonzero((self._machine == machine) & (self.quantity < self.capacity))
        filled = Restocks(
            machine_index=np.full(len(slots), machine, dtype=np.int64),
            slot_index=slots - self.first_slot[machine],
            quantity_added=self.capacity[slots] - self.quantity[slots],
            quantity_after=self.capacity[slots],
            restocked_at_micros=np.full(len(slots), self._end[machine], dtype=np.int64),
        )
        self.quantity[slots] = self.capacity[slots]
        self._begin[machine] = self._end[machine] = _NEVER
        return filled

    def _empty(self, machine: int) -> int:
        taken = max(0, int(self.cash[machine]) - CHANGE_MINOR)
        self.cash[machine] -= taken
        self._takes_cash[machine] = True
        return taken

    def _decide(self, now: int) -> None:
        """Lock full cash boxes, and plan the visits of the day where the local time for that has come."""
        self._takes_cash = self.cash < self._cash_capacity
        local = self._clock.hours_of_week(np.array([now // MICROS_PER_HOUR]))[0]
        is_time = (local % 24 == PLANNING_HOUR) & (local < 6 * 24) & (self._begin == _NEVER)
        omitted = uniform(self._keys, now, _TRADE_PURPOSE + 2) < OMITTED_CHANCE
        chosen = np.flatnonzero(is_time & ~omitted & self._needs_visit()) if is_time.any() else np.zeros(0, np.int64)
        if not len(chosen):
            return
        keys, minute = self._keys[chosen], _GRID_MINUTES * 60_000_000
        wait = uniform(keys, now, _TRADE_PURPOSE + 3) * VISIT_WINDOW_MINUTES // _GRID_MINUTES
        shortest, longest = VISIT_MINUTES
        length = (shortest + uniform(keys, now, _TRADE_PURPOSE + 4) * (longest + 1 - shortest)) // _GRID_MINUTES
        begin = now + (FIRST_VISIT_HOUR - PLANNING_HOUR) * MICROS_PER_HOUR + wait.astype(np.int64) * minute
        self._begin[chosen], self._end[chosen] = begin, begin + length.astype(np.int64) * minute
        self.visits += zip(chosen.tolist(), begin.tolist(), self._end[chosen].tolist(), strict=True)

    def _needs_visit(self) -> BoolArray:
        def total(weights: IntArray | BoolArray) -> FloatArray:
            return np.bincount(self._machine, weights, minlength=len(self._keys)).astype(np.float64)

        slots, capacity = total(np.ones_like(self.capacity)), total(self.capacity)
        low = total(self.quantity <= self._threshold) >= LOW_SLOTS_SHARE * slots
        sold = capacity - total(self.quantity) >= MISSING_SHARE * capacity
        return (slots > 0) & (low | sold | (self.cash >= CASH_SHARE * self._cash_capacity))


def _without_cash(came: Customers, no_cash: BoolArray) -> Customers:
    """Let those who cannot pay with cash pay by card, if they have one, else go away."""
    if not no_cash.any():
        return came
    came.payment[no_cash] = CARD
    return came.rows(~no_cash | came.has_card)


def _given(came: Customers, quantity: IntArray) -> IntArray:
    """Units that each customer gets while stock lasts, (n,), first come first served."""
    order = np.argsort(came.slot, kind="stable")
    slot, units = came.slot[order], came.units[order]
    before = np.cumsum(units) - units
    before -= before[np.searchsorted(slot, slot)]
    given = np.empty_like(units)
    given[order] = np.clip(quantity[slot] - before, 0, units)
    return given

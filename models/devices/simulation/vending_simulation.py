"""A fleet of vending machines in time: what is sold and loaded, and the readings of the machines."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.climate import room_temperature
from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray, hashed, text_key
from models.devices.simulation.pace import LONGEST_STEP_SECONDS, Pace
from models.devices.simulation.vending_blocks import Restocks, Sales, VendingBlock
from models.devices.simulation.vending_cabinet import CabinetConditions, Cabinets, CabinetState, run_cabinets
from models.devices.simulation.vending_clock import MICROS_PER_HOUR, LocalClock
from models.devices.simulation.vending_incidents import (
    VendingIncident,
    VendingIncidentKind,
    VendingIncidents,
    going_on,
    within_spans,
)
from models.devices.simulation.vending_sensors import observe_vending
from models.devices.simulation.vending_specs import VendingSpec
from models.devices.simulation.vending_trade import Trade, Traded
from models.types import from_micros, to_micros

WARM_UP = timedelta(hours=12)
ROOM_DAY_AMPLITUDE = 1.2
_WARMEST_HOUR = 15
_LIT_FROM_HOUR = 5
_LIT_UNTIL_HOUR = 23


class VendingSimulation:
    """Vending machines that go on from `now`.

    All chance is a function of seed, serial number and time, so the same specifications, seed and start give the same
    sales, restocks and readings however the time is cut into calls of `advance`, as long as the interval, quantities
    and prices are the same. Sales and restocks do not depend on the interval either.

    Stock and cash at the start are a function of the seed; set them to go on from where something else has stopped.
    """

    def __init__(self, specs: Sequence[VendingSpec], seed: int, start: datetime) -> None:
        self._specs = list(specs)
        self._keys = hashed(seed, [text_key(spec.serial_number) for spec in specs])
        slot_counts = np.array([len(spec.slots) for spec in specs], dtype=np.int64)
        self._incidents = VendingIncidents(self._keys, slot_counts)
        self._clock = LocalClock([spec.time_zone for spec in specs])
        self._cabinets = Cabinets.of(specs)
        self._state = CabinetState.settled(self._cabinets)
        self._ambient = np.array([spec.ambient_temperature for spec in specs], dtype=np.float64)
        self._slot_counts = slot_counts
        self._now = to_micros(start)
        self._trade = Trade(specs, self._keys, VendingIncidents(self._keys, slot_counts), self._now)
        self._loading = self._total_capacity()
        self._warm_up()

    @property
    def now(self) -> datetime:
        """The instant up to which the machines have run."""
        return from_micros(self._now)

    def advance(self, until: datetime, interval_seconds: float) -> Iterator[VendingBlock]:
        """Run the machines, block by block as the result is consumed.

        Each machine is read at the multiples of the interval, counted from 1970, after `now` and up to `until`; power
        is the mean of the last minute at most, the rest is as it is at the instant. A block has the sales and restocks
        since the block before; what happens after its last instant comes with the next.

        Args:
            until: an aware instant; nothing happens if none of the multiples has been reached.
            interval_seconds: time between two readings of a machine.

        Yields:
            Blocks of a day at most.

        Raises:
            ValueError: the interval is shorter than a microsecond.
        """
        pace = Pace.of(interval_seconds, len(self._specs))
        while len(instants := pace.instants(self._now, to_micros(until))):
            yield self._block(instants, pace)

    def quantities(self, machine_index: int) -> list[int]:
        """Return the units in each slot of a machine, in the order of its slots."""
        return self._trade.quantity[self._places(machine_index)].tolist()

    def prices(self, machine_index: int) -> list[int]:
        """Return the price of each slot of a machine in minor units, in the order of its slots."""
        return self._trade.price[self._places(machine_index)].tolist()

    def cash_level(self, machine_index: int) -> int:
        """Return what the cash box of a machine holds, in minor units."""
        return int(self._trade.cash[machine_index])

    def set_quantity(self, machine_index: int, slot_index: int, quantity: int) -> None:
        """Say what a slot holds from `now` on; the quantity that it has already changes nothing.

        Raises:
            ValueError: the quantity is negative.
            IndexError: there is no such slot.
        """
        if quantity < 0:
            raise ValueError(f"the quantity is {quantity}; it must not be negative")
        self._trade.quantity[self._place(machine_index, slot_index)] = quantity

    def set_capacity(self, machine_index: int, slot_index: int, capacity: int) -> None:
        """Say to what a slot is filled by the next visits; the slot keeps what it holds.

        Raises:
            ValueError: the capacity is negative.
            IndexError: there is no such slot.
        """
        if capacity < 0:
            raise ValueError(f"the capacity is {capacity}; it must not be negative")
        self._trade.capacity[self._place(machine_index, slot_index)] = capacity

    def set_price(self, machine_index: int, slot_index: int, price_minor: int) -> None:
        """Say what a slot's product costs from `now` on.

        Raises:
            ValueError: the price is negative.
            IndexError: there is no such slot.
        """
        if price_minor < 0:
            raise ValueError(f"the price is {price_minor}; it must not be negative")
        self._trade.price[self._place(machine_index, slot_index)] = price_minor

    def set_cash_level(self, machine_index: int, cash_minor: int) -> None:
        """Say what a cash box holds from `now` on.

        Raises:
            ValueError: the amount is negative.
        """
        if cash_minor < 0:
            raise ValueError(f"the cash level is {cash_minor}; it must not be negative")
        self._trade.cash[machine_index] = cash_minor

    def incidents(self, since: datetime, until: datetime) -> list[VendingIncident]:
        """Return the true incidents that are going on at some time from `since` to `until`, by their start."""
        found = VendingIncidents(self._keys, self._slot_counts).between(to_micros(since), to_micros(until))
        within = [incident for incident in found if incident.started_at < until and incident.ended_at > since]
        return sorted(within, key=lambda incident: (incident.started_at, incident.machine_index))

    def _places(self, machine_index: int) -> slice:
        first = int(self._trade.first_slot[machine_index])
        return slice(first, first + int(self._slot_counts[machine_index]))

    def _place(self, machine_index: int, slot_index: int) -> int:
        count = int(self._slot_counts[machine_index])
        if not 0 <= slot_index < count:
            raise IndexError(f"machine {machine_index} has no slot {slot_index}; it has {count} slots, from 0")
        return int(self._trade.first_slot[machine_index]) + slot_index

    def _total_capacity(self) -> FloatArray:
        totals = [sum(slot.capacity for slot in spec.slots) for spec in self._specs]
        return np.maximum(np.array(totals, dtype=np.float64), 1)

    def _warm_up(self) -> None:
        """Let the cabinets come into their rhythm before the start, without trade."""
        step = LONGEST_STEP_SECONDS * 1_000_000
        begin = (self._now - WARM_UP // timedelta(microseconds=1)) // step * step
        edges = np.append(np.arange(begin, self._now, step), self._now)
        run_cabinets(self._cabinets, self._state, self._conditions(edges, Traded(Sales.none(), Restocks.none(), [])))

    def _block(self, instants: IntArray, pace: Pace) -> VendingBlock:
        edges = pace.edges(self._now, instants)
        cash_before = self._trade.cash.copy()
        traded = self._trade.advance(int(instants[-1]))
        given = self._conditions(edges, traded)
        air, power = run_cabinets(self._cabinets, self._state, given)
        self._now = int(instants[-1])
        truth = {
            "cabinet_temperature": air[pace.parts - 1 :: pace.parts],
            "power": power[pace.parts - 1 :: pace.parts],
            "cash_level": self._cash_levels(cash_before, instants, traded),
        }
        seen = observe_vending(truth, self._keys, instants)
        # Transposed, the rows come out by machine, then by time: the order of the key under which they are stored.
        sent = seen.sent.T
        machine, place = np.nonzero(sent)
        channels = {name: value.T[sent] for name, value in seen.channels.items()}
        door = given.door[pace.parts - 1 :: pace.parts].T[sent]
        return VendingBlock(machine, instants[place], channels, door, traded.sales, traded.restocks)

    def _cash_levels(self, before: IntArray, instants: IntArray, traded: Traded) -> FloatArray:
        """Cash at each instant, (instants, machines): a sale counts after its time, an emptying from its time on."""
        change = np.zeros((len(instants), len(before)), dtype=np.int64)
        sales = traded.sales
        paid = np.where(sales.payment_index == 0, sales.units * sales.unit_price_minor, 0)
        np.add.at(change, (np.searchsorted(instants, sales.sold_at_micros, side="right"), sales.machine_index), paid)
        for machine, at, taken in traded.emptied:
            change[np.searchsorted(instants, at), machine] -= taken
        return (before + np.cumsum(change, axis=0)).astype(np.float64)

    def _conditions(self, edges: IntArray, traded: Traded) -> CabinetConditions:
        ends, count = edges[1:], len(self._specs)
        incidents = self._incidents.between(int(edges[0]), int(edges[-1]))
        door = going_on(incidents, VendingIncidentKind.DOOR_LEFT_OPEN, ends, count)
        hours = ends // MICROS_PER_HOUR
        of_week, place = np.unique(hours, return_inverse=True)
        local = self._clock.hours_of_week(of_week)[place] % 24
        return CabinetConditions(
            seconds=np.diff(edges) / 1e6,
            room=self._room(ends),
            door=door | within_spans(self._trade.visits, ends, count),
            faulty=going_on(incidents, VendingIncidentKind.COMPRESSOR_FAULT, ends, count),
            lit=self._is_lit(local),
            drinks=self._tally(edges, traded.sales.sold_at_micros, traded.sales.machine_index, traded.sales.units),
            loaded=self._tally(
                edges,
                traded.restocks.restocked_at_micros - 1,
                traded.restocks.machine_index,
                traded.restocks.quantity_added,
            )
            / self._loading,
        )

    def _room(self, micros: IntArray) -> FloatArray:
        seconds = micros / 1e6
        swing = np.cos(2 * np.pi * (seconds / 3600 - _WARMEST_HOUR) / 24)
        return room_temperature(seconds, self._ambient) + ROOM_DAY_AMPLITUDE * swing[:, None]

    @staticmethod
    def _is_lit(local_hour: IntArray) -> BoolArray:
        return (local_hour >= _LIT_FROM_HOUR) & (local_hour < _LIT_UNTIL_HOUR)

    def _tally(self, edges: IntArray, at: IntArray, machine: IntArray, amount: IntArray) -> FloatArray:
        """Sum amounts by step and machine, (steps, machines); each lies within the edges."""
        total = np.zeros((len(edges) - 1, len(self._specs)))
        np.add.at(total, (np.searchsorted(edges, at, side="right") - 1, machine), amount)
        return total

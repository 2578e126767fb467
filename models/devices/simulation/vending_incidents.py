"""What goes wrong with vending machines: rare, over within two days, each known to the simulation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np

from models.devices.simulation.hashing import BoolArray, IntArray, KeyArray, uniform
from models.devices.simulation.pace import MICROS_PER_DAY
from models.types import from_micros, to_micros

_INCIDENT_PURPOSE = 600


class VendingIncidentKind(Enum):
    """What can happen to a vending machine."""

    COMPRESSOR_FAULT = "COMPRESSOR_FAULT"
    """It no longer cools: the cabinet warms up, and the compressor draws no power."""
    DOOR_LEFT_OPEN = "DOOR_LEFT_OPEN"
    """The door stands open: the cabinet warms up, and nothing is sold."""
    COIN_JAM = "COIN_JAM"
    """It takes no cash; some of those who wanted to pay so pay by card."""
    SLOT_JAM = "SLOT_JAM"
    """One slot gives nothing."""


@dataclass(frozen=True, slots=True)
class VendingIncident:
    """Something that happened to one machine; `slot_index` is the place of a jammed slot, else None."""

    machine_index: int
    kind: VendingIncidentKind
    started_at: datetime
    ended_at: datetime
    slot_index: int | None = None


# Chance in a day of one machine, and the shortest and longest duration in hours.
VENDING_CHANCES: dict[VendingIncidentKind, tuple[float, float, float]] = {
    VendingIncidentKind.COMPRESSOR_FAULT: (0.006, 5, 20),
    VendingIncidentKind.DOOR_LEFT_OPEN: (0.008, 0.5, 3),
    VendingIncidentKind.COIN_JAM: (0.015, 3, 30),
    VendingIncidentKind.SLOT_JAM: (0.025, 4, 48),
}
LONGEST_DAYS = 2


def vending_incidents_of_day(keys: KeyArray, slot_counts: IntArray, day: int) -> list[VendingIncident]:
    """Return the incidents that begin on a day, counted from 1970-01-01.

    Args:
        keys: (machines,) keys of the machines.
        slot_counts: (machines,) how many slots each has.
        day: the day.
    """
    found: list[VendingIncident] = []
    for number, (kind, (chance, shortest, longest)) in enumerate(VENDING_CHANCES.items()):
        stream = _INCIDENT_PURPOSE + 10 * number
        struck = np.flatnonzero(uniform(keys, day, stream) < chance)
        begin, length, which = (uniform(keys[struck], day, stream + step) for step in (1, 2, 3))
        start = MICROS_PER_DAY * day + (MICROS_PER_DAY * begin).astype(np.int64)
        end = start + (3600e6 * (shortest + (longest - shortest) * length)).astype(np.int64)
        slot = (which * slot_counts[struck]).astype(np.int64)
        found += [
            VendingIncident(
                int(machine),
                kind,
                from_micros(int(first)),
                from_micros(int(last)),
                int(place) if kind is VendingIncidentKind.SLOT_JAM else None,
            )
            for machine, first, last, place in zip(struck, start, end, slot, strict=True)
        ]
    return found


class VendingIncidents:
    """The incidents of a fleet, made up day by day and kept while they can still be going on."""

    def __init__(self, keys: KeyArray, slot_counts: IntArray) -> None:
        self._keys = keys
        self._slot_counts = slot_counts
        self._by_day: dict[int, list[VendingIncident]] = {}

    def between(self, since: int, until: int) -> list[VendingIncident]:
        """Return those that may be going on at some time between two instants (microseconds), in no strict order."""
        days = range(since // MICROS_PER_DAY - LONGEST_DAYS, until // MICROS_PER_DAY + 1)
        kept = self._by_day
        self._by_day = {
            day: kept[day] if day in kept else vending_incidents_of_day(self._keys, self._slot_counts, day)
            for day in days
        }
        return [incident for found in self._by_day.values() for incident in found]


def going_on(
    incidents: Iterable[VendingIncident], kind: VendingIncidentKind, micros: IntArray, machine_count: int
) -> BoolArray:
    """Say where incidents of one kind are going on, (n, machines), at (n,) rising microseconds since 1970."""
    spans = [
        (incident.machine_index, to_micros(incident.started_at), to_micros(incident.ended_at))
        for incident in incidents
        if incident.kind is kind
    ]
    return within_spans(spans, micros, machine_count)


def within_spans(spans: Sequence[tuple[int, int, int]], micros: IntArray, machine_count: int) -> BoolArray:
    """Say which of the (n,) rising instants lie in spans of (machine, begin, end), (n, machines); ends are outside."""
    marks = np.zeros((len(micros), machine_count), dtype=np.bool_)
    for machine, begin, end in spans:
        first, last = np.searchsorted(micros, [begin, end])
        marks[first:last, machine] = True
    return marks

"""Short incidents: rare, over within hours, each known to the simulation."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np

from models.devices.simulation.hashing import FloatArray, KeyArray, uniform
from models.devices.simulation.pace import MICROS_PER_DAY
from models.types import from_micros

_INCIDENT_PURPOSE = 300


class IncidentKind(Enum):
    """What can happen to a heater."""

    STUCK_THERMOSTAT = "STUCK_THERMOSTAT"
    """It heats without end; only the safety cut-out stops it."""
    PRESSURE_SPIKE = "PRESSURE_SPIKE"
    """The pressure reducer of the supply fails for minutes."""
    ELEMENT_FAILURE = "ELEMENT_FAILURE"
    """It calls for heat but draws no power."""
    SILENCE = "SILENCE"
    """It heats as ever but sends nothing."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to one device; `extra_bar` is the height of a pressure spike, else 0."""

    device_index: int
    kind: IncidentKind
    started_at: datetime
    ended_at: datetime
    extra_bar: float = 0.0


# Chance in a day of one device, and the shortest and longest duration in minutes. None lasts longer than a day.
CHANCES: dict[IncidentKind, tuple[float, float, float]] = {
    IncidentKind.STUCK_THERMOSTAT: (0.004, 45, 150),
    IncidentKind.PRESSURE_SPIKE: (0.008, 2, 20),
    IncidentKind.ELEMENT_FAILURE: (0.003, 120, 480),
    IncidentKind.SILENCE: (0.010, 10, 40),
}


def incidents_of_day(keys: KeyArray, day: int) -> list[Incident]:
    """Return the incidents that begin on a day, counted from 1970-01-01, for devices with these (devices,) keys."""
    found: list[Incident] = []
    for number, (kind, (chance, shortest, longest)) in enumerate(CHANCES.items()):
        stream = _INCIDENT_PURPOSE + 10 * number
        struck = np.flatnonzero(uniform(keys, day, stream) < chance)
        begin, length, height = (uniform(keys[struck], day, stream + step) for step in (1, 2, 3))
        minutes = shortest + (longest - shortest) * length
        start = MICROS_PER_DAY * day + (MICROS_PER_DAY * begin).astype(np.int64)
        end = start + (60e6 * minutes).astype(np.int64)
        bar = 2.5 + 2 * height if kind is IncidentKind.PRESSURE_SPIKE else np.zeros(len(struck))
        found += [
            Incident(int(device), kind, from_micros(int(first)), from_micros(int(last)), float(extra))
            for device, first, last, extra in zip(struck, start, end, bar, strict=True)
        ]
    return found


def marked(
    incidents: list[Incident], kind: IncidentKind, seconds: FloatArray, device_count: int, height: float | None = None
) -> FloatArray:
    """Mark where incidents of one kind are going on.

    Args:
        incidents: any incidents.
        kind: the kind to mark.
        seconds: (n,) rising seconds since 1970.
        device_count: the number of devices.
        height: value of a mark; the incident's `extra_bar` if None.

    Returns:
        (n, devices), 0 where nothing is going on.
    """
    marks = np.zeros((len(seconds), device_count))
    for incident in incidents:
        if incident.kind is kind:
            bounds = [incident.started_at.timestamp(), incident.ended_at.timestamp()]
            first, last = np.searchsorted(seconds, bounds)
            marks[first:last, incident.device_index] = incident.extra_bar if height is None else height
    return marks

"""Slow causes of wear, each with a known onset and rate: the ground truth of a simulated heater."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import numpy as np

from models.devices.simulation.hashing import FloatArray
from models.types import to_micros

SECONDS_PER_YEAR = 365.2425 * 86_400

# Heat that a millimetre of scale keeps from the water, relative to what passes.
SCALE_RESISTANCE_PER_MM = 0.07
# A tank whose anode is used up rusts through: litres per minute for each further whole anode it would have needed.
RUST_LEAK_PER_ANODE = 0.1


class CauseKind(Enum):
    """What wears, and the unit in which its level is counted."""

    SCALE = "SCALE"
    """Lime on the heating surface, mm: less of the energy reaches the water."""
    ANODE_DEPLETION = "ANODE_DEPLETION"
    """Used share of the sacrificial anode: shows nothing up to 1, then the tank begins to leak."""
    ELEMENT_AGEING = "ELEMENT_AGEING"
    """Lost share of the heating power."""
    LEAK = "LEAK"
    """Water that seeps away, L/min: it never stops flowing, and the pressure is low."""
    THERMOSTAT_DRIFT = "THERMOSTAT_DRIFT"
    """What the thermostat reads too high, K: the tank is kept colder by as much. Negative: hotter."""


# The level at which a cause stops growing: beyond it the heater would have been replaced.
MOST: dict[CauseKind, float] = {
    CauseKind.SCALE: 8.0,
    CauseKind.ANODE_DEPLETION: 2.0,
    CauseKind.ELEMENT_AGEING: 0.6,
    CauseKind.LEAK: 1.5,
    CauseKind.THERMOSTAT_DRIFT: 12.0,
}


# The level at which a heater is given up on average: a third more energy for the same water, a rusty tank that loses
# 90 litres a day, barely half of the power, 360 litres a day, water that is cold or scalds.
LIMITS: dict[CauseKind, float] = {
    CauseKind.SCALE: 5.0,
    CauseKind.ANODE_DEPLETION: 1.6,
    CauseKind.ELEMENT_AGEING: 0.45,
    CauseKind.LEAK: 0.25,
    CauseKind.THERMOSTAT_DRIFT: 8.0,
}
# Standard deviation of the limits of single heaters, relative to these; none is further away than two of them.
LIMIT_DEVIATION = 0.1


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of wear: nothing before `started_at`, then growing by `rate_per_year`, in the unit of its kind.

    Attributes:
        limit: level at which the heater fails, above 0; that of its kind if None.
    """

    kind: CauseKind
    started_at: datetime
    rate_per_year: float
    limit: float | None = None

    @property
    def fails_at(self) -> datetime | None:
        """When the limit is reached; None if it does not grow."""
        if not self.rate_per_year:
            return None
        limit = LIMITS[self.kind] if self.limit is None else self.limit
        return self.started_at + timedelta(seconds=limit / abs(self.rate_per_year) * SECONDS_PER_YEAR)

    def level(self, at: datetime) -> float:
        """Return how far the cause has come at an instant."""
        seconds = np.array([to_micros(at) / 1e6])
        return float(levels([(self,)], self.kind, seconds)[0, 0])


@dataclass(frozen=True, slots=True)
class WearEffects:
    """What wear does to the physics, each (instants, devices).

    Attributes:
        heat_transfer: share of the produced heat that reaches the water.
        power_factor: share of the rated power that is left.
        leak_liters_per_minute: water that seeps away.
        sensor_offset: what the thermostat reads above the true temperature, K.
    """

    heat_transfer: FloatArray
    power_factor: FloatArray
    leak_liters_per_minute: FloatArray
    sensor_offset: FloatArray


def levels(causes: Sequence[Sequence[Cause]], kind: CauseKind, seconds: FloatArray) -> FloatArray:
    """Level of one kind of cause.

    Args:
        causes: the causes of each device.
        kind: which of them; a device without it has level 0, one with several has their sum.
        seconds: (instants,) seconds since 1970.

    Returns:
        (instants, devices) in the unit of the kind.
    """
    found = np.zeros((len(seconds), len(causes)))
    for index, own in enumerate(causes):
        for cause in own:
            if cause.kind is kind:
                years = np.maximum(seconds - to_micros(cause.started_at) / 1e6, 0) / SECONDS_PER_YEAR
                found[:, index] += years * cause.rate_per_year
    return np.clip(found, -MOST[kind], MOST[kind])


def end_of_life(causes: Sequence[Cause]) -> datetime | None:
    """Return when the first of a heater's causes reaches its limit; None if none does."""
    return min((at for cause in causes if (at := cause.fails_at) is not None), default=None)


def drawn_limit(kind: CauseKind, random: np.random.Generator) -> float:
    """Draw the level at which one heater fails of a kind of cause."""
    return LIMITS[kind] * (1 + LIMIT_DEVIATION * float(np.clip(random.normal(), -2, 2)))


def wear_effects(causes: Sequence[Sequence[Cause]], seconds: FloatArray) -> WearEffects:
    """Effects of all causes of each device at (instants,) seconds since 1970."""
    rust = np.maximum(levels(causes, CauseKind.ANODE_DEPLETION, seconds) - 1, 0)
    return WearEffects(
        heat_transfer=1 / (1 + SCALE_RESISTANCE_PER_MM * levels(causes, CauseKind.SCALE, seconds)),
        power_factor=1 - levels(causes, CauseKind.ELEMENT_AGEING, seconds),
        leak_liters_per_minute=levels(causes, CauseKind.LEAK, seconds) + RUST_LEAK_PER_ANODE * rust,
        sensor_offset=levels(causes, CauseKind.THERMOSTAT_DRIFT, seconds),
    )

"""Slow causes of wear, each with a known onset and rate: the ground truth of a simulated heater."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of wear: nothing before `started_at`, then growing by `rate_per_year`, in the unit of its kind."""

    kind: CauseKind
    started_at: datetime
    rate_per_year: float

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
        kind: which of them; a device without it has level 0.
        seconds: (instants,) seconds since 1970.

    Returns:
        (instants, devices) in the unit of the kind.
    """
    started = np.full(len(causes), seconds[-1])
    rate = np.zeros(len(causes))
    for index, own in enumerate(causes):
        for cause in own:
            if cause.kind is kind:
                started[index], rate[index] = to_micros(cause.started_at) / 1e6, cause.rate_per_year
    years = np.maximum(seconds[:, None] - started, 0) / SECONDS_PER_YEAR
    return np.clip(years * rate, -MOST[kind], MOST[kind])


def wear_effects(causes: Sequence[Sequence[Cause]], seconds: FloatArray) -> WearEffects:
    """Effects of all causes of each device at (instants,) seconds since 1970."""
    rust = np.maximum(levels(causes, CauseKind.ANODE_DEPLETION, seconds) - 1, 0)
    return WearEffects(
        heat_transfer=1 / (1 + SCALE_RESISTANCE_PER_MM * levels(causes, CauseKind.SCALE, seconds)),
        power_factor=1 - levels(causes, CauseKind.ELEMENT_AGEING, seconds),
        leak_liters_per_minute=levels(causes, CauseKind.LEAK, seconds) + RUST_LEAK_PER_ANODE * rust,
        sensor_offset=levels(causes, CauseKind.THERMOSTAT_DRIFT, seconds),
    )

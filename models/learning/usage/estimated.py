"""Litres from energy, where no flow is metered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray
from models.learning.usage.heaters import (
    ASSUMED_INLET_TEMPERATURE,
    ASSUMED_ROOM_TEMPERATURE,
    JOULES_PER_KWH,
    JOULES_PER_LITER_KELVIN,
    Heater,
    reference_loss,
)
from models.learning.usage.hours import HOUR_SECONDS, HourlyUse

_LEAST_RISE = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedLiters:
    """Litres from energy.

    Attributes:
        liters: (devices, hours); below 0 in hours in which the tank only loses heat, so that sums over days are right.
        seconds: (devices, hours) that they cover; 0 where the heater's efficiency is not known.
        assumed: (devices,) what was taken for granted, in words.
    """

    liters: FloatArray
    seconds: FloatArray
    assumed: tuple[tuple[str, ...], ...]


def liters_from_energy(use: HourlyUse, heaters: Sequence[Heater]) -> EstimatedLiters:
    """Estimate what was drawn: heat supplied, less what the tank lost and what it holds more, over the rise of water.

    Where they are not measured, the tank is taken to be at its target, the inlet at 10 °C, the room at 20 °C and the
    loss that of a new tank of the volume (`reference_loss`). An hour shows when water was heated, up to some hours
    after it was drawn; the tank's own temperature, where it is known, puts that right.

    Args:
        use: hours with energy.
        heaters: (devices,).
    """
    efficiency = np.array([heater.known_efficiency or np.nan for heater in heaters])[:, None]
    target = np.array([heater.target_temperature for heater in heaters])[:, None]
    capacity = np.array([heater.heat_capacity for heater in heaters])[:, None]
    loss = reference_loss(np.array([heater.capacity_liters for heater in heaters]))[:, None]
    measured = np.isfinite(use.temperature)
    water = np.where(measured, use.temperature, target)
    inlet = np.where(np.isfinite(use.inlet_temperature), use.inlet_temperature, ASSUMED_INLET_TEMPERATURE)
    lost = loss * (water - ASSUMED_ROOM_TEMPERATURE) * use.kwh_seconds
    stored = capacity * _hourly_rise(use.temperature) * (use.kwh_seconds / HOUR_SECONDS)
    heat = use.kwh * JOULES_PER_KWH * efficiency - lost - stored
    rise = np.maximum(water - inlet, _LEAST_RISE)
    known = np.isfinite(heat) & (use.kwh_seconds > 0)
    liters = np.where(known, heat / (JOULES_PER_LITER_KELVIN * rise), 0.0)
    return EstimatedLiters(liters, np.where(known, use.kwh_seconds, 0.0), _assumptions(use, heaters))


def _hourly_rise(temperature: FloatArray) -> FloatArray:
    """Return (devices, hours) rises within each hour: half of that between its neighbours' means; 0 where unknown."""
    rise = np.zeros(temperature.shape)
    rise[:, 1:-1] = (temperature[:, 2:] - temperature[:, :-2]) / 2
    return np.nan_to_num(rise)


def _assumptions(use: HourlyUse, heaters: Sequence[Heater]) -> tuple[tuple[str, ...], ...]:
    warm, cold = (np.isfinite(values).sum(axis=1) > 0 for values in (use.temperature, use.inlet_temperature))
    losses = reference_loss(np.array([heater.capacity_liters for heater in heaters]))
    return tuple(
        (
            f"{heater.known_efficiency or 0:.2f} of the energy heats water",
            f"the tank loses {losses[row]:.2f} W/K to a room of {ASSUMED_ROOM_TEMPERATURE:.0f} °C",
            *(() if warm[row] else (f"the tank is at its target of {heater.target_temperature:.0f} °C",)),
            *(() if cold[row] else (f"water comes in at {ASSUMED_INLET_TEMPERATURE:.0f} °C",)),
        )
        for row, heater in enumerate(heaters)
    )

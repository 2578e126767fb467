"""What the simulation knows and the analysis has to find out: litres from energy alone, and the tanks' loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from models.devices.simulation import FleetSimulation, HeaterSpec, generate_fleet
from models.devices.water_heater import HeaterType, WaterHeaterMode
from models.learning.demand.localtime import FloatArray
from models.learning.usage import (
    Calendar,
    DeviceReadings,
    Heater,
    HeatSource,
    HourlyUse,
    hourly_use,
    standby_loss,
    usage_patterns,
)

_CHANNELS = ("flow_rate", "power", "energy", "temperature", "inlet_temperature")
_INTERVAL_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """How near estimates come to the truth of simulated heaters.

    Attributes:
        days: simulated days.
        liters: by what is known besides the energy, (resistive heaters in use,) estimated over true daily litres,
            less 1.
        loss: (heaters with an estimate,) estimated over true loss, less 1.
        within: how many of these have the true loss in their 90 % interval.
        heaters: how many are in use, by any source of heat.
    """

    days: int
    liters: dict[str, FloatArray]
    loss: FloatArray
    within: int
    heaters: int


def recover(count: int = 24, days: int = 60, seed: int = 7) -> Recovery:
    """Simulate a fleet in use, from the first of April on, and estimate what the simulation knows."""
    start = datetime(2025, 4, 1, tzinfo=UTC)
    specs = generate_fleet(count, seed, start)
    use = simulated_use(specs, seed, start, days)
    in_use = [row for row, spec in enumerate(specs) if spec.mode is not WaterHeaterMode.VACATION]
    heaters = [heater_of(spec) for spec in specs]
    calendar = Calendar.of(use.first_hour, use.shape[1], "UTC")
    loss = standby_loss(use, heaters, calendar)
    true = np.array([spec.standing_loss_watts_per_kelvin for spec in specs])
    known = [row for row in in_use if np.isfinite(loss.watts_per_kelvin[row])]
    within = (loss.lower <= true) & (true <= loss.upper)
    resistive = [row for row in in_use if specs[row].heater_type is HeaterType.RESISTIVE]
    return Recovery(
        days=days,
        liters=_liters(use, heaters, resistive, calendar),
        loss=(loss.watts_per_kelvin / true - 1)[known],
        within=int(within[known].sum()),
        heaters=len(in_use),
    )


def simulated_use(specs: Sequence[HeaterSpec], seed: int, start: datetime, days: int) -> HourlyUse:
    """Return the hours of a simulated fleet, read every five minutes."""
    simulation = FleetSimulation(specs, seed, start)
    blocks = list(simulation.advance(start + timedelta(days=days), _INTERVAL_SECONDS))
    device = np.concatenate([block.device_index for block in blocks])
    instants = np.concatenate([block.recorded_at_micros for block in blocks])
    channels = {name: np.concatenate([block.channels[name] for block in blocks]) for name in _CHANNELS}
    return hourly_use(
        [
            DeviceReadings(instants[rows], **{name: values[rows] for name, values in channels.items()})
            for rows in (device == row for row in range(len(specs)))
        ]
    )


def heater_of(spec: HeaterSpec) -> Heater:
    """Return what a maker's plate and the settings tell of a simulated heater."""
    return Heater(
        source=HeatSource(spec.heater_type.value),
        capacity_liters=spec.capacity_liters,
        rated_power_watts=spec.rated_power_watts,
        target_temperature=spec.target_temperature,
        min_temperature=spec.min_temperature,
        max_temperature=spec.max_temperature,
    )


def _liters(
    use: HourlyUse, heaters: Sequence[Heater], rows: Sequence[int], calendar: Calendar
) -> dict[str, FloatArray]:
    warm = HourlyUse.of(
        use.first_hour, use.shape, kwh=use.kwh, kwh_seconds=use.kwh_seconds, temperature=use.temperature
    )
    cases = {
        "energy alone": HourlyUse.of(use.first_hour, use.shape, kwh=use.kwh, kwh_seconds=use.kwh_seconds),
        "energy and the tank's temperature": warm,
        "energy and both temperatures": HourlyUse.of(
            use.first_hour,
            use.shape,
            kwh=use.kwh,
            kwh_seconds=use.kwh_seconds,
            temperature=use.temperature,
            inlet_temperature=use.inlet_temperature,
        ),
    }
    true = _daily(use, heaters, calendar)
    return {name: (_daily(case, heaters, calendar) / true - 1)[list(rows)] for name, case in cases.items()}


def _daily(use: HourlyUse, heaters: Sequence[Heater], calendar: Calendar) -> FloatArray:
    found = [patterns.daily_liters for patterns in usage_patterns(use, heaters, calendar)]
    return np.array([np.nan if liters is None or liters.value <= 0 else liters.value for liters in found])

"""What the set temperature and the mode mean for the thermostat and the sources of heat."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from models.devices.simulation.hashing import FloatArray
from models.devices.simulation.specs import HeaterSpec
from models.devices.water_heater import MODES, HeaterType, WaterHeaterMode

FROST_TEMPERATURE = 5.0
ECO_REDUCTION = 3.0
# A hybrid that saves lets its element help only where the heat pump has fallen this far behind.
BACKUP_MARGIN = 12.0

_HYSTERESIS = {WaterHeaterMode.ECO: 6.0, WaterHeaterMode.HIGH_DEMAND: 2.0}
_USUAL_HYSTERESIS = 4.0


@dataclass(frozen=True, slots=True)
class Controls:
    """How the heaters are run, each (devices,).

    Attributes:
        set_point: temperature at which the thermostat stops calling, °C.
        heat_below: temperature below which it starts, °C.
        direct_watts: element or burner that runs whenever it calls.
        compressor_watts: heat pump that runs whenever it calls.
        backup_watts: element that helps below `backup_below`.
        backup_below: see there, °C.
        presence: 1 where people draw water, 0 where they are away.
    """

    set_point: FloatArray
    heat_below: FloatArray
    direct_watts: FloatArray
    compressor_watts: FloatArray
    backup_watts: FloatArray
    backup_below: FloatArray
    presence: FloatArray

    @classmethod
    def of(cls, specs: Sequence[HeaterSpec]) -> "Controls":
        """Build the arrays from the specifications."""
        controls = cls(*(np.zeros(len(specs)) for _ in fields(cls)))
        for index, spec in enumerate(specs):
            controls.change(index, spec, spec.target_temperature, spec.mode)
        return controls

    def change(self, index: int, spec: HeaterSpec, target: float, mode: WaterHeaterMode) -> None:
        """Run one heater otherwise.

        Raises:
            ValueError: this type of heater has no such mode.
        """
        if mode not in MODES[spec.heater_type]:
            allowed = ", ".join(known.value for known in MODES[spec.heater_type])
            raise ValueError(f"a {spec.heater_type.value} heater has no mode {mode.value}; it has {allowed}")
        set_point = _set_point(spec, target, mode)
        element = spec.rated_power_watts - spec.compressor_watts
        is_saving = mode in (WaterHeaterMode.ECO, WaterHeaterMode.VACATION)
        uses_pump = spec.compressor_watts > 0 and mode is not WaterHeaterMode.ELECTRIC
        uses_element = spec.heater_type in (HeaterType.RESISTIVE, HeaterType.GAS) or mode in (
            WaterHeaterMode.ELECTRIC,
            WaterHeaterMode.HIGH_DEMAND,
        )
        self.set_point[index] = set_point
        self.heat_below[index] = set_point - _HYSTERESIS.get(mode, _USUAL_HYSTERESIS)
        self.direct_watts[index] = element if uses_element else 0
        self.compressor_watts[index] = spec.compressor_watts if uses_pump else 0
        self.backup_watts[index] = element if is_saving and not uses_element else 0
        self.backup_below[index] = set_point - BACKUP_MARGIN
        self.presence[index] = mode is not WaterHeaterMode.VACATION


def _set_point(spec: HeaterSpec, target: float, mode: WaterHeaterMode) -> float:
    if mode is WaterHeaterMode.OFF:
        return FROST_TEMPERATURE
    if mode is WaterHeaterMode.VACATION:
        return min(target, spec.min_temperature)
    if mode is WaterHeaterMode.ECO:
        return max(target - ECO_REDUCTION, min(target, spec.min_temperature))
    return target

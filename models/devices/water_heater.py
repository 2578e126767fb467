"""The kind WATER_HEATER: its channels, and which modes which type of heater has."""

from enum import Enum

import numpy as np

from models.alerts import AlertKind, ThresholdAlert
from models.charts import FloatArray
from models.devices.catalogue import Channel, DeviceKind
from models.devices.learnt import Learnt, LearntChannel, Values, enough, over, per_day, plain
from models.learning.usage.heaters import (
    ASSUMED_ROOM_TEMPERATURE,
    JOULES_PER_KWH,
    JOULES_PER_LITER_KELVIN,
    reference_loss,
)
from models.predictions import PredictionKind
from models.reading_hours import HourSum
from models.tables.reading_hours import WATER_HEATER_HOURS
from models.tables.water_heater import WaterHeaterRow
from models.tables.water_heater_reading import WaterHeaterReadingRow

_KWH_PER_LITER_KELVIN = JOULES_PER_LITER_KELVIN / JOULES_PER_KWH


def _energy_ratio(days: Values, details: Values) -> FloatArray:
    """Return the energy that was used over what the drawn water and a new tank of this size need.

    Scale and ageing insulation raise it, the weather and the household's thirst do not.
    """
    warmed = np.maximum(days["temperature_mean"] - days["inlet_temperature_mean"], 0.0)
    drawn = days["liters"] / enough(days["liters_seconds"]) * warmed * _KWH_PER_LITER_KELVIN
    above_room = np.maximum(days["temperature_mean"] - ASSUMED_ROOM_TEMPERATURE, 0.0)
    lost = reference_loss(details["capacity_liters"]) * above_room / JOULES_PER_KWH
    return over(days["kwh"] / enough(days["kwh_seconds"]), drawn + lost)


def _heating_power(days: Values) -> FloatArray:
    """Return the mean power of the day, weighted by the power itself: that of heating, however short it was.

    Unlike the highest power it does not grow with the number of readings.
    """
    return over(days["power_mean"] ** 2 + days["power_deviation"] ** 2, days["power_mean"])


def _power_share(days: Values, details: Values) -> FloatArray:
    return over(_heating_power(days), details["rated_power_watts"])


_HEATING_POWER = ("power_mean", "power_deviation")

# Left out is what tells how often a device reports (extremes and deviations of a day) or which season it is (the
# temperature of the mains, but as a part of the energy needed): they differ between devices that wear alike. The mains
# are watched all the same.
_LEARNT = Learnt(
    channels=(
        plain("temperature_mean", "mean water temperature", "°C", "temperature"),
        plain("pressure_mean", "mean pressure", "bar", "pressure"),
        # Where every tap is closed for a moment of the day, nothing flows unless the tank leaks.
        plain("flow_rate_minimum", "least flow of the day", "L/min", "least_flow"),
        per_day("daily_liters", "water drawn a day", "L", "liters", "liters_seconds"),
        per_day("daily_energy", "energy used a day", "kWh", "kwh", "kwh_seconds"),
        LearntChannel(
            *("power_share", "power of heating over the rated power", "", _HEATING_POWER, _power_share),
            details=("rated_power_watts",),
        ),
        LearntChannel(
            "energy_ratio",
            "energy used over energy needed",
            "",
            ("temperature_mean", "inlet_temperature_mean", "liters", "liters_seconds", "kwh", "kwh_seconds"),
            _energy_ratio,
            details=("capacity_liters",),
        ),
    ),
    numbers={"capacity_liters": ("capacity", "L"), "rated_power_watts": ("rated power", "W")},
    categories={"heater_type": ("RESISTIVE", "HEAT_PUMP", "HYBRID", "GAS")},
    only_watched=(plain("inlet_temperature_mean", "mean temperature of the mains", "°C", "inlet_temperature"),),
)

WATER_HEATER = DeviceKind(
    name="WATER_HEATER",
    type_name="WaterHeater",
    label="water heater",
    detail_table=WaterHeaterRow,
    reading_table=WaterHeaterReadingRow,
    hour_table=WATER_HEATER_HOURS,
    hour_sums=(
        HourSum("liters", "flow_rate", 1 / 60, seconds="liters_seconds"),
        HourSum("kwh", "power", 1 / 3.6e6, seconds="kwh_seconds", metered_by="energy"),
    ),
    channels=(
        Channel("temperature", "°C", -20, 120, "Temperature of the water in the tank"),
        Channel("inlet_temperature", "°C", -20, 80, "Temperature of the cold water that flows in"),
        Channel("pressure", "bar", 0, 25, "Pressure in the tank"),
        Channel("flow_rate", "L/min", 0, 500, "Hot water that is drawn"),
        Channel("power", "W", 0, 200_000, "Power that is drawn for heating"),
        Channel("energy", "kWh", 0, 10_000, "Energy used since the reading before", is_watched=False),
        Channel("heating", "", 0, 1, "Whether the heater is heating", is_state=True),
    ),
    learnt=_LEARNT,
    predicted=tuple(PredictionKind),
    threshold_alerts=(
        ThresholdAlert(AlertKind.OVER_TEMPERATURE, "temperature", "celsius"),
        ThresholdAlert(AlertKind.HIGH_PRESSURE, "pressure", "bar"),
        ThresholdAlert(AlertKind.LOW_PRESSURE, "pressure", "bar", is_above=False),
    ),
)


class HeaterType(Enum):
    """How a water heater makes heat."""

    RESISTIVE = "RESISTIVE"
    HEAT_PUMP = "HEAT_PUMP"
    HYBRID = "HYBRID"
    GAS = "GAS"


class WaterHeaterMode(Enum):
    """How a water heater is run."""

    OFF = "OFF"
    ECO = "ECO"
    ELECTRIC = "ELECTRIC"
    HEAT_PUMP = "HEAT_PUMP"
    GAS = "GAS"
    HIGH_DEMAND = "HIGH_DEMAND"
    VACATION = "VACATION"


_COMMON = (WaterHeaterMode.OFF, WaterHeaterMode.ECO, WaterHeaterMode.VACATION)

MODES: dict[HeaterType, tuple[WaterHeaterMode, ...]] = {
    HeaterType.RESISTIVE: (*_COMMON, WaterHeaterMode.ELECTRIC, WaterHeaterMode.HIGH_DEMAND),
    HeaterType.HEAT_PUMP: (*_COMMON, WaterHeaterMode.HEAT_PUMP),
    HeaterType.HYBRID: (
        *_COMMON,
        WaterHeaterMode.HEAT_PUMP,
        WaterHeaterMode.ELECTRIC,
        WaterHeaterMode.HIGH_DEMAND,
    ),
    HeaterType.GAS: (*_COMMON, WaterHeaterMode.GAS, WaterHeaterMode.HIGH_DEMAND),
}

# What no water heater may be set beyond, whatever limits it was registered with: ice and steam.
COLDEST_TARGET = 1.0
HOTTEST_TARGET = 99.0

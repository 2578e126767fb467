"""The kind WATER_HEATER: its channels, and which modes which type of heater has."""

from enum import Enum

from models.alerts import AlertKind, ThresholdAlert
from models.devices.catalogue import Channel, DeviceKind
from models.reading_hours import HourSum
from models.tables.reading_hours import WATER_HEATER_HOURS
from models.tables.water_heater import WaterHeaterRow
from models.tables.water_heater_reading import WaterHeaterReadingRow

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

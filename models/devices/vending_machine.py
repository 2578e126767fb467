"""The kind VENDING_MACHINE: its channels, and the words for machines and payments."""

from enum import Enum

from models.alerts import AlertKind, ThresholdAlert
from models.charts import FloatArray
from models.devices.catalogue import Channel, DeviceKind
from models.devices.learnt import Learnt, LearntChannel, Values, enough, over, per_day, plain
from models.predictions import PredictionKind
from models.reading_hours import HourSum
from models.tables.reading_hours import VENDING_MACHINE_HOURS
from models.tables.vending_machine import VendingMachineRow
from models.tables.vending_machine_reading import VendingMachineReadingRow

_JOULES_PER_KWH = 3.6e6
_MINUTES_OF_DAY = 1440.0


def _power_share(days: Values, _details: Values) -> FloatArray:
    """Return the mean power over the highest of the day: how much of the day the compressor has to run."""
    return over(days["kwh"] * _JOULES_PER_KWH / enough(days["kwh_seconds"]), days["power_maximum"])


def _open_minutes(days: Values, _details: Values) -> FloatArray:
    return over(days["open_seconds"] * _MINUTES_OF_DAY, enough(days["kwh_seconds"]))


_LEARNT = Learnt(
    channels=(
        plain("cabinet_temperature_mean", "mean cabinet temperature", "°C", "cabinet_temperature"),
        plain("cabinet_temperature_maximum", "highest cabinet temperature of the day", "°C"),
        plain("cabinet_temperature_deviation", "variation of the cabinet temperature", "K"),
        plain("power_maximum", "highest power of the day", "W"),
        per_day("daily_energy", "energy used a day", "kWh", "kwh", "kwh_seconds"),
        LearntChannel(
            *("power_share", "mean power over the day's highest", "", ("kwh", "kwh_seconds", "power_maximum")),
            _power_share,
        ),
        LearntChannel(
            *("open_minutes", "time with the door open a day", "min", ("open_seconds", "kwh_seconds")), _open_minutes
        ),
    ),
    categories={"machine_type": ("SNACK", "COLD_DRINK", "COFFEE", "COMBO", "OTHER")},
)

VENDING_MACHINE = DeviceKind(
    name="VENDING_MACHINE",
    type_name="VendingMachine",
    label="vending machine",
    detail_table=VendingMachineRow,
    reading_table=VendingMachineReadingRow,
    hour_table=VENDING_MACHINE_HOURS,
    hour_sums=(
        HourSum("kwh", "power", 1 / 3.6e6, seconds="kwh_seconds"),
        HourSum("open_seconds", "door_open", 1.0),
    ),
    channels=(
        Channel("cabinet_temperature", "°C", -50, 100, "Temperature in the cabinet"),
        Channel("power", "W", 0, 20_000, "Power that is drawn"),
        Channel("door_open", "", 0, 1, "Whether the door is open", is_state=True),
        Channel(
            *("cash_level", "minor units of the machine's currency", 0, 100_000_000, "Cash in the machine"),
            is_watched=False,
        ),
    ),
    learnt=_LEARNT,
    predicted=(PredictionKind.LIFESPAN, PredictionKind.ANOMALY, PredictionKind.MULTI_FACTOR),
    threshold_alerts=(
        ThresholdAlert(
            *(AlertKind.OVER_TEMPERATURE, "cabinet_temperature", "kelvin"), counted_from="target_cabinet_temperature"
        ),
        ThresholdAlert(AlertKind.CASH_FULL, "cash_level", "minor", limited_by="cash_capacity_minor"),
    ),
    has_stock=True,
)


class VendingMachineType(Enum):
    """What a machine sells."""

    SNACK = "SNACK"
    COLD_DRINK = "COLD_DRINK"
    COFFEE = "COFFEE"
    COMBO = "COMBO"
    OTHER = "OTHER"


class PaymentMethod(Enum):
    """How a sale was paid."""

    CASH = "CASH"
    CARD = "CARD"
    CONTACTLESS = "CONTACTLESS"
    MOBILE = "MOBILE"
    OTHER = "OTHER"


class SlotChangeKind(Enum):
    """What people did to a slot."""

    CONFIGURED = "CONFIGURED"
    REPRICED = "REPRICED"
    RESTOCKED = "RESTOCKED"
    CLEARED = "CLEARED"

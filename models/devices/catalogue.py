"""How a kind of device is described: once, and everything else is driven by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table
from sqlmodel import SQLModel

from models.alerts import ALERTS_OF_ALL_DEVICES, AlertKind, ThresholdAlert
from models.devices.learnt import Learnt
from models.predictions import PredictionKind
from models.reading_hours import HourSum


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity that a device of a kind reports.

    Attributes:
        name: the column of the reading table, and in upper case the metric of the API.
        unit: symbol of the unit that is stored, "" for a state.
        minimum: least physically plausible value, in `unit`; a reading below it is rejected.
        maximum: greatest physically plausible value, in `unit`.
        meaning: one sentence for the API's description, without the unit.
        is_state: a yes-or-no channel, stored as a boolean; not offered as a metric.
        is_watched: the detector of anomalies looks at it; not at what depends on the interval between readings, nor at
            what only grows until somebody empties it.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    meaning: str
    is_state: bool = False
    is_watched: bool = True

    @property
    def description(self) -> str:
        """The meaning with its unit, as shown in the API."""
        return f"{self.meaning}, in {self.unit}." if self.unit else f"{self.meaning}."


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """A kind of device.

    Attributes:
        name: the kind's name in the database and in the API, as WATER_HEATER.
        type_name: its type in the API, as WaterHeater.
        label: what people call it, as "water heater".
        detail_table: one row per device, primary key `device_id`; its column names differ from those of other kinds.
        reading_table: primary key (`device_id`, `recorded_at`), one column per channel.
        hour_table: primary key (`device_id`, `hour`), `reading_count`, statistics of channels, and the sums.
        hour_sums: what is summed up over the time of an hour.
        channels: what it reports, in the order of the table's columns.
        learnt: what models learn from its days.
        predicted: what is predicted of its devices.
        threshold_alerts: what its readings can raise alerts about.
        has_stock: it has products in slots, and alerts where they run low.
    """

    name: str
    type_name: str
    label: str
    detail_table: type[SQLModel]
    reading_table: type[SQLModel]
    hour_table: Table
    hour_sums: tuple[HourSum, ...]
    channels: tuple[Channel, ...]
    learnt: Learnt
    predicted: tuple[PredictionKind, ...]
    threshold_alerts: tuple[ThresholdAlert, ...] = ()
    has_stock: bool = False
    by_name: Mapping[str, Channel] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {channel.name: channel for channel in self.channels})

    @property
    def metrics(self) -> tuple[Channel, ...]:
        """The channels that can be charted."""
        return tuple(channel for channel in self.channels if not channel.is_state)

    @property
    def watched(self) -> tuple[Channel, ...]:
        """The channels in which the detector looks for anomalies."""
        return tuple(channel for channel in self.metrics if channel.is_watched)

    @property
    def hourly(self) -> tuple[str, ...]:
        """The channels whose statistics are kept by the hour."""
        return tuple(name for name in self.by_name if f"{name}_mean" in self.hour_table.columns)

    @property
    def alert_details(self) -> frozenset[str]:
        """The columns of the detail table that thresholds of its alerts depend on."""
        return frozenset(name for alert in self.threshold_alerts for name in alert.details)

    @property
    def alert_kinds(self) -> tuple[AlertKind, ...]:
        """All that its devices can alert about."""
        stock = (AlertKind.LOW_STOCK,) if self.has_stock else ()
        return (*(alert.kind for alert in self.threshold_alerts), *stock, *ALERTS_OF_ALL_DEVICES)

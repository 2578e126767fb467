"""Readings by the hour: what predictions look back on, for which single readings are too many."""

from datetime import datetime

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table
from sqlmodel import SQLModel

from models.tables.columns import ID_TYPE, device_key, instant
from models.types import UtcDateTime

STATISTICS = ("mean", "minimum", "maximum", "deviation")


def _hour_table(name: str, channels: tuple[str, ...], *sums: str) -> Table:
    """Return a table of hours: the statistics of channels, None where an hour has no value, and further sums."""
    device = Column("device_id", ID_TYPE, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    device.autoincrement = False
    numbers = [f"{channel}_{statistic}" for channel in channels for statistic in STATISTICS]
    return Table(
        name,
        SQLModel.metadata,
        device,
        Column("hour", UtcDateTime, primary_key=True),
        Column("reading_count", Integer, nullable=False),
        *(Column(number, Float, nullable=True) for number in (*numbers, *sums)),
    )


# `liters_seconds` and `kwh_seconds` say how much of the hour the sums cover.
WATER_HEATER_HOURS = _hour_table(
    "water_heater_hours",
    ("temperature", "inlet_temperature", "pressure", "flow_rate", "power"),
    *("liters", "liters_seconds", "kwh", "kwh_seconds"),
)
VENDING_MACHINE_HOURS = _hour_table(
    "vending_machine_hours", ("cabinet_temperature", "power"), *("kwh", "kwh_seconds", "open_seconds")
)


class StaleReadingHourRow(SQLModel, table=True):
    """An hour of a device whose readings are to be summed up, for the first time or anew, once it has ended."""

    __tablename__ = "stale_reading_hours"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_stale_reading_hours_hour", "hour"),)

    device_id: int = device_key(primary_key=True)
    hour: datetime = instant("hour", primary_key=True)

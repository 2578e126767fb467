"""What a water heater has beyond any device, and the history of its controls."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, device_key, instant, serial_key


class WaterHeaterRow(SQLModel, table=True):
    """A water heater: temperatures in °C, capacity in litres, rated power in watts."""

    __tablename__ = "water_heaters"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    target_temperature: float
    min_temperature: float
    max_temperature: float
    mode: str = Field(max_length=20)
    heater_type: str = Field(max_length=20)
    capacity_liters: float
    rated_power_watts: float


class WaterHeaterControlChangeRow(SQLModel, table=True):
    """One change of a water heater's target temperature (°C) or mode; the pair that did not change is NULL."""

    __tablename__ = "water_heater_control_changes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_control_changes_device_id_changed_at_id", "device_id", "changed_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    changed_at: datetime = instant("changed_at")
    changed_by: str | None = Field(default=None, max_length=200)
    old_target_temperature: float | None = None
    new_target_temperature: float | None = None
    old_mode: str | None = Field(default=None, max_length=20)
    new_mode: str | None = Field(default=None, max_length=20)

"""Failures of devices, and the ends of their lives."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, device_key, instant, serial_key


class DeviceFailureRow(SQLModel, table=True):
    """A failure that people have reported: what predictions are trained on, and what they are judged by.

    `ends_life` says that the device was given up or replaced; there is one such failure of a device at most.
    """

    __tablename__ = "device_failures"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_device_failures_device_id_failed_at_id", "device_id", "failed_at", "id"),
        Index("ix_device_failures_failed_at_id", "failed_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    failed_at: datetime = instant("failed_at")
    cause: str | None = Field(default=None, max_length=100)
    description: str | None = Field(default=None, sa_column=Column("description", Text, nullable=True))
    ends_life: bool = False
    reported_by: str | None = Field(default=None, max_length=200)
    created_at: datetime = instant("created_at")

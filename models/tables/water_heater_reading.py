"""Readings of water heaters."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, instant


class WaterHeaterReadingRow(SQLModel, table=True):
    """One reading; units and ranges stand with the channels in models/devices/water_heater.py.

    The key makes ingestion idempotent. On PostgreSQL the table is partitioned by month of `recorded_at`; on SQLite it
    is stored in the order of its key. There is no foreign key, which PostgreSQL would check row by row: the transaction
    that stores readings locks their devices, and the one that deletes a device deletes its readings.
    """

    __tablename__ = "water_heater_readings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"postgresql_partition_by": "RANGE (recorded_at)", "sqlite_with_rowid": False}

    device_id: int = Field(sa_column=Column("device_id", ID_TYPE, primary_key=True, autoincrement=False))
    recorded_at: datetime = instant("recorded_at", primary_key=True)
    temperature: float | None = None
    inlet_temperature: float | None = None
    pressure: float | None = None
    flow_rate: float | None = None
    power: float | None = None
    energy: float | None = None
    heating: bool | None = None

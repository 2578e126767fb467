"""Readings of vending machines."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, instant


class VendingMachineReadingRow(SQLModel, table=True):
    """One reading; keyed, partitioned and without foreign key as those of water heaters are."""

    __tablename__ = "vending_machine_readings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"postgresql_partition_by": "RANGE (recorded_at)", "sqlite_with_rowid": False}

    device_id: int = Field(sa_column=Column("device_id", ID_TYPE, primary_key=True, autoincrement=False))
    recorded_at: datetime = instant("recorded_at", primary_key=True)
    cabinet_temperature: float | None = None
    power: float | None = None
    door_open: bool | None = None
    cash_level: float | None = None

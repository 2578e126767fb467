"""What was done to a device."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, NEVER_REUSED, device_key, instant, serial_key


class MaintenanceRecordRow(SQLModel, table=True):
    """One piece of work on a device; the cost is exact, in the currency's minor unit."""

    __tablename__ = "maintenance_records"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_maintenance_records_device_id_performed_at_id", "device_id", "performed_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    kind: str = Field(max_length=40)
    performed_at: datetime = instant("performed_at")
    performed_by: str | None = Field(default=None, max_length=200)
    notes: str | None = Field(default=None, max_length=4000)
    cost_minor: int | None = Field(default=None, sa_column=Column("cost_minor", BigInteger, nullable=True))
    cost_currency: str | None = Field(default=None, max_length=3)
    created_at: datetime = instant("created_at")


class MaintenancePartRow(SQLModel, table=True):
    """A part that was fitted in the course of a maintenance record."""

    __tablename__ = "maintenance_parts"  # pyright: ignore[reportAssignmentType]

    record_id: int = Field(
        sa_column=Column(
            "record_id", ID_TYPE, ForeignKey("maintenance_records.id", ondelete="CASCADE"), primary_key=True
        )
    )
    position: int = Field(primary_key=True)
    name: str = Field(max_length=200)
    part_number: str | None = Field(default=None, max_length=100)
    quantity: int

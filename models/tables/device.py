"""What every device has."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, instant, serial_key


class DeviceRow(SQLModel, table=True):
    """A device of any kind.

    `status` follows the readings (ONLINE, OFFLINE) unless people have set MAINTENANCE, or RETIRED by a failure.
    `latest_reading_at` is the time of the newest stored reading: with the device's id it is the key of that reading.
    `version` counts the changes that people made, for optimistic locking; readings do not move it.
    """

    __tablename__ = "devices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        # One for each order of the device list, ended by the id that makes its keyset pages unambiguous; but for
        # `last_seen_at`: an index on what every reading changes would cost each of them an entry in all indexes.
        Index("ix_devices_name_id", "name", "id"),
        Index("ix_devices_kind_name_id", "kind", "name", "id"),
        Index("ix_devices_created_at_id", "created_at", "id"),
        Index("ix_devices_status_id", "status", "id"),
        # Room in each page for the next version of its rows, which then needs no entry in any index either.
        NEVER_REUSED | {"postgresql_with": {"fillfactor": 70}},
    )

    id: int | None = serial_key()
    kind: str = Field(max_length=40)
    name: str = Field(max_length=200)
    serial_number: str = Field(max_length=100, unique=True)
    manufacturer: str | None = Field(default=None, max_length=200)
    model: str | None = Field(default=None, max_length=200)
    firmware_version: str | None = Field(default=None, max_length=100)
    location: str | None = Field(default=None, max_length=200)
    status: str = Field(max_length=20)
    last_seen_at: datetime | None = instant("last_seen_at", nullable=True)
    latest_reading_at: datetime | None = instant("latest_reading_at", nullable=True)
    installed_at: datetime | None = instant("installed_at", nullable=True)
    created_at: datetime = instant("created_at")
    updated_at: datetime = instant("updated_at")
    version: int = Field(default=1)

"""Columns that many tables share."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer
from sqlmodel import Field

from models.types import UtcDateTime

# SQLite numbers rows by itself only for INTEGER PRIMARY KEY.
ID_TYPE = BigInteger().with_variant(Integer, "sqlite")
# SQLite gives the number of a row that was deleted to a new one, unless it is told not to: ids that clients hold, and
# cursors of the event log, would mean something else.
NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}


def serial_key() -> Any:
    """Return a primary key that the database numbers."""
    return Field(default=None, sa_column=Column("id", ID_TYPE, primary_key=True, autoincrement=True))


def device_key(*, primary_key: bool = False, index: bool = False) -> Any:
    """Return the reference to a device; it goes when the device goes."""
    return Field(
        sa_column=Column(
            "device_id",
            ID_TYPE,
            ForeignKey("devices.id", ondelete="CASCADE"),
            primary_key=primary_key,
            index=index,
            nullable=False,
            autoincrement=False,
        )
    )


def instant(name: str, *, nullable: bool = False, primary_key: bool = False, index: bool = False) -> Any:
    """Return an aware UTC instant."""
    return Field(
        default=None if nullable else ...,
        sa_column=Column(name, UtcDateTime, nullable=nullable, primary_key=primary_key, index=index),
    )

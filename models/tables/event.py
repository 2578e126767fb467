"""The log that subscriptions follow."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, instant, serial_key


class EventRow(SQLModel, table=True):
    """Something that happened, written in the transaction that made it happen.

    On PostgreSQL rows become visible in the order of their transactions' ends, not of their ids: (xid, id) with xid
    below the snapshot's xmin is the order in which nothing is overtaken. SQLite has one writer, so its ids are in
    order and its xid is 0.
    """

    __tablename__ = "events"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_events_xid_id", "xid", "id"),
        Index("ix_events_occurred_at", "occurred_at"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    xid: int = Field(sa_column=Column("xid", BigInteger, nullable=False))
    type: str = Field(max_length=60)
    occurred_at: datetime = instant("occurred_at")
    payload: str = Field(sa_column=Column("payload", Text, nullable=False))


class EventLogRow(SQLModel, table=True):
    """The log itself, one row (id 1).

    `name` is its identity, part of every cursor that clients hold, so that those of another database are refused.
    `origin` is the database in which the events were written, None where nobody has asked yet; a log that was restored
    elsewhere begins anew, with a name that begins like the one before.
    The highest cursor that was ever forgotten is (`forgotten_xid`, `forgotten_id`); (0, 0) where none was.
    """

    __tablename__ = "event_log"  # pyright: ignore[reportAssignmentType]

    id: int = Field(sa_column=Column("id", Integer, primary_key=True, autoincrement=False))
    name: str = Field(max_length=32)
    origin: str | None = Field(default=None, max_length=60)
    forgotten_xid: int = Field(sa_column=Column("forgotten_xid", BigInteger, nullable=False))
    forgotten_id: int = Field(sa_column=Column("forgotten_id", BigInteger, nullable=False))

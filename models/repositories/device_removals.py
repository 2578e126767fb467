"""The removal of devices, at any size: gone for all who ask at once, deleted in steps of few rows.

What belongs to devices are the tables that refer to them, and the readings, which have no foreign key. Those that grow
with time are emptied step by step; the rest, a few rows of each device, goes with the device's own row by the foreign
keys, as does whatever was stored while the steps went on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, String, Table, bindparam, delete, select, update
from sqlmodel import SQLModel

from models.devices import KINDS
from models.devices.status import DeviceStatus
from models.repositories.base import Reads, Writes
from models.repositories.removed_devices import IS_THERE, REMOVED
from models.statements import Statement, is_one_of, name, prepared, table_columns, table_of
from models.tables import DeviceRow, PredictionRow
from models.types import UtcDateTime

STEP_ROWS = 5000
"""What a step deletes at most: some tens of milliseconds, for which others wait who write the same rows."""

_DEVICE = table_columns(DeviceRow)
_EVER = datetime.min.replace(tzinfo=UTC)
# A control character, which no serial number may have: the device's own is free for another one.
_NO_SERIAL_NUMBER = "\x7fremoved {id}"


class Removal:
    """The removal of one device; it knows how far it is, so that a step does not look through what is gone.

    Args:
        device_id: of a device whose lock the caller holds, or that is marked as removed: nothing is added to it.

    Attributes:
        count: rows that were deleted so far, without those that foreign keys took along.
    """

    def __init__(self, device_id: int) -> None:
        self.count = 0
        self._device_id = device_id
        self._parts = list(_parts())
        self._since = _EVER

    async def step(self, transaction: Writes, most: int = STEP_ROWS) -> bool:
        """Delete the next rows, at most so many; True if nothing is left, nor the device itself."""
        left = most
        while self._parts:
            left -= await self._delete(transaction, self._parts[0], left)
            if left <= 0:
                return False
            self._parts.pop(0)
            self._since = _EVER
        await transaction.execute(_delete_device(), id=self._device_id)
        return True

    async def _delete(self, transaction: Writes, part: "_Part", most: int) -> int:
        count = await (self._delete_range if part.is_range else self._delete_listed)(transaction, part, most)
        self.count += count
        return count

    async def _delete_range(self, transaction: Writes, part: "_Part", most: int) -> int:
        """Delete the oldest rows up to the instant of the first one that is to stay for now."""
        mine: dict[str, Any] = {"device_id": self._device_id, "since": self._since}
        first_kept = await transaction.fetch(_instant_behind(part), **mine, count=most)
        if not first_kept:
            return await transaction.execute(_delete_since(part, bounded=False), **mine)
        self._since = first_kept[0]["at"]
        return await transaction.execute(_delete_since(part, bounded=True), **mine, until=self._since)

    async def _delete_listed(self, transaction: Writes, part: "_Part", most: int) -> int:
        rows = await transaction.fetch(_ids(part), device_id=self._device_id, count=most)
        if not rows:
            return 0
        await transaction.execute(_delete_ids(part, transaction.dialect), ids=[row["id"] for row in rows])
        return len(rows)


async def mark(transaction: Writes, device_id: int) -> None:
    """Let a locked device be gone for everybody, and its serial number be free; its removal is still to be done."""
    serial_number = _NO_SERIAL_NUMBER.format(id=device_id)
    await transaction.execute(_mark(), id=device_id, new_serial_number=serial_number)


async def waiting(db: Reads, most: int) -> list[int]:
    """Return the ids of devices whose removal is still to be done, at most so many."""
    return [row["id"] for row in await db.fetch(_waiting(), count=most)]


@dataclass(frozen=True, slots=True)
class _Part:
    """A table that grows with what its devices do.

    Attributes:
        order: columns that, behind the device's id, an index is sorted by.
        is_range: they are one instant, of which a device has one row at most; otherwise rows have an id.
    """

    table: Table
    order: tuple[str, ...]
    is_range: bool

    @property
    def mine(self) -> Any:
        return self.table.c.device_id == bindparam("device_id", type_=_DEVICE["id"].type)

    @property
    def instant(self) -> Column[Any]:
        return self.table.c[self.order[0]]


@cache
def _parts() -> tuple[_Part, ...]:
    """Return all tables that grow, those that refer to others before these.

    Predictions go first: without the failures and anomalies of its device, one of them would get a wrong outcome.
    """
    readings = [table_of(kind.reading_table) for kind in KINDS.values()]
    referring = [table for table in reversed(SQLModel.metadata.sorted_tables) if _refers_to_devices(table)]
    parts = [part for table in (*referring, *readings) if (part := _part(table)) is not None]
    first: Callable[[_Part], bool] = lambda part: part.table is not table_of(PredictionRow)  # noqa: E731 - a key
    return tuple(sorted(parts, key=first))


def _refers_to_devices(table: Table) -> bool:
    return any(key.column.table is table_of(DeviceRow) for key in table.foreign_keys)


def _part(table: Table) -> _Part | None:
    """Return how to delete a device's rows of a table piece by piece; None if there are only ever a few."""
    key = list(table.primary_key.columns)
    if [column.name for column in key] == ["id"]:
        return _Part(table, _order(table), is_range=False)
    if len(key) > 1 and isinstance(key[1].type, UtcDateTime):
        return _Part(table, (key[1].name,), is_range=True)
    return None


def _order(table: Table) -> tuple[str, ...]:
    """Return what the first index by device is sorted by, so that rows are found in it and not by a look at all."""
    indexes: list[Sequence[str]] = [tuple(column.name for column in index.columns) for index in table.indexes]
    return min(tuple(columns[1:]) for columns in indexes if columns[0] == "device_id" and len(columns) > 1)


@prepared
def _instant_behind(part: _Part) -> Statement:
    since = part.instant >= bindparam("since", type_=UtcDateTime())
    rows = select(part.instant.label("at")).where(part.mine, since).order_by(part.instant)
    return Statement(rows.offset(bindparam("count")).limit(1))


@prepared
def _delete_since(part: _Part, *, bounded: bool) -> Statement:
    condition = [part.mine, part.instant >= bindparam("since", type_=UtcDateTime())]
    if bounded:
        condition.append(part.instant < bindparam("until", type_=UtcDateTime()))
    return Statement(delete(part.table).where(*condition))


@prepared
def _ids(part: _Part) -> Statement:
    rows = select(part.table.c.id).where(part.mine).order_by(*(part.table.c[column] for column in part.order))
    return Statement(rows.limit(bindparam("count")))


@prepared
def _delete_ids(part: _Part, dialect: str) -> Statement:
    return Statement(delete(part.table).where(is_one_of(part.table.c.id, "ids", dialect)))


@prepared
def _mark() -> Statement:
    # RETIRED: readings do not change it, and nothing begins that would alert.
    values: dict[str, Any] = {
        "kind": REMOVED,
        "status": DeviceStatus.RETIRED.value,
        "serial_number": bindparam("new_serial_number", type_=String()),
    }
    return Statement(update(DeviceRow).where(_DEVICE["id"] == bindparam("id"), IS_THERE).values(values))


@prepared
def _waiting() -> Statement:
    rows = select(_DEVICE["id"]).where(_DEVICE["kind"] == name(REMOVED))
    return Statement(rows.order_by(_DEVICE["name"], _DEVICE["id"]).limit(bindparam("count")))


@prepared
def _delete_device() -> Statement:
    return Statement(delete(DeviceRow).where(_DEVICE["id"] == bindparam("id")))

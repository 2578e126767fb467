"""Changes of devices: by people, guarded by the version, and by their readings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, select, update
from sqlmodel import SQLModel

from models.devices import KINDS
from models.devices.status import STANDING
from models.drivers import UniqueViolated
from models.repositories import device_removals
from models.repositories.base import Reads, Writes
from models.repositories.device_removals import STEP_ROWS, Removal
from models.repositories.devices import DETAILS, DEVICE, by_ids, taken
from models.repositories.removed_devices import IS_THERE, IS_THERE_SQL
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import DeviceRow
from models.types import UtcDateTime, array_text, from_micros, to_micros


async def add(transaction: Writes, values: Mapping[str, Any], details: Mapping[str, Any]) -> int:
    """Store a new device with its kind's details and return its id; raises Conflict for a serial number in use."""
    try:
        rows = await transaction.fetch(_insert_device(frozenset(values)), **values)
    except UniqueViolated as error:
        raise taken(error, values["serial_number"]) from error
    device_id: int = rows[0]["id"]
    detail_table = KINDS[values["kind"]].detail_table
    await transaction.execute(_insert_details(detail_table, frozenset(details)), device_id=device_id, **details)
    return device_id


async def change(
    transaction: Writes,
    device_id: int,
    version: int,
    *,
    at: datetime,
    values: Mapping[str, Any],
) -> bool:
    """Change a device's own columns and raise its version; False if the version is no longer the one given."""
    statement = _change(frozenset(values))
    bound = {f"new_{name}": value for name, value in values.items()}
    return await transaction.execute(statement, id=device_id, seen_version=version, at=at, **bound) == 1


async def change_details(transaction: Writes, kind: str, device_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of the kind's table; the caller has changed the device's version in the same transaction."""
    bound = {f"new_{name}": value for name, value in values.items()}
    await transaction.execute(_change_details(kind, frozenset(values)), id=device_id, **bound)


async def remove(transaction: Writes, device_id: int, most: int = STEP_ROWS) -> bool:
    """Remove a device with everything that belongs to it, at once where that is little.

    The device is locked first: that waits for a transaction that stores readings under its lock, so these go as well.

    Args:
        transaction: of any kind.
        device_id: of a device that may be gone already.
        most: rows that are deleted at once.

    Returns:
        False if something is left to be deleted: the device is gone for all who ask, and a worker does the rest.
    """
    if not await lock(transaction, [device_id]):
        return True
    is_done = await Removal(device_id).step(transaction, most)
    if not is_done:
        await device_removals.mark(transaction, device_id)
    return is_done


async def lock(transaction: Writes, ids: Sequence[int]) -> dict[int, Row]:
    """Lock devices in the order of their ids, so that writers of the same devices cannot block each other.

    Returns:
        id, kind, status, last_seen_at and latest_reading_at of those that exist, by id.
    """
    if transaction.dialect == "postgresql":
        found: Sequence[Any] = await transaction.run(_LOCK, array_text(set(ids)))
        return {row["id"]: row for row in found}
    rows = await transaction.fetch(_lock_sqlite(), ids=sorted(set(ids)))
    return {row["id"]: row for row in rows}


async def mark_seen(
    transaction: Writes,
    seen: Mapping[int, datetime],
    *,
    online_since: datetime,
    by_reading: bool = True,
) -> None:
    """Record when locked devices were last heard of; those seen since `online_since` are ONLINE.

    Those in MAINTENANCE and those that are RETIRED stay so.

    Args:
        transaction: holds the lock of the devices.
        seen: by device, the newest instant of which it told.
        online_since: the instant before which a device counts as silent.
        by_reading: it told a reading, which is its newest one if there is no later one.
    """
    if transaction.dialect == "postgresql":
        instants = map(to_micros, seen.values())
        await transaction.run(_MARK_SEEN[by_reading], array_text(seen), array_text(instants), online_since)
        return
    rows = [{"device": id_, "seen_at": at, "online_since": online_since} for id_, at in seen.items()]
    await transaction.execute_many(_mark_seen_one(by_reading), rows)


async def mark_read(transaction: Writes, ids: Sequence[int], micros: Sequence[int], *, online_since: datetime) -> None:
    """Record readings of locked devices as `mark_seen` does, at the end of the transaction if that is quicker.

    Args:
        transaction: nothing later in it may look for what is recorded.
        ids: distinct.
        micros: of each device the instant of its newest reading, microseconds since 1970.
        online_since: as of `mark_seen`.
    """
    if transaction.dialect == "postgresql":
        transaction.run_later(_MARK_SEEN[True], array_text(ids), array_text(micros), online_since)
    else:
        seen = dict(zip(ids, map(from_micros, micros), strict=True))
        await mark_seen(transaction, seen, online_since=online_since)


async def mark_silent(transaction: Writes, *, silent_since: datetime, limit: int, after: int = 0) -> list[int]:
    """Set ONLINE devices behind an id that were last seen before an instant to OFFLINE.

    Returns:
        Their ids, in order, at most `limit`.
    """
    rows = await transaction.fetch(_mark_silent(), silent_since=silent_since, after=after, count=limit)
    return sorted(row["id"] for row in rows)


async def current(db: Reads, device_id: int) -> Row | None:
    """Return all columns of one device."""
    return (await by_ids(db, [device_id]))[0]


@prepared
def _insert_device(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=DEVICE[name].type) for name in sorted(names)}
    return Statement(insert(DeviceRow).values(values).returning(DEVICE["id"]))


@prepared
def _insert_details(table: type[SQLModel], names: frozenset[str]) -> Statement:
    columns = table_columns(table)
    values = {name: bindparam(name, type_=columns[name].type) for name in ("device_id", *sorted(names))}
    return Statement(insert(table).values(values))


@prepared
def _change(names: frozenset[str]) -> Statement:
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=DEVICE[name].type) for name in sorted(names)}
    values |= {"updated_at": bindparam("at", type_=UtcDateTime()), "version": DEVICE["version"] + 1}
    mine = (DEVICE["id"] == bindparam("id"), DEVICE["version"] == bindparam("seen_version"))
    return Statement(update(DeviceRow).where(*mine).values(values))


@prepared
def _change_details(kind: str, names: frozenset[str]) -> Statement:
    columns = DETAILS[kind]
    values = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in sorted(names)}
    table = KINDS[kind].detail_table
    return Statement(update(table).where(table_columns(table)["device_id"] == bindparam("id")).values(values))


_LOCKED = ("id", "kind", "status", "last_seen_at", "latest_reading_at")
# Of the row itself: who waited for the lock of a device that was removed meanwhile finds it gone.
_LOCK = (
    f"SELECT {', '.join(_LOCKED)} FROM devices WHERE id = ANY($1::text::bigint[]) AND {IS_THERE_SQL} "  # noqa: S608
    "ORDER BY id FOR UPDATE"
)


@prepared
def _lock_sqlite() -> Statement:
    mine = is_one_of(DEVICE["id"], "ids", "sqlite")
    return Statement(select(*(DEVICE[name] for name in _LOCKED)).where(mine, IS_THERE).order_by(DEVICE["id"]))


_MARK_SEEN = {
    by_reading: f"""
    UPDATE devices SET
        last_seen_at = GREATEST(last_seen_at, seen.at),
        {"latest_reading_at = GREATEST(latest_reading_at, seen.at)," if by_reading else ""}
        status = CASE WHEN status NOT IN ('MAINTENANCE', 'RETIRED') AND seen.at >= $3 THEN 'ONLINE' ELSE status END
    FROM (
        SELECT id, to_timestamp(0) + micros * interval '1 microsecond' AS at
        FROM unnest($1::text::bigint[], $2::text::bigint[]) AS given (id, micros)
    ) AS seen
    WHERE devices.id = seen.id
    """  # noqa: S608 - no value of a caller
    for by_reading in (True, False)
}


@prepared
def _mark_seen_one(by_reading: bool) -> Statement:
    seen_at = bindparam("seen_at", type_=UtcDateTime())
    follows_readings = and_(*(DEVICE["status"] != status.value for status in STANDING))
    online = and_(follows_readings, seen_at >= bindparam("online_since", type_=UtcDateTime()))
    columns = ("last_seen_at", "latest_reading_at") if by_reading else ("last_seen_at",)
    values: dict[str, Any] = {name: func.max(func.coalesce(DEVICE[name], seen_at), seen_at) for name in columns}
    values["status"] = case((online, "ONLINE"), else_=DEVICE["status"])
    return Statement(update(DeviceRow).where(DEVICE["id"] == bindparam("device")).values(values))


@prepared
def _mark_silent() -> Statement:
    silent = DEVICE["last_seen_at"] < bindparam("silent_since", type_=UtcDateTime())
    # A device that is locked is storing readings, so it is not silent; waiting for it could end in a deadlock.
    behind = DEVICE["id"] > bindparam("after")
    found = select(DEVICE["id"]).where(DEVICE["status"] == "ONLINE", silent, behind).order_by(DEVICE["id"])
    # Named, so that it is looked up once: within IN a plan may repeat it, and lock more than the limit.
    free = found.limit(bindparam("count")).with_for_update(skip_locked=True).cte("free")
    changed = update(DeviceRow).where(DEVICE["id"].in_(select(free.c.id))).values(status="OFFLINE")
    return Statement(changed.returning(DEVICE["id"]))

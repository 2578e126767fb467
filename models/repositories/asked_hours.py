"""Hours that are to be summed up: asked for by those who store readings, read and settled by those who sum up."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from models.devices import KINDS
from models.reading_hours import HOUR_MICROS, MARGIN, HourRows, Hours, RawReadings
from models.repositories.base import Reads, Writes
from models.statements import table_of
from models.types import from_micros, to_micros

_STALE = "stale_reading_hours"
# Any number; it lets one process at a time sum up hours.
_LOCK = 0x10757069
_MARGIN_MICROS = to_micros(from_micros(0) + MARGIN)

Asked = list[tuple[int, int, Any]]
"""Device ids, microseconds of the starts of hours, and versions: an hour that is asked for anew has another one."""


async def ask(transaction: Writes, hours: Hours) -> None:
    """Ask for hours to be summed.

    Args:
        transaction: holds the locks of the devices.
        hours: distinct and sorted.
    """
    ids, micros = [id_ for id_, _ in hours], [at for _, at in hours]
    if transaction.dialect == "postgresql":
        await transaction.run(_ASK, ids, [from_micros(at) for at in micros])
    else:
        pairs = orjson.dumps(hours).decode()
        await transaction.run(
            f"INSERT OR IGNORE INTO {_STALE} (device_id, hour) {_PAIRS} WHERE true",
            pairs,
        )


async def ask_for_unknown(transaction: Writes, kind: str, most: int) -> int:
    """Ask for all hours of devices that have readings but no hours; return how many devices these are, at most `most`.

    Such devices are those whose readings were stored before there were hours.

    Args:
        transaction: of whose process `is_mine` was true.
        kind: of the devices.
        most: devices to ask for.
    """
    rows = await transaction.run(_unknown_sql(kind, transaction.dialect), kind, most)
    ids = [row[0] for row in rows]
    if ids:
        await _keep_readings_out(transaction, ids)
        given = ids if transaction.dialect == "postgresql" else orjson.dumps(ids).decode()
        await transaction.run(_ask_for_all_sql(kind, transaction.dialect), given)
    return len(ids)


async def _keep_readings_out(transaction: Writes, ids: Sequence[int]) -> None:
    """Wait for those who store readings of devices now, and let others wait for this transaction.

    Args:
        transaction: on SQLite it is the only one that writes.
        ids: sorted, as ingestion locks them, so neither waits for the other in a circle.
    """
    if transaction.dialect == "postgresql":
        await transaction.run(
            "SELECT id FROM devices WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE", list(ids)
        )


async def is_mine(transaction: Writes) -> bool:
    """Become the only process that sums up until the end of the transaction; False if another one is at it."""
    if transaction.dialect != "postgresql":
        return True
    return bool((await transaction.run("SELECT pg_try_advisory_xact_lock($1)", _LOCK))[0][0])


async def asked(db: Reads, kind: str, begun_until: datetime, most: int) -> Asked:
    """Return hours that are to be summed and begin at an instant or before, sorted; at most so many."""
    if db.dialect == "postgresql":
        rows = await db.run(_ASKED_POSTGRESQL, kind, begun_until, most)
    else:
        rows = await db.run(_ASKED_SQLITE, kind, to_micros(begun_until), most)
    return [(row[0], row[1], row[2]) for row in rows]


async def raw(db: Reads, kind: str, hours: Hours) -> RawReadings:
    """Return the readings of hours and of the time beside them, in one statement.

    Args:
        db: the store or a transaction.
        kind: of the devices.
        hours: distinct and sorted, at least one.
    """
    windows = _windows(hours)
    channels = [channel.name for channel in KINDS[kind].channels]
    sql = _raw_sql(kind, db.dialect)
    if db.dialect == "postgresql":
        ids, starts, ends = (list(column) for column in zip(*windows, strict=True))
        edges = [from_micros(min(starts)), from_micros(max(ends))]
        bounds = [[from_micros(at) for at in column] for column in (starts, ends)]
        rows = await db.run(sql, ids, *bounds, *edges)
    else:
        rows = await db.run(sql, orjson.dumps(windows).decode())
    return await asyncio.to_thread(_raw_columns, rows, channels)


async def put(transaction: Writes, kind: str, done: Asked, rows: HourRows) -> int:
    """Store sums, but for hours that were asked for anew meanwhile; return how many hours are no longer asked for.

    Args:
        transaction: of whose process `is_mine` was true.
        kind: of the devices.
        done: what was asked for.
        rows: what became of it; hours without readings may be missing.
    """
    kept = await _settled(transaction, done)
    keys = zip(rows.device_ids.tolist(), rows.micros.tolist(), strict=True)
    rows = rows.at(np.array([place for place, key in enumerate(keys) if key in kept], dtype=np.int64))
    table = KINDS[kind].hour_table.name
    hours = [[id_, at] for id_, at in sorted(kept)]
    if transaction.dialect == "postgresql":
        ids, instants = [id_ for id_, _ in hours], [from_micros(at) for _, at in hours]
        await transaction.run(_remove_sql(table), ids, instants)
    else:
        sql = f"DELETE FROM {table} WHERE (device_id, hour) IN ({_PAIRS})"  # noqa: S608 - constants
        await transaction.run(sql, orjson.dumps(hours).decode())
    names = list(rows.values)
    lines = await asyncio.to_thread(_lines, rows, instants=transaction.dialect == "postgresql")
    await transaction.copy_in(table, ("device_id", "hour", *names), lines)
    return len(kept)


async def _settled(transaction: Writes, done: Asked) -> set[tuple[int, int]]:
    """Take back what was asked for; return the hours of it that nobody has asked for anew."""
    await _keep_readings_out(transaction, sorted({id_ for id_, _, _ in done}))
    if transaction.dialect == "postgresql":
        columns = [list(column) for column in zip(*done, strict=True)]
        instants = [from_micros(at) for at in columns[1]]
        rows = await transaction.run(_SETTLE, columns[0], instants, columns[2])
    else:
        pairs = orjson.dumps([[id_, at] for id_, at, _ in done]).decode()
        rows = await transaction.run(
            f"DELETE FROM {_STALE} WHERE (device_id, hour) IN ({_PAIRS}) RETURNING device_id, hour",  # noqa: S608
            pairs,
        )
    return {(row[0], row[1]) for row in rows}


def _windows(hours: Hours) -> list[tuple[int, int, int]]:
    """Return device, start and end of the time to read, without overlaps."""
    found: list[tuple[int, int, int]] = []
    for device_id, hour in hours:
        start, end = hour - _MARGIN_MICROS, hour + HOUR_MICROS + _MARGIN_MICROS
        if found and found[-1][0] == device_id and found[-1][2] >= start:
            found[-1] = (device_id, found[-1][1], end)
        else:
            found.append((device_id, start, end))
    return found


def _raw_columns(rows: Sequence[Sequence[Any]], channels: Sequence[str]) -> RawReadings:
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * (2 + len(channels))
    ids, micros = (np.array(column, dtype=np.int64) for column in columns[:2])
    order = np.lexsort((micros, ids))
    values = {
        name: np.array(column, dtype=np.float64)[order] for name, column in zip(channels, columns[2:], strict=True)
    }
    return RawReadings(ids[order], micros[order], values)


def _lines(rows: HourRows, *, instants: bool) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them."""
    hours: list[Any] = rows.micros.tolist()
    if instants:
        hours = [from_micros(at) for at in hours]
    columns = [rows.device_ids.tolist(), hours]
    for name, values in rows.values.items():
        if name == "reading_count":
            columns.append(values.astype(np.int64).tolist())
            continue
        plain = values.astype(object)
        plain[np.isnan(values)] = None
        columns.append(plain.tolist())
    return list(zip(*columns, strict=True))


_MICROS = "(extract(epoch FROM {0}) * 1000000)::bigint"
# A pair as a subquery of SQLite: the first parameter is JSON, [[device, microseconds], ...].
_PAIRS = "SELECT value ->> 0, value ->> 1 FROM json_each(?1)"

# DO UPDATE makes another version of the row: whoever is summing up this hour now sees that it is no longer enough.
_ASK = (
    f"INSERT INTO {_STALE} (device_id, hour) SELECT * FROM unnest($1::bigint[], $2::timestamptz[]) "  # noqa: S608
    "ON CONFLICT (device_id, hour) DO UPDATE SET hour = excluded.hour"
)
_ASKED_POSTGRESQL = (
    f"SELECT s.device_id, {_MICROS.format('s.hour')}, s.ctid::text FROM {_STALE} s "  # noqa: S608 - constants
    "JOIN devices d ON d.id = s.device_id WHERE d.kind = $1 AND s.hour <= $2 ORDER BY s.device_id, s.hour LIMIT $3"
)
_ASKED_SQLITE = (
    f"SELECT s.device_id, s.hour, 0 FROM {_STALE} s JOIN devices d ON d.id = s.device_id "  # noqa: S608 - constants
    "WHERE d.kind = ?1 AND s.hour <= ?2 ORDER BY s.device_id, s.hour LIMIT ?3"
)
_SETTLE = (
    f"DELETE FROM {_STALE} s USING unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS done (id, hour, version) "  # noqa: S608
    "WHERE s.device_id = done.id AND s.hour = done.hour AND s.ctid = done.version::tid "
    f"RETURNING s.device_id, {_MICROS.format('s.hour')}"
)


def _remove_sql(table: str) -> str:
    return (
        f"DELETE FROM {table} h USING unnest($1::bigint[], $2::timestamptz[]) AS done (id, hour) "  # noqa: S608
        "WHERE h.device_id = done.id AND h.hour = done.hour"
    )


@lru_cache(maxsize=64)
def _unknown_sql(kind: str, dialect: str) -> str:
    first, second = ("$1", "$2") if dialect == "postgresql" else ("?1", "?2")
    return (
        f"SELECT d.id FROM devices d WHERE d.kind = {first} AND d.latest_reading_at IS NOT NULL "  # noqa: S608
        f"AND NOT EXISTS (SELECT 1 FROM {KINDS[kind].hour_table.name} h WHERE h.device_id = d.id) "
        f"AND NOT EXISTS (SELECT 1 FROM {_STALE} s WHERE s.device_id = d.id) ORDER BY d.id LIMIT {second}"
    )


@lru_cache(maxsize=64)
def _ask_for_all_sql(kind: str, dialect: str) -> str:
    table = table_of(KINDS[kind].reading_table).name
    if dialect == "postgresql":
        return (
            f"INSERT INTO {_STALE} (device_id, hour) SELECT DISTINCT device_id, date_trunc('hour', recorded_at, 'UTC') "  # noqa: S608
            f"FROM {table} WHERE device_id = ANY($1::bigint[]) ON CONFLICT DO NOTHING"
        )
    return (
        f"INSERT OR IGNORE INTO {_STALE} (device_id, hour) "  # noqa: S608
        f"SELECT DISTINCT device_id, recorded_at - recorded_at % {HOUR_MICROS} "
        f"FROM {table} WHERE device_id IN (SELECT value FROM json_each(?1))"
    )


@lru_cache(maxsize=64)
def _raw_sql(kind: str, dialect: str) -> str:
    table = table_of(KINDS[kind].reading_table).name
    names = [channel.name for channel in KINDS[kind].channels]
    columns = ", ".join(f"r.{name}" for name in names)
    if dialect == "postgresql":
        # OFFSET 0 holds the planner to a look into the index for each window, whatever it knows of the tables' sizes.
        return (
            f"SELECT w.id, r.micros, {columns} "  # noqa: S608 - names of the catalogue
            "FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS w (id, s, e) CROSS JOIN LATERAL ("
            f"SELECT {_MICROS.format('recorded_at')} AS micros, {', '.join(names)} FROM {table} WHERE device_id = w.id "
            "AND recorded_at >= w.s AND recorded_at < w.e AND recorded_at >= $4 AND recorded_at < $5 OFFSET 0) AS r"
        )
    return (
        f"SELECT r.device_id, r.recorded_at, {columns} "  # noqa: S608 - names of the catalogue
        f"FROM json_each(?1) w CROSS JOIN {table} r "
        "ON r.device_id = w.value ->> 0 AND r.recorded_at >= w.value ->> 1 AND r.recorded_at < w.value ->> 2"
    )

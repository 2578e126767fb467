"""Hours of readings, and days made of them, in columns."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from models.charts import FloatArray, IntArray
from models.devices import KINDS
from models.reading_hours import HOUR_MICROS, HourRows
from models.repositories.base import Reads
from models.types import to_micros


async def load(  # noqa: PLR0917 - what, of whom, when
    db: Reads, kind: str, device_ids: Sequence[int], start: datetime, end: datetime, columns: Sequence[str]
) -> HourRows:
    """Return the hours of devices that begin in [start, end), in one statement.

    Args:
        db: the store or a transaction.
        kind: of the devices.
        device_ids: any number.
        start: inclusive.
        end: exclusive.
        columns: of the kind's table of hours, as temperature_mean, liters, reading_count.
    """
    return await _load(db, _hours_sql(kind, tuple(columns), db.dialect), device_ids, start, end, columns)


async def load_days(  # noqa: PLR0917 - what, of whom, when
    db: Reads, kind: str, device_ids: Sequence[int], start: datetime, end: datetime, columns: Sequence[str]
) -> HourRows:
    """Return the days (UTC) of devices whose hours begin in [start, end), in one statement.

    Means and deviations are those of all readings of the day, each hour weighted by its readings; sums are added up.

    Args:
        db: the store or a transaction.
        kind: of the devices.
        device_ids: any number.
        start: inclusive.
        end: exclusive.
        columns: as of `load`.

    Returns:
        `micros` are the starts of the days.
    """
    rows = await _load(db, _days_sql(kind, tuple(columns), db.dialect), device_ids, start, end, columns)
    values = dict(rows.values)
    for name in columns:
        if name.endswith("_deviation"):
            values[name] = np.sqrt(np.maximum(values[name], 0))
    return HourRows(rows.device_ids, rows.micros, values)


async def count(db: Reads, kind: str, device_ids: Sequence[int], since: datetime, fewest_readings: int) -> int:
    """Return how many hours of devices begin at an instant or after it and have at least so many readings."""
    sql = _count_sql(kind, db.dialect)
    if db.dialect == "postgresql":
        return (await db.run(sql, list(device_ids), since, fewest_readings))[0][0]
    return (await db.run(sql, orjson.dumps(list(device_ids)).decode(), to_micros(since), fewest_readings))[0][0]


async def _load(  # noqa: PLR0917 - what, of whom, when
    db: Reads, sql: str, device_ids: Sequence[int], start: datetime, end: datetime, columns: Sequence[str]
) -> HourRows:
    if db.dialect == "postgresql":
        rows = await db.run(sql, list(device_ids), start, end)
        return await asyncio.to_thread(_from_arrays, rows, columns)
    rows = await db.run(sql, orjson.dumps(list(device_ids)).decode(), to_micros(start), to_micros(end))
    return await asyncio.to_thread(_from_rows, rows, columns)


def _from_rows(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> HourRows:
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * (2 + len(names))
    ids, micros = (np.array(column, dtype=np.int64) for column in columns[:2])
    values = {name: np.array(column, dtype=np.float64) for name, column in zip(names, columns[2:], strict=True)}
    return HourRows(ids, micros, values)


def _from_arrays(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> HourRows:
    """Put together one row for each device with its columns as arrays."""
    rows = sorted(rows, key=lambda row: row[0])
    sizes = [len(row[1]) for row in rows]
    ids = np.repeat(np.array([row[0] for row in rows], dtype=np.int64), sizes)

    def column(place: int, dtype: Any) -> Any:
        return np.concatenate([np.array(row[place], dtype=dtype) for row in rows] or [np.empty(0, dtype=dtype)])

    micros: IntArray = column(1, np.int64)
    values: dict[str, FloatArray] = {name: column(2 + place, np.float64) for place, name in enumerate(names)}
    return HourRows(ids, micros, values)


_MICROS = "(extract(epoch FROM {0}) * 1000000)::bigint"


@lru_cache(maxsize=256)
def _hours_sql(kind: str, columns: tuple[str, ...], dialect: str) -> str:
    table = _checked(kind, columns)
    if dialect == "postgresql":
        arrays = "".join(f", array_agg({name} ORDER BY hour)" for name in columns)
        return (
            f"SELECT device_id, array_agg({_MICROS.format('hour')} ORDER BY hour){arrays} FROM {table} "  # noqa: S608
            "WHERE device_id = ANY($1::bigint[]) AND hour >= $2 AND hour < $3 GROUP BY device_id"
        )
    values = "".join(f", {name}" for name in columns)
    return f"SELECT device_id, hour{values} FROM {table} WHERE {_SQLITE_RANGE} ORDER BY device_id, hour"  # noqa: S608


@lru_cache(maxsize=64)
def _count_sql(kind: str, dialect: str) -> str:
    table = _checked(kind, ())
    mine = "device_id = ANY($1::bigint[])" if dialect == "postgresql" else _SQLITE_DEVICES
    since, fewest = ("$2", "$3") if dialect == "postgresql" else ("?2", "?3")
    return f"SELECT count(*) FROM {table} WHERE {mine} AND hour >= {since} AND reading_count >= {fewest}"  # noqa: S608


@lru_cache(maxsize=256)
def _days_sql(kind: str, columns: tuple[str, ...], dialect: str) -> str:
    table = _checked(kind, columns)
    values = "".join(f", {_of_day(name)} AS v{place}" for place, name in enumerate(columns))
    if dialect == "postgresql":
        arrays = "".join(f", array_agg(v{place} ORDER BY day)" for place in range(len(columns)))
        return (
            f"SELECT device_id, array_agg({_MICROS.format('day')} ORDER BY day){arrays} FROM ("  # noqa: S608
            f"SELECT device_id, date_trunc('day', hour, 'UTC') AS day{values} FROM {table} "
            "WHERE device_id = ANY($1::bigint[]) AND hour >= $2 AND hour < $3 GROUP BY 1, 2) AS days GROUP BY device_id"
        )
    day = f"hour - hour % {24 * HOUR_MICROS}"
    return (
        f"SELECT device_id, {day} AS day{values} FROM {table} WHERE {_SQLITE_RANGE} "  # noqa: S608 - catalogue names
        "GROUP BY device_id, day ORDER BY device_id, day"
    )


_SQLITE_DEVICES = "device_id IN (SELECT value FROM json_each(?1))"
_SQLITE_RANGE = f"{_SQLITE_DEVICES} AND hour >= ?2 AND hour < ?3"


def _of_day(name: str) -> str:
    """Return the expression of a column over the hours of a day; of a deviation, its square."""
    channel, _, statistic = name.rpartition("_")
    weight = f"sum(CASE WHEN {channel}_mean IS NOT NULL THEN reading_count END)"
    if statistic == "mean":
        return f"sum({name} * reading_count) / {weight}"
    if statistic == "deviation":
        mean, square = f"{channel}_mean", f"({name} * {name} + {channel}_mean * {channel}_mean)"
        average = f"(sum({mean} * reading_count) / {weight})"
        return f"sum({square} * reading_count) / {weight} - {average} * {average}"
    functions = {"minimum": "min", "maximum": "max"}
    return f"{functions.get(statistic, 'sum')}({name})"


def _checked(kind: str, columns: Sequence[str]) -> str:
    """Return the table of hours of a kind.

    Raises:
        ValueError: it has no such column.
    """
    table = KINDS[kind].hour_table
    unknown = [name for name in columns if name not in table.columns]
    if unknown:
        raise ValueError(f"{table.name} has no columns {', '.join(unknown)}")
    return str(table.name)

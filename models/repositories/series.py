"""Readings for charts: aggregated into time buckets, or thinned, in the database."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from models.charts import ORIGIN, FloatArray, IntArray
from models.devices import KINDS
from models.repositories.base import Reads
from models.statements import table_of
from models.types import to_micros

AGGREGATES = ("AVERAGE", "MINIMUM", "MAXIMUM", "SUM", "COUNT", "LAST")
_FUNCTIONS = {"AVERAGE": "avg", "MINIMUM": "min", "MAXIMUM": "max", "SUM": "sum", "COUNT": "count"}

Lines = dict[int, tuple[IntArray, list[FloatArray]]]
"""By device: (n,) microseconds ascending, and for each metric (n,) values with NaN for none."""


async def buckets(  # noqa: PLR0917 - what, of whom, when
    db: Reads,
    kind: str,
    ids: Sequence[int],
    metrics: tuple[str, ...],
    start: datetime,
    end: datetime,
    *,
    width_seconds: int,
    aggregate: str,
) -> Lines:
    """Return the non-empty buckets of each device in [start, end), one aggregate of each metric, in one statement."""
    sql = _buckets_sql(kind, metrics, aggregate, db.dialect)
    if db.dialect == "postgresql":
        rows = await db.run(sql, list(ids), start, end, f"{width_seconds} seconds", ORIGIN)
        return {row[0]: (_integers(row[1]), [_floats(values) for values in row[2:]]) for row in rows}
    rows = await db.run(
        sql,
        orjson.dumps(list(ids)).decode(),
        to_micros(start),
        to_micros(end),
        width_seconds * 1_000_000,
        _ORIGIN_MICROS,
    )
    return _gathered(rows, len(metrics))


async def points(  # noqa: PLR0917 - what, of whom, when
    db: Reads, kind: str, ids: Sequence[int], metric: str, start: datetime, end: datetime
) -> Lines:
    """Return all values of a metric in [start, end) of each device, without those that are missing."""
    sql = _points_sql(kind, metric, db.dialect)
    if db.dialect == "postgresql":
        rows = await db.run(sql, list(ids), start, end)
        return {row[0]: (_integers(row[1]), [_floats(row[2])]) for row in rows}
    rows = await db.run(sql, orjson.dumps(list(ids)).decode(), to_micros(start), to_micros(end))
    return _gathered(rows, 1)


async def extremes(  # noqa: PLR0917 - what, of whom, when
    db: Reads, kind: str, ids: Sequence[int], metric: str, start: datetime, end: datetime, *, width_seconds: float
) -> Lines:
    """Return the least and the greatest point of each bucket of a metric: what a long line is thinned to first.

    Source: Jeroen Van Der Donckt and others, MinMaxLTTB: Leveraging MinMax-Preselection to Scale LTTB, 2023.
    """
    sql = _extremes_sql(kind, metric, db.dialect)
    width = max(round(width_seconds * 1_000_000), 1)
    if db.dialect == "postgresql":
        rows = await db.run(sql, list(ids), start, end, width)
    else:
        rows = await db.run(sql, orjson.dumps(list(ids)).decode(), to_micros(start), to_micros(end), width)
    return _gathered(rows, 1)


_ORIGIN_MICROS = to_micros(ORIGIN)
# The driver reads whole numbers ten times as fast as instants.
_MICROS = "(extract(epoch FROM {0}) * 1000000)::bigint"


@lru_cache(maxsize=512)
def _buckets_sql(kind: str, metrics: tuple[str, ...], aggregate: str, dialect: str) -> str:
    table = _table(kind)
    if dialect == "postgresql":
        columns = ", ".join(f"{_aggregate(aggregate, metric)} AS m{place}" for place, metric in enumerate(metrics))
        arrays = ", ".join(f"array_agg(m{place} ORDER BY bucket)" for place in range(len(metrics)))
        return (
            f"SELECT device_id, array_agg({_MICROS.format('bucket')} ORDER BY bucket), {arrays} FROM ("  # noqa: S608
            f"SELECT device_id, date_bin($4::text::interval, recorded_at, $5) AS bucket, {columns} FROM {table} "
            "WHERE device_id = ANY($1::bigint[]) AND recorded_at >= $2 AND recorded_at < $3 GROUP BY 1, 2"
            ") AS buckets GROUP BY device_id"
        )
    if aggregate == "LAST":
        return _last_sql(table, metrics)
    columns = ", ".join(f"{_FUNCTIONS[aggregate]}({metric})" for metric in metrics)
    return (
        f"SELECT device_id, {_SQLITE_BUCKET} AS bucket, {columns} FROM {table} "  # noqa: S608 - catalogue names
        f"WHERE {_SQLITE_RANGE} GROUP BY device_id, bucket ORDER BY device_id, bucket"
    )


# Integer division rounds towards zero; times before the origin must round down as well.
_SQLITE_BUCKET = "?5 + ((recorded_at - ?5) / ?4 - ((recorded_at - ?5) % ?4 < 0)) * ?4"
_SQLITE_RANGE = "device_id IN (SELECT value FROM json_each(?1)) AND recorded_at >= ?2 AND recorded_at < ?3"


def _last_sql(table: str, metrics: tuple[str, ...]) -> str:
    newest = ", ".join(
        f"max(CASE WHEN {metric} IS NOT NULL THEN recorded_at END) AS at{place}" for place, metric in enumerate(metrics)
    )
    values = ", ".join(
        f"(SELECT {metric} FROM {table} AS r WHERE r.device_id = b.device_id AND r.recorded_at = b.at{place})"  # noqa: S608
        for place, metric in enumerate(metrics)
    )
    return (
        f"SELECT device_id, bucket, {values} FROM ("  # noqa: S608 - catalogue names
        f"SELECT device_id, {_SQLITE_BUCKET} AS bucket, {newest} FROM {table} WHERE {_SQLITE_RANGE} "
        "GROUP BY device_id, bucket) AS b ORDER BY device_id, bucket"
    )


def _aggregate(aggregate: str, metric: str) -> str:
    if aggregate == "LAST":
        return f"(array_agg({metric} ORDER BY recorded_at DESC) FILTER (WHERE {metric} IS NOT NULL))[1]"
    return f"{_FUNCTIONS[aggregate]}({metric})::float8"


@lru_cache(maxsize=128)
def _points_sql(kind: str, metric: str, dialect: str) -> str:
    table = _table(kind)
    if dialect == "postgresql":
        return (
            f"SELECT device_id, array_agg({_MICROS.format('recorded_at')} ORDER BY recorded_at), "  # noqa: S608
            f"array_agg({metric} ORDER BY recorded_at) FROM {table} WHERE device_id = ANY($1::bigint[]) "
            f"AND recorded_at >= $2 AND recorded_at < $3 AND {metric} IS NOT NULL GROUP BY device_id"
        )
    return (
        f"SELECT device_id, recorded_at, {metric} FROM {table} "  # noqa: S608 - catalogue names
        f"WHERE {_SQLITE_RANGE} AND {metric} IS NOT NULL ORDER BY device_id, recorded_at"
    )


@lru_cache(maxsize=128)
def _extremes_sql(kind: str, metric: str, dialect: str) -> str:
    table = _table(kind)
    if dialect == "postgresql":
        micros = _MICROS.format("recorded_at")
        # Arrays compare element by element, so the least pair is the least value with its first time.
        pair = f"ARRAY[{metric}, {micros}::float8]"
        return (
            "SELECT DISTINCT device_id, p[2]::bigint, p[1] FROM ("  # noqa: S608 - catalogue names
            f"SELECT device_id, unnest_pair.p AS p FROM (SELECT device_id, min({pair}) AS lo, max({pair}) AS hi "
            f"FROM {table} WHERE device_id = ANY($1::bigint[]) AND recorded_at >= $2 AND recorded_at < $3 "
            f"AND {metric} IS NOT NULL GROUP BY device_id, {micros} / $4::bigint) AS b "
            "CROSS JOIN LATERAL (VALUES (b.lo), (b.hi)) AS unnest_pair (p)) AS pairs ORDER BY 1, 2"
        )
    # SQLite takes the bare columns of a min() or max() query from the row that holds it.
    halves = " UNION ".join(
        f"SELECT device_id, recorded_at, {metric} FROM ("  # noqa: S608 - catalogue names
        f"SELECT device_id, recorded_at, {function}({metric}) AS {metric} FROM {table} WHERE {_SQLITE_RANGE} "
        f"AND {metric} IS NOT NULL GROUP BY device_id, recorded_at / ?4)"
        for function in ("min", "max")
    )
    return f"{halves} ORDER BY 1, 2"


def _table(kind: str) -> str:
    return table_of(KINDS[kind].reading_table).name


def _gathered(rows: Sequence[Sequence[Any]], metrics: int) -> Lines:
    """Turn rows (device, time, value…), ordered by device and time, into columns by device."""
    if not rows:
        return {}
    columns = list(zip(*rows, strict=True))
    devices = np.array(columns[0], dtype=np.int64)
    times = np.array(columns[1], dtype=np.int64)
    values = [_floats(columns[2 + place]) for place in range(metrics)]
    starts = np.flatnonzero(np.diff(devices, prepend=devices[0] - 1))
    ends = np.append(starts[1:], len(devices))
    return {
        int(devices[start]): (times[start:end], [line[start:end] for line in values])
        for start, end in zip(starts, ends, strict=True)
    }


def _floats(values: Sequence[Any]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _integers(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)

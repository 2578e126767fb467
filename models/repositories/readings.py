"""Readings of devices: stored once, read newest first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    true,
)

from models.devices import KINDS
from models.paging import Page, SortKey, Window, beyond, cursor_values, cut
from models.readings import ReadingBatch
from models.repositories.base import Reads, Writes
from models.statements import Row, Statement, is_one_of, pick, prepared, table_columns, table_of
from models.types import EPOCH, BigIntegerList, UtcDateTime, from_micros, to_micros

Columns = frozenset[str] | None
Key = tuple[int, datetime]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Instants from `start` (inclusive) to `end` (exclusive); None leaves a side open."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def shape(self) -> tuple[bool, bool]:
        """Which sides are bounded."""
        return (self.start is not None, self.end is not None)

    @property
    def values(self) -> dict[str, Any]:
        """What the statement binds."""
        sides = {"range_start": self.start, "range_end": self.end}
        return {name: value for name, value in sides.items() if value is not None}


async def latest(
    db: Reads, kind: str, keys: Sequence[tuple[int, datetime | None]], columns: Columns = None
) -> list[Row | None]:
    """Return the reading at each (device id, time): with a device's `latest_reading_at`, its newest, by key alone."""
    wanted = [(id_, at) for id_, at in keys if at is not None]
    if not wanted:
        return [None] * len(keys)
    bound = _bound_keys(db.dialect, [(id_, to_micros(at)) for id_, at in wanted])
    rows = await db.fetch(_latest(kind, columns, db.dialect), **bound)
    found = {(row["device_id"], row["recorded_at"]): row for row in rows}
    return [None if key[1] is None else found.get((key[0], key[1])) for key in keys]


async def newest_values(db: Reads, kind: str, ids: Sequence[int], channel: str) -> dict[int, Any]:
    """Return the newest value of a channel that each device reported, by device; one that never did is absent."""
    rows = await db.fetch(_newest_values(kind, channel, db.dialect), ids=list(ids))
    return {row["id"]: row["value"] for row in rows if row["value"] is not None}


async def page_by_devices(  # noqa: PLR0917 - one argument for each choice
    db: Reads, kind: str, ids: Sequence[int], window: Window, range_: TimeRange, columns: Columns = None
) -> list[Page]:
    """Return one page of readings, newest first, for each device, in one statement."""
    bounded = window.cursor is not None
    statement = _pages(kind, range_.shape, bounded, window.backward, columns, db.dialect, len(ids) == 1)
    values = {**range_.values, **cursor_values(window.cursor), "count": window.count + 1}
    if len(ids) == 1:
        return [cut(await db.fetch(statement, id=ids[0], **values), window)]
    rows_by_device: dict[int, list[Row]] = {id_: [] for id_ in ids}
    for row in await db.fetch(statement, ids=list(rows_by_device), **values):
        rows_by_device[row["device_id"]].append(row)
    pages = {id_: cut(rows, window) for id_, rows in rows_by_device.items()}
    return [pages[id_] for id_ in ids]


async def count_by_devices(db: Reads, kind: str, ids: Sequence[int], range_: TimeRange) -> list[int]:
    """Return how many readings each device has in a range."""
    rows = await db.fetch(_counts(kind, range_.shape, db.dialect), ids=list(set(ids)), **range_.values)
    found = {row["device_id"]: row["count"] for row in rows}
    return [found.get(id_, 0) for id_ in ids]


async def add(
    transaction: Writes, batch: ReadingBatch, newest: Mapping[int, datetime | None] | None = None
) -> Collection[Key]:
    """Store readings that are not stored yet and return the keys of those that are new.

    Args:
        transaction: holds the lock of the batch's devices.
        batch: checked readings; keys that come twice are stored once.
        newest: the time of each device's newest stored reading, None where it has none. Readings that are all newer
            cannot be stored yet, and are added without a look.
    """
    keys = dict.fromkeys(zip(batch.device_ids, batch.recorded_at, strict=True))
    if newest is not None and len(keys) == len(batch) and _are_newer(keys, newest):
        await _append(transaction, batch)
        return keys.keys()
    if transaction.dialect == "postgresql":
        return await _add_postgresql(transaction, batch)
    return await _add_sqlite(transaction, batch)


def _are_newer(keys: Iterable[Key], newest: Mapping[int, datetime | None]) -> bool:
    floors = {device_id: at or EPOCH for device_id, at in newest.items()}
    return all(at > floors[device_id] for device_id, at in keys)


async def _append(transaction: Writes, batch: ReadingBatch) -> None:
    is_sqlite = transaction.dialect == "sqlite"
    instants = [to_micros(at) for at in batch.recorded_at] if is_sqlite else batch.recorded_at
    rows = zip(batch.device_ids, instants, *batch.channels.values(), strict=True)
    table = table_of(KINDS[batch.kind].reading_table).name
    await transaction.copy_in(table, ("device_id", "recorded_at", *batch.channels), rows)


async def _add_postgresql(transaction: Writes, batch: ReadingBatch) -> set[Key]:
    names = tuple(batch.channels)
    columns = [list(batch.channels[name]) for name in names]
    rows = await transaction.run(
        _insert_postgresql(batch.kind, names), list(batch.device_ids), list(batch.recorded_at), *columns
    )
    return {(id_, at) for id_, at in rows}


async def _add_sqlite(transaction: Writes, batch: ReadingBatch) -> set[Key]:
    keys = list(zip(batch.device_ids, (to_micros(at) for at in batch.recorded_at), strict=True))
    stored = await transaction.fetch(_stored(batch.kind), **_bound_keys("sqlite", keys))
    known = {(row["device_id"], to_micros(row["recorded_at"])) for row in stored}
    new: dict[tuple[int, int], int] = {}
    for index, key in enumerate(keys):
        if key not in known:
            new.setdefault(key, index)
    names = tuple(batch.channels)
    rows = [
        {
            "device_id": id_,
            "recorded_at": batch.recorded_at[index],
            **{name: batch.channels[name][index] for name in names},
        }
        for (id_, _), index in new.items()
    ]
    await transaction.execute_many(_insert_sqlite(batch.kind, names), rows)
    return {(id_, from_micros(micros)) for id_, micros in new}


def _table(kind: str) -> dict[str, Column[Any]]:
    return table_columns(KINDS[kind].reading_table)


def _in_range(at: Any, shape: tuple[bool, bool]) -> ColumnElement[bool]:
    start, end = shape
    return and_(
        at >= bindparam("range_start", type_=UtcDateTime()) if start else true(),
        at < bindparam("range_end", type_=UtcDateTime()) if end else true(),
    )


def _in_window(at: Any, shape: tuple[bool, bool], *, bounded: bool, backward: bool) -> ColumnElement[bool]:
    if not bounded:
        return _in_range(at, shape)
    return and_(_in_range(at, shape), beyond((SortKey(at, descending=True),), (False,), backward=backward))


def _key_list(dialect: str) -> Any:
    """Return a table of the bound keys with columns id and at, as the reading tables store them."""
    if dialect == "postgresql":
        ids = bindparam("ids", type_=BigIntegerList())
        instants = bindparam("instants", type_=BigIntegerList())
        keys = func.unnest(ids, instants).table_valued("id", "micros", name="keys").render_derived()
        at = func.to_timestamp(0) + keys.c.micros * text("interval '1 microsecond'")
        return select(keys.c.id, at.label("at")).subquery("wanted")
    # One list of pairs: SQLite would join two lists by reading the second anew for each element of the first.
    pair = func.json_each(bindparam("keys", type_=Text())).table_valued("value", name="keys").c.value
    return select(func.json_extract(pair, "$[0]").label("id"), func.json_extract(pair, "$[1]").label("at")).subquery(
        "wanted"
    )


def _bound_keys(dialect: str, keys: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return what `_key_list` binds for these ids and microseconds."""
    if dialect == "postgresql":
        return {"ids": [id_ for id_, _ in keys], "instants": [micros for _, micros in keys]}
    return {"keys": orjson.dumps(keys).decode()}


@prepared
def _latest(kind: str, columns: Columns, dialect: str) -> Statement:
    table, wanted = _table(kind), _key_list(dialect)
    chosen = pick(table, columns, "device_id", "recorded_at")
    same = and_(table["device_id"] == wanted.c.id, table["recorded_at"] == wanted.c.at)
    return Statement(select(*chosen).select_from(wanted).join(KINDS[kind].reading_table, same))


@prepared
def _newest_values(kind: str, channel: str, dialect: str) -> Statement:
    table = _table(kind)
    ids = bindparam("ids", type_=BigIntegerList())
    wanted = (
        func.unnest(ids).table_valued("id", name="wanted").render_derived()
        if dialect == "postgresql"
        else select(func.json_each(ids).table_valued("value").c.value.label("id")).subquery("wanted")
    )
    own = select(table[channel]).where(table["device_id"] == wanted.c.id, table[channel].is_not(None))
    newest = own.order_by(table["recorded_at"].desc()).limit(1).correlate(wanted).scalar_subquery()
    return Statement(select(wanted.c.id, newest.label("value")))


@prepared
def _stored(kind: str) -> Statement:
    return _latest(kind, frozenset(), "sqlite")


@prepared
def _pages(  # noqa: PLR0917 - remembered by its arguments, which are positional
    kind: str,
    shape: tuple[bool, bool],
    bounded: bool,
    backward: bool,
    columns: Columns,
    dialect: str,
    single: bool,
) -> Statement:
    table = _table(kind)
    at = table["recorded_at"]
    conditions = _in_window(at, shape, bounded=bounded, backward=backward)
    order = SortKey(at, descending=True).clause(backward=backward)
    chosen = pick(table, columns, "device_id", "recorded_at")
    limit = bindparam("count", type_=Integer())
    if single:
        mine = table["device_id"] == bindparam("id")
        return Statement(select(*chosen).where(mine, conditions).order_by(order).limit(limit))
    if dialect == "postgresql":
        wanted = (
            func.unnest(bindparam("ids", type_=BigIntegerList())).table_valued("id", name="wanted").render_derived()
        )
        newest = select(*chosen).where(table["device_id"] == wanted.c.id, conditions).order_by(order).limit(limit)
        each = newest.lateral("newest")
        return Statement(select(*each.c).select_from(wanted.join(each, true())))
    return _pages_sqlite(kind, shape, [column.name for column in chosen], bounded=bounded, backward=backward)


def _pages_sqlite(
    kind: str, shape: tuple[bool, bool], names: Sequence[str], *, bounded: bool, backward: bool
) -> Statement:
    # SQLite has no LATERAL, and row_number() would read the whole history of each device. The time of each device's
    # last wanted row is found by its place in the index; the page is what lies on this side of it.
    wanted = func.json_each(bindparam("ids", type_=BigIntegerList())).table_valued("value", name="wanted")
    probe, row = (table_of(KINDS[kind].reading_table).alias(name) for name in ("probe", "reading"))
    own = select(probe.c.recorded_at).where(
        probe.c.device_id == wanted.c.value,
        _in_window(probe.c.recorded_at, shape, bounded=bounded, backward=backward),
    )
    order = SortKey(probe.c.recorded_at, descending=True).clause(backward=backward)
    skip = bindparam("count", type_=Integer()) - 1
    last = own.order_by(order).limit(1).offset(skip).correlate(wanted).scalar_subquery()
    edge = func.coalesce(last, literal_column(str(2**63 - 1 if backward else -(2**63))))
    on_this_side = row.c.recorded_at <= edge if backward else row.c.recorded_at >= edge
    rows = select(*(row.c[name] for name in names)).select_from(wanted.join(row, row.c.device_id == wanted.c.value))
    rows = rows.where(on_this_side, _in_window(row.c.recorded_at, shape, bounded=bounded, backward=backward))
    newest_first = SortKey(row.c.recorded_at, descending=True).clause(backward=backward)
    return Statement(rows.order_by(row.c.device_id, newest_first))


@prepared
def _counts(kind: str, shape: tuple[bool, bool], dialect: str) -> Statement:
    table = _table(kind)
    mine = is_one_of(table["device_id"], "ids", dialect)
    counted = select(table["device_id"], func.count().label("count")).where(
        mine, _in_range(table["recorded_at"], shape)
    )
    return Statement(counted.group_by(table["device_id"]))


@lru_cache(maxsize=256)
def _insert_postgresql(kind: str, names: tuple[str, ...]) -> str:
    # Arrays travel as columns: one statement, whatever the number of rows.
    channels = KINDS[kind].by_name
    types = ["bigint", "timestamptz", *("boolean" if channels[name].is_state else "float8" for name in names)]
    arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(types, 1))
    columns = ", ".join(("device_id", "recorded_at", *names))
    return (
        f"INSERT INTO {table_of(KINDS[kind].reading_table).name} ({columns}) "  # noqa: S608 - names of the catalogue
        f"SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING RETURNING device_id, recorded_at"
    )


@prepared
def _insert_sqlite(kind: str, names: tuple[str, ...]) -> Statement:
    table = _table(kind)
    values = {name: bindparam(name, type_=table[name].type) for name in ("device_id", "recorded_at", *names)}
    return Statement(insert(KINDS[kind].reading_table).values(values))

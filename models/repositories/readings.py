"""Readings of devices: stored once, read newest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

import numpy as np
import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

from models.columnar import MANY_ROWS, ColumnRows, ColumnStatement
from models.devices import KINDS
from models.drivers import Column as Packed
from models.drivers import plain_values
from models.paging import Page, SortKey, Window, beyond, cursor_values, cut, cut_each
from models.readings import BoolArray, IntArray, PackedReadings
from models.repositories.base import Reads, Writes
from models.statements import Row, Statement, is_one_of, numbers, pick, prepared, table_columns, table_of
from models.types import BigIntegerList, UtcDateTime, array_text, to_micros

Columns = frozenset[str] | None

# The newest value of a channel is looked for among so many readings of a device: a week of one a minute.
# A device that never reports the channel would have its whole history read.
VALUE_LOOK_BACK = 10_000
_VALUE_LIMIT: ColumnElement[int] = literal_column(str(VALUE_LOOK_BACK))
_ONE: ColumnElement[int] = literal_column("1")

# Pages up to this size are read together with those of other devices; longer ones at the same time, each alone.
_SHARED_ROWS = 250


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

    async def load(wanted: list[tuple[int, datetime]]) -> dict[tuple[int, datetime], Row]:
        bound = _bound_keys(db.dialect, [(id_, to_micros(at)) for id_, at in wanted])
        rows = await db.fetch(_latest(kind, columns, db.dialect), **bound)
        return {(row["device_id"], row["recorded_at"]): row for row in rows}

    found = await db.gather((_latest, kind, columns), wanted, load)
    return [None if key[1] is None else found.get((key[0], key[1])) for key in keys]


async def newest_values(db: Reads, kind: str, ids: Sequence[int], channel: str) -> dict[int, Any]:
    """Return the newest value of a channel in each device's newest `VALUE_LOOK_BACK` readings, where there is one."""
    rows = await db.fetch(_newest_values(kind, channel, db.dialect), ids=list(ids))
    return {row["id"]: row["value"] for row in rows if row["value"] is not None}


async def page_by_devices(  # noqa: PLR0917 - one argument for each choice
    db: Reads, kind: str, ids: Sequence[int], window: Window, range_: TimeRange, columns: Columns = None
) -> list[Page]:
    """Return one page of readings, newest first, for each device, in one statement; long ones as columns."""
    shape = (kind, range_.shape, window.cursor is not None, window.backward, columns, db.dialect)
    values = {**range_.values, **cursor_values(window.cursor), "count": window.count + 1}
    asked = (kind, columns, range_, window)

    async def of_each(owners: list[int]) -> dict[int, Page]:
        if len(owners) == 1:
            return {owners[0]: cut(await db.columns(_page_columns(*shape), id=owners[0], **values), window)}
        rows = await db.columns(_pages_columns(*shape), ids=owners, **values)
        # Each is another operation's, which completes only its own.
        own = {id_: ColumnRows(rows.columns, places).alone() for id_, places in rows.split("device_id").items()}
        return {id_: cut(each, window) for id_, each in own.items()}

    async def as_columns(_: list[None]) -> dict[int, Page]:
        rows = await db.columns(_pages_columns(*shape), ids=list(dict.fromkeys(ids)), **values)
        return cut_each(rows, "device_id", window)

    async def as_rows(owners: list[int]) -> dict[int, Page]:
        if len(owners) == 1:
            return {owners[0]: cut(await db.fetch(_page(*shape), id=owners[0], **values), window)}
        return cut_each(await db.fetch(_pages(*shape), ids=owners, **values), "device_id", window)

    if columns is None or window.count * len(ids) < MANY_ROWS:
        pages = await db.gather((_pages, *asked), ids, as_rows)
    elif len(ids) == 1:
        apart = ids[0] if window.count > _SHARED_ROWS else None
        pages = await db.gather((_page_columns, apart, *asked), ids, of_each)
    else:
        pages = await db.gather((_pages_columns, tuple(ids), *asked), (), as_columns)
    return [pages.get(id_) or cut((), window) for id_ in ids]


async def count_by_devices(db: Reads, kind: str, ids: Sequence[int], range_: TimeRange) -> list[int]:
    """Return how many readings each device has in a range."""
    rows = await db.fetch(_counts(kind, range_.shape, db.dialect), ids=list(set(ids)), **range_.values)
    found = {row["device_id"]: row["count"] for row in rows}
    return [found.get(id_, 0) for id_ in ids]


async def add(transaction: Writes, readings: PackedReadings, floors: IntArray | None = None) -> BoolArray:
    """Store readings that are not stored yet, and say of each whether it is new.

    Args:
        transaction: holds the lock of the devices.
        readings: (n,) checked; of those with the same device and time the first is stored.
        floors: (n,) instant of the newest stored reading of the device of each, in microseconds since 1970. Readings
            that are all newer cannot be stored yet, and are added without a look.

    Returns:
        (n,) whether it was stored now.
    """
    is_first = _is_first(readings)
    if not len(readings):
        return is_first
    if floors is not None and is_first.all() and bool((readings.micros > floors).all()):
        await transaction.copy_columns(_table_name(readings.kind), _columns(readings))
        return is_first
    if transaction.dialect == "postgresql":
        return is_first & _is_among(readings, await _add_postgresql(transaction, readings))
    return await _add_sqlite(transaction, readings, is_first)


def _is_first(readings: PackedReadings) -> BoolArray:
    """Return (n,) whether no earlier row has the same device and time."""
    ids, micros = readings.device_ids, readings.micros
    is_first = np.ones(len(readings), np.bool_)
    is_same = ids[1:] == ids[:-1]
    if ((ids[1:] > ids[:-1]) | (is_same & (micros[1:] > micros[:-1]))).all():
        return is_first
    order = np.lexsort((micros, ids))
    ids, micros = ids[order], micros[order]
    # The order is stable: of rows with the same key the first one comes first.
    is_first[order[1:]] = (ids[1:] != ids[:-1]) | (micros[1:] != micros[:-1])
    return is_first


def _is_among(readings: PackedReadings, keys: Collection[tuple[int, int]]) -> BoolArray:
    """Return (n,) whether device and microseconds of a row are among the keys."""
    own = zip(readings.device_ids.tolist(), readings.micros.tolist(), strict=True)
    return np.fromiter((key in keys for key in own), np.bool_, len(readings))


def _columns(readings: PackedReadings) -> dict[str, Packed]:
    by_name = KINDS[readings.kind].by_name
    instants = readings.micros.astype("datetime64[us]")
    columns = {"device_id": Packed(readings.device_ids), "recorded_at": Packed(instants)}
    is_null = np.isnan(readings.values)
    for place, name in enumerate(readings.names):
        values = readings.values[place]
        columns[name] = Packed(values == 1 if by_name[name].is_state else values, is_null[place])
    return columns


async def _add_postgresql(transaction: Writes, readings: PackedReadings) -> set[tuple[int, int]]:
    columns = (array_text(plain_values(column)) for column in _columns(readings).values())
    return set(map(tuple, await transaction.run(_insert_postgresql(readings.kind, readings.names), *columns)))


async def _add_sqlite(transaction: Writes, readings: PackedReadings, is_first: BoolArray) -> BoolArray:
    keys = list(zip(readings.device_ids.tolist(), readings.micros.tolist(), strict=True))
    stored = await transaction.fetch(_stored(readings.kind), **_bound_keys("sqlite", keys))
    known = {(row["device_id"], to_micros(row["recorded_at"])) for row in stored}
    is_new = is_first & ~_is_among(readings, known)
    if is_new.any():
        await transaction.copy_columns(_table_name(readings.kind), _columns(readings.at(is_new)))
    return is_new


def _table_name(kind: str) -> str:
    return str(table_of(KINDS[kind].reading_table).name)


def _table(kind: str) -> dict[str, Column[Any]]:
    return table_columns(KINDS[kind].reading_table)


def _in_range(at: Any, shape: tuple[bool, bool]) -> ColumnElement[bool]:
    start, end = shape
    return and_(
        at >= bindparam("range_start", type_=UtcDateTime()) if start else true(),
        at < bindparam("range_end", type_=UtcDateTime()) if end else true(),
    )


def _in_window(
    at: Any, shape: tuple[bool, bool], dialect: str, *, bounded: bool, backward: bool
) -> ColumnElement[bool]:
    start, end = shape
    within = and_(
        at >= _unseen("range_start", UtcDateTime(), dialect) if start else true(),
        at < _unseen("range_end", UtcDateTime(), dialect) if end else true(),
    )
    if not bounded:
        return within
    return and_(within, beyond((SortKey(at, descending=True),), (False,), backward=backward))


def _unseen(parameter: str, type_: TypeEngine[Any], dialect: str) -> ColumnElement[Any]:
    """Return a parameter whose value PostgreSQL's planner does not see.

    It would find that a plan which knows the value is better, and make one each time: that takes the longer the more
    months there are, and for short pages longer than to read them. The plan that it keeps passes over months as well,
    when it is run.
    """
    given = bindparam(parameter, type_=type_)
    return select(given).scalar_subquery() if dialect == "postgresql" else given


def _key_list(dialect: str) -> Any:
    """Return a table of the bound keys with columns id and at, as the reading tables store them."""
    if dialect == "postgresql":
        listed = func.unnest(numbers("ids"), numbers("instants"))
        keys = listed.table_valued("id", "micros", name="keys").render_derived()
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
    listed = func.json_each(bindparam("ids", type_=BigIntegerList())).table_valued("value").c.value
    wanted = (
        func.unnest(numbers("ids")).table_valued("id", name="wanted").render_derived()
        if dialect == "postgresql"
        else select(listed.label("id")).subquery("wanted")
    )
    own = select(table["recorded_at"], table[channel]).where(table["device_id"] == wanted.c.id)
    newest = own.order_by(table["recorded_at"].desc()).limit(_VALUE_LIMIT).correlate(wanted).subquery("newest")
    there = select(newest.c[channel]).where(newest.c[channel].is_not(None))
    value = there.order_by(newest.c.recorded_at.desc()).limit(_ONE).correlate(wanted).scalar_subquery()
    return Statement(select(wanted.c.id, value.label("value")))


@prepared
def _stored(kind: str) -> Statement:
    return _latest(kind, frozenset(), "sqlite")


# One argument for each choice: what is prepared is remembered by positional arguments.
@prepared
def _page(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> Statement:
    return Statement(_page_rows(kind, shape, bounded, backward, columns, dialect))


@lru_cache(maxsize=1024)
def _page_columns(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> ColumnStatement:
    return ColumnStatement(_page_rows(kind, shape, bounded, backward, columns, dialect))


@prepared
def _pages(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> Statement:
    return Statement(_pages_rows(kind, shape, bounded, backward, columns, dialect))


@lru_cache(maxsize=1024)
def _pages_columns(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> ColumnStatement:
    return ColumnStatement(_pages_rows(kind, shape, bounded, backward, columns, dialect))


def _page_rows(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> Select[Any]:
    """Return the page of one device, bound as `id`."""
    table = _table(kind)
    at = table["recorded_at"]
    mine = table["device_id"] == bindparam("id")
    rows = select(*pick(table, columns, "recorded_at"))
    rows = rows.where(mine, _in_window(at, shape, dialect, bounded=bounded, backward=backward))
    return rows.order_by(SortKey(at, descending=True).clause(backward=backward)).limit(_count(dialect))


def _pages_rows(  # noqa: PLR0917
    kind: str, shape: tuple[bool, bool], bounded: bool, backward: bool, columns: Columns, dialect: str
) -> Select[Any]:
    """Return the pages of the devices that are bound as `ids`, those of one device together."""
    table = _table(kind)
    at = table["recorded_at"]
    chosen = pick(table, columns, "device_id", "recorded_at")
    if dialect != "postgresql":
        return _pages_sqlite(kind, shape, [column.name for column in chosen], bounded=bounded, backward=backward)
    wanted = func.unnest(numbers("ids")).table_valued("id", name="wanted").render_derived()
    mine = select(*chosen).where(
        table["device_id"] == wanted.c.id, _in_window(at, shape, dialect, bounded=bounded, backward=backward)
    )
    newest = mine.order_by(SortKey(at, descending=True).clause(backward=backward)).limit(_count(dialect))
    each = newest.lateral("newest")
    return cast("Select[Any]", select(*each.c).select_from(wanted.join(each, true())))


def _count(dialect: str) -> ColumnElement[Any]:
    return _unseen("count", Integer(), dialect)


def _pages_sqlite(
    kind: str, shape: tuple[bool, bool], names: Sequence[str], *, bounded: bool, backward: bool
) -> Select[Any]:
    # SQLite has no LATERAL, and row_number() would read the whole history of each device. The time of each device's
    # last wanted row is found by its place in the index; the page is what lies on this side of it.
    wanted = func.json_each(bindparam("ids", type_=BigIntegerList())).table_valued("value", name="wanted")
    probe, row = (table_of(KINDS[kind].reading_table).alias(name) for name in ("probe", "reading"))
    own = select(probe.c.recorded_at).where(
        probe.c.device_id == wanted.c.value,
        _in_window(probe.c.recorded_at, shape, "sqlite", bounded=bounded, backward=backward),
    )
    order = SortKey(probe.c.recorded_at, descending=True).clause(backward=backward)
    skip = bindparam("count", type_=Integer()) - 1
    last = own.order_by(order).limit(1).offset(skip).correlate(wanted).scalar_subquery()
    edge = func.coalesce(last, literal_column(str(2**63 - 1 if backward else -(2**63))))
    on_this_side = row.c.recorded_at <= edge if backward else row.c.recorded_at >= edge
    rows = select(*(row.c[name] for name in names)).select_from(wanted.join(row, row.c.device_id == wanted.c.value))
    rows = rows.where(on_this_side, _in_window(row.c.recorded_at, shape, "sqlite", bounded=bounded, backward=backward))
    newest_first = SortKey(row.c.recorded_at, descending=True).clause(backward=backward)
    return rows.order_by(row.c.device_id, newest_first)


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
    types = ["bigint", "bigint", *("boolean" if channels[name].is_state else "float8" for name in names)]
    arrays = ", ".join(f"${place}::text::{type_}[]" for place, type_ in enumerate(types, 1))
    given = ", ".join(names)
    return (
        f"INSERT INTO {_table_name(kind)} (device_id, recorded_at, {given}) "  # noqa: S608 - names of the catalogue
        f"SELECT id, to_timestamp(0) + micros * interval '1 microsecond', {given} "
        f"FROM unnest({arrays}) AS new (id, micros, {given}) ON CONFLICT DO NOTHING "
        "RETURNING device_id, (extract(epoch FROM recorded_at) * 1000000)::bigint"
    )

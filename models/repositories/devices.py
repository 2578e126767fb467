"""Devices of all kinds, with the columns of their kinds where these are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, String, and_, bindparam, false, func, or_, select, true
from sqlalchemy.sql.selectable import FromClause

from models.devices import KINDS
from models.drivers import UniqueViolated
from models.errors import Conflict
from models.paging import Page, SortKey, Window, beyond, cursor_values, cut, one_more, usual
from models.repositories.base import Reads, find
from models.repositories.removed_devices import IS_THERE, of_devices_there
from models.statements import Row, Statement, is_one_of, name, pick, prepared, table_columns, table_of
from models.tables import DeviceRow
from models.types import UtcDateTime

Columns = frozenset[str] | None

DEVICE = table_columns(DeviceRow)
# Column names of the kinds' own tables are distinct, so a device row may hold any of them.
DETAILS: dict[str, dict[str, Column[Any]]] = {
    kind.name: {name: column for name, column in table_columns(kind.detail_table).items() if name != "device_id"}
    for kind in KINDS.values()
}

ORDERS = ("name", "last_seen_at", "created_at", "status")


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """Which devices are wanted; a field that is None does not restrict.

    Attributes:
        kinds: of any of these kinds.
        statuses: with any of these statuses.
        location: at exactly this location.
        search: this text, in any case, in the name or the serial number.
        last_seen_before: last seen earlier; devices never seen are not.
        last_seen_after: last seen later.
    """

    kinds: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    location: str | None = None
    search: str | None = None
    last_seen_before: datetime | None = None
    last_seen_after: datetime | None = None

    @property
    def shape(self) -> "FilterShape":
        """What of the filter shapes the statement: kinds and statuses, which are few, and which others are set."""
        free = frozenset(name for name in _FREE_CONDITIONS if getattr(self, name) is not None)
        return (self.kinds, self.statuses, free)

    @property
    def values(self) -> dict[str, Any]:
        """What the statement binds."""
        values = {name: getattr(self, name) for name in self.shape[2]}
        if self.search is not None:
            values["search"] = f"%{_escaped(self.search.lower())}%"
        return values


FilterShape = tuple[tuple[str, ...] | None, tuple[str, ...] | None, frozenset[str]]


@dataclass(frozen=True, slots=True)
class DeviceOrder:
    """How devices are sorted: by one of ORDERS, then by id."""

    column: str = "name"
    descending: bool = False


def sort_values(row: Row, order: DeviceOrder) -> tuple[Any, ...]:
    """Return what a cursor to this row holds."""
    return (row[order.column], row["id"])


async def by_ids(db: Reads, ids: Sequence[int], columns: Columns = None) -> list[Row | None]:
    """Return the device of each id, None where there is none."""
    found = await find(db, _by_ids(columns, db.dialect), ids)
    return [found.get(id_) for id_ in ids]


async def by_serial_numbers(db: Reads, serial_numbers: Sequence[str], columns: Columns = None) -> list[Row | None]:
    """Return the device of each serial number, None where there is none."""
    found: dict[str, Row] = {}
    for serial_number in set(serial_numbers):
        for row in await db.fetch(_by_serial_number(columns), serial_number=serial_number):
            found[serial_number] = row
    return [found.get(serial_number) for serial_number in serial_numbers]


async def page(db: Reads, wanted: DeviceFilter, order: DeviceOrder, window: Window, columns: Columns = None) -> Page:
    """Return one page of the devices that a filter lets through."""
    cursor_shape = None if window.cursor is None else tuple(value is None for value in window.cursor)
    statement = _page(wanted.shape, order, cursor_shape, window.backward, columns, usual(window))
    values = {**wanted.values, **cursor_values(window.cursor), "count": window.count + 1}

    async def load(_: list[None]) -> Page:
        return cut(await db.fetch(statement, **values), window)

    return await db.gather((statement, wanted, window), (), load)


async def count(db: Reads, wanted: DeviceFilter) -> int:
    """Return how many devices a filter lets through."""
    rows = await db.fetch(_count(wanted.shape), **wanted.values)
    return rows[0]["count"]


async def counts_by(db: Reads, column: str) -> Sequence[Row]:
    """Return rows of the column and count for each value of `kind` or `status` that occurs."""
    return await db.fetch(_counts_by(column))


def taken(error: UniqueViolated, serial_number: str) -> Conflict:
    """Return the conflict that a violated unique value means."""
    if "serial_number" in error.constraint:
        return Conflict(
            f"The serial number '{serial_number}' belongs to another device.", input_path=("input", "serialNumber")
        )
    return Conflict("This device exists already.")


def _columns(columns: Columns) -> tuple[list[Column[Any]], FromClause]:
    chosen = pick(DEVICE, columns, "id", "kind")
    source: FromClause = table_of(DeviceRow)
    for kind in KINDS.values():
        details = DETAILS[kind.name]
        mine = [column for name, column in details.items() if columns is None or name in columns]
        if mine:
            chosen = chosen + mine
            table = table_of(kind.detail_table)
            source = source.outerjoin(table, table.c.device_id == DEVICE["id"])
    return chosen, source


def _select(columns: Columns) -> Select[Any]:
    chosen, source = _columns(columns)
    return select(*chosen).select_from(source)


@prepared
def _by_ids(columns: Columns, dialect: str) -> Statement:
    return Statement(_select(columns).where(is_one_of(DEVICE["id"], "ids", dialect), IS_THERE))


@prepared
def _by_serial_number(columns: Columns) -> Statement:
    mine = DEVICE["serial_number"] == bindparam("serial_number", type_=String())
    return Statement(_select(columns).where(mine, IS_THERE))


@prepared
def _page(  # noqa: PLR0917 - remembered by its arguments, which are positional
    shape: FilterShape,
    order: DeviceOrder,
    cursor_shape: tuple[bool, ...] | None,
    backward: bool,
    columns: Columns,
    size: int | None,
) -> Statement:
    keys = (SortKey(DEVICE[order.column], order.descending), SortKey(DEVICE["id"], order.descending))
    needed = None if columns is None else columns | {order.column}
    statement = _select(needed).where(_condition(shape), IS_THERE)
    if cursor_shape is not None:
        statement = statement.where(beyond(keys, cursor_shape, backward=backward))
    statement = statement.order_by(*(key.clause(backward=backward) for key in keys))
    return Statement(statement.limit(one_more(size)))


@prepared
def _count(shape: FilterShape) -> Statement:
    condition = and_(_condition(shape), of_devices_there(DEVICE["id"]))
    return Statement(select(func.count().label("count")).select_from(DeviceRow).where(condition))


@prepared
def _counts_by(column: str) -> Statement:
    value = DEVICE[column]
    counted = select(value, func.count().label("count")).where(of_devices_there(DEVICE["id"]))
    return Statement(counted.group_by(value).order_by(value))


def _condition(shape: FilterShape) -> ColumnElement[bool]:
    kinds, statuses, free = shape
    conditions = [_FREE_CONDITIONS[name]() for name in sorted(free)]
    if kinds is not None:
        conditions.append(_listed(DEVICE["kind"], kinds))
    if statuses is not None:
        conditions.append(_listed(DEVICE["status"], statuses))
    return and_(true(), *conditions)


def _listed(column: Column[Any], values: tuple[str, ...]) -> ColumnElement[bool]:
    # As text of the statement, to which they belong anyway: PostgreSQL then knows how many rows have them.
    return or_(false(), *(column == name(value) for value in values))


_FREE_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "location": lambda: DEVICE["location"] == bindparam("location", type_=String()),
    "search": lambda: or_(
        func.lower(DEVICE["name"]).like(bindparam("search", type_=String()), escape="\\"),
        func.lower(DEVICE["serial_number"]).like(bindparam("search", type_=String()), escape="\\"),
    ),
    "last_seen_before": lambda: DEVICE["last_seen_at"] < bindparam("last_seen_before", type_=UtcDateTime()),
    "last_seen_after": lambda: DEVICE["last_seen_at"] > bindparam("last_seen_after", type_=UtcDateTime()),
}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

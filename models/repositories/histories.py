"""Lists that grow with time: pages of them, newest first, of many devices in one statement, or of the whole fleet.

Most are lists of devices; the functions that are named after devices serve whatever else owns a list alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, true
from sqlmodel import SQLModel

from models.columnar import MANY_ROWS, ColumnStatement
from models.filters import EVERYTHING, Filter, FilterShape
from models.filters import condition as filter_condition
from models.paging import Page, SortKey, Window, beyond, cursor_values, cut, cut_each, one_more, usual
from models.repositories.base import Reads, find
from models.repositories.removed_devices import of_devices_there
from models.statements import Row, Statement, is_one_of, numbers, pick, prepared, table_columns

Columns = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class History:
    """A table with the column id, a column of its owners, as device_id, and an instant by which it is ordered.

    Attributes:
        table: the table.
        instant: name of the column that orders it.
        owner: name of the column that says whose an entry is, where each has one.
        shown: columns that are read where all are wanted; None if that is really all.
    """

    table: type[SQLModel]
    instant: str
    owner: str = "device_id"
    shown: frozenset[str] | None = None

    def wanted(self, columns: Columns) -> Columns:
        """Return the columns to read where these are asked for; none is not the same as all."""
        return self.shown if columns is None else columns

    def sort_values(self, row: Row) -> tuple[Any, ...]:
        """Return what a cursor to this row holds."""
        return (row[self.instant], row["id"])


async def page_by_devices(  # noqa: PLR0917 - one argument for each choice
    db: Reads,
    history: History,
    ids: Sequence[int],
    window: Window,
    columns: Columns = None,
    wanted: Filter = EVERYTHING,
) -> list[Page]:
    """Return one page, newest first, of what a filter lets through, for each owner; many rows as columns."""
    shape = (history, wanted.shape, window.cursor is not None, window.backward, columns, db.dialect, usual(window))
    bound = {**wanted.values, **cursor_values(window.cursor), "count": window.count + 1}

    async def as_columns(_: list[None]) -> dict[int, Page]:
        rows = await db.columns(_pages_columns(*shape), ids=list(dict.fromkeys(ids)), **bound)
        return cut_each(rows, history.owner, window)

    async def as_rows(owners: list[int]) -> dict[int, Page]:
        return cut_each(await db.fetch(_pages(*shape), ids=owners, **bound), history.owner, window)

    if columns is not None and window.count * len(ids) >= MANY_ROWS:
        pages = await db.gather((_pages_columns, history, columns, wanted, window, tuple(ids)), (), as_columns)
    else:
        pages = await db.gather((_pages, history, columns, wanted, window), ids, as_rows)
    return [pages.get(id_) or cut((), window) for id_ in ids]


async def count_by_devices(db: Reads, history: History, ids: Sequence[int], wanted: Filter = EVERYTHING) -> list[int]:
    """Return how many entries of each owner a filter lets through."""
    rows = await db.fetch(_counts(history, wanted.shape, db.dialect), ids=list(set(ids)), **wanted.values)
    found = {row[history.owner]: row["count"] for row in rows}
    return [found.get(id_, 0) for id_ in ids]


async def page(
    db: Reads, history: History, window: Window, columns: Columns = None, wanted: Filter = EVERYTHING
) -> Page:
    """Return one page, newest first, of what a filter lets through, whatever the device."""
    bounded = window.cursor is not None
    statement = _page(history, wanted.shape, bounded, window.backward, columns, db.dialect, usual(window))
    bound = {**wanted.values, **cursor_values(window.cursor), "count": window.count + 1}

    async def load(_: list[None]) -> Page:
        return cut(await db.fetch(statement, **bound), window)

    return await db.gather((statement, wanted, window), (), load)


async def count(db: Reads, history: History, wanted: Filter = EVERYTHING) -> int:
    """Return how many entries a filter lets through, whatever the device."""
    return (await db.fetch(_count(history, wanted.shape, db.dialect), **wanted.values))[0]["count"]


async def counts_by(db: Reads, history: History, column: str, wanted: Filter = EVERYTHING) -> dict[str, int]:
    """Return how many entries that a filter lets through there are of each value of a column."""
    rows = await db.fetch(_counts_by(history, column, wanted.shape, db.dialect), **wanted.values)
    return {row["value"]: row["count"] for row in rows}


async def by_ids(db: Reads, history: History, ids: Sequence[int], columns: Columns = None) -> list[Row | None]:
    """Return the entry of each id, None where there is none."""
    found = await find(db, _by_ids(history, columns, db.dialect), ids)
    return [found.get(id_) for id_ in ids]


async def by_column(
    db: Reads, history: History, column: str, ids: Sequence[int], columns: Columns = None
) -> list[list[Row]]:
    """Return for each id all entries whose column holds it, oldest first; for columns of which few entries hold one."""
    found: dict[int, list[Row]] = {id_: [] for id_ in ids}
    for row in await db.fetch(_by_column(history, column, columns, db.dialect), ids=list(found)):
        found[row[column]].append(row)
    return [found[id_] for id_ in ids]


def _is_there(history: History, *, of_owners: bool = False) -> ColumnElement[bool]:
    """Return the condition that an entry is not of a removed device; whoever asks for owners has found these."""
    device_id = table_columns(history.table).get("device_id")
    if device_id is None or (of_owners and history.owner == "device_id"):
        return true()
    return of_devices_there(device_id, nullable=bool(device_id.nullable))


def _order(history: History) -> tuple[SortKey, SortKey]:
    table = table_columns(history.table)
    return (SortKey(table[history.instant], descending=True), SortKey(table["id"], descending=True))


# One argument for each choice: what is prepared is remembered by positional arguments.
@prepared
def _pages(*shape: Any) -> Statement:
    return Statement(_pages_rows(*shape))


@lru_cache(maxsize=1024)
def _pages_columns(*shape: Any) -> ColumnStatement:
    return ColumnStatement(_pages_rows(*shape))


def _pages_rows(  # noqa: PLR0917
    history: History,
    shape: FilterShape,
    bounded: bool,
    backward: bool,
    columns: Columns,
    dialect: str,
    size: int | None,
) -> Select[Any]:
    """Return the pages of the owners that are bound as `ids`, those of one owner together."""
    table, keys = table_columns(history.table), _order(history)
    condition = beyond(keys, (False, False), backward=backward) if bounded else true()
    condition = and_(condition, filter_condition(shape, table, dialect), _is_there(history, of_owners=True))
    order = [key.clause(backward=backward) for key in keys]
    owner = table[history.owner]
    chosen = pick(table, history.wanted(columns), "id", history.owner, history.instant)
    if dialect == "postgresql":
        wanted = func.unnest(numbers("ids")).table_valued("id", name="wanted").render_derived()
        mine = owner == wanted.c.id
        newest = select(*chosen).where(mine, condition).order_by(*order).limit(one_more(size)).lateral("newest")
        return cast("Select[Any]", select(*newest.c).select_from(wanted.join(newest, true())))
    place = func.row_number().over(partition_by=owner, order_by=order).label("place")
    mine = is_one_of(owner, "ids", dialect)
    ranked = select(*chosen, place).where(and_(mine, condition)).subquery("ranked")
    kept = select(*(ranked.c[column.name] for column in chosen)).where(ranked.c.place <= bindparam("count"))
    return cast("Select[Any]", kept.order_by(ranked.c[history.owner], ranked.c.place))


@prepared
def _page(  # noqa: PLR0917 - remembered by its arguments, which are positional
    history: History,
    shape: FilterShape,
    bounded: bool,
    backward: bool,
    columns: Columns,
    dialect: str,
    size: int | None,
) -> Statement:
    table, keys = table_columns(history.table), _order(history)
    chosen = pick(table, history.wanted(columns), "id", history.instant)
    rows = select(*chosen).where(filter_condition(shape, table, dialect), _is_there(history))
    if bounded:
        rows = rows.where(beyond(keys, (False, False), backward=backward))
    return Statement(rows.order_by(*(key.clause(backward=backward) for key in keys)).limit(one_more(size)))


@prepared
def _counts(history: History, shape: FilterShape, dialect: str) -> Statement:
    table = table_columns(history.table)
    owner = table[history.owner]
    there = _is_there(history, of_owners=True)
    condition = and_(is_one_of(owner, "ids", dialect), filter_condition(shape, table, dialect), there)
    return Statement(select(owner, func.count().label("count")).where(condition).group_by(owner))


@prepared
def _count(history: History, shape: FilterShape, dialect: str) -> Statement:
    condition = and_(filter_condition(shape, table_columns(history.table), dialect), _is_there(history))
    return Statement(select(func.count().label("count")).select_from(history.table).where(condition))


@prepared
def _counts_by(history: History, column: str, shape: FilterShape, dialect: str) -> Statement:
    table = table_columns(history.table)
    value = table[column].label("value")
    condition = and_(filter_condition(shape, table, dialect), _is_there(history))
    return Statement(select(value, func.count().label("count")).where(condition).group_by(value))


@prepared
def _by_ids(history: History, columns: Columns, dialect: str) -> Statement:
    table = table_columns(history.table)
    mine = and_(is_one_of(table["id"], "ids", dialect), _is_there(history))
    return Statement(select(*pick(table, history.wanted(columns), "id")).where(mine))


@prepared
def _by_column(history: History, column: str, columns: Columns, dialect: str) -> Statement:
    table = table_columns(history.table)
    rows = select(*pick(table, history.wanted(columns), "id", column)).where(is_one_of(table[column], "ids", dialect))
    return Statement(rows.order_by(table[history.instant], table["id"]))

"""Lists that belong to a device and grow with time: pages of them, newest first, for many devices in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, func, select, true
from sqlmodel import SQLModel

from models.paging import Page, SortKey, Window, beyond, cursor_values, cut
from models.repositories.base import Reads
from models.statements import Row, Statement, is_one_of, pick, prepared, table_columns
from models.types import BigIntegerList

Columns = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class History:
    """A table with the columns id, device_id and an instant by which it is ordered.

    Attributes:
        table: the table.
        instant: name of the column that orders it.
    """

    table: type[SQLModel]
    instant: str

    def sort_values(self, row: Row) -> tuple[Any, ...]:
        """Return what a cursor to this row holds."""
        return (row[self.instant], row["id"])


async def page_by_devices(
    db: Reads, history: History, ids: Sequence[int], window: Window, columns: Columns = None
) -> list[Page]:
    """Return one page, newest first, for each device."""
    statement = _pages(history, window.cursor is not None, window.backward, columns, db.dialect)
    bound = {**cursor_values(window.cursor), "count": window.count + 1}
    rows_by_device: dict[int, list[Row]] = {id_: [] for id_ in ids}
    for row in await db.fetch(statement, ids=list(rows_by_device), **bound):
        rows_by_device[row["device_id"]].append(row)
    pages = {id_: cut(rows, window) for id_, rows in rows_by_device.items()}
    return [pages[id_] for id_ in ids]


async def count_by_devices(db: Reads, history: History, ids: Sequence[int]) -> list[int]:
    """Return the length of each device's list."""
    rows = await db.fetch(_counts(history, db.dialect), ids=list(set(ids)))
    found = {row["device_id"]: row["count"] for row in rows}
    return [found.get(id_, 0) for id_ in ids]


async def by_ids(db: Reads, history: History, ids: Sequence[int], columns: Columns = None) -> list[Row | None]:
    """Return the entry of each id, None where there is none."""
    rows = await db.fetch(_by_ids(history, columns, db.dialect), ids=list(ids))
    found = {row["id"]: row for row in rows}
    return [found.get(id_) for id_ in ids]


@prepared
def _pages(history: History, bounded: bool, backward: bool, columns: Columns, dialect: str) -> Statement:
    table = table_columns(history.table)
    keys = (SortKey(table[history.instant], descending=True), SortKey(table["id"], descending=True))
    condition = beyond(keys, (False, False), backward=backward) if bounded else true()
    order = [key.clause(backward=backward) for key in keys]
    chosen = pick(table, columns, "id", "device_id", history.instant)
    if dialect == "postgresql":
        wanted = (
            func.unnest(bindparam("ids", type_=BigIntegerList())).table_valued("id", name="wanted").render_derived()
        )
        mine = table["device_id"] == wanted.c.id
        newest = select(*chosen).where(mine, condition).order_by(*order).limit(bindparam("count")).lateral("newest")
        return Statement(select(*newest.c).select_from(wanted.join(newest, true())))
    place = func.row_number().over(partition_by=table["device_id"], order_by=order).label("place")
    mine = is_one_of(table["device_id"], "ids", dialect)
    ranked = select(*chosen, place).where(and_(mine, condition)).subquery("ranked")
    kept = select(*(ranked.c[column.name] for column in chosen)).where(ranked.c.place <= bindparam("count"))
    return Statement(kept.order_by(ranked.c.device_id, ranked.c.place))


@prepared
def _counts(history: History, dialect: str) -> Statement:
    table = table_columns(history.table)
    mine = is_one_of(table["device_id"], "ids", dialect)
    counted = select(table["device_id"], func.count().label("count")).where(mine)
    return Statement(counted.group_by(table["device_id"]))


@prepared
def _by_ids(history: History, columns: Columns, dialect: str) -> Statement:
    table = table_columns(history.table)
    return Statement(select(*pick(table, columns, "id")).where(is_one_of(table["id"], "ids", dialect)))

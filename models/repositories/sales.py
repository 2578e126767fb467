"""Sales of vending machines: stored once, at the price of then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, literal_column, select, update

from models.repositories.base import Reads, Writes
from models.repositories.histories import History
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import DeviceRow, VendingMachineSaleRow
from models.types import UtcDateTime

SALES = History(VendingMachineSaleRow, "sold_at")
SALE = table_columns(VendingMachineSaleRow)
_DEVICE = table_columns(DeviceRow)
# What was sold and not given back, and what it brought.
_UNITS = SALE["quantity"] - SALE["refunded_quantity"]
_REVENUE = _UNITS * SALE["unit_price_minor"]


async def of_transactions(db: Reads, keys: Sequence[tuple[int, str]]) -> list[Row]:
    """Return the sales that are stored of transactions, by (device id, transaction id)."""
    if db.dialect == "postgresql":
        rows = await db.run(_OF_TRANSACTIONS["postgresql"], [key[0] for key in keys], [key[1] for key in keys])
    else:
        rows = await db.run(_OF_TRANSACTIONS["sqlite"], _json(keys))
    return [dict(zip(_COMPARED, row, strict=True)) for row in rows]


async def add_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store sales that are not stored yet."""
    if rows:
        await transaction.execute_many(_insert(), [dict(row) for row in rows])


async def refund(transaction: Writes, sale_id: int, quantity: int, at: datetime) -> None:
    """Count units of a sale as refunded."""
    await transaction.execute(_refund(), id=sale_id, more=quantity, at=at)


async def mark_heard(transaction: Writes, seen: Mapping[int, datetime]) -> None:
    """Record when machines, which are locked, were last heard of by a sale."""
    rows = [{"device": id_, "seen_at": at} for id_, at in seen.items()]
    await transaction.execute_many(_mark_heard(), rows)


async def totals(db: Reads, device_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, Row]:
    """Return transactions, units and revenue in [start, end) by machine."""
    rows = await db.fetch(_totals(db.dialect), ids=list(set(device_ids)), range_start=start, range_end=end)
    return {row["device_id"]: row for row in rows}


async def by_product(db: Reads, device_ids: Sequence[int], start: datetime, end: datetime) -> list[Row]:
    """Return units and revenue in [start, end) by machine and product, the best sellers of each machine first."""
    return list(await db.fetch(_by_product(db.dialect), ids=list(set(device_ids)), range_start=start, range_end=end))


async def units(db: Reads, device_ids: Sequence[int], start: datetime) -> list[Row]:
    """Return (device_id, product_id, sold_at, units) of all sales since an instant, in the order of time."""
    return list(await db.fetch(_units(db.dialect), ids=list(set(device_ids)), range_start=start))


_COMPARED = (
    *("id", "device_id", "transaction_id", "line", "product_id"),
    *("quantity", "unit_price_minor", "payment_method", "sold_at"),
)
_COLUMNS = ", ".join(f"s.{name}" for name in _COMPARED)
_OF_TRANSACTIONS = {
    "postgresql": (
        f"SELECT {_COLUMNS} FROM unnest($1::bigint[], $2::text[]) AS k (device_id, transaction_id) "  # noqa: S608
        "JOIN vending_machine_sales s ON s.device_id = k.device_id AND s.transaction_id = k.transaction_id"
    ),
    "sqlite": (
        f"SELECT {_COLUMNS} FROM json_each(?1) AS k JOIN vending_machine_sales s "  # noqa: S608 - names of ours
        "ON s.device_id = json_extract(k.value, '$[0]') AND s.transaction_id = json_extract(k.value, '$[1]')"
    ),
}


def _in_range() -> tuple[Any, Any]:
    start = SALE["sold_at"] >= bindparam("range_start", type_=UtcDateTime())
    return start, SALE["sold_at"] < bindparam("range_end", type_=UtcDateTime())


@prepared
def _insert() -> Statement:
    names = [name for name in SALE if name not in {"id", "refunded_quantity", "refunded_at"}]
    values: dict[str, Any] = {name: bindparam(name, type_=SALE[name].type) for name in names}
    return Statement(insert(VendingMachineSaleRow).values({**values, "refunded_quantity": literal_column("0")}))


@prepared
def _refund() -> Statement:
    more = bindparam("more", type_=SALE["quantity"].type)
    values = {
        "refunded_quantity": SALE["refunded_quantity"] + more,
        "refunded_at": bindparam("at", type_=UtcDateTime()),
    }
    return Statement(update(VendingMachineSaleRow).where(SALE["id"] == bindparam("id")).values(values))


@prepared
def _mark_heard() -> Statement:
    seen_at = bindparam("seen_at", type_=UtcDateTime())
    later = func.coalesce(_DEVICE["last_seen_at"], seen_at)
    mine = (_DEVICE["id"] == bindparam("device", type_=_DEVICE["id"].type), later <= seen_at)
    return Statement(update(DeviceRow).where(*mine).values(last_seen_at=seen_at))


@prepared
def _totals(dialect: str) -> Statement:
    sums = (
        func.count(func.distinct(SALE["transaction_id"])).label("transaction_count"),
        func.coalesce(func.sum(_UNITS), 0).label("units_sold"),
        func.coalesce(func.sum(_REVENUE), 0).label("revenue_minor"),
    )
    mine = is_one_of(SALE["device_id"], "ids", dialect)
    return Statement(select(SALE["device_id"], *sums).where(mine, *_in_range()).group_by(SALE["device_id"]))


@prepared
def _by_product(dialect: str) -> Statement:
    units_sold, revenue = func.sum(_UNITS).label("units_sold"), func.sum(_REVENUE).label("revenue_minor")
    keys = (SALE["device_id"], SALE["product_id"])
    counted = select(*keys, SALE["currency"], units_sold, revenue)
    mine = is_one_of(SALE["device_id"], "ids", dialect)
    ordered = counted.where(mine, *_in_range()).group_by(*keys, SALE["currency"])
    return Statement(ordered.order_by(SALE["device_id"], units_sold.desc(), SALE["product_id"]))


@prepared
def _units(dialect: str) -> Statement:
    names = (SALE["device_id"], SALE["product_id"], SALE["sold_at"], _UNITS.label("units"))
    start, _ = _in_range()
    mine = is_one_of(SALE["device_id"], "ids", dialect)
    return Statement(select(*names).where(mine, start).order_by(SALE["device_id"], SALE["sold_at"]))


def _json(keys: Sequence[tuple[int, str]]) -> str:
    return orjson.dumps(keys).decode()

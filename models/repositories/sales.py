"""Sales of vending machines: stored once, at the price of then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, bindparam, insert, update

from models.repositories.base import Reads, Writes
from models.repositories.histories import History
from models.statements import Row, Statement, prepared, table_columns
from models.tables import VendingMachineSaleRow
from models.types import UtcDateTime, from_micros, to_micros

SALES = History(VendingMachineSaleRow, "sold_at")
SALE = table_columns(VendingMachineSaleRow)


async def of_transactions(db: Reads, keys: Sequence[tuple[int, str]]) -> list[Row]:
    """Return the sales that are stored of transactions, by (device id, transaction id).

    Each has the columns that tell whether a sale is the same as one that is sent again.
    """
    if db.dialect == "postgresql":
        rows = await db.run(_OF_TRANSACTIONS["postgresql"], [key[0] for key in keys], [key[1] for key in keys])
        return [dict(zip(_COMPARED, row, strict=True)) for row in rows]
    rows = await db.run(_OF_TRANSACTIONS["sqlite"], orjson.dumps(keys).decode())
    return [dict(zip(_COMPARED, (*row[:-1], from_micros(row[-1])), strict=True)) for row in rows]


async def add_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store sales that are not stored yet."""
    await transaction.execute_many(_insert(), [dict(row) for row in rows])


async def refund(transaction: Writes, sale_id: int, quantity: int, at: datetime) -> None:
    """Count units of a sale as refunded; the caller holds the lock of its machine."""
    await transaction.execute(_refund(), id=sale_id, more=quantity, at=at)


async def units_since(db: Reads, device_ids: Sequence[int], start: datetime) -> dict[int, tuple[list[int], ...]]:
    """Return what each machine sold since an instant, in one statement, less what was refunded.

    Returns:
        By machine three columns of the same length: ids of products, microseconds since 1970, units.
    """
    if db.dialect == "postgresql":
        rows = await db.run(_UNITS_SINCE["postgresql"], list(device_ids), start)
        return {row[0]: tuple(row[1:]) for row in rows}
    found: dict[int, tuple[list[int], ...]] = {}
    for device_id, *values in await db.run(
        _UNITS_SINCE["sqlite"], orjson.dumps(list(device_ids)).decode(), to_micros(start)
    ):
        columns = found.setdefault(device_id, ([], [], []))
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return found


def net_units() -> ColumnElement[int]:
    """Return the units of a sale that were not refunded."""
    return SALE["quantity"] - SALE["refunded_quantity"]


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
        f"SELECT {_COLUMNS} FROM json_each(?1) AS k CROSS JOIN vending_machine_sales s "  # noqa: S608 - names of ours
        "ON s.device_id = json_extract(k.value, '$[0]') AND s.transaction_id = json_extract(k.value, '$[1]')"
    ),
}
_UNITS_SINCE = {
    "postgresql": (
        "SELECT device_id, array_agg(product_id), array_agg((extract(epoch FROM sold_at) * 1000000)::bigint), "
        "array_agg(quantity - refunded_quantity) FROM vending_machine_sales "
        "WHERE device_id = ANY($1::bigint[]) AND sold_at >= $2 AND quantity > refunded_quantity GROUP BY device_id"
    ),
    "sqlite": (
        "SELECT device_id, product_id, sold_at, quantity - refunded_quantity FROM vending_machine_sales "
        "WHERE device_id IN (SELECT value FROM json_each(?1)) AND sold_at >= ?2 AND quantity > refunded_quantity"
    ),
}


@prepared
def _insert() -> Statement:
    fresh = {"refunded_quantity": 0, "refunded_at": None}
    values: dict[str, Any] = {
        name: bindparam(name, type_=SALE[name].type) for name in SALE if name not in {"id", *fresh}
    }
    return Statement(insert(VendingMachineSaleRow).values(values | fresh))


@prepared
def _refund() -> Statement:
    values = {
        "refunded_quantity": SALE["refunded_quantity"] + bindparam("more", type_=SALE["quantity"].type),
        "refunded_at": bindparam("at", type_=UtcDateTime()),
    }
    mine = SALE["id"] == bindparam("id", type_=BigInteger())
    return Statement(update(VendingMachineSaleRow).where(mine).values(values))

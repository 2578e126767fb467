"""What vending machines sold in a span of time: totals, best sellers, calendar buckets; less what was refunded."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, String, bindparam, case, cast, func, select

from models.repositories.base import Reads
from models.repositories.products import PRODUCT
from models.repositories.removed_devices import OF_DEVICES_THERE_SQL, of_devices_there
from models.repositories.sales import SALE, net_units
from models.statements import Row, Statement, is_one_of, prepared
from models.types import UtcDateTime, to_micros

Span = tuple[datetime, datetime]
"""From an instant (inclusive) to another (exclusive)."""
Bucket = tuple[int, int | None, Any, str, int, int]
"""Place of the bucket, machine, group, currency, units, revenue in minor units."""

GROUPS = ("NONE", "PRODUCT", "CATEGORY", "PAYMENT_METHOD")

_UNITS = net_units()


async def by_devices(db: Reads, device_ids: Sequence[int], span: Span) -> dict[int, Row]:
    """Return transaction_count, units_sold and revenue_minor of each machine that sold something."""
    rows = await db.fetch(_totals(False, db.dialect), ids=list(set(device_ids)), **_bound(span))
    return {row["device_id"]: row for row in rows}


async def of_fleet(db: Reads, span: Span) -> list[Row]:
    """Return currency, transaction_count, units_sold and revenue_minor of all machines, for each currency."""
    return list(await db.fetch(_totals(True, db.dialect), **_bound(span)))


async def top_by_devices(db: Reads, device_ids: Sequence[int], span: Span, count: int) -> dict[int, list[Row]]:
    """Return product_id, currency, units_sold and revenue_minor of the best sellers of each machine."""
    found: dict[int, list[Row]] = {}
    bound = {"ids": list(set(device_ids)), "count": count}
    for row in await db.fetch(_top(False, db.dialect), **bound, **_bound(span)):
        found.setdefault(row["device_id"], []).append(row)
    return found


async def top_of_fleet(db: Reads, span: Span, count: int) -> dict[str, list[Row]]:
    """Return the best sellers of all machines by currency; products of the same name and SKU count as one."""
    found: dict[str, list[Row]] = {}
    for row in await db.fetch(_top(True, db.dialect), count=count, **_bound(span)):
        found.setdefault(row["currency"], []).append(row)
    return found


async def in_buckets(
    db: Reads,
    machines: Sequence[tuple[int, int]] | None,
    calendars: Sequence[Sequence[Span]],
    *,
    span: Span,
    group: str,
) -> list[Bucket]:
    """Return the buckets that are not empty, in the order of time, in one statement.

    Args:
        db: where.
        machines: (device id, place of its calendar) of each; None for all machines together, by the first calendar.
        calendars: buckets of each calendar, in the order of time.
        span: sales outside of it do not count, even if a bucket begins earlier or ends later.
        group: one of GROUPS.
    """
    edges = [
        (calendar, place, max(begin, span[0]), min(end, span[1]))
        for calendar, buckets in enumerate(calendars)
        for place, (begin, end) in enumerate(buckets)
    ]
    sql = _buckets_sql(group, machines is None, db.dialect)
    if db.dialect == "postgresql":
        columns: list[Any] = [list(column) for column in zip(*edges, strict=True)]
        if machines is not None:
            columns += [[device for device, _ in machines], [calendar for _, calendar in machines]]
        return [tuple(row) for row in await db.run(sql, *columns)]
    plain = [(calendar, place, to_micros(begin), to_micros(end)) for calendar, place, begin, end in edges]
    arguments = [orjson.dumps(each).decode() for each in (plain, machines) if each is not None]
    return [tuple(row) for row in await db.run(sql, *arguments)]


def _bound(span: Span) -> dict[str, datetime]:
    return {"range_start": span[0], "range_end": span[1]}


def _in_span() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    start = SALE["sold_at"] >= bindparam("range_start", type_=UtcDateTime())
    return start, SALE["sold_at"] < bindparam("range_end", type_=UtcDateTime())


def _sums() -> tuple[ColumnElement[int], ColumnElement[int]]:
    # PostgreSQL sums whole numbers to numeric, which would come as Decimal.
    units = cast(func.sum(_UNITS), BigInteger).label("units_sold")
    return units, cast(func.sum(_UNITS * SALE["unit_price_minor"]), BigInteger).label("revenue_minor")


@prepared
def _totals(of_fleet: bool, dialect: str) -> Statement:
    name = SALE["transaction_id"]
    if of_fleet:
        # Machines name their transactions each by itself.
        name = cast(SALE["device_id"], String) + "/" + name
    transactions = func.count(func.distinct(case((_UNITS > 0, name)))).label("transaction_count")
    key = SALE["currency"] if of_fleet else SALE["device_id"]
    statement = select(key, transactions, *_sums()).where(*_in_span()).group_by(key).order_by(key)
    mine = of_devices_there(SALE["device_id"]) if of_fleet else is_one_of(SALE["device_id"], "ids", dialect)
    return Statement(statement.where(mine))


@prepared
def _top(of_fleet: bool, dialect: str) -> Statement:
    whose = SALE["currency"] if of_fleet else SALE["device_id"]
    counted = _by_name() if of_fleet else _by_product(dialect)
    sold = counted.having(func.sum(_UNITS) > 0).subquery("sold")
    order = (sold.c.units_sold.desc(), sold.c.revenue_minor.desc(), sold.c.product_id)
    place = func.row_number().over(partition_by=sold.c[whose.name], order_by=order).label("place")
    ranked = select(sold, place).subquery("ranked")
    best = select(ranked).where(ranked.c.place <= bindparam("count"))
    return Statement(best.order_by(ranked.c[whose.name], ranked.c.place))


def _by_product(dialect: str) -> Any:
    keys = (SALE["device_id"], SALE["product_id"], SALE["currency"])
    mine = is_one_of(SALE["device_id"], "ids", dialect)
    return select(*keys, *_sums()).where(mine, *_in_span()).group_by(*keys)


def _by_name() -> Any:
    newest = func.max(SALE["product_id"]).label("product_id")
    together = select(SALE["currency"], newest, *_sums()).join(PRODUCT["id"].table, PRODUCT["id"] == SALE["product_id"])
    there = of_devices_there(SALE["device_id"])
    return together.where(there, *_in_span()).group_by(SALE["currency"], PRODUCT["name"], PRODUCT["sku"])


_GROUP_KEYS = {
    "NONE": ("NULL", ()),
    "PRODUCT": ("s.product_id", ("s.product_id",)),
    "CATEGORY": ("p.category", ("p.category",)),
    "PAYMENT_METHOD": ("s.payment_method", ("s.payment_method",)),
}


@lru_cache(maxsize=32)
def _buckets_sql(group: str, of_fleet: bool, dialect: str) -> str:
    shown, keys = _GROUP_KEYS[group]
    if of_fleet and group == "PRODUCT":
        shown, keys = "max(s.product_id)", ("p.name", "p.sku")
    machine = "NULL" if of_fleet else "s.device_id"
    grouped = ", ".join(("e.place", "s.currency", *(() if of_fleet else ("s.device_id",)), *keys))
    products = "JOIN vending_machine_products p ON p.id = s.product_id" if any("p." in key for key in keys) else ""
    units = "s.quantity - s.refunded_quantity"
    there = f"AND s.device_id {OF_DEVICES_THERE_SQL}" if of_fleet else ""
    sums = f"CAST(sum({units}) AS bigint), CAST(sum(({units}) * s.unit_price_minor) AS bigint)"
    return (
        f"SELECT e.place, {machine}, {shown}, s.currency, {sums} FROM {_SOURCES[dialect, of_fleet]} "  # noqa: S608
        f"AND s.sold_at >= e.begins AND s.sold_at < e.ends {products} {there} "
        f"GROUP BY {grouped} HAVING sum({units}) > 0 ORDER BY e.place, 2, 3"
    )


# Each bucket of each machine is one range of the index on (device_id, sold_at).
_EDGES = "unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) AS e (calendar, place, begins, ends)"
_JSON_EDGES = (
    "(SELECT json_extract(value, '$[0]') AS calendar, json_extract(value, '$[1]') AS place, "
    "json_extract(value, '$[2]') AS begins, json_extract(value, '$[3]') AS ends FROM json_each(?1)) AS e"
)
_JSON_MACHINES = (
    "(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS calendar FROM json_each(?2)) AS w"
)
_SOURCES = {
    ("postgresql", True): f"{_EDGES} JOIN vending_machine_sales s ON true",
    ("postgresql", False): f"{_EDGES} JOIN unnest($5::bigint[], $6::int[]) AS w (id, calendar) "
    "ON w.calendar = e.calendar JOIN vending_machine_sales s ON s.device_id = w.id",
    # SQLite keeps to the order of a CROSS JOIN.
    ("sqlite", True): f"{_JSON_EDGES} CROSS JOIN vending_machine_sales s ON true",
    ("sqlite", False): f"{_JSON_MACHINES} CROSS JOIN {_JSON_EDGES} ON e.calendar = w.calendar "
    "CROSS JOIN vending_machine_sales s ON s.device_id = w.id",
}

"""Products in the slots of vending machines, and what people did to the slots."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update

from models.devices.vending_machine import SlotChangeKind
from models.repositories.base import Reads, Writes, find
from models.repositories.histories import History
from models.repositories.removed_devices import of_devices_there
from models.statements import Row, Statement, is_one_of, pick, prepared, table_columns
from models.tables import VendingMachineProductRow, VendingMachineSlotChangeRow

Columns = frozenset[str] | None

SLOT_CHANGES = History(VendingMachineSlotChangeRow, "changed_at")
PRODUCT = table_columns(VendingMachineProductRow)
_CHANGE = table_columns(VendingMachineSlotChangeRow)
_PRESENT = PRODUCT["removed_at"].is_(None)
_THERE = of_devices_there(PRODUCT["device_id"])


async def by_ids(db: Reads, ids: Sequence[int], columns: Columns = None) -> list[Row | None]:
    """Return the product of each id, also one that was taken out; None where there is none."""
    found = await find(db, _by_ids(columns, db.dialect), ids)
    return [found.get(id_) for id_ in ids]


async def by_devices(db: Reads, device_ids: Sequence[int], columns: Columns = None) -> list[list[Row]]:
    """Return the products that are in the slots of each machine, by slot."""
    found: dict[int, list[Row]] = {device_id: [] for device_id in device_ids}
    for row in await db.fetch(_by_devices(columns, db.dialect), ids=list(found)):
        found[row["device_id"]].append(row)
    return [found[device_id] for device_id in device_ids]


async def ever_in(db: Reads, device_ids: Sequence[int]) -> list[Row]:
    """Return all products of machines, also those that were taken out, in the order in which they were put in."""
    return list(await db.fetch(_ever_in(db.dialect), ids=list(set(device_ids))))


async def low_stock_counts(db: Reads, device_ids: Sequence[int]) -> list[int]:
    """Return how many slots of each machine hold no more than their threshold."""
    rows = await db.fetch(_low_stock_counts(db.dialect), ids=list(set(device_ids)))
    found = {row["device_id"]: row["count"] for row in rows}
    return [found.get(device_id, 0) for device_id in device_ids]


async def devices_with_room(db: Reads) -> list[int]:
    """Return the ids of the machines that have a slot which is not full."""
    return [row["device_id"] for row in await db.fetch(_devices_with_room())]


async def add(transaction: Writes, values: Mapping[str, Any]) -> int:
    """Put a product into a free slot and return its id."""
    rows = await transaction.fetch(_insert(frozenset(values)), **values)
    return int(rows[0]["id"])


async def change(transaction: Writes, product_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a product."""
    bound = {f"new_{name}": value for name, value in values.items()}
    await transaction.execute(_change(frozenset(values)), id=product_id, **bound)


async def set_quantities(transaction: Writes, quantities: Mapping[int, int]) -> None:
    """Set the quantities of products, by their ids, whose machines are locked."""
    rows = [{"product": id_, "new_quantity": quantity} for id_, quantity in sorted(quantities.items())]
    await transaction.execute_many(_set_quantity(), rows)


async def set_counted(transaction: Writes, product_ids: Sequence[int], at: datetime) -> None:
    """Record when the units of products were last counted."""
    if product_ids:
        await transaction.execute(_set_counted(transaction.dialect), ids=list(product_ids), at=at)


async def remove(transaction: Writes, product_id: int, at: datetime) -> None:
    """Take a product out of its slot; its row stays for its sales."""
    await transaction.execute(_change(frozenset({"removed_at"})), id=product_id, new_removed_at=at)


async def add_slot_changes(transaction: Writes, changes: Sequence[Mapping[str, Any]]) -> None:
    """Record what was done to slots."""
    empty = dict.fromkeys(("old_price_minor", "new_price_minor", "old_quantity", "new_quantity"))
    await transaction.execute_many(_insert_change(), [{**empty, **each} for each in changes])


async def repricings(db: Reads, device_ids: Sequence[int], since: datetime) -> list[Row]:
    """Return product_id, changed_at and old_price_minor of each change of a price after an instant, oldest first."""
    return list(await db.fetch(_repricings(db.dialect), ids=list(set(device_ids)), since=since))


@prepared
def _repricings(dialect: str) -> Statement:
    later = _CHANGE["changed_at"] > bindparam("since", type_=_CHANGE["changed_at"].type)
    repriced = and_(_CHANGE["kind"] == SlotChangeKind.REPRICED.value, later)
    mine = is_one_of(_CHANGE["device_id"], "ids", dialect)
    names = (_CHANGE["product_id"], _CHANGE["changed_at"], _CHANGE["old_price_minor"])
    return Statement(select(*names).where(mine, repriced).order_by(_CHANGE["changed_at"], _CHANGE["id"]))


@prepared
def _by_ids(columns: Columns, dialect: str) -> Statement:
    return Statement(select(*pick(PRODUCT, columns, "id")).where(is_one_of(PRODUCT["id"], "ids", dialect), _THERE))


@prepared
def _by_devices(columns: Columns, dialect: str) -> Statement:
    mine = and_(is_one_of(PRODUCT["device_id"], "ids", dialect), _PRESENT)
    chosen = pick(PRODUCT, columns, "id", "device_id")
    return Statement(select(*chosen).where(mine).order_by(PRODUCT["device_id"], PRODUCT["slot"]))


@prepared
def _ever_in(dialect: str) -> Statement:
    mine = is_one_of(PRODUCT["device_id"], "ids", dialect)
    return Statement(select(*PRODUCT.values()).where(mine).order_by(PRODUCT["configured_at"], PRODUCT["id"]))


@prepared
def _low_stock_counts(dialect: str) -> Statement:
    low = PRODUCT["quantity"] <= PRODUCT["low_stock_threshold"]
    mine = and_(is_one_of(PRODUCT["device_id"], "ids", dialect), _PRESENT, low)
    counted = select(PRODUCT["device_id"], func.count().label("count")).where(mine)
    return Statement(counted.group_by(PRODUCT["device_id"]))


@prepared
def _devices_with_room() -> Statement:
    room = and_(_PRESENT, PRODUCT["quantity"] < PRODUCT["capacity"], _THERE)
    return Statement(select(PRODUCT["device_id"]).where(room).distinct().order_by(PRODUCT["device_id"]))


@prepared
def _insert(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=PRODUCT[name].type) for name in sorted(names)}
    return Statement(insert(VendingMachineProductRow).values(values).returning(PRODUCT["id"]))


@prepared
def _change(names: frozenset[str]) -> Statement:
    values = {name: bindparam(f"new_{name}", type_=PRODUCT[name].type) for name in sorted(names)}
    return Statement(update(VendingMachineProductRow).where(PRODUCT["id"] == bindparam("id")).values(values))


@prepared
def _set_quantity() -> Statement:
    mine = PRODUCT["id"] == bindparam("product", type_=PRODUCT["id"].type)
    quantity = bindparam("new_quantity", type_=PRODUCT["quantity"].type)
    return Statement(update(VendingMachineProductRow).where(mine).values(quantity=quantity))


@prepared
def _set_counted(dialect: str) -> Statement:
    mine = is_one_of(PRODUCT["id"], "ids", dialect)
    counted = bindparam("at", type_=PRODUCT["stocked_at"].type)
    return Statement(update(VendingMachineProductRow).where(mine).values(stocked_at=counted))


@prepared
def _insert_change() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in _CHANGE.items() if name != "id"}
    return Statement(insert(VendingMachineSlotChangeRow).values(values))

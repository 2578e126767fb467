"""Products in the slots of vending machines: configured, re-priced, restocked, taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from models.devices.vending_machine import SlotChangeKind
from models.errors import BadUserInput, NotFound
from models.money import to_minor
from models.repositories import products
from models.statements import Row
from models.store import Transaction
from resolvers import checks, devices
from resolvers.context import Scope
from resolvers.loaders import Columns
from resolvers.vending_machines import KIND, same_currency

_MOST_UNITS = 100_000
SLOT_LENGTH = 20


class RestockMode(Enum):
    """What the quantity of a restock means."""

    ADD = "ADD"
    SET = "SET"


@dataclass(frozen=True, slots=True)
class SlotSetting:
    """What a slot shall hold; None leaves what is there, or takes the default for a new product."""

    slot: str
    name: str
    sku: str | None
    category: str | None
    price: tuple[Decimal, str]
    capacity: int
    quantity: int | None
    low_stock_threshold: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """Units that were put into a slot; the product by its id, or whatever is in the slot."""

    product_id: int | None
    slot: str | None
    quantity: int
    mode: RestockMode


async def by_ids(scope: Scope, ids: Sequence[int | None], columns: Columns) -> list[Row | None]:
    """Return the product of each id, None where there is none."""
    known = [id_ for id_ in ids if id_ is not None]
    found = dict(zip(known, await products.by_ids(scope.store, known, columns) if known else (), strict=True))
    return [None if id_ is None else found[id_] for id_ in ids]


async def by_devices(scope: Scope, device_ids: Sequence[int], columns: Columns) -> list[list[Row]]:
    """Return the products in the slots of each machine."""
    return await products.by_devices(scope.store, device_ids, columns)


async def configure(scope: Scope, device_id: int, setting: SlotSetting) -> Row:
    """Put a product into a slot, or change the one that is there; another product takes its place.

    Raises: NotFound for the machine; BadUserInput for a price, a quantity or a threshold that cannot be.
    """
    now = scope.services.clock()
    slot = checks.text(setting.slot, "slot", longest=SLOT_LENGTH)
    async with scope.store.transaction() as transaction:
        machine = await devices.locked(transaction, device_id, None, kind=KIND)
        present = await _in_slot(transaction, device_id, slot)
        values = _values(setting, machine["currency"], present)
        if present is not None and (present["name"], present["sku"]) == (values["name"], values["sku"]):
            product_id = await _change(transaction, scope, present, values, now)
        else:
            product_id = await _replace(
                transaction, scope, machine=machine, slot=slot, present=present, values=values, now=now
            )
        await scope.services.alerting.stock(transaction, [device_id], {device_id: now})
    return await _read(scope, product_id)


async def clear(scope: Scope, device_id: int, slot: str) -> Row:
    """Take the product out of a slot and return it as it was; raises NotFound for the machine or an empty slot."""
    now = scope.services.clock()
    async with scope.store.transaction() as transaction:
        await devices.locked(transaction, device_id, None, kind=KIND)
        present = await _in_slot(transaction, device_id, slot.strip())
        if present is None:
            raise NotFound(f"There is no product in slot '{slot[:20]}'.", input_path=("input", "slot"))
        await _take_out(transaction, scope, present, now)
        await scope.services.alerting.stock(transaction, [device_id], {device_id: now})
    return await _read(scope, present["id"])


async def restock(scope: Scope, device_id: int, loads: Sequence[Load], restocked_by: str | None) -> list[Row]:
    """Set or add quantities and return the products as they are then; all loads are made, or none.

    Raises: NotFound for the machine, or a product that is not in it; BadUserInput for a quantity beyond a capacity.
    """
    now = scope.services.clock()
    who = checks.optional_text(restocked_by, "restockedBy") or scope.principal.name
    if not loads:
        raise BadUserInput("Name at least one load.", input_path=("input", "loads"))
    async with scope.store.transaction() as transaction:
        await devices.locked(transaction, device_id, None, kind=KIND)
        (present,) = await products.by_devices(transaction, [device_id])
        quantities: dict[int, int] = {}
        counted: set[int] = set()
        changes: list[dict[str, Any]] = []
        for place, load in enumerate(loads):
            product = _loaded(present, load, place)
            before = quantities.get(product["id"], int(product["quantity"]))
            quantities[product["id"]] = _quantity_after(product, before, load, place)
            about = {"old_quantity": before, "new_quantity": quantities[product["id"]]}
            changes.append(_slot_change(product, SlotChangeKind.RESTOCKED, who, now, **about))
            if load.mode is RestockMode.SET:
                counted.add(product["id"])
        await products.set_quantities(transaction, quantities)
        # What is added counts nothing: a sale of before that is told later still lowers the quantity.
        await products.set_counted(transaction, sorted(counted), now)
        await products.add_slot_changes(transaction, changes)
        await scope.services.alerting.stock(transaction, [device_id], {device_id: now})
    rows = await products.by_ids(scope.store, list(quantities))
    return [row for row in rows if row is not None]


async def _read(scope: Scope, product_id: int) -> Row:
    (row,) = await products.by_ids(scope.store, [product_id])
    if row is None:
        raise NotFound(f"There is no product with id {product_id}.")
    return row


async def _in_slot(transaction: Transaction, device_id: int, slot: str) -> Row | None:
    (present,) = await products.by_devices(transaction, [device_id])
    return next((row for row in present if row["slot"] == slot), None)


def _values(setting: SlotSetting, currency: str, present: Row | None) -> dict[str, Any]:
    amount, given_currency = setting.price
    same_currency(given_currency, currency, ("input", "price"))
    _whole(setting.capacity, "capacity", lowest=1, highest=_MOST_UNITS)
    quantity = setting.quantity if setting.quantity is not None else (present["quantity"] if present else 0)
    threshold = setting.low_stock_threshold
    if threshold is None:
        threshold = present["low_stock_threshold"] if present else setting.capacity // 5
    _whole(quantity, "quantity", lowest=0, highest=setting.capacity)
    _whole(threshold, "lowStockThreshold", lowest=0, highest=setting.capacity)
    return {
        "name": checks.text(setting.name, "name"),
        "sku": checks.optional_text(setting.sku, "sku", longest=checks.LABEL_LENGTH),
        "category": checks.optional_text(setting.category, "category", longest=checks.LABEL_LENGTH),
        "price_minor": to_minor(amount, currency, input_path=("input", "price")),
        "capacity": setting.capacity,
        "quantity": quantity,
        "low_stock_threshold": threshold,
    }


async def _change(
    transaction: Transaction, scope: Scope, present: Row, values: Mapping[str, Any], now: datetime
) -> int:
    counted = {"stocked_at": now} if values["quantity"] != present["quantity"] else {}
    await products.change(transaction, present["id"], {**values, **counted})
    repriced = values["price_minor"] != present["price_minor"]
    kind = SlotChangeKind.REPRICED if repriced else SlotChangeKind.CONFIGURED
    change = _slot_change(present, kind, scope.principal.name, now, **_before_and_after(present, values))
    await products.add_slot_changes(transaction, [change])
    return int(present["id"])


async def _replace(
    transaction: Transaction,
    scope: Scope,
    *,
    machine: Row,
    slot: str,
    present: Row | None,
    values: Mapping[str, Any],
    now: datetime,
) -> int:
    if present is not None:
        await _take_out(transaction, scope, present, now)
    fixed = {"device_id": machine["id"], "slot": slot, "currency": machine["currency"]}
    row = {**values, **fixed, "stocked_at": now, "configured_at": now}
    product_id = await products.add(transaction, row)
    after = {"new_price_minor": values["price_minor"], "new_quantity": values["quantity"]}
    product = {**row, "id": product_id}
    change = _slot_change(product, SlotChangeKind.CONFIGURED, scope.principal.name, now, **after)
    await products.add_slot_changes(transaction, [change])
    return product_id


async def _take_out(transaction: Transaction, scope: Scope, present: Row, now: datetime) -> None:
    await products.remove(transaction, present["id"], now)
    before = {"old_price_minor": present["price_minor"], "old_quantity": present["quantity"]}
    change = _slot_change(present, SlotChangeKind.CLEARED, scope.principal.name, now, **before)
    await products.add_slot_changes(transaction, [change])


def _loaded(present: Sequence[Row], load: Load, place: int) -> Row:
    path = ("input", "loads", place)
    if (load.product_id is None) == (load.slot is None):
        raise BadUserInput("Give 'productId' or 'slot' of a load, one of them.", input_path=path)
    for row in present:
        if load.product_id == row["id"] or (load.slot is not None and load.slot.strip() == row["slot"]):
            return row
    what = f"slot '{load.slot[:20]}'" if load.slot is not None else "this id"
    raise NotFound(f"The machine has no product with {what} in it.", input_path=path)


def _quantity_after(product: Row, before: int, load: Load, place: int) -> int:
    path = ("input", "loads", place, "quantity")
    after = load.quantity if load.mode is RestockMode.SET else before + load.quantity
    if load.quantity < 0 or after > product["capacity"]:
        raise BadUserInput(
            f"Slot '{product['slot']}' holds 0 to {product['capacity']}; this load would make it {after}.",
            input_path=path,
            capacity=product["capacity"],
        )
    return after


def _slot_change(
    product: Mapping[str, Any], kind: SlotChangeKind, who: str, now: datetime, **about: int
) -> dict[str, Any]:
    return {
        "device_id": product["device_id"],
        "product_id": product["id"],
        "slot": product["slot"],
        "kind": kind.value,
        "changed_at": now,
        "changed_by": who,
        "currency": product["currency"],
        **about,
    }


def _before_and_after(before: Row, after: Mapping[str, Any]) -> dict[str, int]:
    return {
        "old_price_minor": before["price_minor"],
        "new_price_minor": after["price_minor"],
        "old_quantity": before["quantity"],
        "new_quantity": after["quantity"],
    }


def _whole(value: int, field: str, *, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise BadUserInput(f"'{field}' must be from {lowest} to {highest}, not {value}.", input_path=("input", field))

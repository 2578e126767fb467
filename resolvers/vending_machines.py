"""Vending machines: registered and changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.devices.vending_machine import VendingMachineType
from models.errors import BadUserInput
from models.money import check_currency, from_minor, to_minor
from models.repositories import device_changes, products, readings
from models.statements import Row
from resolvers import checks, devices
from resolvers.context import Scope
from resolvers.loaders import Columns
from resolvers.registration import device_values, new_device, refuse_nulls

KIND = "VENDING_MACHINE"
COLDEST_TARGET, HOTTEST_TARGET = -30.0, 95.0

_DETAILS = {
    "machine_type": "machineType",
    "target_cabinet_temperature": "targetCabinetTemperature",
    "time_zone": "timeZone",
}


async def create(scope: Scope, given: Mapping[str, Any]) -> Row:
    """Register a vending machine.

    Args:
        scope: of the operation.
        given: values by column name; `cash_capacity` as (amount, currency).

    Raises: BadUserInput for values that make no vending machine; Conflict for a serial number in use.
    """
    now = scope.services.clock()
    values = new_device(KIND, given, now)
    currency = given["currency"]
    check_currency(currency, input_path=("input",))
    details = _details(given) | {"currency": currency, "cash_capacity_minor": _cash_capacity(given, currency)}
    async with scope.store.transaction() as transaction:
        device_id = await device_changes.add(transaction, values, details)
    return await _read(scope, device_id)


async def update(scope: Scope, device_id: int, version: int | None, given: Mapping[str, Any]) -> Row:
    """Change what is given of a vending machine; its currency is for ever.

    Raises: NotFound; Conflict for a stale version; BadUserInput for values that cannot be stored.
    """
    now = scope.services.clock()
    refuse_nulls(given, _DETAILS)
    values = device_values(given, now)
    async with scope.store.transaction() as transaction:
        before = await devices.locked(transaction, device_id, version, kind=KIND)
        details = _details(given)
        if "cash_capacity" in given:
            details["cash_capacity_minor"] = _cash_capacity(given, before["currency"])
        await device_changes.change(transaction, device_id, before["version"], at=now, values=values)
        if details:
            await device_changes.change_details(transaction, KIND, device_id, details)
    return await _read(scope, device_id)


async def cash_levels(
    scope: Scope, keys: Sequence[tuple[int, str, datetime | None]], _columns: Columns
) -> list[dict[str, Any] | None]:
    """Return the cash that each machine last reported, by its id, its currency and the time of its newest reading."""
    device_ids = [device_id for device_id, _, at in keys if at is not None]
    found = await readings.newest_values(scope.store, KIND, device_ids, "cash_level") if device_ids else {}
    return [
        {"amount": from_minor(round(found[device_id]), currency), "currency": currency} if device_id in found else None
        for device_id, currency, _ in keys
    ]


async def low_stock_counts(scope: Scope, device_ids: Sequence[int], _columns: Columns) -> list[int]:
    """Return how many slots of each machine run low."""
    return await products.low_stock_counts(scope.store, device_ids)


async def _read(scope: Scope, device_id: int) -> Row:
    return (await devices.required(scope, [device_id], None, kind=KIND))[0]


def _details(given: Mapping[str, Any]) -> dict[str, Any]:
    details = {name: given[name] for name in _DETAILS if name in given}
    if "target_cabinet_temperature" in details:
        target = details["target_cabinet_temperature"]
        checks.number(target, "targetCabinetTemperature", "°C", lowest=COLDEST_TARGET, highest=HOTTEST_TARGET)
    if "time_zone" in details:
        checks.time_zone(details["time_zone"], ("input", "timeZone"))
    if isinstance(details.get("machine_type"), VendingMachineType):
        details["machine_type"] = details["machine_type"].value
    return details


def _cash_capacity(given: Mapping[str, Any], currency: str) -> int | None:
    if given.get("cash_capacity") is None:
        return None
    amount, other = given["cash_capacity"]
    path = ("input", "cashCapacity")
    same_currency(other, currency, path)
    return to_minor(amount, currency, input_path=path)


def same_currency(given: str, currency: str, path: tuple[str | int, ...]) -> None:
    """Do nothing if money is in a machine's currency; raises BadUserInput otherwise."""
    if given != currency:
        raise BadUserInput(
            f"The machine's currency is {currency}, not {given[:10]}.", input_path=(*path, "currency"), allowed=currency
        )

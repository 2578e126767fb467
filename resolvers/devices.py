"""Devices of any kind: found, listed, counted, removed, taken in and out of maintenance."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from models.devices import KINDS
from models.devices.status import DeviceStatus
from models.errors import BadUserInput, Conflict, NotFound
from models.paging import Window
from models.repositories import device_changes, devices
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.statements import Row
from models.store import Transaction
from resolvers.connections import Connection
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch


async def by_ids(scope: Scope, ids: Sequence[int], columns: Columns, *, kind: str | None = None) -> list[Row | None]:
    """Return the device of each id; None for one that does not exist or is of another kind."""
    rows = await devices.by_ids(scope.store, ids, columns)
    return [row if row is not None and kind in {None, row["kind"]} else None for row in rows]


async def required(scope: Scope, ids: Sequence[int], columns: Columns, *, kind: str | None = None) -> list[Row]:
    """Return the device of each id; raises NotFound."""
    rows = await by_ids(scope, ids, columns, kind=kind)
    return [_found(row, kind, f"id {id_}") for row, id_ in zip(rows, ids, strict=True)]


async def required_by_serial_number(
    scope: Scope, serial_numbers: Sequence[str], columns: Columns, *, kind: str | None = None
) -> list[Row]:
    """Return the device of each serial number; raises NotFound."""
    rows = await devices.by_serial_numbers(scope.store, serial_numbers, columns)
    return [
        _found(
            row if row is not None and kind in {None, row["kind"]} else None, kind, f"serial number '{number[:100]}'"
        )
        for row, number in zip(rows, serial_numbers, strict=True)
    ]


async def page(
    scope: Scope, keys: Sequence[None], columns: Columns, *, wanted: DeviceFilter, order: DeviceOrder, window: Window
) -> list[Connection]:
    """Return one page of the fleet."""
    scope.ask(window.count)
    found = await devices.page(scope.store, wanted, order, window, columns)

    def sort_values(row: Row) -> tuple[Any, ...]:
        return devices.sort_values(row, order)

    connection = Connection(
        found,
        order_name(order),
        sort_values,
        total=batch(count, wanted=wanted),
        total_key=None,
    )
    return [connection] * len(keys)


async def count(scope: Scope, keys: Sequence[None], _columns: Columns, *, wanted: DeviceFilter) -> list[int]:
    """Return how many devices a filter lets through."""
    return [await devices.count(scope.store, wanted)] * len(keys)


async def counts_by_kind(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[list[Row]]:
    """Return how many devices there are of each kind that the server knows."""
    return await _counts(scope, keys, "kind", list(KINDS))


async def counts_by_status(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[list[Row]]:
    """Return how many devices have each status."""
    return await _counts(scope, keys, "status", [status.value for status in DeviceStatus])


def order_name(order: DeviceOrder) -> str:
    """Return the name that cursors of this order carry."""
    return f"devices.{order.column}.{'desc' if order.descending else 'asc'}"


def link(kind: str | None = None) -> Batch:
    """Return the batch function from ids to devices."""
    return batch(by_ids) if kind is None else batch(by_ids, kind=kind)


async def delete(scope: Scope, device_id: int, version: int | None) -> None:
    """Remove a device with its readings and everything else that belongs to it.

    Nobody finds any of it when this returns; where it is much, a worker deletes it later.

    Raises: NotFound; Conflict if it is no longer at the version given.
    """
    async with scope.store.transaction() as transaction:
        await locked(transaction, device_id, version)
        await device_changes.remove(transaction, device_id)


async def set_maintenance(scope: Scope, device_id: int, *, active: bool, version: int | None) -> Row:
    """Take a device into maintenance, or out of it to the status that its readings give.

    Raises: NotFound; Conflict if it is no longer at the version given, or RETIRED.
    """
    now = scope.services.clock()
    async with scope.store.transaction() as transaction:
        row = await locked(transaction, device_id, version)
        if row["status"] == DeviceStatus.RETIRED.value:
            raise Conflict(
                "The device is RETIRED: its life has ended by a failure, so no maintenance changes its status."
            )
        silence = timedelta(seconds=scope.services.settings.devices.offline_after_seconds)
        seen = row["last_seen_at"] is not None and row["last_seen_at"] >= now - silence
        by_readings = DeviceStatus.ONLINE if seen else DeviceStatus.OFFLINE
        status = DeviceStatus.MAINTENANCE if active else by_readings
        await device_changes.change(transaction, device_id, row["version"], at=now, values={"status": status.value})
        await scope.services.alerting.silence(transaction, [device_id])
    return (await required(scope, [device_id], None))[0]


async def locked(transaction: Transaction, device_id: int, version: int | None, *, kind: str | None = None) -> Row:
    """Return all columns of a device, locked for the rest of the transaction.

    Raises: NotFound; Conflict if a version is given and the device is no longer at it.
    """
    await device_changes.lock(transaction, [device_id])
    row = await device_changes.current(transaction, device_id)
    row = _found(row if row is not None and kind in {None, row["kind"]} else None, kind, f"id {device_id}")
    if version is not None and row["version"] != version:
        raise Conflict(
            f"The device was changed meanwhile: it is at version {row['version']}, the request saw {version}; "
            "read it again and repeat the change.",
            input_path=("input", "version"),
            currentVersion=row["version"],
        )
    return row


def one_of(given: dict[str, Any]) -> str:
    """Return the name of the one argument that is given; raises BadUserInput if none or several are."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise BadUserInput(f"Give one of {', '.join(given)}; {len(names)} are given.")
    return names[0]


async def _counts(scope: Scope, keys: Sequence[None], column: str, values: Sequence[str]) -> list[list[Row]]:
    counted = {row[column]: row["count"] for row in await devices.counts_by(scope.store, column)}
    rows: list[Row] = [{column: value, "count": counted.get(value, 0)} for value in values]
    return [rows] * len(keys)


def _found(row: Row | None, kind: str | None, what: str) -> Row:
    if row is None:
        label = KINDS[kind].label if kind else "device"
        raise NotFound(f"There is no {label} with {what}.")
    return row

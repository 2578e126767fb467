"""What can be read."""

from typing import Annotated, Any

import strawberry

from models.devices import KINDS
from models.devices.water_heater import WATER_HEATER
from models.repositories.maintenance_records import RECORDS
from models.repositories.water_heaters import CONTROL_CHANGES
from models.statements import Row
from resolvers import checks, devices, histories
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from schema import ids
from schema.fields import derived, link
from schema.types.device import (
    ORDER_TYPES,
    Device,
    DeviceFilter,
    DeviceOrder,
    plain_filter,
    plain_order,
)
from schema.types.enums import DeviceKind, DeviceStatus
from schema.types.node import TYPE_NAME, Node
from schema.types.paging import After, Before, Connection, First, Last, window
from schema.types.water_heater import WaterHeater

DEVICE_TYPES = tuple(kind.type_name for kind in KINDS.values())

Filter = Annotated[DeviceFilter | None, strawberry.argument(description="Which ones; all if not given.")]
OrderBy = Annotated[DeviceOrder | None, strawberry.argument(description="How they are sorted; by name if not given.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
OptionalId = Annotated[strawberry.ID | None, strawberry.argument(description="Global id.")]
SerialNumber = Annotated[str | None, strawberry.argument(description="Serial number.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(name="ids", description="Global ids.")]


@strawberry.type(description="How many devices there are of a kind.")
class DeviceKindCount:
    """How many devices there are of a kind."""

    kind: DeviceKind = strawberry.field(description="The kind.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="How many devices have a status.")
class DeviceStatusCount:
    """How many devices have a status."""

    status: DeviceStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="How many.")


def _device_count(_scope: Scope) -> Batch:
    return batch(devices.count, wanted=plain_filter(None))


def _by_kind(_scope: Scope) -> Batch:
    return batch(devices.counts_by_kind)


def _by_status(_scope: Scope) -> Batch:
    return batch(devices.counts_by_status)


@strawberry.type(description="All devices together.")
class Fleet:
    """All devices together."""

    device_count: int = link(_device_count, description="How many there are.")
    devices_by_kind: list[DeviceKindCount] = link(_by_kind, description="How many there are of each kind.")
    devices_by_status: list[DeviceStatusCount] = link(_by_status, description="How many have each status.")


def _device(scope: Scope, id: OptionalId = None, serial_number: SerialNumber = None) -> Batch:  # noqa: A002
    return _one(scope, id, serial_number, None)


def _water_heater(scope: Scope, id: OptionalId = None, serial_number: SerialNumber = None) -> Batch:  # noqa: A002
    return _one(scope, id, serial_number, WATER_HEATER.name)


def _one(_scope: Scope, global_id: str | None, serial_number: str | None, kind: str | None) -> Batch:
    if devices.one_of({"id": global_id, "serialNumber": serial_number}) == "id":
        types = DEVICE_TYPES if kind is None else (KINDS[kind].type_name,)
        return batch(_by_id, id_=ids.decode(global_id or "", types, "id"), kind=kind)
    number = checks.text(serial_number or "", "serialNumber", longest=checks.LABEL_LENGTH, argument="")
    return batch(_by_serial_number, serial_number=number, kind=kind)


async def _by_id(scope: Scope, _keys: Any, columns: Columns, *, id_: int, kind: str | None) -> list[Row]:
    return await devices.required(scope, [id_], columns, kind=kind)


async def _by_serial_number(
    scope: Scope, _keys: Any, columns: Columns, *, serial_number: str, kind: str | None
) -> list[Row]:
    return await devices.required_by_serial_number(scope, [serial_number], columns, kind=kind)


def _devices(
    scope: Scope,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002 - the argument's name in the schema
    order_by: OrderBy = None,
) -> Batch:
    return _page(scope, (first, after, last, before), filter, order_by, None)


def _water_heaters(
    scope: Scope,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002 - the argument's name in the schema
    order_by: OrderBy = None,
) -> Batch:
    return _page(scope, (first, after, last, before), filter, order_by, WATER_HEATER.name)


def _page(
    scope: Scope, place: Any, wanted: DeviceFilter | None, order_by: DeviceOrder | None, kind: str | None
) -> Batch:
    order = plain_order(order_by)
    view = window(scope, devices.order_name(order), ORDER_TYPES[order.column], place)
    return batch(devices.page, wanted=plain_filter(wanted, kind), order=order, window=view)


_NODES: dict[str, Batch] = {
    **{kind.type_name: batch(devices.by_ids, kind=kind.name) for kind in KINDS.values()},
    "MaintenanceRecord": histories.entries(RECORDS),
    "WaterHeaterControlChange": histories.entries(CONTROL_CHANGES),
}


def _node(_scope: Scope, id: Id) -> Batch:  # noqa: A002 - the argument's name in the schema
    return batch(_node_rows, wanted=(ids.decode_node(id, _NODES, "id"),), single=True)


def _nodes(scope: Scope, ids_: Ids) -> Batch:
    scope.ask(len(ids_))
    wanted = tuple(ids.decode_node(each, _NODES, f"ids.{place}") for place, each in enumerate(ids_))
    return batch(_node_rows, wanted=wanted, single=False)


async def _node_rows(
    scope: Scope, keys: Any, _columns: Columns, *, wanted: tuple[tuple[str, int], ...], single: bool
) -> list[Any]:
    found: dict[tuple[str, int], Row | None] = {}
    for type_name in {type_name for type_name, _ in wanted}:
        row_ids = list({row_id for each, row_id in wanted if each == type_name})
        rows = await _NODES[type_name](scope, row_ids)
        for row_id, row in zip(row_ids, rows, strict=True):
            found[type_name, row_id] = None if row is None else {**row, TYPE_NAME: type_name}
    result = [found.get(each) for each in wanted]
    return [result[0] if single else result] * len(keys)


@strawberry.type(description="What can be read.")
class Query:
    """What can be read."""

    fleet: Fleet = derived(lambda _: {}, description="All devices together.")
    device: Device | None = link(
        _device, description="The device with this id or this serial number; give one of the two."
    )
    devices: Connection[Device] = link(_devices, description="Devices of all kinds.")
    water_heater: WaterHeater | None = link(
        _water_heater, description="The water heater with this id or this serial number; give one of the two."
    )
    water_heaters: Connection[WaterHeater] = link(_water_heaters, description="Water heaters.")
    node: Node | None = link(_node, description="Anything by its global id; null if it no longer exists.")
    nodes: list[Node | None] = link(
        _nodes, description="Anything by global ids, in their order; null for each that no longer exists."
    )

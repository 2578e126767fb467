"""Root fields that find devices: one by its id or serial number, pages of many, of any kind or of one."""

from typing import Annotated, Any

import strawberry

from models.devices import KINDS
from models.statements import Row
from resolvers import checks, devices
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from schema import ids
from schema.fields import link
from schema.types.device import ORDER_TYPES, DeviceFilter, DeviceOrder, plain_filter, plain_order
from schema.types.node import DEVICE_TYPES
from schema.types.paging import After, Before, First, Last, window

Filter = Annotated[DeviceFilter | None, strawberry.argument(description="Which ones; all if not given.")]
OrderBy = Annotated[DeviceOrder | None, strawberry.argument(description="How they are sorted; by name if not given.")]
OptionalId = Annotated[strawberry.ID | None, strawberry.argument(description="Global id.")]
SerialNumber = Annotated[str | None, strawberry.argument(description="Serial number.")]


def device_link(kind: str | None = None, *, description: str) -> Any:
    """Declare the root field that finds a device, of one kind or of any, by id or serial number."""

    def bind(_scope: Scope, id: OptionalId = None, serial_number: SerialNumber = None) -> Batch:  # noqa: A002
        if devices.one_of({"id": id, "serialNumber": serial_number}) == "id":
            types = DEVICE_TYPES if kind is None else (KINDS[kind].type_name,)
            return batch(_by_id, id_=ids.decode(id or "", types, "id"), kind=kind)
        number = checks.text(serial_number or "", "serialNumber", longest=checks.LABEL_LENGTH, argument="")
        return batch(_by_serial_number, serial_number=number, kind=kind)

    return link(bind, description=description)


def devices_link(kind: str | None = None, *, description: str) -> Any:
    """Declare the root field that lists devices, of one kind or of all."""

    def bind(
        scope: Scope,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,  # noqa: A002 - the argument's name in the schema
        order_by: OrderBy = None,
    ) -> Batch:
        order = plain_order(order_by)
        place = (first, after, last, before)
        view = window(scope, devices.order_name(order), ORDER_TYPES[order.column], place)
        return batch(devices.page, wanted=plain_filter(filter, kind), order=order, window=view)

    return link(bind, description=description)


async def _by_id(scope: Scope, _keys: Any, columns: Columns, *, id_: int, kind: str | None) -> list[Row]:
    return await devices.required(scope, [id_], columns, kind=kind)


async def _by_serial_number(
    scope: Scope, _keys: Any, columns: Columns, *, serial_number: str, kind: str | None
) -> list[Row]:
    return await devices.required_by_serial_number(scope, [serial_number], columns, kind=kind)

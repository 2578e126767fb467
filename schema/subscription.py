"""What can be followed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from models.devices import KINDS
from models.principal import Right
from resolvers import devices, streams
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema import ids
from schema.alarm_events import AlarmSubscriptions
from schema.fields import derived, followed, link, subscription
from schema.health_events import HealthSubscriptions
from schema.kinds.part import merged
from schema.types.device import Device
from schema.types.node import DEVICE_TYPES, TYPE_NAME, reading_type_name
from schema.types.reading import Reading

DeviceIds = Annotated[
    list[strawberry.ID], strawberry.argument(description="The devices to follow, of any kinds; at most 1000.")
]


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _reading(row: Any) -> dict[str, Any]:
    return {**row["reading"], TYPE_NAME: reading_type_name(KINDS[row["kind"]])}


@strawberry.type(description="A reading that was stored.")
class ReadingRecorded:
    """A reading that was stored."""

    device: Device = link(_device, key="device_id", description="The device that reported it.")
    reading: Reading = derived(_reading, needs=("reading", "kind"), description="What it reported.")


@strawberry.type
class _Readings:
    @subscription(Right.READ, description="Each reading of these devices, as it is stored, from now on.")
    @staticmethod
    async def reading_recorded(scope: Scope, device_ids: DeviceIds) -> AsyncIterator[ReadingRecorded]:
        """Follow the readings of devices."""
        wanted = [ids.decode(each, DEVICE_TYPES, f"deviceIds.{place}") for place, each in enumerate(device_ids)]
        return followed(await streams.readings_recorded(scope, wanted))


Subscription = merged("Subscription", "What can be followed.", _Readings, AlarmSubscriptions, HealthSubscriptions)

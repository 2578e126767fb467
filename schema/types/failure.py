"""Failures of devices."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.failures import PREVENTIVE_REPLACEMENT
from models.repositories.device_failures import FAILURES
from resolvers import devices, failures, histories
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema.fields import link
from schema.types.node import Node, id_of
from schema.types.paging import After, Before, First, Last, window

if TYPE_CHECKING:
    from schema.types.device import Device

FAILURE = "DeviceFailure"
_ORDER = "failures"


def _device(_scope: Scope) -> Batch:
    return devices.link()


@strawberry.type(description="A failure of a device, as people have reported it.")
class DeviceFailure(Node):
    """A failure of a device."""

    id: strawberry.ID = id_of(FAILURE)
    failed_at: datetime = strawberry.field(description="When it failed.")
    cause: str | None = strawberry.field(description="What made it fail, in a word or two.")
    description: str | None = strawberry.field(description="What there is to know about it.")
    ends_life: bool = strawberry.field(description="Whether the device was given up or replaced.")
    reported_by: str | None = strawberry.field(description="Who reported it.")
    created_at: datetime = strawberry.field(description="When it was reported.")
    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device that failed."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(description="A failure of a device.")
class RecordFailureInput:
    """A failure of a device."""

    device_id: strawberry.ID = strawberry.field(description="The device that failed.")
    failed_at: datetime = strawberry.field(
        description="When it failed; not in the future, and not before it was installed."
    )
    cause: str | None = strawberry.field(
        default=None,
        description="What made it fail, in a word or two, the same for the same cause; at most 100 characters. "
        f"{PREVENTIVE_REPLACEMENT} says that it had not failed when it was replaced.",
    )
    description: str | None = strawberry.field(
        default=None, description="What there is to know about it; at most 4000 characters."
    )
    ends_life: bool = strawberry.field(
        default=False,
        description="True if the device was given up or replaced: it becomes RETIRED. There is one such failure of a "
        "device.",
    )

    def new_failure(self, device_id: int) -> failures.NewFailure:
        """Return what the use case takes."""
        return failures.NewFailure(device_id, self.failed_at, self.cause, self.description, self.ends_life)


def _failures(
    scope: Scope, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Batch:
    """Bind the failures of devices to the arguments of their connection."""
    place = window(scope, _ORDER, (datetime, int), (first, after, last, before))
    return histories.pages(FAILURES, _ORDER, place)


def failures_of_device() -> Any:
    """Declare the failures of a device."""
    return link(_failures, key="id", description="How the device failed, newest first.")

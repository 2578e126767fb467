"""Maintenance records."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.repositories.maintenance_records import RECORDS
from resolvers import devices, histories, maintenance
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.types.enums import MaintenanceKind
from schema.types.money import Money, MoneyInput, money
from schema.types.node import Node, id_of
from schema.types.paging import After, Before, Connection, First, Last, window

if TYPE_CHECKING:
    from schema.types.device import Device


_ORDER = "maintenanceRecords"


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _parts(_scope: Scope) -> Batch:
    return batch(maintenance.parts)


def _cost(row: Any) -> dict[str, Any] | None:
    return money(row["cost_minor"], row["cost_currency"])


@strawberry.type(description="A part that was fitted.")
class MaintenancePart:
    """A part that was fitted."""

    name: str = strawberry.field(description="What it is.")
    part_number: str | None = strawberry.field(description="The manufacturer's number.")
    quantity: int = strawberry.field(description="How many pieces.")


@strawberry.type(description="One piece of work on a device.")
class MaintenanceRecord(Node):
    """One piece of work on a device."""

    id: strawberry.ID = id_of("MaintenanceRecord")
    kind: MaintenanceKind = strawberry.field(description="What was done.")
    performed_at: datetime = strawberry.field(description="When it was done.")
    performed_by: str | None = strawberry.field(description="Who did it.")
    notes: str | None = strawberry.field(description="What there is to know about it.")
    cost: Money | None = derived(_cost, needs=("cost_minor", "cost_currency"), description="What it cost, exactly.")
    parts: list[MaintenancePart] = link(_parts, key="id", description="The parts that were fitted.")
    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device that was worked on."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(description="A part that was fitted.")
class MaintenancePartInput:
    """A part that was fitted."""

    name: str = strawberry.field(description="What it is; at most 200 characters.")
    part_number: str | None = strawberry.field(default=None, description="The manufacturer's number.")
    quantity: int = strawberry.field(default=1, description="How many pieces, at least 1.")


@strawberry.input(description="A piece of work on a device.")
class RecordMaintenanceInput:
    """A piece of work on a device."""

    device_id: strawberry.ID = strawberry.field(description="The device that was worked on.")
    kind: MaintenanceKind = strawberry.field(description="What was done.")
    performed_at: datetime = strawberry.field(description="When it was done; not in the future.")
    performed_by: str | None = strawberry.field(default=None, description="Who did it.")
    notes: str | None = strawberry.field(default=None, description="What there is to know; at most 4000 characters.")
    cost: MoneyInput | None = strawberry.field(default=None, description="What it cost.")
    parts: list[MaintenancePartInput] | None = strawberry.field(default=None, description="The parts that were fitted.")

    def new_record(self, device_id: int) -> maintenance.NewRecord:
        """Return what the use case takes."""
        cost: tuple[Decimal, str] | None = (self.cost.amount, self.cost.currency) if self.cost else None
        parts = tuple(maintenance.Part(part.name, part.quantity, part.part_number) for part in self.parts or ())
        return maintenance.NewRecord(
            device_id, self.kind, self.performed_at, self.performed_by, self.notes, cost, parts
        )


def records(scope: Scope, first: First = None, after: After = None, last: Last = None, before: Before = None) -> Batch:
    """Bind the maintenance records of devices to the arguments of their connection."""
    place = window(scope, _ORDER, (datetime, int), (first, after, last, before))
    return histories.pages(RECORDS, _ORDER, place)


def records_link() -> Any:
    """Declare the maintenance records of a device."""
    return link(records, key="id", description="What was done to the device, newest first.")


MaintenanceRecordConnection = Connection[MaintenanceRecord]

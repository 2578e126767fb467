"""Maintenance records: what was done to a device, when, by whom, with which parts, at which cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.errors import BadUserInput, LimitExceeded
from models.maintenance import MaintenanceKind
from models.money import to_minor
from models.repositories import maintenance_records
from models.statements import Row
from resolvers import checks, devices
from resolvers.context import Scope
from resolvers.loaders import Columns

_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was fitted."""

    name: str
    quantity: int
    part_number: str | None = None


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What a caller tells of a piece of work; the cost's amount is in the currency's major unit."""

    device_id: int
    kind: MaintenanceKind
    performed_at: datetime
    performed_by: str | None = None
    notes: str | None = None
    cost: tuple[Decimal, str] | None = None
    parts: tuple[Part, ...] = ()


async def record(scope: Scope, new: NewRecord) -> Row:
    """Store a maintenance record and return it; raises NotFound for the device, BadUserInput for the rest."""
    now = scope.services.clock()
    tolerance = scope.services.settings.ingest.max_future_seconds
    values: dict[str, Any] = {
        "device_id": new.device_id,
        "kind": new.kind.value,
        "performed_at": checks.not_future(new.performed_at, "performedAt", now, tolerance_seconds=tolerance),
        "performed_by": checks.optional_text(new.performed_by, "performedBy"),
        "notes": checks.optional_text(new.notes, "notes", longest=checks.NOTES_LENGTH),
        "created_at": now,
    }
    if new.cost is not None:
        amount, currency = new.cost
        values |= {
            "cost_minor": to_minor(amount, currency, input_path=("input", "cost")),
            "cost_currency": currency,
        }
    parts = _parts(new.parts)
    async with scope.store.transaction() as transaction:
        await devices.locked(transaction, new.device_id, None)
        record_id = await maintenance_records.add(transaction, values, parts)
        await scope.services.alerting.maintenance(transaction, [new.device_id], begins=False)
    return {"id": record_id, "cost_minor": None, "cost_currency": None, **values}


async def parts(scope: Scope, record_ids: Sequence[int], _columns: Columns) -> list[list[Row]]:
    """Return the parts of each record."""
    return await maintenance_records.parts_by_records(scope.store, record_ids)


def _parts(given: Sequence[Part]) -> list[dict[str, Any]]:
    if len(given) > _MOST_PARTS:
        raise LimitExceeded(f"A record may have {_MOST_PARTS} parts, not {len(given)}.", input_path=("input", "parts"))
    rows: list[dict[str, Any]] = []
    for place, part in enumerate(given):
        if not 1 <= part.quantity <= 1_000_000:
            raise BadUserInput(
                f"The quantity of a part must be from 1 to 1000000, not {part.quantity}.",
                input_path=("input", "parts", place, "quantity"),
            )
        name = checks.text(part.name, f"parts.{place}.name")
        number = checks.optional_text(part.part_number, f"parts.{place}.partNumber", longest=checks.LABEL_LENGTH)
        rows.append({"name": name, "part_number": number, "quantity": part.quantity})
    return rows

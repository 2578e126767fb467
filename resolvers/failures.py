"""Failures of devices: what broke when, of which cause, and whether that was the end of the device."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.devices.status import DeviceStatus
from models.errors import BadUserInput, Conflict
from models.repositories import device_changes, device_failures
from models.statements import Row
from models.store import Transaction
from resolvers import checks, detection, devices
from resolvers.context import Scope


@dataclass(frozen=True, slots=True)
class NewFailure:
    """What a caller tells of a failure.

    Attributes:
        cause: in a word or two, the same for the same cause, so that causes can be counted.
        ends_life: the device was given up or replaced.
    """

    device_id: int
    failed_at: datetime
    cause: str | None = None
    description: str | None = None
    ends_life: bool = False


async def record(scope: Scope, new: NewFailure) -> Row:
    """Store a failure and return it; one that ends the device's life makes the device RETIRED.

    Raises: NotFound for the device; Conflict if its life has ended before; BadUserInput for the rest.
    """
    now = scope.services.clock()
    tolerance = scope.services.settings.ingest.max_future_seconds
    values: dict[str, Any] = {
        "device_id": new.device_id,
        "failed_at": checks.not_future(new.failed_at, "failedAt", now, tolerance_seconds=tolerance),
        "cause": checks.optional_text(new.cause, "cause", longest=checks.LABEL_LENGTH),
        "description": checks.optional_text(new.description, "description", longest=checks.NOTES_LENGTH),
        "ends_life": new.ends_life,
        "reported_by": scope.principal.name,
        "created_at": now,
    }
    async with scope.store.transaction() as transaction:
        device = await devices.locked(transaction, new.device_id, None)
        _check_installed(new.failed_at, device)
        if new.ends_life:
            await _retire(scope, transaction, device, new.failed_at)
        failure_id = await device_failures.add(transaction, values)
    return {"id": failure_id, **values}


def _check_installed(failed_at: datetime, device: Row) -> None:
    installed_at = device["installed_at"]
    if installed_at is not None and failed_at < installed_at:
        raise BadUserInput(
            f"'failedAt' lies before the device was installed: {failed_at.isoformat()}, it was installed at "
            f"{installed_at.isoformat()}.",
            input_path=("input", "failedAt"),
        )


async def _retire(scope: Scope, transaction: Transaction, device: Row, failed_at: datetime) -> None:
    """Let a device be watched no longer, and be done with what was found of it."""
    device_id, now = device["id"], scope.services.clock()
    ended = await device_failures.ends_of_life(transaction, [device_id])
    if ended:
        raise Conflict(
            f"The device's life has ended already, at {ended[device_id].isoformat()}.", input_path=("input", "endsLife")
        )
    status = {"status": DeviceStatus.RETIRED.value}
    await device_changes.change(transaction, device_id, device["version"], at=now, values=status)
    await detection.close(transaction, [device_id], max(failed_at, device["last_seen_at"] or failed_at))
    await scope.services.alerting.retired(transaction, {**device, **status})

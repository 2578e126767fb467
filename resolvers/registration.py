"""What registering and changing a device of any kind have in common."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.devices.status import DeviceStatus
from models.errors import BadUserInput
from resolvers import checks

_TEXTS = {
    "name": ("name", checks.NAME_LENGTH),
    "serial_number": ("serialNumber", checks.LABEL_LENGTH),
    "manufacturer": ("manufacturer", checks.NAME_LENGTH),
    "model": ("model", checks.NAME_LENGTH),
    "firmware_version": ("firmwareVersion", checks.LABEL_LENGTH),
    "location": ("location", checks.NAME_LENGTH),
}
_REQUIRED = {"name": "name", "serial_number": "serialNumber"}


def new_device(kind: str, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns of a new device; raises BadUserInput for a value that cannot be stored."""
    status = DeviceStatus.OFFLINE.value
    fixed = {"kind": kind, "status": status, "created_at": now, "updated_at": now, "version": 1}
    return device_values(given, now) | fixed


def device_values(given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns that every device has of those that are given.

    Raises:
        BadUserInput: a text that is too long or empty where it must not be, an installation in the future.
    """
    values: dict[str, Any] = {}
    for column, (field, longest) in _TEXTS.items():
        if column in given:
            check = checks.text if column in _REQUIRED else checks.optional_text
            values[column] = check(given[column] or "", field, longest=longest)
    if given.get("installed_at") is not None:
        values["installed_at"] = checks.not_future(given["installed_at"], "installedAt", now, tolerance_seconds=86400)
    elif "installed_at" in given:
        values["installed_at"] = None
    return values


def refuse_nulls(given: Mapping[str, Any], details: Mapping[str, str]) -> None:
    """Raise BadUserInput where a column is given as null that every device, or this kind by `details`, must have."""
    for name, field in (_REQUIRED | dict(details)).items():
        if name in given and given[name] is None:
            raise BadUserInput(
                f"'{field}' must not be null; leave it out to keep it as it is.", input_path=("input", field)
            )

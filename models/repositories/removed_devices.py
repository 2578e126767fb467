"""Devices that are removed, of which something is still to be deleted: no reader may see them or what belonged to them.

Such a device is of the kind `REMOVED`, which no device has otherwise. So it is found by nobody who asks for a kind, and
whoever waited for its lock looks at the row again and finds it gone.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, select

from models.statements import name, table_columns, table_of
from models.tables import DeviceRow

REMOVED = "REMOVED"
IS_THERE_SQL = f"kind <> '{REMOVED}'"
"""The condition on a row of devices in SQL text of either dialect."""
OF_DEVICES_THERE_SQL = f"NOT IN (SELECT id FROM devices WHERE kind = '{REMOVED}')"  # noqa: S608 - a constant
"""What follows the device's id of a row that is to be shown, in SQL text of either dialect."""

# By a name of its own, so that it is not taken for the devices of a statement around it.
_REMOVED_ONE = table_of(DeviceRow).alias("removed_device")
IS_THERE: ColumnElement[bool] = table_columns(DeviceRow)["kind"] != name(REMOVED)
"""The condition on a row of devices."""


def of_devices_there(device_id: ColumnElement[Any], *, nullable: bool = False) -> ColumnElement[bool]:
    """Return the condition that a row is not of a removed device.

    Not a join: databases look the few removed devices up once, mostly find none, and go on with the plan of before.

    Args:
        device_id: the column that names the device.
        nullable: there are rows that are of no device.
    """
    there = device_id.not_in(select(_REMOVED_ONE.c.id).where(_REMOVED_ONE.c.kind == name(REMOVED)))
    return or_(device_id.is_(None), there) if nullable else there

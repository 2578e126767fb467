"""Inputs of the mutations of all kinds, and what inputs of readings have in common."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import strawberry

from models.devices import DeviceKind
from models.errors import BadUserInput
from models.readings import ReadingBatch
from schema import ids
from schema.columns import columns_of

INPUT = strawberry.argument(description="What to do.")
VERSION = (
    "The version that the change is based on; it is refused as CONFLICT if the device has been changed since. "
    "Without it the change applies to whatever version there is."
)


@strawberry.input(description="Whether a device is in maintenance.")
class SetDeviceMaintenanceInput:
    """Whether a device is in maintenance."""

    id: strawberry.ID = strawberry.field(description="The device.")
    active: bool = strawberry.field(
        description="True sets the status MAINTENANCE; false gives it back to the readings: ONLINE or OFFLINE."
    )
    version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="A device to remove, with its readings and everything else that belongs to it.")
class DeleteDeviceInput:
    """A device to remove."""

    id: strawberry.ID = strawberry.field(description="The device.")
    version: int | None = strawberry.field(default=None, description=VERSION)


def reading_batch(kind: DeviceKind, readings: Any) -> ReadingBatch:
    """Return readings, given as inputs or as columns, as a batch.

    Raises:
        BadUserInput: an id is none of a device of this kind.
    """
    columns = columns_of(readings, ("device_id", "recorded_at", *kind.by_name))
    if not columns.count:
        return ReadingBatch(kind.name, (), (), {})
    return ReadingBatch(
        kind.name,
        decoded(columns.fields["device_id"], (kind.type_name,), "input.readings", "deviceId"),
        columns.fields["recorded_at"],
        {
            name: values
            for name, values in columns.fields.items()
            if name in kind.by_name and any(value is not None for value in values)
        },
    )


def decoded(global_ids: Sequence[Any], type_names: tuple[str, ...], path: str, field: str) -> list[Any]:
    """Return the row ids of a column of global ids, None for null.

    Args:
        global_ids: (n,) as the caller gave them.
        type_names: of which they may be.
        path: of the list in the input, as "input.readings".
        field: name of the column.

    Raises:
        BadUserInput: an id is none of these types; its path has the first row with it.
    """
    known: dict[Any, int | None] = {None: None}
    for global_id in dict.fromkeys(global_ids):
        if global_id is not None:
            try:
                known[global_id] = ids.decode(global_id, type_names, path)
            except BadUserInput:
                # Once more, for the error's path; the place is looked for only here.
                ids.decode(global_id, type_names, f"{path}.{global_ids.index(global_id)}.{field}")
                raise
    return list(map(known.__getitem__, global_ids))


def given(values: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of an input that the caller gave, by Python name."""
    every = {each.name: getattr(values, each.name) for each in dataclasses.fields(values)}
    return {name: value for name, value in every.items() if value is not strawberry.UNSET and name not in without}

"""Filters of lists that grow with time, from inputs to the conditions of a statement."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from models.errors import LimitExceeded
from models.filters import BEFORE, FROM, Bound, Choice
from schema import ids
from schema.types.node import DEVICE_TYPES, MODEL

Names = Sequence[Enum] | None

MOST_IDS = 1000
MOST_TEXTS = 100


def names_of(given: Names) -> tuple[str, ...] | None:
    """Return the values of enums that a field of a filter lists, each once; None where it does not restrict."""
    # Each value once: it becomes a condition of the statement, and a request may repeat it without end.
    return None if given is None else tuple(sorted({str(each.value) for each in given}))


def choices(**given: Names) -> tuple[Choice, ...]:
    """Return the names that are wanted of each column; a column whose names are not given does not restrict."""
    found = ((column, names_of(names)) for column, names in given.items())
    return tuple((column, names) for column, names in found if names is not None)


def bounds(column: str, after: datetime | None, before: datetime | None) -> tuple[Bound, ...]:
    """Return the bounds of a column: at or after an instant, and before another one."""
    sides = ((FROM, after), (BEFORE, before))
    return tuple((column, side, instant) for side, instant in sides if instant is not None)


def texts(column: str, given: Sequence[str] | None, argument: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the texts that an argument lists as what a column has to be one of; None where it does not restrict.

    Raises:
        LimitExceeded: there are too many.
    """
    if given is None:
        return None
    if len(given) > MOST_TEXTS:
        raise LimitExceeded(f"'{argument}' may list {MOST_TEXTS} names, not {len(given)}.", input_path=(argument,))
    return (column, tuple(sorted(set(given))))


def device_ids(given: Sequence[strawberry.ID] | None) -> tuple[int, ...] | None:
    """Return the row ids of the devices that a filter lists, each once; None where it does not restrict.

    Raises:
        BadUserInput: an id is none of a device.
        LimitExceeded: there are too many.
    """
    return _row_ids(given, DEVICE_TYPES, "devices", "deviceIds")


def model_ids(given: Sequence[strawberry.ID] | None) -> tuple[int, ...] | None:
    """Return the row ids of the versions of models that a filter lists; as `device_ids`."""
    return _row_ids(given, (MODEL,), "models", "modelIds")


def devices_in(given: Sequence[strawberry.ID] | None) -> tuple[str, tuple[int, ...]] | None:
    """Return the devices that a filter lists as what a column has to be one of; errors as of `device_ids`."""
    found = device_ids(given)
    return None if found is None else ("device_id", found)


def owners_in(
    devices: Sequence[strawberry.ID] | None, models: Sequence[strawberry.ID] | None
) -> tuple[str, tuple[int, ...]] | None:
    """Return the owners of alerts that a filter lists as what a column has to be one of; errors as of `device_ids`."""
    found, of_models = devices_in(devices), model_ids(models)
    if of_models is None:
        return found
    # Nothing is of a device and of a model.
    return ("model_id", of_models if found is None else ())


def _row_ids(
    given: Sequence[strawberry.ID] | None, type_names: tuple[str, ...], plural: str, field: str
) -> tuple[int, ...] | None:
    if given is None:
        return None
    if len(given) > MOST_IDS:
        raise LimitExceeded(f"A filter may list {MOST_IDS} {plural}, not {len(given)}.", input_path=("filter", field))
    path = f"filter.{field}"
    return tuple(sorted({ids.decode(each, type_names, f"{path}.{place}") for place, each in enumerate(given)}))

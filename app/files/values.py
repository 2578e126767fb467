"""Reading the values of a column, all at once where they are plain, one by one where something is wrong."""

import math
from collections.abc import Sequence
from typing import Any

from app.files.problems import Fault, shown
from app.files.units import Conversion

EMPTY = frozenset({"", "na", "n/a", "null", "none"})
_STATES = {
    **dict.fromkeys(("true", "1", "1.0", "on", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "off", "no"), False),
}
_PLAIN_TYPES: tuple[frozenset[type], ...] = (
    frozenset({str}),
    frozenset({int}),
    frozenset({float}),
    frozenset({int, float}),
)


def is_empty(value: object) -> bool:
    """Tell whether a value stands for "not measured"."""
    return value is None or (isinstance(value, str) and value.strip().lower() in EMPTY)


def read_numbers(
    values: Sequence[Any], column: str, conversion: Conversion, *, decimal_comma: bool = False
) -> tuple[list[float | None], dict[int, Fault]]:
    """Return (n,) numbers in the channel's unit, None where a value is empty, and what is wrong by index."""
    if not decimal_comma:
        plain = _plain_numbers(values)
        if plain is not None and conversion.is_identity:
            return plain, {}
    numbers: list[float | None] = []
    faults: dict[int, Fault] = {}
    for index, value in enumerate(values):
        try:
            number = None if is_empty(value) else conversion.of(_number(value, decimal_comma=decimal_comma))
        except (ValueError, TypeError, OverflowError):
            number = None
            faults[index] = Fault("NOT_A_NUMBER", f"column {column!r} holds {shown(value)}, which is not a number")
        if number is not None and not math.isfinite(number):
            faults[index] = Fault("NOT_FINITE", f"column {column!r} holds {shown(value)}, which is not a finite number")
        numbers.append(number)
    return numbers, faults


def _plain_numbers(values: Sequence[Any]) -> list[float | None] | None:
    """Return the numbers where all are plain and finite; None where one needs a closer look."""
    types = frozenset(map(type, values))
    if types not in _PLAIN_TYPES or (str in types and "_" in "".join(values)):
        return None
    try:
        numbers: list[float | None] = list(map(float, values))
    except (ValueError, OverflowError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None  # pyright: ignore[reportArgumentType]


def _number(value: object, *, decimal_comma: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str):
        # Python also takes 1_000, which no logger writes.
        if "_" in value:
            raise ValueError
        if decimal_comma:
            return float(value.replace(".", "").replace(",", ".") if "," in value else value)
    return float(value)


def read_states(values: Sequence[Any], column: str) -> tuple[list[bool | None], dict[int, Fault]]:
    """Return (n,) truth values, None where a value is empty, and what is wrong by index."""
    states: list[bool | None] = []
    faults: dict[int, Fault] = {}
    for index, value in enumerate(values):
        state = None if is_empty(value) else _STATES.get(str(value).strip().lower())
        if state is None and not is_empty(value):
            faults[index] = Fault(
                "NOT_A_STATE",
                f"column {column!r} holds {shown(value)}, which is none of true, false, 1, 0, on, off, yes, no",
            )
        states.append(state)
    return states, faults


def read_serial_numbers(values: Sequence[Any], column: str) -> tuple[list[str], dict[int, Fault]]:
    """Return (n,) serial numbers, "" where there is none that could be one, and what is wrong by index."""
    serials: list[str] = []
    faults: dict[int, Fault] = {}
    for index, value in enumerate(values):
        serial = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
        if is_empty(value):
            faults[index] = Fault("NO_SERIAL_NUMBER", f"column {column!r} is empty where the device should stand")
        elif not serial or len(serial) > 100 or not serial.isprintable():
            faults[index] = Fault(
                "NOT_A_SERIAL_NUMBER", f"column {column!r} holds {shown(value)}, which is no serial number"
            )
        serials.append(serial)
    return serials, faults

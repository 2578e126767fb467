"""Rows on their way into a table as columns: the bytes that PostgreSQL's binary COPY reads, or rows of plain values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import to_micros

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_COUNT_BYTES = 2
_LENGTH_BYTES = 4
# PostgreSQL counts its microseconds from here.
_ITS_EPOCH = to_micros(datetime(2000, 1, 1, tzinfo=UTC))
_BINARY = {"i": ">i8", "f": ">f8", "M": ">i8", "b": "u1"}
_BYTES = {"i": 8, "f": 8, "b": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one column of n rows.

    Attributes:
        values: (n,) int64 for BIGINT, float64 for DOUBLE PRECISION, datetime64[us] for an instant, bool for BOOLEAN.
        is_null: (n,) where the column is NULL; None for nowhere.
    """

    values: NDArray[Any]
    is_null: NDArray[np.bool_] | None = None


Columns = Mapping[str, Column]
"""By the name of the column in its table."""


def binary_copy(columns: Sequence[Column]) -> bytes:
    """Return rows in the binary format of COPY: the number of fields, and of each field its length and its bytes."""
    layout = _layout("".join(column.values.dtype.kind for column in columns))
    rows = np.empty(len(columns[0].values), layout)
    rows["count"] = len(columns)
    kept: NDArray[np.bool_] | None = None
    end = _COUNT_BYTES
    for place, column in enumerate(columns):
        values = column.values
        if values.dtype.kind == "M":
            values = values.astype(np.int64) - _ITS_EPOCH
        start, end = end + _LENGTH_BYTES, end + _LENGTH_BYTES + _BYTES[values.dtype.kind]
        rows[f"value{place}"] = values
        rows[f"length{place}"] = end - start
        if column.is_null is not None and column.is_null.any():
            # A length of -1 is NULL, and has no bytes.
            rows[f"length{place}"][column.is_null] = -1
            if kept is None:
                kept = np.ones((len(rows), layout.itemsize), np.bool_)
            kept[column.is_null, start:end] = False
    written = rows.view(np.uint8).reshape(len(rows), layout.itemsize)
    return _HEADER + (written if kept is None else written[kept]).tobytes() + _TRAILER


def plain_rows(columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    """Return rows of what `plain_values` makes of the columns."""
    return zip(*(plain_values(column) for column in columns), strict=True)


def plain_values(column: Column) -> list[Any]:
    """Return whole numbers, floats, booleans, microseconds since 1970 for instants, and None for NULL."""
    is_instant = column.values.dtype.kind == "M"
    values: list[Any] = (column.values.astype(np.int64) if is_instant else column.values).tolist()
    if column.is_null is None or not column.is_null.any():
        return values
    return [None if is_null else value for value, is_null in zip(values, column.is_null.tolist(), strict=True)]


@lru_cache(maxsize=256)
def _layout(kinds: str) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for place, kind in enumerate(kinds):
        fields += [(f"length{place}", ">i4"), (f"value{place}", _BINARY[kind])]
    return np.dtype(fields)

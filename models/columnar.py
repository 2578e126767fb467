"""Many rows of one statement, read as columns.

A driver makes an object for each value and a record for each row, which for a thousand readings takes longer than the
statement itself. Here PostgreSQL sends each column as the bytes of one array, which numpy takes as they are; the values
become Python's in one pass. Whoever wants rows gets them: `ColumnRows` is a sequence of rows like any other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Boolean, Float, Integer, Select, func, select

from models.statements import CompiledStatement, Row, Statement
from models.types import UtcDateTime

# From here on columns cost less than rows: an array of a few values is no quicker than the values.
MANY_ROWS = 64


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """The values of one column.

    Attributes:
        values: None where there is none; instants without a time zone, which is UTC.
        is_instant: the values are instants.
        may_have_null: unless this is False there is no None among them.
        is_finite: there is no NaN and no infinity among them.
    """

    values: list[Any]
    is_instant: bool = False
    may_have_null: bool = True
    is_finite: bool = True


class ColumnRows(Sequence[Row]):
    """Rows that are held as columns, or a part of such rows, which shares the columns.

    Attributes:
        columns: by name, all of one length.
        places: of these rows in the columns.
    """

    __slots__ = ("columns", "places")

    def __init__(self, columns: Mapping[str, ColumnValues], places: range) -> None:
        self.columns = columns
        self.places = places

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> "ColumnRows": ...
    def __getitem__(self, place: int | slice) -> "Row | ColumnRows":
        """Return one row, or the rows of a slice, as columns again."""
        if isinstance(place, slice):
            return ColumnRows(self.columns, self.places[place])
        there = self.places[place]
        return next(iter(ColumnRows(self.columns, range(there, there + 1))))

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows."""
        names = list(self.columns)
        for values in zip(*(self.of(column.values) for column in self.columns.values()), strict=True):
            row = dict(zip(names, values, strict=True))
            for name in self._instants():
                row[name] = None if row[name] is None else row[name].replace(tzinfo=UTC)
            yield row

    def of(self, listed: list[Any]) -> list[Any]:
        """Return the items of these rows, of a list with one for each place in the columns."""
        places = self.places
        if len(places) == len(listed) and places.step == 1:
            return listed
        behind = places.stop if places.stop >= 0 else None
        return listed[places.start : behind : places.step]

    def only(self, names: Collection[str]) -> "ColumnRows":
        """Return these rows with some of their columns only."""
        return ColumnRows({name: self.columns[name] for name in names}, self.places)

    def at(self, chosen: Sequence[int]) -> "ColumnRows":
        """Return the rows at some places among these."""
        places = [self.places[place] for place in chosen]
        columns = {
            name: replace(column, values=[column.values[place] for place in places])
            for name, column in self.columns.items()
        }
        return ColumnRows(columns, range(len(places)))

    def whole(self) -> "ColumnRows":
        """Return all rows of the columns."""
        return ColumnRows(self.columns, range(len(next(iter(self.columns.values())).values)))

    def split(self, name: str) -> dict[Any, "ColumnRows"]:
        """Return the rows by the value of a column, for rows of which those of one value stand together."""
        values = np.asarray(self.of(self.columns[name].values))
        if not len(values):
            return {}
        edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
        return {values[start].item(): self[start:end] for start, end in pairwise(edges)}

    def _instants(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.is_instant]


class ColumnStatement:
    """A SELECT whose rows are read as columns, in the SQL of each database that asks for it.

    Args:
        clause: each of its columns has a name and a type of its own; NULL is allowed in all.
    """

    __slots__ = ("_clause", "_compiled", "_names", "_types")

    def __init__(self, clause: Select[Any]) -> None:
        self._clause = clause
        columns = list(clause.exported_columns)
        self._names = [str(column.key) for column in columns]
        self._types = [column.type for column in columns]
        self._compiled: dict[str, CompiledStatement] = {}

    def on(self, dialect: str) -> CompiledStatement:
        """Return the statement for a dialect name, compiled the first time."""
        known = self._compiled.get(dialect)
        if known is None:
            clause = self._as_arrays() if dialect == "postgresql" else self._clause
            known = self._compiled[dialect] = Statement(clause).on(dialect)
        return known

    def columns_of(self, dialect: str, fetched: Sequence[Any]) -> ColumnRows:
        """Return what the driver fetched as columns."""
        if dialect == "postgresql":
            return self._of_arrays(fetched[0])
        columns = list(zip(*fetched, strict=True)) if fetched else [()] * len(self._names)
        made = {
            name: _of_tuple(type_, values)
            for name, type_, values in zip(self._names, self._types, columns, strict=True)
        }
        return ColumnRows(made, range(len(fetched)))

    def _as_arrays(self) -> Select[Any]:
        rows = self._clause.subquery("rows")
        return select(
            *(
                (func.array_send(func.array_agg(column)) if _item_of(type_) else func.array_agg(column)).label(name)
                for name, type_, column in zip(self._names, self._types, rows.c, strict=True)
            )
        )

    def _of_arrays(self, row: Any) -> ColumnRows:
        made: dict[str, ColumnValues] = {}
        for name, type_, value in zip(self._names, self._types, row, strict=True):
            item = _item_of(type_)
            made[name] = ColumnValues(value or []) if item is None else _of_bytes(value, item, type_)
        return ColumnRows(made, range(0)).whole()


# How PostgreSQL sends the items of an array of a type: big-endian, each behind its length.
_ITEMS: tuple[tuple[type[Any], str], ...] = (
    (UtcDateTime, ">i8"),
    (Float, ">f8"),
    (BigInteger, ">i8"),
    (Integer, ">i4"),
    (Boolean, "?"),
)
_HEADER_BYTES = 20
_LENGTH_BYTES = 4
# PostgreSQL counts microseconds from the year 2000.
_YEAR_2000_MICROS = 946_684_800_000_000


def _item_of(type_: Any) -> np.dtype[Any] | None:
    for kind, code in _ITEMS:
        if isinstance(type_, kind):
            return np.dtype(code)
    return None


def _of_bytes(data: bytes | None, item: np.dtype[Any], type_: Any) -> ColumnValues:
    """Return the column of an array in PostgreSQL's binary format; no array is one without items."""
    if data is None:
        return ColumnValues([], may_have_null=False)
    is_there: list[bool] | None = None
    if data[7]:  # the flag of an array that holds NULLs
        data, is_there = _without_nulls(data, item.itemsize)
    values = np.frombuffer(data, [("length", ">i4"), ("value", item)], offset=_HEADER_BYTES)["value"]
    values = values.astype(item.newbyteorder("="))
    if isinstance(type_, UtcDateTime):
        values += _YEAR_2000_MICROS
    return _column(type_, values, is_there)


def _without_nulls(data: bytes, item_bytes: int) -> tuple[bytes, list[bool]]:
    """Return the array's bytes without its NULLs, which are lengths of -1 with nothing behind, and where values are."""
    is_there: list[bool] = []
    kept = bytearray(data[:_HEADER_BYTES])
    place = _HEADER_BYTES
    while place < len(data):
        is_there.append(data[place] != 0xFF)
        behind = place + _LENGTH_BYTES + (item_bytes if is_there[-1] else 0)
        if is_there[-1]:
            kept += data[place:behind]
        place = behind
    return bytes(kept), is_there


def _of_tuple(type_: Any, values: Sequence[Any]) -> ColumnValues:
    """Return the column of SQLite's own values."""
    item = _item_of(type_)
    if item is None:
        return ColumnValues(list(values), may_have_null=None in values)
    is_there = [value is not None for value in values] if None in values else None
    there = values if is_there is None else [value for value in values if value is not None]
    return _column(type_, np.array(there, item.newbyteorder("=")), is_there)


def _column(type_: Any, values: NDArray[Any], is_there: list[bool] | None) -> ColumnValues:
    """Return the column of values and of where they are; None for everywhere."""
    is_instant = isinstance(type_, UtcDateTime)
    is_finite = values.dtype.kind != "f" or bool(np.isfinite(values).all())
    listed: list[Any] = (values.view("datetime64[us]") if is_instant else values).tolist()
    if is_there is not None:
        found = iter(listed)
        listed = [next(found) if there else None for there in is_there]
    return ColumnValues(listed, is_instant, is_there is not None, is_finite)

"""Many rows of one statement, read as columns.

A driver makes an object for each value and a record for each row, which for a thousand readings takes longer than the
statement itself. Here PostgreSQL sends each column as the bytes of one array, which numpy takes as they are; the values
become Python's in one pass. Whoever wants rows gets them: `ColumnRows` is a sequence of rows like any other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import pairwise
from math import isfinite
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
        names, instants = list(self.columns), self._instants()
        for values in zip(*(self.of(column.values) for column in self.columns.values()), strict=True):
            row = dict(zip(names, values, strict=True))
            for name in instants:
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

    def alone(self) -> "ColumnRows":
        """Return these rows with columns of their own, which hold nothing else."""
        columns = {name: replace(column, values=self.of(column.values)) for name, column in self.columns.items()}
        return ColumnRows(columns, range(len(self.places)))

    def whole(self) -> "ColumnRows":
        """Return all rows of the columns."""
        return ColumnRows(self.columns, range(len(next(iter(self.columns.values())).values)))

    def split(self, name: str) -> dict[Any, range]:
        """Return the places of the rows by the value of a column, where those of one value stand together."""
        values = self.columns[name].values
        if not values:
            return {}
        compared = np.asarray(values)
        edges = [0, *(np.flatnonzero(compared[1:] != compared[:-1]) + 1).tolist(), len(values)]
        return {values[start]: range(start, end) for start, end in pairwise(edges)}

    def _instants(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.is_instant]


class ColumnStatement:
    """A SELECT whose rows are read as columns, in the SQL of each database that asks for it.

    Args:
        clause: each of its columns has a name and a type of its own; NULL is allowed in all.
    """

    __slots__ = ("_clause", "_compiled", "_decoders", "_names")

    def __init__(self, clause: Select[Any]) -> None:
        self._clause = clause
        columns = list(clause.exported_columns)
        self._names = [str(column.key) for column in columns]
        self._decoders = [_decoder_of(column.type) for column in columns]
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
        made: dict[str, ColumnValues] = {}
        if dialect == "postgresql":
            for name, decoder, value in zip(self._names, self._decoders, fetched[0], strict=True):
                made[name] = ColumnValues(value or []) if decoder is None else decoder.of_array(value)
            return ColumnRows(made, range(0)).whole()
        columns = list(zip(*fetched, strict=True)) if fetched else [()] * len(self._names)
        for name, decoder, values in zip(self._names, self._decoders, columns, strict=True):
            made[name] = ColumnValues(list(values)) if decoder is None else decoder.of_values(values)
        return ColumnRows(made, range(len(fetched)))

    def _as_arrays(self) -> Select[Any]:
        rows = self._clause.subquery("rows")
        arrays = (
            func.array_agg(column) if decoder is None else func.array_send(func.array_agg(column))
            for decoder, column in zip(self._decoders, rows.c, strict=True)
        )
        return select(*(array.label(name) for name, array in zip(self._names, arrays, strict=True)))


_HEADER_BYTES = 20
_LENGTH_BYTES = 4
# PostgreSQL counts microseconds from the year 2000.
_YEAR_2000_MICROS = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class _Decoder:
    """Makes columns of what databases send for values of one type, all of one size.

    Attributes:
        item: as numpy holds it.
        sent: as PostgreSQL sends it within an array: big-endian, behind its length.
        is_instant: it is the microseconds of an instant.
    """

    item: np.dtype[Any]
    sent: np.dtype[Any]
    is_instant: bool

    def of_array(self, data: bytes | None) -> ColumnValues:
        """Return the column of an array in PostgreSQL's binary format; no array is one without items."""
        if data is None:
            return ColumnValues([], self.is_instant, may_have_null=False)
        is_there: list[bool] | None = None
        if data[7]:  # the flag of an array that holds NULLs
            data, is_there = _without_nulls(data, self.item.itemsize)
        values = np.frombuffer(data, self.sent, offset=_HEADER_BYTES)["value"].astype(self.item)
        if self.is_instant:
            values += _YEAR_2000_MICROS
        return self._column(values, is_there)

    def of_values(self, values: Sequence[Any]) -> ColumnValues:
        """Return the column of SQLite's own values."""
        is_there = [value is not None for value in values] if None in values else None
        there = values if is_there is None else [value for value in values if value is not None]
        return self._column(np.array(there, self.item), is_there)

    def _column(self, values: NDArray[Any], is_there: list[bool] | None) -> ColumnValues:
        """Return the column of values and of where they are; None for everywhere."""
        listed: list[Any] = (values.view("datetime64[us]") if self.is_instant else values).tolist()
        # What is not finite makes the sum so; a sum that is too large is looked at again.
        is_finite = self.item.kind != "f" or isfinite(sum(listed)) or bool(np.isfinite(values).all())
        if is_there is not None:
            found = iter(listed)
            listed = [next(found) if there else None for there in is_there]
        return ColumnValues(listed, self.is_instant, is_there is not None, is_finite)


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


def _decoder(code: str, *, is_instant: bool = False) -> _Decoder:
    sent = np.dtype([("length", ">i4"), ("value", np.dtype(code).newbyteorder(">"))])
    return _Decoder(np.dtype(code), sent, is_instant)


_DECODERS: tuple[tuple[type[Any], _Decoder], ...] = (
    (UtcDateTime, _decoder("i8", is_instant=True)),
    (Float, _decoder("f8")),
    (BigInteger, _decoder("i8")),
    (Integer, _decoder("i4")),
    (Boolean, _decoder("?")),
)


def _decoder_of(type_: Any) -> _Decoder | None:
    return next((decoder for kind, decoder in _DECODERS if isinstance(type_, kind)), None)

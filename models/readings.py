"""Readings on their way in: batches as columns, and the verdict on each row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from models.statements import Row
from models.types import EPOCH, MICROSECOND

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

ChannelValues = Sequence[float | bool | None]

NEVER = int(np.iinfo(np.int64).min)
"""Microseconds before all instants."""


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings of devices of one kind, as columns of n rows.

    Attributes:
        kind: name of the device kind, as WATER_HEATER.
        device_ids: (n,) the device of each reading.
        recorded_at: (n,) aware instants, or microseconds since 1970.
        channels: by channel name (n,) values in the channel's unit; None where a reading lacks the channel; a channel
            that no reading has may be absent.
    """

    kind: str
    device_ids: Sequence[int]
    recorded_at: Sequence[datetime] | IntArray
    channels: Mapping[str, ChannelValues]

    def __len__(self) -> int:
        return len(self.device_ids)


def joined(batches: Sequence[ReadingBatch]) -> ReadingBatch:
    """Return the rows of batches of one kind, of which there is at least one, as one batch."""
    if len(batches) == 1:
        return batches[0]
    names = list(dict.fromkeys(name for batch in batches for name in batch.channels))
    channels: dict[str, list[float | bool | None]] = {name: [] for name in names}
    for batch in batches:
        for name, column in channels.items():
            column.extend(batch.channels.get(name) or [None] * len(batch))
    ids = [device_id for batch in batches for device_id in batch.device_ids]
    return ReadingBatch(batches[0].kind, ids, _instants(batches), channels)


@dataclass(frozen=True, slots=True, eq=False)
class PackedReadings:
    """Readings of devices of one kind, as arrays of n rows.

    Attributes:
        kind: name of the device kind.
        device_ids: (n,) the device of each reading.
        micros: (n,) microseconds since 1970.
        names: the channels, those that some reading may have.
        values: (channels, n) in the channel's unit, a state as 0 or 1; NaN where a reading lacks the channel.
        not_numbers: channel and row, by place, of each NaN that was given for a value.
    """

    kind: str
    device_ids: IntArray
    micros: IntArray
    names: tuple[str, ...]
    values: FloatArray
    not_numbers: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.device_ids)

    def at(self, places: IntArray | BoolArray) -> "PackedReadings":
        """Return the rows at these places, in their order, or those of a mask; NaN that was given counts as missing."""
        values = self.values[:, places]
        return PackedReadings(self.kind, self.device_ids[places], self.micros[places], self.names, values)

    def column(self, name: str) -> FloatArray | None:
        """Return the values of a channel; None if no reading has it."""
        return self.values[self.names.index(name)] if name in self.names else None


def packed(batches: Sequence[ReadingBatch]) -> PackedReadings:
    """Return the rows of batches of one kind, of which there is at least one, as arrays.

    Raises:
        TypeError, ValueError, OverflowError: an id is no whole number of 64 bits, or a value is no number.
    """
    names = tuple(dict.fromkeys(name for batch in batches for name in batch.channels))
    columns = [_chained(batch.channels.get(name) or repeat(None, len(batch)) for batch in batches) for name in names]
    ids = np.array(_chained(batch.device_ids for batch in batches), np.int64)
    values = np.array(columns, np.float64).reshape(len(names), len(ids))
    return PackedReadings(batches[0].kind, ids, _instants(batches), names, values, _not_numbers(columns, values))


def packed_instants(instants: Sequence[datetime] | IntArray) -> IntArray:
    """Return the microseconds since 1970 of aware instants, or the array that has these already."""
    if isinstance(instants, np.ndarray):
        return instants
    return np.array([(at - EPOCH) // MICROSECOND for at in instants], np.int64)


def _instants(batches: Sequence[ReadingBatch]) -> IntArray:
    parts = [batch.recorded_at for batch in batches]
    if any(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate([packed_instants(part) for part in parts])
    return packed_instants(_chained(cast("list[Sequence[datetime]]", parts)))


def _chained(parts: Iterable[Iterable[Any]]) -> list[Any]:
    return list(chain.from_iterable(parts))


def _not_numbers(columns: Sequence[list[Any]], values: FloatArray) -> tuple[tuple[int, int], ...]:
    """Return the places at which NaN was given, and not None, which becomes NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return ()
    found: list[tuple[int, int]] = []
    for place, count in enumerate(missing.sum(axis=1).tolist()):
        column = columns[place]
        if count != column.count(None):
            found += [(place, row) for row in np.flatnonzero(missing[place]).tolist() if column[row] is not None]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one row was not stored.

    Attributes:
        index: the row's place in the batch, from 0.
        code: stable name of the reason, as OUT_OF_RANGE.
        message: what is wrong with which value, and what is allowed.
    """

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of a batch; accepted rows are durable when this is returned.

    Attributes:
        accepted_count: rows that were stored now.
        duplicate_count: rows whose device and time were stored before, or stand earlier in the same batch.
        rejected: one entry for each row that cannot be stored, by index.
        anomalies: what these readings opened or raised in severity, as it was after the last of them.
    """

    accepted_count: int
    duplicate_count: int
    rejected: Sequence[Rejection]
    anomalies: Sequence[Row] = ()

"""Readings on their way in: batches as columns, and the verdict on each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from models.statements import Row
from models.types import to_micros

IntArray: TypeAlias = NDArray[np.int64]

ChannelValues = Sequence[float | bool | None]


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings of devices of one kind, as columns of n rows.

    Attributes:
        kind: name of the device kind, as WATER_HEATER.
        device_ids: (n,) the device of each reading.
        recorded_at: (n,) aware UTC instants.
        channels: by channel name (n,) values in the channel's unit; None where a reading lacks the channel; a channel
            that no reading has may be absent.
    """

    kind: str
    device_ids: Sequence[int]
    recorded_at: Sequence[datetime]
    channels: Mapping[str, ChannelValues]
    _micros: IntArray | None = field(default=None, repr=False, compare=False)

    @property
    def micros(self) -> IntArray:
        """(n,) the instants as microseconds since 1970, computed once."""
        if self._micros is None:
            object.__setattr__(self, "_micros", np.fromiter(map(to_micros, self.recorded_at), np.int64, len(self)))
        return cast("IntArray", self._micros)

    def __len__(self) -> int:
        return len(self.device_ids)

    def at(self, places: Sequence[int]) -> "ReadingBatch":
        """Return the rows at these places, in their order."""
        if len(places) == len(self):
            return self
        channels = {name: [values[place] for place in places] for name, values in self.channels.items()}
        ids, instants = self.device_ids, self.recorded_at
        return ReadingBatch(
            self.kind, [ids[place] for place in places], [instants[place] for place in places], channels
        )


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
    return ReadingBatch(batches[0].kind, ids, [at for batch in batches for at in batch.recorded_at], channels)


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

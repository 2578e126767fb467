"""Simulated readings, as columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray
from models.devices.water_heater import WATER_HEATER
from models.readings import ChannelValues, ReadingBatch
from models.types import from_micros


@dataclass(frozen=True, slots=True)
class ReadingBlock:
    """Readings of a simulated fleet as columns of n rows, ordered by device, then by time.

    Attributes:
        device_index: (n,) place of the device in the list of specifications.
        recorded_at_micros: (n,) microseconds since 1970.
        channels: by channel name (n,) values in the channel's unit, NaN where the reading lacks the channel.
        heating: (n,) whether the heater calls for heat.
    """

    device_index: IntArray
    recorded_at_micros: IntArray
    channels: dict[str, FloatArray]
    heating: BoolArray

    def __len__(self) -> int:
        return len(self.device_index)

    def within(self, since: IntArray, until: IntArray) -> "ReadingBlock":
        """Return the readings of each device from one instant to another, both inclusive.

        Args:
            since: (devices,) microseconds since 1970.
            until: (devices,) likewise.
        """
        device, at = self.device_index, self.recorded_at_micros
        return self.at((at >= since[device]) & (at <= until[device]))

    def at(self, rows: BoolArray | IntArray) -> "ReadingBlock":
        """Return these rows, in their order."""
        channels = {name: values[rows] for name, values in self.channels.items()}
        return ReadingBlock(self.device_index[rows], self.recorded_at_micros[rows], channels, self.heating[rows])

    def batches(self, device_ids: Sequence[int], size: int) -> Iterator[ReadingBatch]:
        """Give the readings in the form that ingestion takes.

        Args:
            device_ids: the identity of each device, in the order of the specifications.
            size: most readings of one batch.

        Returns:
            Batches in the order of the rows; none if there are no rows.
        """
        return column_batches(
            kind=WATER_HEATER.name,
            device_ids=device_ids,
            device_index=self.device_index,
            recorded_at_micros=self.recorded_at_micros,
            channels=self.channels,
            states={"heating": self.heating},
            size=size,
        )


def column_batches(
    *,
    kind: str,
    device_ids: Sequence[int],
    device_index: IntArray,
    recorded_at_micros: IntArray,
    channels: Mapping[str, FloatArray],
    states: Mapping[str, BoolArray],
    size: int,
) -> Iterator[ReadingBatch]:
    """Cut columns of n rows into batches of at most `size` readings, in the order of the rows.

    Args:
        kind: name of the device kind.
        device_ids: the identity of each device, in the order of the specifications.
        device_index: (n,) place of the device in the list of specifications.
        recorded_at_micros: (n,) microseconds since 1970.
        channels: by channel name (n,) values; NaN becomes None.
        states: by name of a yes-or-no channel (n,) values.
        size: most readings of one batch.

    Yields:
        Batches; none if there are no rows.
    """
    ids = np.asarray(device_ids, dtype=np.int64)[device_index]
    instants, place = np.unique(recorded_at_micros, return_inverse=True)
    times = np.array([from_micros(micros) for micros in instants.tolist()], dtype=object)[place]
    for start in range(0, len(device_index), size):
        rows = slice(start, start + size)
        values: dict[str, ChannelValues] = {name: _with_none(value[rows]) for name, value in channels.items()}
        values |= {name: state[rows].tolist() for name, state in states.items()}
        yield ReadingBatch(kind, ids[rows].tolist(), times[rows].tolist(), values)


def _with_none(values: FloatArray) -> list[float | None]:
    plain: NDArray[np.object_] = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()

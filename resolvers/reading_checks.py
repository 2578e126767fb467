"""Readings against the channels of their kind: which rows can be stored, and why others cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from models.devices import KINDS, Channel, DeviceKind
from models.readings import ChannelValues, ReadingBatch, Rejection
from models.statements import Row
from settings.types import IngestSettings

NO_VALUES = "NO_VALUES"
NOT_FINITE = "NOT_FINITE"
OUT_OF_RANGE = "OUT_OF_RANGE"
IN_FUTURE = "IN_FUTURE"
TOO_OLD = "TOO_OLD"
UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
WRONG_KIND = "WRONG_KIND"

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdicts on the rows of a batch.

    Attributes:
        good: indexes of the rows that may be stored, ascending.
        rejected: one entry for each other row, by index.
    """

    good: Sequence[int]
    rejected: list[Rejection]


def check(batch: ReadingBatch, settings: IngestSettings, now: datetime) -> Checked:
    """Check every row of a batch; a row is rejected for the first thing that is wrong with it.

    Raises:
        KeyError: the batch names a kind or a channel that does not exist, which is the caller's defect.
    """
    rejections = _Rejections(len(batch))
    _check_times(batch.recorded_at, settings, now, rejections)
    kind = KINDS[batch.kind]
    present = np.zeros(len(batch), dtype=np.bool_)
    for name, values in batch.channels.items():
        present |= _check_channel(kind.by_name[name], values, rejections)
    nothing = "The reading has no value; send at least one channel."
    rejections.add(~present, NO_VALUES, lambda _: nothing)
    return Checked(rejections.good(), rejections.listed())


def future_problem(field: str, at: datetime, settings: IngestSettings, now: datetime) -> str:
    """Return the sentence for an instant that lies in the future."""
    return (
        f"{field} {at.isoformat()} lies in the future; the server's time is {now.isoformat(timespec='seconds')} and "
        f"{settings.max_future_seconds:g} s ahead are allowed."
    )


def age_problem(field: str, at: datetime, settings: IngestSettings) -> str:
    """Return the sentence for an instant that is too long ago."""
    return (
        f"{field} {at.isoformat()} is older than the {settings.max_age_days:g} days that are accepted "
        "(ingest.max_age_days)."
    )


def device_problem(row: Row | None, kind: DeviceKind) -> tuple[str, str] | None:
    """Return code and sentence if a device does not exist (None) or is of another kind; None if it is of this kind."""
    if row is None:
        return UNKNOWN_DEVICE, "There is no device with this id."
    if row["kind"] != kind.name:
        return WRONG_KIND, f"The device is a {KINDS[row['kind']].label}, not a {kind.label}."
    return None


class _Rejections:
    """The first rejection of each row."""

    def __init__(self, count: int) -> None:
        self._bad = np.zeros(count, dtype=np.bool_)
        self._found: dict[int, Rejection] = {}

    def add(self, wrong: BoolArray, code: str, message: Callable[[int], str]) -> None:
        """Reject the rows of a mask that are not rejected yet."""
        fresh = wrong & ~self._bad
        if fresh.any():
            self._bad |= fresh
            for index in np.flatnonzero(fresh).tolist():
                self._found[index] = Rejection(index, code, message(index))

    def good(self) -> list[int]:
        return np.flatnonzero(~self._bad).tolist()

    def listed(self) -> list[Rejection]:
        return [self._found[index] for index in sorted(self._found)]


def _check_times(
    recorded_at: Sequence[datetime], settings: IngestSettings, now: datetime, rejections: _Rejections
) -> None:
    latest = now + timedelta(seconds=settings.max_future_seconds)
    oldest = now - timedelta(days=settings.max_age_days)
    # Nearly all batches are of now: their extremes tell in two passes.
    if max(recorded_at) > latest:
        future = np.fromiter((at > latest for at in recorded_at), np.bool_, len(recorded_at))
        rejections.add(future, IN_FUTURE, lambda index: future_problem("recordedAt", recorded_at[index], settings, now))
    if min(recorded_at) < oldest:
        old = np.fromiter((at < oldest for at in recorded_at), np.bool_, len(recorded_at))
        rejections.add(old, TOO_OLD, lambda index: age_problem("recordedAt", recorded_at[index], settings))


def _check_channel(channel: Channel, values: ChannelValues, rejections: _Rejections) -> BoolArray:
    """Reject what is not finite or out of range; return which rows have a value."""
    numbers = np.array(values, dtype=np.float64)
    missing = np.isnan(numbers)
    if missing.any():
        # None becomes NaN in the array; a NaN that was given is an error and has to be told from it.
        given = np.fromiter((values[index] is not None for index in np.flatnonzero(missing).tolist()), np.bool_)
        not_numbers = np.zeros(len(numbers), dtype=np.bool_)
        not_numbers[np.flatnonzero(missing)[given]] = True
        rejections.add(not_numbers, NOT_FINITE, lambda _: f"{channel.name} is not a number (NaN).")
    infinite = np.isinf(numbers)
    rejections.add(infinite, NOT_FINITE, lambda _: f"{channel.name} is infinite.")
    outside = ~missing & ~infinite & ((numbers < channel.minimum) | (numbers > channel.maximum))
    if channel.is_state:
        outside |= ~missing & (numbers != 0) & (numbers != 1)
    rejections.add(
        outside,
        OUT_OF_RANGE,
        lambda index: (
            f"{channel.name} {numbers[index]:g} {channel.unit} is not plausible; "
            f"allowed are {channel.minimum:g} to {channel.maximum:g} {channel.unit}."
        ),
    )
    return ~missing

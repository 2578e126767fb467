"""Readings against the channels of their kind: which rows can be stored, and why others cannot."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from models.devices import KINDS, Channel, DeviceKind
from models.readings import BoolArray, FloatArray, PackedReadings, Rejection
from models.statements import Row
from models.types import from_micros, to_micros
from settings.types import IngestSettings

NO_VALUES = "NO_VALUES"
NOT_FINITE = "NOT_FINITE"
OUT_OF_RANGE = "OUT_OF_RANGE"
IN_FUTURE = "IN_FUTURE"
TOO_OLD = "TOO_OLD"
UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
WRONG_KIND = "WRONG_KIND"


def check(readings: PackedReadings, settings: IngestSettings, now: datetime) -> list[Rejection]:
    """Check every reading; one is rejected for the first thing that is wrong with it.

    Returns:
        The verdicts on those that cannot be stored, by row.

    Raises:
        KeyError: the readings are of a kind, or have a channel, that does not exist, which is the caller's defect.
    """
    rejections = _Rejections(len(readings))
    _check_times(readings, settings, now, rejections)
    channels, least, most = _bounds(readings.kind, readings.names)
    values = readings.values
    present = ~np.isnan(values)
    outside = (values < least) | (values > most)
    for place, channel in enumerate(channels):
        if channel.is_state:
            outside[place] |= present[place] & (values[place] != 0) & (values[place] != 1)
    if readings.not_numbers or outside.any():
        for place, channel in enumerate(channels):
            _check_channel(readings, place, channel, outside[place], rejections)
    empty: BoolArray = present.sum(axis=0) == 0
    nothing = "The reading has no value; send at least one channel."
    rejections.add(empty, NO_VALUES, lambda _: nothing)
    return rejections.listed()


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

    def listed(self) -> list[Rejection]:
        return [self._found[index] for index in sorted(self._found)]


@lru_cache(maxsize=256)
def _bounds(kind: str, names: tuple[str, ...]) -> tuple[list[Channel], FloatArray, FloatArray]:
    """Return the channels with their least and greatest values, (channels, 1) each."""
    channels = [KINDS[kind].by_name[name] for name in names]
    least = np.array([[channel.minimum] for channel in channels], np.float64).reshape(-1, 1)
    return channels, least, np.array([[channel.maximum] for channel in channels], np.float64).reshape(-1, 1)


def _check_times(readings: PackedReadings, settings: IngestSettings, now: datetime, rejections: _Rejections) -> None:
    micros = readings.micros
    latest = to_micros(now + timedelta(seconds=settings.max_future_seconds))
    oldest = to_micros(now - timedelta(days=settings.max_age_days))
    rejections.add(
        micros > latest,
        IN_FUTURE,
        lambda row: future_problem("recordedAt", from_micros(int(micros[row])), settings, now),
    )
    rejections.add(
        micros < oldest, TOO_OLD, lambda row: age_problem("recordedAt", from_micros(int(micros[row])), settings)
    )


def _check_channel(
    readings: PackedReadings, place: int, channel: Channel, outside: BoolArray, rejections: _Rejections
) -> None:
    """Reject what is not finite or out of range."""
    numbers = readings.values[place]
    not_numbers = np.zeros(len(numbers), np.bool_)
    not_numbers[[row for at, row in readings.not_numbers if at == place]] = True
    rejections.add(not_numbers, NOT_FINITE, lambda _: f"{channel.name} is not a number (NaN).")
    rejections.add(np.isinf(numbers), NOT_FINITE, lambda _: f"{channel.name} is infinite.")
    rejections.add(
        outside,
        OUT_OF_RANGE,
        lambda row: (
            f"{channel.name} {numbers[row]:g} {channel.unit} is not plausible; "
            f"allowed are {channel.minimum:g} to {channel.maximum:g} {channel.unit}."
        ),
    )

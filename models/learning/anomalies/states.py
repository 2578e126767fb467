"""What is known of each device: about a kilobyte that every batch needs, and the profile of the day."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.learning.anomalies.tuning import HOURS, IntArray, Packed

NEVER = np.iinfo(np.int64).min


def hot_type(channels: int, evidences: int) -> np.dtype[Any]:
    """Return the layout of the part that every batch needs.

    Args:
        channels: number of channels.
        evidences: kinds of nonconformity of each channel; another one is for all channels together.
    """
    every = evidences * channels + 1
    return np.dtype(
        [
            ("tag", "<u4"),
            ("readings", "<i4"),  # learnt from, counted until the warm-up is over
            ("phase", "<i4"),  # readings of the present block
            ("hour", "<i4"),  # hours since 1970 of the newest reading
            ("first", "<i8"),  # instants in microseconds
            ("newest", "<i8"),
            ("block_began", "<i8"),
            ("hours", "<f8"),  # that the readings of the memory took; with their number the usual pace
            ("count", "<f8"),
            ("mean", "<f8", (channels,)),
            ("variance", "<f8", (channels,)),
            ("weight", "<f8", (channels,)),
            ("change", "<f8", (channels,)),  # usual difference between two readings
            ("fast", "<f8", (2 * channels,)),  # short mean of the readings, then of their differences
            ("previous", "<f8", (channels,)),
            ("sums", "<f8", (4 * channels,)),  # of the block: count, deviation, its square, difference
            ("season", "<f8", (channels,)),  # the mean of the present hour on earlier days
            ("hour_sums", "<f8", (2 * channels,)),  # of the hour: count, deviation from the origin
            ("origin", "<f8", (channels,)),
            ("days", "<f4", (channels,)),  # that the season's mean is made of
            ("limit", "<f4", (every,)),  # greatest nonconformity that is remembered
            ("greatest", "<f4", (every,)),  # that of the block
            ("day_greatest", "<f4", (every,)),  # that of the day
            ("day_began", "<i8"),
            ("began", "<i8"),  # the incident
            ("ended", "<i8"),
            ("peaked", "<i8"),
            ("channels", "<u8"),
            ("observed", "<f8"),
            ("expected", "<f8"),
            ("spread", "<f8"),
            ("peak", "<f8"),
            ("alarming_readings", "<i4"),  # readings since it began
            ("calm", "<i4"),  # readings since the last alarming one
            ("alarms", "<i4"),  # alarming readings without a calm between them
            ("since_told", "<i4"),  # readings since an incident was closed
            ("is_open", "?"),
            ("is_warm", "?"),
            ("evidence", "u1"),
            ("channel", "u1"),
        ]
    )


def cold_type(channels: int) -> np.dtype[Any]:
    """Return the layout of the profile of the day."""
    return np.dtype([("tag", "<u4"), ("mean", "<f8", (HOURS, channels)), ("days", "<f4", (HOURS, channels))])


class States:
    """The states of some devices; made by `Detector.load`, changed by `Detector.score`.

    Attributes:
        hot: (devices,) as of `hot_type`.
        cold: (devices,) as of `cold_type`; meaningful for devices whose profile was given or changed.
    """

    def __init__(self, hot: Packed, cold: Packed) -> None:
        self.hot = hot
        self.cold = cold
        self._is_changed = np.zeros(len(hot), np.bool_)

    def __len__(self) -> int:
        return len(self.hot)

    @property
    def changed_cold(self) -> IntArray:
        """Indices of the devices whose profile has changed since they were loaded."""
        return np.flatnonzero(self._is_changed)

    def mark_cold(self, devices: IntArray) -> None:
        """Note that the profiles of these devices have changed."""
        self._is_changed[devices] = True

    def give_cold(self, devices: IntArray, blobs: Sequence[bytes | None]) -> None:
        """Take the profiles of some devices as `dump_cold` gave them; None for a device that has none yet."""
        tag = self.hot["tag"][:1].tobytes()
        for device, blob in zip(devices.tolist(), blobs, strict=True):
            if blob is not None and len(blob) == self.cold.itemsize and blob[:4] == tag:
                self.cold[device] = np.frombuffer(blob, self.cold.dtype)[0]

    def end_warm_up(self) -> None:
        """Score from the next reading on, as when what has been seen is known to be normal and to be enough."""
        self.hot["is_warm"] = True

    def dump_hot(self, devices: IntArray) -> list[bytes]:
        """Return the part that every batch needs, for these devices."""
        return _blobs(self.hot[devices])

    def dump_cold(self, devices: IntArray) -> list[bytes]:
        """Return the profiles of these devices."""
        return _blobs(self.cold[devices])


def new_hot(layout: np.dtype[Any], count: int, tag: int) -> Packed:
    """Return the states of devices that have never reported."""
    hot = np.zeros(count, layout)
    hot["tag"] = tag
    hot["hour"] = -1
    hot["calm"] = hot["since_told"] = 1 << 30
    hot["newest"] = NEVER
    for name in ("mean", "fast", "previous", "origin"):
        hot[name] = np.nan
    return hot


def read_hot(blobs: Sequence[bytes | None], layout: np.dtype[Any], tag: int) -> Packed:
    """Return states from what `States.dump_hot` gave; new ones for None and for those of another layout."""
    mark = tag.to_bytes(4, "little")
    fresh = new_hot(layout, 1, tag).tobytes()
    sound = [blob if blob and len(blob) == layout.itemsize and blob[:4] == mark else fresh for blob in blobs]
    return np.frombuffer(bytearray(b"".join(sound)), layout)


def _blobs(rows: Packed) -> list[bytes]:
    joined, size = rows.tobytes(), rows.itemsize
    return [joined[start : start + size] for start in range(0, len(joined), size)]

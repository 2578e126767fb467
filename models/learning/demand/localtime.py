"""Local time of many instants at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

HOUR = 3_600_000_000
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# 1970-01-01 was a Thursday; Monday is 0.
_WEEKDAY_OF_EPOCH = 3


def local_micros(instants: NDArray[Any], zone: str) -> IntArray:
    """Return what clocks of a zone show, as microseconds since 1970-01-01 00:00 of the same clocks.

    Args:
        instants: (n,) microseconds since 1970-01-01 UTC, in any order.
        zone: IANA name, as Europe/Berlin.

    Returns:
        (n,) int64; divided by a day the local date, modulo a day the time of day.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    moments = np.asarray(instants, np.int64)
    place = ZoneInfo(zone)
    if not moments.size:
        return moments
    first, last = int(moments.min()), int(moments.max())
    # One look a day finds every change of clocks: none follows another within a day.
    looks = [*range(first, last, DAY), last]
    offsets = [_offset(look, place) for look in looks]
    starts, valid = [first], [offsets[0]]
    for index in range(1, len(looks)):
        if offsets[index] != offsets[index - 1]:
            starts.append(_change(looks[index - 1], looks[index], place))
            valid.append(offsets[index])
    return moments + np.array(valid, np.int64)[np.searchsorted(np.array(starts), moments, side="right") - 1]


def weekdays(days: NDArray[Any]) -> IntArray:
    """Return (n,) weekdays, Monday 0, of (n,) dates given as days since 1970-01-01."""
    return (np.asarray(days, np.int64) + _WEEKDAY_OF_EPOCH) % 7


def _offset(instant: int, place: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(microseconds=instant)).astimezone(place).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def _change(before: int, after: int, place: ZoneInfo) -> int:
    """Return the first instant with the offset of `after`, between two instants whose offsets differ."""
    old = _offset(before, place)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, place) == old:
            before = middle
        else:
            after = middle
    return after

"""Charts of readings: bucket widths, gaps, and downsampling by largest triangles. Arrays in, arrays out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SECOND = 1_000_000  # microseconds
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
WIDTHS_SECONDS = (
    *(1, 5, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)
# A Monday, so that buckets of a day begin at midnight UTC and buckets of weeks on a Monday.
ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)

# A distance of more than this many usual distances between readings is a gap.
_GAP_FACTOR = 1.5
_RAW_GAP_FACTOR = 5.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One downsampled line.

    Attributes:
        timestamps: (n,) microseconds since 1970, ascending.
        values: (n,) in the channel's unit; NaN where there is no value, which breaks the line.
        resolution_seconds: width of the buckets, or the mean distance of the points of a LTTB line.
    """

    timestamps: IntArray
    values: FloatArray
    resolution_seconds: float


def bucket_width(start: datetime, end: datetime, max_points: int) -> int:
    """Return the least width of WIDTHS_SECONDS, in seconds, that cuts [start, end) into at most `max_points` buckets.

    Buckets are aligned to ORIGIN. Ranges of many lifetimes take multiples of the greatest width.
    """
    for width in WIDTHS_SECONDS:
        if bucket_count(start, end, width) <= max_points:
            return width
    multiple = 2
    while bucket_count(start, end, WIDTHS_SECONDS[-1] * multiple) > max_points:
        multiple *= 2
    return WIDTHS_SECONDS[-1] * multiple


def bucket_count(start: datetime, end: datetime, width: int) -> int:
    """Return how many buckets of a width touch [start, end)."""
    size = timedelta(seconds=width)
    first = (start - ORIGIN) // size
    last = -((ORIGIN - end) // size)
    return last - first


def with_gaps(timestamps: IntArray, values: FloatArray, width: int) -> tuple[IntArray, FloatArray]:
    """Mark each hole between buckets by one NaN in its first empty bucket, which draws as a gap.

    Where readings come more seldom than buckets, the usual distance between them is no hole.

    Args:
        timestamps: (n,) starts of the non-empty buckets, ascending, microseconds.
        values: (n,) their values, NaN where a bucket has none.
        width: of a bucket, in seconds.
    """
    if len(timestamps) < 3:
        return timestamps, values
    distances = np.diff(timestamps)
    usual = max(float(np.median(distances)), float(width * SECOND))
    holes = np.flatnonzero(distances > _GAP_FACTOR * usual)
    if not len(holes):
        return timestamps, values
    marks = timestamps[holes] + width * SECOND
    return np.insert(timestamps, holes + 1, marks), np.insert(values, holes + 1, np.nan)


def largest_triangles(timestamps: IntArray, values: FloatArray, max_points: int) -> Chart:
    """Downsample to the points that keep the line's shape, with gaps marked by NaN.

    Args:
        timestamps: (n,) ascending, microseconds.
        values: (n,) finite.
        max_points: points of the result at most, gap marks included; at least 2.

    Source: Sveinn Steinarsson, Downsampling Time Series for Visual Representation, University of Iceland, 2013,
    section 4.2 (Largest-Triangle-Three-Buckets).
    """
    holes = _largest_holes(timestamps, max_points)
    kept = _select_triangles(timestamps.astype(np.float64), values, max_points - len(holes))
    times, line = timestamps[kept], values[kept]
    places = np.searchsorted(times, timestamps[holes], side="right")
    marked_times = np.insert(times, places, timestamps[holes] + SECOND)
    marked_values = np.insert(line, places, np.nan)
    span = float(times[-1] - times[0]) / SECOND if len(times) > 1 else 0.0
    return Chart(marked_times, marked_values, span / max(len(times) - 1, 1))


def _largest_holes(timestamps: IntArray, max_points: int) -> IntArray:
    """Return the indexes behind which readings stop for unusually long; never more than a quarter of the points."""
    if len(timestamps) < 3:
        return np.empty(0, dtype=np.int64)
    distances = np.diff(timestamps)
    threshold = max(_RAW_GAP_FACTOR * float(np.median(distances)), 2.0 * SECOND)
    holes = np.flatnonzero(distances > threshold)
    allowed = max_points // 4
    if len(holes) > allowed:
        holes = np.sort(holes[np.argsort(distances[holes])[len(holes) - allowed :]])
    return holes.astype(np.int64)


def _select_triangles(times: FloatArray, values: FloatArray, count: int) -> IntArray:
    n = len(times)
    if n <= count:
        return np.arange(n)
    if count <= 2:
        return np.array([0, n - 1][: max(count, 1)])
    edges = np.linspace(1, n - 1, count - 1).astype(np.int64)
    means = np.add.reduceat(np.stack([times, values]), edges, axis=1)[:, 1:]
    sizes = np.diff(np.append(edges, n))[1:]
    next_times, next_values = means / sizes
    kept = np.empty(count, dtype=np.int64)
    kept[0], kept[-1] = 0, n - 1
    for bucket in range(count - 2):
        low, high = edges[bucket], edges[bucket + 1]
        last = kept[bucket]
        area = np.abs(
            (times[last] - next_times[bucket]) * (values[low:high] - values[last])
            - (times[last] - times[low:high]) * (next_values[bucket] - values[last])
        )
        kept[bucket + 1] = low + int(np.argmax(area))
    return kept

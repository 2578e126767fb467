"""Charts: widths, gaps and triangles, as properties over random lines."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from models.charts import ORIGIN, SECOND, WIDTHS_SECONDS, bucket_count, bucket_width, largest_triangles, with_gaps

START = datetime(2024, 3, 4, 5, 6, 7, 890, tzinfo=UTC)


def spaced(count: int, seconds: float = 60.0) -> np.ndarray:
    """Return the microseconds of readings at equal distances."""
    return (np.arange(count) * seconds * SECOND).astype(np.int64)


def random_line(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a line with irregular distances, of which some are holes."""
    distances = rng.integers(1, 90 * SECOND, count) * rng.choice([1, 1, 1, 1, 1, 1, 200], count)
    return np.cumsum(distances).astype(np.int64), rng.normal(50, 10, count)


def test_widths_ascend():
    """The ladder is climbed step by step, each a multiple that calendars know."""
    assert all(low < high for low, high in pairwise(WIDTHS_SECONDS))
    assert all(86400 % width == 0 for width in WIDTHS_SECONDS if width <= 86400)
    assert ORIGIN.weekday() == 0


@pytest.mark.parametrize(
    ("span", "points", "width"),
    [
        (timedelta(minutes=5), 300, 1),
        (timedelta(hours=1), 60, 60),
        (timedelta(days=1), 100, 900),
        (timedelta(days=7), 168, 3600),
        (timedelta(days=30), 30, 86400),
        (timedelta(days=365), 53, 7 * 86400),
        (timedelta(days=364 * 8), 2, 364 * 4 * 86400),
    ],
)
def test_width_of_aligned_ranges(span: timedelta, points: int, width: int):
    """A range that begins on a boundary takes the width that a person would choose."""
    assert bucket_width(ORIGIN, ORIGIN + span, points) == width


def test_never_more_buckets_than_points():
    """Whatever the range and the limit, the width keeps within it, and the next smaller one would not."""
    rng = np.random.default_rng(1)
    for _ in range(2000):
        start = START + timedelta(seconds=float(rng.uniform(-3e9, 1e9)))
        end = start + timedelta(seconds=float(10 ** rng.uniform(-6, 9.5)))
        points = int(rng.integers(2, 2000))
        width = bucket_width(start, end, points)
        assert bucket_count(start, end, width) <= points
        smaller = [each for each in WIDTHS_SECONDS if each < width]
        assert not smaller or bucket_count(start, end, smaller[-1]) > points


def test_bucket_count_is_of_buckets_touched():
    """A range within one bucket touches one; a microsecond over a boundary touches the next."""
    at = ORIGIN + timedelta(hours=1)
    assert bucket_count(at, at + timedelta(seconds=1), 60) == 1
    assert bucket_count(at, at + timedelta(minutes=1), 60) == 1
    assert bucket_count(at, at + timedelta(minutes=1, microseconds=1), 60) == 2
    assert bucket_count(ORIGIN - timedelta(seconds=1), ORIGIN + timedelta(seconds=1), 60) == 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_gaps_of_too_few_points(count: int):
    """Fewer than three points say nothing about their usual distance."""
    times, values = with_gaps(spaced(count), np.ones(count), 60)
    assert len(times) == len(values) == count


def test_a_hole_is_marked_once_in_its_first_empty_bucket():
    """One NaN breaks the line, however long the hole is."""
    times = np.delete(spaced(20), [5, 6, 7, 8])
    marked, values = with_gaps(times, np.ones(len(times)), 60)
    assert marked[np.isnan(values)].tolist() == [5 * 60 * SECOND]
    assert np.all(np.diff(marked) > 0)


def test_seldom_readings_are_no_holes():
    """One reading an hour in buckets of a minute is a line, not dots."""
    times = spaced(20, 3600)
    marked, values = with_gaps(times, np.ones(20), 60)
    assert not np.isnan(values).any()
    assert len(marked) == 20


def test_gaps_never_exceed_the_buckets():
    """Marks stand in empty buckets, so values and marks together are no more than the buckets of the range."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        count = int(rng.integers(3, 200))
        kept = np.sort(rng.choice(count, int(rng.integers(1, count + 1)), replace=False))
        times, values = with_gaps(spaced(count)[kept], np.ones(len(kept)), 60)
        assert len(times) <= count
        assert np.all(np.diff(times) > 0)
        assert len(times) == len(values)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("points", [2, 3, 4, 10])
def test_triangles_of_few_points(count: int, points: int):
    """No points, one, two and three are lines as well."""
    chart = largest_triangles(spaced(count), np.arange(count, dtype=np.float64), points)
    assert len(chart.timestamps) == len(chart.values) == min(count, points)
    assert chart.resolution_seconds >= 0


def test_triangles_never_exceed_the_limit():
    """Points and gap marks together keep within the limit, ascend, and keep both ends of the line."""
    rng = np.random.default_rng(3)
    for _ in range(400):
        times, values = random_line(rng, int(rng.integers(1, 400)))
        points = int(rng.integers(2, 120))
        chart = largest_triangles(times, values, points)
        assert len(chart.timestamps) == len(chart.values) <= points
        assert np.all(np.diff(chart.timestamps) > 0)
        assert chart.timestamps[0] == times[0]
        if len(times) > 1:
            assert chart.timestamps[-1] == times[-1]


def test_triangles_only_choose():
    """Every point of the result but the gap marks is a point of the line."""
    rng = np.random.default_rng(4)
    times, values = random_line(rng, 300)
    chart = largest_triangles(times, values, 50)
    line = dict(zip(times.tolist(), values.tolist(), strict=True))
    real = ~np.isnan(chart.values)
    assert [line[at] for at in chart.timestamps[real].tolist()] == chart.values[real].tolist()


def test_triangles_keep_a_lone_peak():
    """The one point that stands out is what a person looks for."""
    values = np.zeros(1000)
    values[437] = 9.0
    assert largest_triangles(spaced(1000), values, 20).values.max() == 9.0


def test_triangles_mark_a_hole():
    """Where readings stop for long, a NaN breaks the line behind the last of them."""
    times = np.delete(spaced(200), np.arange(100, 150))
    chart = largest_triangles(times, np.ones(150), 40)
    marks = chart.timestamps[np.isnan(chart.values)]
    assert marks.tolist() == [99 * 60 * SECOND + SECOND]


def test_triangles_choose_the_largest():
    """In each bucket the chosen point makes the largest triangle with the one before and the mean of the next."""
    rng = np.random.default_rng(5)
    times, values = spaced(50), rng.normal(size=50)
    chart = largest_triangles(times, values, 12)
    edges = np.linspace(1, 49, 11).astype(int)
    last = 0
    for bucket in range(10):
        inside = range(edges[bucket], edges[bucket + 1])
        following = range(edges[bucket + 1], edges[bucket + 2]) if bucket < 9 else range(49, 50)
        mean = (np.mean([times[i] for i in following]), np.mean([values[i] for i in following]))
        areas = [
            abs(
                (times[last] - mean[0]) * (values[i] - values[last])
                - (times[last] - times[i]) * (mean[1] - values[last])
            )
            for i in inside
        ]
        last = inside[int(np.argmax(areas))]
        assert chart.timestamps[bucket + 1] == times[last]

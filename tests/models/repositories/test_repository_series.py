"""Series: what the databases compute, against numpy."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.charts import ORIGIN, FloatArray, IntArray
from models.repositories import series
from models.store import Store
from models.types import to_micros
from tests.factories import MIDDAY, add_heater, add_readings

KIND = "WATER_HEATER"
SECOND = 1_000_000
SPAN = timedelta(hours=3)
# In July 2024, and across the origin of the buckets, before which times count backwards.
STARTS = [MIDDAY, ORIGIN - SPAN / 2, datetime(1999, 12, 31, 22, 30, tzinfo=UTC)]

FUNCTIONS: dict[str, Callable[[FloatArray], float]] = {
    "AVERAGE": np.mean,
    "MINIMUM": np.min,
    "MAXIMUM": np.max,
    "SUM": np.sum,
    "LAST": lambda values: float(values[-1]),
}


def line(seed: int, start: datetime, count: int = 200) -> tuple[list[datetime], FloatArray, FloatArray]:
    """Return ascending times, temperatures of which a third are NaN, and powers that stop halfway."""
    rng = np.random.default_rng(seed)
    micros = np.sort(rng.choice(int(SPAN.total_seconds()) * SECOND, count, replace=False))
    temperature = rng.normal(50, 5, count)
    temperature[rng.random(count) < 1 / 3] = np.nan
    power = np.where(np.arange(count) < count // 2, rng.uniform(0, 2000, count), np.nan)
    return [start + timedelta(microseconds=int(at)) for at in micros], temperature, power


def nullable(values: FloatArray) -> list[float | None]:
    """Return values with None for NaN, as they are stored."""
    return [None if np.isnan(value) else float(value) for value in values]


async def stored(store: Store, start: datetime) -> tuple[list[int], list[tuple[IntArray, FloatArray, FloatArray]]]:
    """Store the lines of two devices and return their ids and lines with times in microseconds."""
    ids: list[int] = []
    lines: list[tuple[IntArray, FloatArray, FloatArray]] = []
    for seed in range(2):
        times, temperature, power = line(seed, start)
        ids.append(await add_heater(store))
        await add_readings(store, ids[-1], times, temperature=nullable(temperature), power=nullable(power))
        lines.append((np.array([to_micros(at) for at in times]), temperature, power))
    return ids, lines


def expected(times: IntArray, values: FloatArray, width: int, aggregate: str) -> tuple[list[int], list[float]]:
    """Return the non-empty buckets of a line and the aggregate of each, by numpy."""
    origin = to_micros(ORIGIN)
    place = origin + (times - origin) // (width * SECOND) * (width * SECOND)
    buckets = np.unique(place)
    results: list[float] = []
    for bucket in buckets:
        inside = values[place == bucket]
        inside = inside[~np.isnan(inside)]
        if aggregate == "COUNT":
            results.append(float(len(inside)))
        else:
            results.append(float(FUNCTIONS[aggregate](inside)) if len(inside) else np.nan)
    return buckets.tolist(), results


@pytest.mark.parametrize("start", STARTS, ids=["2024", "origin", "1999"])
@pytest.mark.parametrize("aggregate", series.AGGREGATES)
async def test_buckets_equal_numpy(store: Store, statements: list[str], start: datetime, aggregate: str):
    """Each aggregate of two metrics of two devices, in one statement, with NaN where a bucket has no value."""
    ids, lines = await stored(store, start)
    for width in (60, 900, 3600, 86400, 7 * 86400):
        statements.clear()
        found = await series.buckets(
            store,
            KIND,
            ids,
            ("temperature", "power"),
            start,
            start + SPAN,
            width_seconds=width,
            aggregate=aggregate,
        )
        assert len(statements) == 1
        assert set(found) == set(ids)
        for id_, (times, *metrics) in zip(ids, lines, strict=True):
            for values, result in zip(metrics, found[id_][1], strict=True):
                buckets, results = expected(times, values, width, aggregate)
                assert found[id_][0].tolist() == buckets
                np.testing.assert_allclose(result, results, rtol=1e-12)


async def test_ranges_are_half_open(store: Store):
    """A reading at the start counts, one at the end does not."""
    id_ = await add_heater(store)
    await add_readings(store, id_, [MIDDAY, MIDDAY + timedelta(minutes=1)], temperature=[1.0, 2.0])
    end = MIDDAY + timedelta(minutes=1)
    window = {"width_seconds": 60, "aggregate": "COUNT"}
    found = await series.buckets(store, KIND, [id_], ("temperature",), MIDDAY, end, **window)
    assert found[id_][0].tolist() == [to_micros(MIDDAY)]
    assert (await series.points(store, KIND, [id_], "temperature", MIDDAY, end))[id_][1][0].tolist() == [1.0]


async def test_devices_without_readings_are_absent(store: Store):
    """Nothing in the range means no line, on every way to a chart."""
    id_ = await add_heater(store)
    start, end = MIDDAY, MIDDAY + SPAN
    window = {"width_seconds": 60, "aggregate": "AVERAGE"}
    assert await series.buckets(store, KIND, [id_], ("temperature",), start, end, **window) == {}
    assert await series.points(store, KIND, [id_], "temperature", start, end) == {}
    assert await series.extremes(store, KIND, [id_], "temperature", start, end, width_seconds=60) == {}
    assert await series.points(store, KIND, [], "temperature", start, end) == {}


async def test_points_are_all_values(store: Store):
    """Every value that there is, ascending, without the missing ones."""
    ids, lines = await stored(store, MIDDAY)
    found = await series.points(store, KIND, ids, "temperature", MIDDAY, MIDDAY + SPAN)
    for id_, (times, temperature, _) in zip(ids, lines, strict=True):
        real = ~np.isnan(temperature)
        assert found[id_][0].tolist() == times[real].tolist()
        assert found[id_][1][0].tolist() == temperature[real].tolist()


@pytest.mark.parametrize("width", [60.0, 777.7, 86400.0])
async def test_extremes_are_least_and_greatest_of_each_bucket(store: Store, width: float):
    """At most two points of each bucket, which are points of the line: one with the least and one with the greatest."""
    ids, lines = await stored(store, MIDDAY)
    found = await series.extremes(store, KIND, ids, "temperature", MIDDAY, MIDDAY + SPAN, width_seconds=width)
    for id_, (all_times, temperature, _) in zip(ids, lines, strict=True):
        real = ~np.isnan(temperature)
        times, values = all_times[real], temperature[real]
        place = times // round(width * SECOND)
        best: dict[int, float] = {}
        for bucket in np.unique(place):
            inside = np.flatnonzero(place == bucket)
            for index in (inside[np.argmin(values[inside])], inside[np.argmax(values[inside])]):
                best[int(times[index])] = float(values[index])
        assert found[id_][0].tolist() == sorted(best)
        assert found[id_][1][0].tolist() == [best[at] for at in sorted(best)]


async def test_extremes_of_a_flat_line(store: Store):
    """Equal values are one or two points of each bucket, never more."""
    id_ = await add_heater(store)
    await add_readings(store, id_, [MIDDAY + timedelta(seconds=n) for n in range(60)], temperature=[50.0] * 60)
    found = await series.extremes(
        store, KIND, [id_], "temperature", MIDDAY, MIDDAY + timedelta(minutes=1), width_seconds=60
    )
    assert 1 <= len(found[id_][0]) <= 2
    assert np.all(np.diff(found[id_][0]) > 0)

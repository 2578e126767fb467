"""Charts through the graph: each method against numpy, gaps, and never more points than asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from resolvers import series
from tests.factories import add_heater, add_readings
from tests.fleets import heater_id
from tests.graph import Graph

Floats = npt.NDArray[np.float64]

CHART = """query ($id: ID!, $from: DateTime!, $to: DateTime!, $points: Int!, $method: SeriesMethod!) {
  waterHeater(id: $id) {
    series(metrics: [TEMPERATURE, POWER], from: $from, to: $to, maxPoints: $points, method: $method) {
      metric unit method resolutionSeconds timestamps values
    }
  }
}"""
START = datetime(2024, 7, 1, tzinfo=UTC)
METHODS = {
    "AVERAGE": np.mean,
    "MINIMUM": np.min,
    "MAXIMUM": np.max,
    "SUM": np.sum,
    "COUNT": len,
    "LAST": lambda values: values[-1],
}


async def chart(graph: Graph, device: str, hours: float, points: int, method: str, *, start: datetime = START) -> Any:
    """Return the lines of temperature and power from the start on."""
    end = start + timedelta(hours=hours)
    variables = {"from": start.isoformat(), "to": end.isoformat(), "points": points, "method": method}
    return (await graph.data(CHART, id=device, **variables))["waterHeater"]["series"]


async def history(graph: Graph, seconds: Floats, temperature: Any, power: Any) -> str:
    """Store a heater with readings so many seconds after START, and return its id."""
    row_id = await add_heater(graph.services.store)
    instants = [START + timedelta(seconds=float(each)) for each in seconds]
    await add_readings(graph.services.store, row_id, instants, temperature=list(temperature), power=list(power))
    return heater_id(row_id)


async def test_each_method_is_what_numpy_says(graph: Graph):
    """Irregular readings of six hours, in buckets of five minutes, some of them without a temperature."""
    chance = np.random.default_rng(7)
    seconds = np.unique(chance.integers(0, 6 * 3600, 2000)).astype(float)
    values, power = chance.normal(50, 5, len(seconds)), chance.uniform(0, 3000, len(seconds))
    there = chance.random(len(seconds)) < 0.7
    temperature = [value if given else None for given, value in zip(there, values.tolist(), strict=True)]
    device = await history(graph, seconds, temperature, power.tolist())
    for method, function in METHODS.items():
        lines = await chart(graph, device, 6, 72, method)
        for line, given, numbers in zip(lines, (there, there | True), (values, power), strict=True):
            buckets = (seconds[given] // 300).astype(int)
            expected = {place: function(numbers[given][buckets == place]) for place in np.unique(buckets).tolist()}
            assert (line["resolutionSeconds"], line["method"]) == (300, method)
            assert line["timestamps"] == [(START + timedelta(minutes=5 * place)).isoformat() for place in expected]
            assert line["values"] == pytest.approx(list(expected.values()))


@pytest.mark.parametrize("method", [*METHODS, "LTTB"])
async def test_never_more_points_than_asked_for(graph: Graph, method: str):
    """Gap marks included, whatever the range and wherever it begins."""
    chance = np.random.default_rng(3)
    seconds = np.unique(chance.integers(0, 3 * 86400, 1500)).astype(float)
    seconds = seconds[(seconds // 20_000) % 3 != 1]
    device = await history(graph, seconds, np.sin(seconds / 5000).tolist(), seconds.tolist())
    for points, hours, minutes in ((2, 72, 0), (3, 71.9, 7), (7, 30, 13), (50, 72, 1), (333, 72, 0), (1000, 80, -100)):
        for line in await chart(graph, device, hours, points, method, start=START + timedelta(minutes=minutes)):
            assert 0 < len(line["values"]) <= points
            assert len(line["timestamps"]) == len(line["values"])
            assert line["timestamps"] == sorted(line["timestamps"])


@pytest.mark.parametrize("method", ["AVERAGE", "COUNT", "LTTB"])
async def test_a_gap_shows_as_a_gap(graph: Graph, method: str):
    """Where readings stop for hours, one null breaks the line."""
    seconds = np.concatenate([np.arange(0, 7200, 60), np.arange(18000, 25200, 60)]).astype(float)
    device = await history(graph, seconds, [50.0] * len(seconds), [1.0] * len(seconds))
    for line in await chart(graph, device, 7, 420, method):
        gaps = [at for at, value in zip(line["timestamps"], line["values"], strict=True) if value is None]
        assert len(gaps) == 1
        assert (START + timedelta(hours=1.9)).isoformat() < gaps[0] < (START + timedelta(hours=5)).isoformat()
        assert len(line["values"]) - 1 == len(seconds)


async def test_sparse_readings_make_a_line(graph: Graph):
    """One reading an hour in buckets of a minute is a line of its readings, not a row of gaps."""
    seconds = np.arange(0, 24 * 3600, 3600).astype(float)
    device = await history(graph, seconds, [50.0] * 24, range(24))
    for method in ("AVERAGE", "LTTB"):
        _, power = await chart(graph, device, 24, 1000, method)
        assert power["values"] == list(range(24)), method


async def test_charts_of_nothing(graph: Graph):
    """No readings, or none in the range, or none of this metric: empty columns of the known resolution."""
    empty = heater_id(await add_heater(graph.services.store))
    other = await history(graph, np.array([10.0, 20.0]), [None, None], [1.0, 2.0])
    for method, resolution in (("AVERAGE", 15.0), ("LTTB", 0.0)):
        for line in await chart(graph, empty, 1, 300, method):
            assert (line["timestamps"], line["values"], line["resolutionSeconds"]) == ([], [], resolution)
        temperature, power = await chart(graph, other, 1, 300, method)
        assert [each for each in temperature["values"] if each is not None] == []
        assert [each for each in power["values"] if each is not None] == [1.0, 2.0]
        late = await chart(graph, other, 1, 300, method, start=START + timedelta(days=3))
        assert [line["values"] for line in late] == [[], []]


async def test_resolutions_are_sensible(graph: Graph):
    """Buckets have widths of clock and calendar, and begin where such ones begin."""
    device = await history(graph, np.arange(0, 3600, 60).astype(float), [50.0] * 60, [1.0] * 60)
    for hours, points, width in ((0.01, 1000, 1), (1, 100, 60), (1, 59, 120), (24, 100, 900), (24 * 365, 366, 86400)):
        (line, _) = await chart(graph, device, hours, points, "AVERAGE")
        assert line["resolutionSeconds"] == width, (hours, points)
        first = datetime.fromisoformat(line["timestamps"][0])
        assert first.timestamp() % min(width, 86400) == 0


async def test_any_range_of_time_is_charted(graph: Graph):
    """From the first instant that may be written to the last: two points are enough."""
    device = await history(graph, np.array([0.0, 60.0]), [50.0, 60.0], [1.0, 2.0])
    query = CHART.replace("$from: DateTime!, $to: DateTime!, ", "").replace("$from", '"1900-01-01T00:00:00Z"')
    query = query.replace("$to", '"8999-12-31T23:59:59Z"')
    for method in (*METHODS, "LTTB"):
        body = await graph.data(query, id=device, points=2, method=method)
        assert [line["values"][0] is not None for line in body["waterHeater"]["series"]] == [True, True]


@pytest.mark.parametrize("devices", [1, 3])
async def test_long_lines_are_thinned_in_the_database_first(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, devices: int
):
    """Extremes survive the thinning, so that a spike of one reading stays in a line of a few points."""
    monkeypatch.setattr(series, "_MOST_RAW_POINTS", 500)
    seconds = np.arange(0, 86400, 30).astype(float)
    values = 50 + 5 * np.sin(seconds / 20_000)
    values[1234], values[2000] = 99.0, -5.0
    ids = [await history(graph, seconds, values.tolist(), seconds.tolist()) for _ in range(devices)]
    for device in ids:
        line, power = await chart(graph, device, 24, 40, "LTTB")
        assert len(line["values"]) <= 40
        assert {99.0, -5.0} <= set(line["values"])
        at = dict(zip(line["values"], line["timestamps"], strict=True))
        assert at[99.0] == (START + timedelta(seconds=1234 * 30)).isoformat()
        assert power["values"][0] == 0.0
        assert power["values"][-1] == seconds[-1]
        assert power["values"] == sorted(power["values"])


async def test_lines_of_many_devices_are_those_of_each(graph: Graph):
    """One statement for the fleet gives each device the line that it has by itself."""
    chance = np.random.default_rng(11)
    ids: list[str] = []
    for _ in range(3):
        seconds = np.unique(chance.integers(0, 7200, 200)).astype(float)
        ids.append(await history(graph, seconds, chance.normal(50, 5, len(seconds)).tolist(), seconds.tolist()))
    together = (
        CHART.replace("$id: ID!, ", "")
        .replace("waterHeater(id: $id) {", "waterHeaters { nodes { id")
        .replace("\n  }\n}", "\n  } }\n}")
    )
    end = START + timedelta(hours=2)
    for method in (*METHODS, "LTTB"):
        variables = {"from": START.isoformat(), "to": end.isoformat(), "points": 30, "method": method}
        nodes = (await graph.data(together, variables))["waterHeaters"]["nodes"]
        assert {node["id"] for node in nodes} == set(ids)
        for node in nodes:
            assert node["series"] == await chart(graph, node["id"], 2, 30, method)

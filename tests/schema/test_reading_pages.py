"""Raw readings through the graph: pages in both directions make up the history, whatever their size."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fleets import add_fleet, heater_id, minutes_before, record, this_minute
from tests.graph import Graph

PAGE = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $from: DateTime, $to: DateTime) {
  waterHeater(id: $id) { readings(first: $first, after: $after, last: $last, before: $before, from: $from, to: $to) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { recordedAt power } }
  } }
}"""
COUNT = 23


async def page(graph: Graph, device: str, **variables: Any) -> Any:
    """Return one page of a device's readings."""
    return (await graph.data(PAGE, id=device, **variables))["waterHeater"]["readings"]


def powers(found: Any) -> list[float]:
    """Return the values of a page; the i-th stored reading has 100 i W."""
    return [edge["node"]["power"] / 100 for edge in found["edges"]]


async def newest_of(graph: Graph, device: str) -> datetime:
    """Return the time of a device's newest reading."""
    return datetime.fromisoformat((await page(graph, device, first=1))["edges"][0]["node"]["recordedAt"])


@pytest.fixture
async def device(graph: Graph) -> str:
    """The middle one of three heaters with a history."""
    return heater_id((await add_fleet(graph, 3, readings=COUNT))[1])


@pytest.mark.parametrize("size", [1, 4, 23, 100])
async def test_pages_forward_make_up_the_history(graph: Graph, device: str, size: int):
    """Newest first, without a hole and without a repetition; each page says whether there is more."""
    seen: list[float] = []
    after = None
    while True:
        found = await page(graph, device, first=size, after=after)
        assert found["totalCount"] == COUNT
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += powers(found)
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert seen == list(reversed(range(COUNT)))


@pytest.mark.parametrize("size", [1, 5, 23, 100])
async def test_pages_backward_make_up_the_history(graph: Graph, device: str, size: int):
    """From the oldest on, each page still newest first."""
    seen: list[float] = []
    before = None
    while True:
        found = await page(graph, device, last=size, before=before)
        assert found["pageInfo"]["hasNextPage"] is (before is not None)
        seen = seen + list(reversed(powers(found)))
        before = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break
    assert seen == list(range(COUNT))


async def test_ranges_are_half_open(graph: Graph, device: str):
    """`from` is inside, `to` is outside; pages and the total keep to the range."""
    chance = random.Random(5)
    instants = minutes_before(await newest_of(graph, device), COUNT)
    for _ in range(10):
        low, high = sorted(chance.sample(range(COUNT), 2))
        range_ = {"from": instants[low].isoformat(), "to": instants[high].isoformat()}
        found = await page(graph, device, first=3, **range_)
        expected = list(reversed(range(low, high)))
        assert found["totalCount"] == high - low
        assert powers(found) == expected[:3]
        rest = await page(graph, device, first=100, after=found["pageInfo"]["endCursor"], **range_)
        assert powers(rest) == expected[3:]


async def test_a_page_holds_its_place_while_readings_arrive(graph: Graph, device: str):
    """A cursor is a place in time: newer readings shift nothing."""
    first = await page(graph, device, first=5)
    await record(graph, device, [await newest_of(graph, device) + timedelta(seconds=1)], power=[1])
    second = await page(graph, device, first=5, after=first["pageInfo"]["endCursor"])
    assert powers(first) + powers(second) == list(reversed(range(COUNT - 10, COUNT)))


async def test_pages_of_many_devices_are_those_of_each(graph: Graph, device: str):
    """One statement for all heaters gives each the page that it has by itself."""
    query = """query ($size: Int, $last: Int) { waterHeaters { nodes {
      id readings(first: $size, last: $last) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        nodes { recordedAt power } }
    } } }"""
    alone = """query ($id: ID!, $size: Int, $last: Int) { waterHeater(id: $id) {
      id readings(first: $size, last: $last) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        nodes { recordedAt power } }
    } }"""
    for variables in ({"size": 4}, {"last": 4}, {"size": 100}, {"size": 0}):
        together = (await graph.data(query, variables))["waterHeaters"]["nodes"]
        assert len(together) == 3
        for node in together:
            assert node == (await graph.data(alone, {"id": node["id"], **variables}))["waterHeater"]


async def test_a_device_without_readings_has_an_empty_page(graph: Graph):
    """No rows, no cursors, nothing before or after."""
    (row_id,) = await add_fleet(graph, 1)
    later = (this_minute() - timedelta(days=1)).isoformat()
    for variables in ({}, {"last": 3}, {"from": later}):
        assert await page(graph, heater_id(row_id), **variables) == {
            "totalCount": 0,
            "edges": [],
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        }

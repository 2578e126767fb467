"""Lists of devices: pages in each order and both directions make up the fleet, filtered as asked."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import add_heater
from tests.fleets import heater_id, this_minute
from tests.graph import Graph

LIST = """query (
  $first: Int, $after: String, $last: Int, $before: String, $filter: DeviceFilter, $orderBy: DeviceOrder
) {
  devices(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id name lastSeenAt }
  }
}"""


@pytest.fixture
async def fleet(graph: Graph) -> list[str]:
    """Nine heaters with names, statuses and times that tie, some never seen; their ids in order of registration."""
    at = this_minute()
    made: list[str] = []
    for number in range(9):
        row_id = await add_heater(
            graph.services.store,
            name=f"N{number % 4}",
            status=("ONLINE", "OFFLINE")[number % 2],
            location=("Attic", "Ätna", None)[number % 3],
            last_seen_at=None if number % 3 == 0 else at - timedelta(hours=number // 3),
            created_at=at - timedelta(days=number % 2),
        )
        made.append(heater_id(row_id))
    return made


async def walk(graph: Graph, size: int, *, backward: bool = False, **variables: Any) -> list[str]:
    """Return the ids of all devices in the order of the list, page by page."""
    seen: list[str] = []
    cursor = None
    while True:
        place = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = (await graph.data(LIST, **place, **variables))["devices"]
        found = [node["id"] for node in page["nodes"]]
        seen = found + seen if backward else seen + found
        info = page["pageInfo"]
        cursor = info["startCursor"] if backward else info["endCursor"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen


@pytest.mark.parametrize("field", ["NAME", "LAST_SEEN_AT", "CREATED_AT", "STATUS"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_make_up_the_fleet(graph: Graph, fleet: list[str], field: str, direction: str):
    """With ties and devices never seen, in either direction, pages of any size give the one list."""
    order = {"field": field, "direction": direction}
    whole = (await graph.data(LIST, first=100, orderBy=order))["devices"]["nodes"]
    expected = [node["id"] for node in whole]
    assert sorted(expected) == sorted(fleet)
    for size, backward in itertools.product((1, 2, 4), (False, True)):
        assert await walk(graph, size, backward=backward, orderBy=order) == expected
    if field == "LAST_SEEN_AT":
        never = [node["lastSeenAt"] is None for node in whole]
        assert never == sorted(never, reverse=direction == "ASC")
    other = {"field": field, "direction": "ASC" if direction == "DESC" else "DESC"}
    turned = (await graph.data(LIST, first=100, orderBy=other))["devices"]["nodes"]
    assert [node["id"] for node in turned] == list(reversed(expected))


async def test_filters(graph: Graph, fleet: list[str]):
    """Each field restricts, together they restrict more, and the total is that of the filtered list."""
    at = this_minute()
    before, after = (at - timedelta(minutes=90)).isoformat(), (at - timedelta(minutes=30)).isoformat()
    for filter_, places in (
        ({}, range(9)),
        ({"statuses": ["ONLINE"]}, range(0, 9, 2)),
        ({"statuses": ["MAINTENANCE"]}, ()),
        ({"kinds": ["WATER_HEATER"], "location": "Attic"}, (0, 3, 6)),
        ({"location": "attic"}, ()),
        ({"location": "Ätna"}, (1, 4, 7)),
        ({"search": "n1"}, (1, 5)),
        ({"search": "_"}, ()),
        ({"search": "%"}, ()),
        ({"lastSeenBefore": before}, (7, 8)),
        ({"lastSeenAfter": after}, (1, 2)),
        ({"lastSeenAfter": before, "statuses": ["OFFLINE"]}, (1, 5)),
    ):
        found = (await graph.data(LIST, filter=filter_))["devices"]
        assert {node["id"] for node in found["nodes"]} == {fleet[place] for place in places}, filter_
        assert found["totalCount"] == len(places)


async def test_search_finds_serial_numbers_in_any_case(graph: Graph):
    """A part of the number is enough."""
    row_id = await add_heater(graph.services.store, name="Cellar", serial_number="ABC-100%")
    await add_heater(graph.services.store, name="Attic", serial_number="XYZ")
    for search in ("abc", "C-1", "100%", "cell"):
        found = (await graph.data(LIST, filter={"search": search}))["devices"]
        assert [node["id"] for node in found["nodes"]] == [heater_id(row_id)], search

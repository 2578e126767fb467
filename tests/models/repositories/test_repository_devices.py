"""Devices as they are read: filters, orders, pages, counts."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.paging import Window
from models.repositories import device_changes, devices
from models.repositories.devices import ORDERS, DeviceFilter, DeviceOrder
from models.store import Store
from tests.factories import MIDDAY, add_heater

HOUR = timedelta(hours=1)
EVERYTHING = DeviceFilter()
# name, serial number, status, location, hours since it was last seen (None: never), hours since it was made
FLEET = (
    ("boiler", "A-1", "ONLINE", "cellar", 0, 5),
    ("boiler", "A-2", "OFFLINE", "cellar", 9, 5),
    ("boiler", "A-3", "OFFLINE", None, None, 4),
    ("100%", "B_1", "MAINTENANCE", "roof", 3, 4),
    ("100 kW", "BX1", "ONLINE", "roof", 3, 4),
    ("attic \\ north", "C-1", "OFFLINE", None, None, 3),
    ("Öfen", "C-2", "ONLINE", "attic", 0, 2),
    ("zürich", "C-3", "OFFLINE", "attic", None, 2),
    ("zürich", "C-4", "ONLINE", "Cellar", 1, 1),
)


@pytest.fixture
async def fleet(store: Store) -> Store:
    """A store with a small fleet whose orders have ties and NULLs."""
    for name, serial_number, status, location, seen, made in FLEET:
        last_seen_at = None if seen is None else MIDDAY - seen * HOUR
        values = {"name": name, "serial_number": serial_number, "status": status, "location": location}
        await add_heater(store, **values, last_seen_at=last_seen_at, created_at=MIDDAY - made * HOUR)
    return store


async def serials(store: Store, wanted: DeviceFilter) -> set[str]:
    """Return the serial numbers that a filter lets through, and check that the count agrees."""
    found = await devices.page(store, wanted, DeviceOrder(), Window(100))
    assert await devices.count(store, wanted) == len(found.rows)
    return {row["serial_number"] for row in found.rows}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EVERYTHING, "A-1 A-2 A-3 B_1 BX1 C-1 C-2 C-3 C-4"),
        (DeviceFilter(kinds=("WATER_HEATER",)), "A-1 A-2 A-3 B_1 BX1 C-1 C-2 C-3 C-4"),
        (DeviceFilter(kinds=("OTHER",)), ""),
        (DeviceFilter(kinds=()), ""),
        (DeviceFilter(kinds=("OTHER", "WATER_HEATER"), statuses=("MAINTENANCE",)), "B_1"),
        (DeviceFilter(statuses=("ONLINE", "MAINTENANCE")), "A-1 B_1 BX1 C-2 C-4"),
        (DeviceFilter(location="cellar"), "A-1 A-2"),
        (DeviceFilter(search="BOIL"), "A-1 A-2 A-3"),
        (DeviceFilter(search="c-"), "C-1 C-2 C-3 C-4"),
        (DeviceFilter(search="100%"), "B_1"),
        (DeviceFilter(search="%"), "B_1"),
        (DeviceFilter(search="b_"), "B_1"),
        (DeviceFilter(search="\\"), "C-1"),
        (DeviceFilter(search="öf"), "C-2"),
        (DeviceFilter(search="ZÜRICH"), "C-3 C-4"),
        (DeviceFilter(search="' OR 1=1 --"), ""),
        (DeviceFilter(last_seen_before=MIDDAY - 3 * HOUR), "A-2"),
        (DeviceFilter(last_seen_after=MIDDAY - 3 * HOUR), "A-1 C-2 C-4"),
        (DeviceFilter(last_seen_after=MIDDAY - 4 * HOUR, last_seen_before=MIDDAY), "B_1 BX1 C-4"),
        (DeviceFilter(location="cellar", search="boil", statuses=("OFFLINE",), last_seen_before=MIDDAY), "A-2"),
    ],
    ids=str,
)
async def test_filters(fleet: Store, wanted: DeviceFilter, expected: str):
    """Each filter alone and several together let exactly the right devices through."""
    assert await serials(fleet, wanted) == set(expected.split())


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("column", ORDERS)
async def test_pages_are_the_list(fleet: Store, column: str, descending: bool):
    """Paging with any size from either end yields each device once, in the order of the whole list."""
    order = DeviceOrder(column, descending)
    whole = (await devices.page(fleet, EVERYTHING, order, Window(100))).rows
    assert_sorted([(row[column], row["id"]) for row in whole], descending=descending)
    ids = [row["id"] for row in whole]
    assert len(ids) == len(FLEET)
    for size in range(1, len(ids) + 2):
        assert await walked(fleet, order, size, backward=False) == ids
        assert await walked(fleet, order, size, backward=True) == ids


def assert_sorted(keys: Sequence[tuple[Any, int]], *, descending: bool) -> None:
    """Check the order of all but texts with letters, which databases collate each in their own way; NULL is least."""
    if all(key is None or not isinstance(key, str) for key, _ in keys):
        plain = [(key is not None, key or MIDDAY, id_) for key, id_ in keys]
        assert plain == sorted(plain, reverse=descending)
    for (one, first), (other, second) in itertools.pairwise(keys):
        assert one != other or (first > second) == descending


async def walked(store: Store, order: DeviceOrder, size: int, *, backward: bool) -> list[int]:
    """Return the ids of all devices, page by page, and check what the pages say about their neighbours."""
    ids: list[int] = []
    window = Window(size, None, backward)
    while True:
        page = await devices.page(store, EVERYTHING, order, window)
        page_ids = [row["id"] for row in page.rows]
        ids = page_ids + ids if backward else ids + page_ids
        ahead, behind = (page.has_previous, page.has_next) if backward else (page.has_next, page.has_previous)
        assert behind == (window.cursor is not None)
        assert ahead == (len(ids) < len(FLEET))
        if not ahead:
            return ids
        edge = page.rows[0] if backward else page.rows[-1]
        window = replace(window, cursor=devices.sort_values(edge, order))


async def test_a_page_before_a_row_ends_at_it(fleet: Store):
    """Back from the middle of the list come the rows just before it, in the order of the list."""
    order = DeviceOrder("last_seen_at", descending=True)
    rows = (await devices.page(fleet, EVERYTHING, order, Window(100))).rows
    for place in range(len(rows)):
        window = Window(2, devices.sort_values(rows[place], order), backward=True)
        page = await devices.page(fleet, EVERYTHING, order, window)
        assert [row["id"] for row in page.rows] == [row["id"] for row in rows[max(place - 2, 0) : place]]


async def test_a_filter_holds_on_every_page(fleet: Store):
    """Cursor and filter restrict together."""
    wanted, order = DeviceFilter(statuses=("OFFLINE",)), DeviceOrder("created_at")
    first = await devices.page(fleet, wanted, order, Window(2))
    second = await devices.page(fleet, wanted, order, Window(9, devices.sort_values(first.rows[-1], order)))
    assert [row["status"] for row in (*first.rows, *second.rows)] == ["OFFLINE"] * 4


async def test_a_cursor_of_a_row_that_is_gone_still_points(fleet: Store):
    """A page goes on behind a place in the order, not behind a row."""
    order = DeviceOrder("name")
    rows = (await devices.page(fleet, EVERYTHING, order, Window(100))).rows
    async with fleet.transaction() as transaction:
        await device_changes.remove(transaction, rows[3]["id"])
    page = await devices.page(fleet, EVERYTHING, order, Window(100, devices.sort_values(rows[3], order)))
    assert [row["id"] for row in page.rows] == [row["id"] for row in rows[4:]]


async def test_by_ids_keeps_order_and_says_what_is_missing(fleet: Store):
    """One entry for each id asked for, None for those that do not exist; repeated ids are answered each time."""
    ids = [row["id"] for row in (await devices.page(fleet, EVERYTHING, DeviceOrder(), Window(2))).rows]
    found = await devices.by_ids(fleet, [ids[1], 10**9, ids[0], ids[1]])
    assert [row and row["id"] for row in found] == [ids[1], None, ids[0], ids[1]]
    assert await devices.by_ids(fleet, []) == []


async def test_by_serial_numbers(fleet: Store):
    """Serial numbers are found exactly: another case is another number."""
    found = await devices.by_serial_numbers(fleet, ["C-4", "c-4", "none", "A-1", "C-4"])
    assert [row and row["serial_number"] for row in found] == ["C-4", None, None, "A-1", "C-4"]


async def test_details_come_with_the_device(fleet: Store):
    """Columns of the kind's own table are joined only where they are asked for."""
    (row,) = await devices.by_serial_numbers(fleet, ["A-1"], frozenset({"mode", "capacity_liters"}))
    assert row is not None
    assert (row["mode"], row["capacity_liters"]) == ("ECO", 150.0)
    (plain,) = await devices.by_serial_numbers(fleet, ["A-1"], frozenset({"name"}))
    assert set(dict(plain or {})) == {"id", "kind", "name"}
    (whole,) = await devices.by_serial_numbers(fleet, ["A-1"])
    assert {"version", "target_temperature"} <= set(dict(whole or {}))


@pytest.mark.parametrize(
    ("column", "expected"),
    [("status", {"MAINTENANCE": 1, "OFFLINE": 4, "ONLINE": 4}), ("kind", {"WATER_HEATER": 9})],
)
async def test_counts(fleet: Store, column: str, expected: dict[str, int]):
    """Devices are counted by status and by kind."""
    assert {row[column]: row["count"] for row in await devices.counts_by(fleet, column)} == expected


async def test_an_empty_database(store: Store):
    """No device is an empty page, no count and nothing beyond."""
    page = await devices.page(store, EVERYTHING, DeviceOrder(), Window(5))
    assert (list(page.rows), page.has_next, page.has_previous) == ([], False, False)
    assert await devices.count(store, EVERYTHING) == 0
    assert list(await devices.counts_by(store, "status")) == []

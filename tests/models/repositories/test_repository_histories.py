"""Histories that belong to a device: maintenance records with their parts, changes of controls."""

from datetime import timedelta
from typing import Any

import pytest

from models.columnar import MANY_ROWS
from models.paging import Window
from models.predictions import PredictionKind
from models.repositories import histories, maintenance_records, water_heaters
from models.repositories.histories import History
from models.repositories.model_metrics import METRICS
from models.store import Store
from tests.factories import MIDDAY, add_heater
from tests.monitored import add_metric, add_watched

DAY = timedelta(days=1)
# Days before midday; two entries of one instant are told apart by their ids.
AGES = ((0, 3, 3, 3, 5, 9), (1, 3), ())


async def add_record(store: Store, device_id: int, age: int = 0, parts: Any = (), **values: Any) -> int:
    """Store a maintenance record."""
    record = {"device_id": device_id, "kind": "INSPECTION", "performed_at": MIDDAY - age * DAY, "created_at": MIDDAY}
    async with store.transaction() as transaction:
        return await maintenance_records.add(transaction, record | values, parts)


async def add_change(store: Store, device_id: int, age: int = 0, **values: Any) -> None:
    """Store a change of controls."""
    change = {"device_id": device_id, "changed_at": MIDDAY - age * DAY}
    async with store.transaction() as transaction:
        await water_heaters.add_control_change(transaction, change | values)


@pytest.fixture(params=["records", "changes"])
async def history(request: pytest.FixtureRequest, store: Store) -> tuple[History, list[int]]:
    """A history of three devices, of which the last is empty."""
    ids = [await add_heater(store) for _ in AGES]
    for id_, ages in zip(ids, AGES, strict=True):
        for age in ages:
            await (add_record if request.param == "records" else add_change)(store, id_, age)
    return maintenance_records.RECORDS if request.param == "records" else water_heaters.CONTROL_CHANGES, ids


@pytest.mark.parametrize("backward", [False, True], ids=["first", "last"])
async def test_pages_are_the_history(store: Store, history: tuple[History, list[int]], backward: bool):
    """Paging with any size from either end yields each entry once, newest first."""
    which, ids = history
    (whole,) = await histories.page_by_devices(store, which, ids[:1], Window(100))
    order = [row["id"] for row in whole.rows]
    keys = [which.sort_values(row) for row in whole.rows]
    assert keys == sorted(keys, reverse=True)
    for size in range(1, 8):
        found: list[int] = []
        window = Window(size, None, backward)
        more = True
        while more:
            (page,) = await histories.page_by_devices(store, which, ids[:1], window)
            row_ids = [row["id"] for row in page.rows]
            found = row_ids + found if backward else found + row_ids
            more = page.has_previous if backward else page.has_next
            if more:
                edge = page.rows[0 if backward else -1]
                window = Window(size, which.sort_values(edge), backward)
        assert found == order


async def test_pages_of_many_devices_are_one_statement(
    store: Store, history: tuple[History, list[int]], statements: list[str]
):
    """Each device gets its own page, in the order asked for, repeated ones too."""
    which, ids = history
    asked = [ids[1], ids[2], ids[0], 10**9, ids[1]]
    pages = await histories.page_by_devices(store, which, asked, Window(2))
    assert len(statements) == 1
    assert [[(MIDDAY - row[which.instant]).days for row in page.rows] for page in pages] == [
        [1, 3],
        [],
        [0, 3],
        [],
        [1, 3],
    ]
    assert [page.has_next for page in pages] == [False, False, True, False, False]
    assert {row["device_id"] for row in pages[0].rows} == {ids[1]}


async def test_counts_of_many_devices(store: Store, history: tuple[History, list[int]]):
    """Each device's own number of entries, none for unknown ones."""
    which, ids = history
    assert await histories.count_by_devices(store, which, [*ids, 10**9, ids[0]]) == [6, 2, 0, 0, 6]


async def test_entries_by_id(store: Store, history: tuple[History, list[int]]):
    """Entries are found by id, None where there is none."""
    which, ids = history
    (page,) = await histories.page_by_devices(store, which, ids[:1], Window(2))
    wanted = [page.rows[1]["id"], 10**9, page.rows[0]["id"]]
    found = await histories.by_ids(store, which, wanted)
    assert [row and row["id"] for row in found] == [wanted[0], None, wanted[2]]


async def test_columns_are_those_asked_for(store: Store, history: tuple[History, list[int]]):
    """Beside what was asked for come only the columns that pages need."""
    which, ids = history
    (page,) = await histories.page_by_devices(store, which, ids[:1], Window(1), frozenset())
    assert set(dict(page.rows[0])) == {"id", "device_id", which.instant}


async def test_a_record_keeps_its_cost_to_the_cent(store: Store):
    """Costs are whole minor units, beyond what 32 bits hold."""
    id_ = await add_heater(store)
    await add_record(
        store, id_, cost_minor=9_876_543_210_123, cost_currency="EUR", performed_by="Ada", notes="new anode"
    )
    (page,) = await histories.page_by_devices(store, maintenance_records.RECORDS, [id_], Window(1))
    row = page.rows[0]
    assert (row["cost_minor"], row["cost_currency"], row["performed_by"]) == (9_876_543_210_123, "EUR", "Ada")


async def test_parts_keep_their_order(store: Store, statements: list[str]):
    """Parts come back by record in the order in which they were given, in one statement for many records."""
    id_ = await add_heater(store)
    parts = [
        {"name": "anode", "part_number": "A-7", "quantity": 1},
        {"name": "seal", "quantity": 4},
        {"name": "anode", "part_number": None, "quantity": 1},
    ]
    full, bare = await add_record(store, id_, parts=parts), await add_record(store, id_)
    statements.clear()
    found = await maintenance_records.parts_by_records(store, [bare, full, 10**9, full])
    assert len(statements) == 1
    names = [[(row["name"], row["part_number"], row["quantity"]) for row in rows] for rows in found]
    expected = [("anode", "A-7", 1), ("seal", None, 4), ("anode", None, 1)]
    assert names == [[], expected, [], expected]


async def test_a_control_change_keeps_old_and_new(store: Store):
    """The pair that changed is kept with who changed it; the other pair is empty."""
    id_ = await add_heater(store)
    await add_change(store, id_, old_target_temperature=50.0, new_target_temperature=55.5, changed_by="Ada")
    (page,) = await histories.page_by_devices(store, water_heaters.CONTROL_CHANGES, [id_], Window(1))
    row = page.rows[0]
    assert (row["old_target_temperature"], row["new_target_temperature"]) == (50.0, 55.5)
    assert (row["old_mode"], row["new_mode"], row["changed_by"]) == (None, None, "Ada")


async def test_long_pages_read_as_columns_are_those_read_as_rows(store: Store):
    """Which way a page of plain columns is read makes no difference to what is on it."""
    ids = [await add_watched(store, kind) for kind in (PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR)]
    for count, id_ in zip((70, 40), ids, strict=True):
        for place in range(count):
            await add_metric(store, id_, MIDDAY - timedelta(hours=place), value=place / 7)
    names = frozenset({"id", "model_id", "name", "value", "sample_count", "window_start", "recorded_at", "reported_by"})
    window = Window(50)
    asked = (*ids, ids[1] + 1)
    by_columns = await histories.page_by_devices(store, METRICS, asked, window, names)
    # A page of one owner alone is too short for columns.
    assert window.count < MANY_ROWS
    by_rows = [(await histories.page_by_devices(store, METRICS, [id_], window, names))[0] for id_ in asked]
    assert [page.has_next for page in by_columns] == [page.has_next for page in by_rows] == [True, False, False]
    for one, other in zip(by_columns, by_rows, strict=True):
        assert [{name: row[name] for name in names} for row in one.rows] == [
            {name: row[name] for name in names} for row in other.rows
        ]

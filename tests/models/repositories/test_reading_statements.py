"""Every statement that reads readings says of which devices, and of what time or that it stops at the newest.

That is what lets PostgreSQL pass over months, and what would let readings be spread over machines by device.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from models.devices import KINDS
from models.paging import Window
from models.repositories import asked_hours, device_changes, readings, series
from models.repositories.readings import TimeRange
from models.statements import table_of
from models.store import Store
from models.types import to_micros
from tests.factories import MIDDAY, add_heater, add_readings

KIND = "WATER_HEATER"
HOUR = timedelta(hours=1)
SPAN = TimeRange(MIDDAY - HOUR, MIDDAY + HOUR)
REPOSITORIES = Path(readings.__file__).parent
TABLES = "|".join(str(table_of(kind.reading_table).name) for kind in KINDS.values())

OF_DEVICES = re.compile(r"device_id (=|IN) ")
OF_A_TIME = re.compile(r"recorded_at (=|>=|<=|<|>) ")
NEWEST = re.compile(r"ORDER BY \S*recorded_at DESC\s+LIMIT")

Call = Callable[[Any, list[int]], Awaitable[Any]]

BOUNDED: dict[str, Call] = {
    "readings.latest": lambda db, ids: readings.latest(db, KIND, [(id_, MIDDAY) for id_ in ids]),
    "readings.page_by_devices in a range": lambda db, ids: readings.page_by_devices(db, KIND, ids, Window(5), SPAN),
    "readings.page_by_devices behind a cursor": lambda db, ids: readings.page_by_devices(
        db, KIND, ids, Window(5, (MIDDAY,)), TimeRange()
    ),
    "readings.count_by_devices in a range": lambda db, ids: readings.count_by_devices(db, KIND, ids, SPAN),
    "series.buckets": lambda db, ids: series.buckets(
        db, KIND, ids, ("temperature",), MIDDAY - HOUR, MIDDAY, width_seconds=60, aggregate="AVERAGE"
    ),
    "series.points": lambda db, ids: series.points(db, KIND, ids, "temperature", MIDDAY - HOUR, MIDDAY),
    "series.extremes": lambda db, ids: series.extremes(
        db, KIND, ids, "temperature", MIDDAY - HOUR, MIDDAY, width_seconds=60
    ),
    "asked_hours.raw": lambda db, ids: asked_hours.raw(db, KIND, [(id_, to_micros(MIDDAY)) for id_ in ids]),
}
"""They read no more than their stretch of time, whatever the length of the history."""

STOP_AT_THE_NEWEST: dict[str, Call] = {
    "readings.page_by_devices": lambda db, ids: readings.page_by_devices(db, KIND, ids, Window(5), TimeRange()),
    "readings.newest_values": lambda db, ids: readings.newest_values(db, KIND, ids, "temperature"),
}
"""They go back in time until they have what is wanted."""

READ_ALL_OF_A_DEVICE: dict[str, Call] = {
    # A client that asks for the number of all.
    "readings.count_by_devices": lambda db, ids: readings.count_by_devices(db, KIND, ids, TimeRange()),
    # Once, for readings from before there were hours.
    "asked_hours.ask_for_unknown": lambda db, ids: asked_hours.ask_for_unknown(db, KIND, len(ids)),
    # With the device goes its history.
    "device_changes.remove": lambda db, ids: device_changes.remove(db, ids[0]),
}
"""The exceptions: what they are for is the whole history of a device."""

CALLS = {**BOUNDED, **STOP_AT_THE_NEWEST, **READ_ALL_OF_A_DEVICE}
# They write, and look at no other rows than those that they are given.
WRITES = {"readings.add"}


@pytest.fixture
async def ids(store: Store) -> list[int]:
    """Two heaters with readings."""
    found = [await add_heater(store) for _ in range(2)]
    for id_ in found:
        await add_readings(store, id_, [MIDDAY - timedelta(minutes=minutes) for minutes in range(10)])
    return found


@pytest.mark.parametrize("name", CALLS)
async def test_statements_on_readings_name_devices_and_time(
    store: Store, statements: list[str], ids: list[int], name: str
):
    """What is read is found by the key of the readings, `(device_id, recorded_at)`."""
    statements.clear()
    for some in (ids, ids[:1]):
        async with store.transaction() as transaction:
            await CALLS[name](transaction, some)
    on_readings = {sql for sql in statements if re.search(rf"(FROM|JOIN) ({TABLES})", sql)}
    assert on_readings, "it should have read readings"
    for sql in on_readings:
        assert OF_DEVICES.search(sql), f"of which devices? {sql}"
        if name in BOUNDED:
            assert OF_A_TIME.search(sql), f"of what time? {sql}"
        # Where SQLite has no LIMIT for each device, it looks up the time of the last row that is wanted.
        if name in STOP_AT_THE_NEWEST:
            assert NEWEST.search(sql) or OF_A_TIME.search(sql), f"where does it stop? {sql}"


def test_no_other_module_reads_readings():
    """A repository that begins to read readings has to be told of here."""
    named = {path.stem for path in REPOSITORIES.glob("*.py") if "reading_table" in path.read_text(encoding="utf-8")}
    assert named == {"asked_hours", "device_removals", "partitions", "readings", "series"}


@pytest.mark.parametrize("module", [readings, series])
def test_all_functions_are_told_of(module: ModuleType):
    """Each function of the repositories of readings is called by these tests."""
    short = module.__name__.rpartition(".")[2]
    own = {
        f"{short}.{name}"
        for name, each in vars(module).items()
        if iscoroutinefunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
    }
    assert own == {name.split(" ")[0] for name in CALLS if name.startswith(short)} | {
        name for name in WRITES if name.startswith(short)
    }

"""PostgreSQL plans lookups and pages once for each connection, not each time that they are asked for.

A plan of readings has a part for each month of the history, so making it costs the more the longer that is.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from models.paging import Window
from models.repositories import alerts, devices, histories, readings
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.repositories.readings import TimeRange
from models.store import Store
from tests.factories import MIDDAY, add_heater, add_readings
from tests.findings import add_alert

# PostgreSQL looks at five plans that know the values before it decides to keep one that does not.
TIMES = 8

HEATER = "WATER_HEATER"
MONTHS = 12
DAY = timedelta(days=1)
ALWAYS = TimeRange()
THIS_WEEK = TimeRange(MIDDAY - 7 * DAY, MIDDAY)
# Neither of these counts is one of a usual page; from the second one on readings come as columns.
FEW, MANY = Window(7), Window(77)
FEW_MORE = Window(7, (MIDDAY - 2 * DAY,))
NAMES = frozenset({"temperature"})

LOOKUPS: dict[str, Callable[[Any, list[int]], Awaitable[Any]]] = {
    "one device": lambda db, ids: devices.by_ids(db, ids[:1]),
    "devices": devices.by_ids,
    "a page of devices": lambda db, _: devices.page(db, DeviceFilter(), DeviceOrder(), Window(5)),
    "a page of a kind": lambda db, _: devices.page(db, DeviceFilter(kinds=("WATER_HEATER",)), DeviceOrder(), Window(5)),
    "a page of one device": lambda db, ids: histories.page_by_devices(db, alerts.ALERTS, ids[:1], Window(5)),
    "a reading": lambda db, ids: readings.latest(db, HEATER, [(ids[0], MIDDAY)]),
    "a page of the fleet": lambda db, _: histories.page(db, alerts.ALERTS, Window(5)),
    "readings": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:1], FEW, ALWAYS),
    "more readings": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:1], FEW_MORE, ALWAYS),
    "readings of a week": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:1], FEW, THIS_WEEK),
    "many readings": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:1], MANY, ALWAYS, NAMES),
    "readings of some": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:3], FEW, ALWAYS),
    "many readings of some": lambda db, ids: readings.page_by_devices(db, HEATER, ids[:3], MANY, THIS_WEEK, NAMES),
    "newest values": lambda db, ids: readings.newest_values(db, HEATER, ids, "temperature"),
}


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """PostgreSQL alone: SQLite keeps every plan."""
    return postgresql_url


@pytest.fixture
async def ids(store: Store) -> list[int]:
    """Heaters with alerts and with readings of many months, which the planner knows of."""
    found = [await add_heater(store) for _ in range(60)]
    for _ in range(20):
        await add_alert(store, found[0])
    times = [MIDDAY - place * DAY / 3 for place in range(MONTHS * 30 * 3)]
    await add_readings(store, found[:3] * len(times), [at for at in times for _ in range(3)])
    async with store.transaction() as transaction:
        await transaction.run("ANALYZE")
    return found


@pytest.mark.parametrize("name", LOOKUPS)
async def test_plans_are_kept(store: Store, statements: list[str], ids: list[int], name: str):
    """After some times the plan is the same, whatever the values are."""
    async with store.transaction() as transaction:
        statements.clear()
        for _ in range(TIMES):
            await LOOKUPS[name](transaction, ids)
        rows = await transaction.run("SELECT statement, generic_plans FROM pg_prepared_statements")
    (asked,) = set(statements[:TIMES])
    generic_plans = {row[0]: row[1] for row in rows}
    assert generic_plans[asked] > 0

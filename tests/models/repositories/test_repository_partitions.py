"""Monthly partitions on PostgreSQL; SQLite has none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from models import migrator
from models.clock import now
from models.devices import WATER_HEATER
from models.repositories import partitions, readings
from models.repositories.partitions import Month
from models.store import Store
from tests.factories import MIDDAY, add_heater, add_readings, database_settings, event_settings

TABLE = "water_heater_readings"


@pytest.fixture
async def postgresql(postgresql_url: str) -> AsyncIterator[Store]:
    """A store on PostgreSQL."""
    opened = Store(database_settings(postgresql_url), event_settings())
    await opened.open()
    yield opened
    await opened.close()


async def made(store: Store) -> set[str]:
    """Return the names of the partitions that there are."""
    rows = await store.run(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::text::regclass", TABLE
    )
    return {row[0] for row in rows}


async def ensure(store: Store, *months: Month) -> None:
    """Make partitions in a transaction of its own."""
    async with store.transaction() as transaction:
        await partitions.ensure(transaction, [WATER_HEATER.name], months)


def test_months_follow_each_other():
    """Months count on over the end of the year, and the month of an instant is that of UTC."""
    assert [partitions.following((2023, 11), count) for count in range(4)] == [
        (2023, 11),
        (2023, 12),
        (2024, 1),
        (2024, 2),
    ]
    assert partitions.following((2024, 12), 13) == (2026, 1)
    local = datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert partitions.month_of(local) == (2023, 12)


async def test_migration_makes_them_ahead(postgresql: Store):
    """After a migration this month and those of the setting can be written."""
    first = partitions.month_of(now())
    ahead = postgresql.settings.partitions_ahead_months
    names = {partitions.partition_name(TABLE, partitions.following(first, count)) for count in range(ahead + 1)}
    assert await made(postgresql) == names
    await migrator.ensure_partitions(postgresql)
    assert await made(postgresql) == names


async def test_ensuring_twice_is_once(postgresql: Store):
    """Partitions that are there are left alone; only the missing ones are made."""
    await ensure(postgresql, (2020, 1), (2020, 2), (2020, 1))
    await ensure(postgresql, (2020, 2), (2020, 3))
    names = {name for name in await made(postgresql) if "y2020" in name}
    assert names == {f"{TABLE}_y2020m01", f"{TABLE}_y2020m02", f"{TABLE}_y2020m03"}


async def test_many_may_ensure_at_once(postgresql: Store):
    """Processes that need the same month at the same time do not collide."""
    await asyncio.gather(*(ensure(postgresql, (2019, month), (2019, 12)) for month in (1, 2, 1, 2, 1)))
    assert len([name for name in await made(postgresql) if "y2019" in name]) == 3


async def test_ensuring_what_is_there_waits_for_nobody(postgresql: Store):
    """A transaction that makes a partition does not hold up those whose partitions exist."""
    await ensure(postgresql, (2018, 1))
    async with postgresql.transaction() as transaction:
        await partitions.ensure(transaction, [WATER_HEATER.name], [(2018, 2)])
        async with asyncio.timeout(3):
            await ensure(postgresql, (2018, 1))


async def test_making_one_does_not_stop_readers_and_writers(postgresql: Store):
    """While a partition is made, readings are read and stored in the others."""
    id_ = await add_heater(postgresql)
    await add_readings(postgresql, id_, [MIDDAY])
    async with postgresql.transaction() as transaction:
        await partitions.ensure(transaction, [WATER_HEATER.name], [(2018, 2)])
        async with asyncio.timeout(3):
            assert await add_readings(postgresql, id_, [MIDDAY + timedelta(minutes=1)]) == 1
            assert await readings.count_by_devices(postgresql, WATER_HEATER.name, [id_], readings.TimeRange()) == [2]


async def test_readings_land_in_their_month(postgresql: Store):
    """The last microsecond of a month and the first of the next are in different partitions."""
    id_ = await add_heater(postgresql)
    turn = datetime(2021, 3, 1, tzinfo=UTC)
    await add_readings(postgresql, id_, [turn - timedelta(microseconds=1), turn])
    for name, at in ((f"{TABLE}_y2021m02", turn - timedelta(microseconds=1)), (f"{TABLE}_y2021m03", turn)):
        assert [row[0] for row in await postgresql.run(f"SELECT recorded_at FROM {name}")] == [at]


async def test_a_partition_is_like_its_table(postgresql: Store):
    """The key of the table holds in each partition, which is what makes ingestion idempotent."""
    await ensure(postgresql, (2022, 5))
    rows = await postgresql.run(
        "SELECT contype::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::text::regclass "
        "AND contype = 'p'",
        f"{TABLE}_y2022m05",
    )
    assert [tuple(row) for row in rows] == [("p", "PRIMARY KEY (device_id, recorded_at)")]
    assert await migrator.differences(postgresql) is None


async def test_a_range_reads_only_its_partitions(postgresql: Store):
    """The planner leaves out the partitions of other months, and the newest reading is found in the newest one."""
    await ensure(postgresql, (2020, 1), (2020, 2), (2020, 3))
    plan = await postgresql.run(
        f"EXPLAIN SELECT * FROM {TABLE} WHERE device_id = 1 "
        "AND recorded_at >= '2020-02-02Z'::timestamptz AND recorded_at < '2020-02-20Z'::timestamptz"
    )
    text = "\n".join(row[0] for row in plan)
    assert "y2020m02" in text
    assert "y2020m01" not in text
    assert "y2020m03" not in text
    newest = await postgresql.run(
        f"EXPLAIN SELECT * FROM {TABLE} WHERE device_id = 1 ORDER BY recorded_at DESC LIMIT 1"
    )
    assert "Sort" not in "\n".join(row[0] for row in newest)


async def test_sqlite_has_none(sqlite_url: str):
    """Making partitions is nothing to do on SQLite."""
    store = Store(database_settings(sqlite_url), event_settings())
    await store.open()
    await ensure(store, (2020, 1))
    await migrator.ensure_partitions(store)
    await store.close()

"""PostgreSQL's own ground: servers that are away, come back, refuse, and locks of other transactions."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import asyncpg
import pytest

from models.errors import Unavailable
from models.repositories import device_changes, devices
from models.repositories.devices import DeviceFilter
from models.repositories.events import NewEvent
from models.store import Store
from tests import databases
from tests.factories import add_heater, database_settings, event_settings


@pytest.fixture
async def store(postgresql_url: str) -> AsyncIterator[Store]:
    """A store on PostgreSQL."""
    opened = Store(database_settings(postgresql_url), event_settings())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def another_server() -> Iterator[Any]:
    """A server that a test may stop."""
    with databases.postgresql_server() as server:
        yield server


async def count(store: Store) -> int:
    """Return how many devices there are: any read."""
    return await devices.count(store, DeviceFilter())


async def test_it_recovers_from_a_restart_by_itself(another_server: Any):
    """While the server is down everything is UNAVAILABLE; when it is back, the same store works, events included."""
    url = databases.postgresql_url(another_server, "postgres")
    await databases.migrate(url)
    store = Store(database_settings(url), event_settings(poll_seconds=0.05))
    await store.open()
    async with store.log.tailing():
        heard: asyncio.Queue[str] = asyncio.Queue()
        follower = asyncio.create_task(follow(store, heard))
        await emit(store, "before")
        assert await heard.get() == "before"
        another_server.stop()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await count(store)
        with pytest.raises(Unavailable):
            await add_heater(store)
        another_server.start()
        assert await count(store) == 0
        await emit(store, "after")
        assert await asyncio.wait_for(heard.get(), 20) == "after"
        follower.cancel()
    await store.close()


async def follow(store: Store, heard: asyncio.Queue[str]) -> None:
    """Put the type of each event into a queue."""
    async for events in store.log.follow():
        for event in events:
            heard.put_nowait(event.type)


async def emit(store: Store, type_: str) -> None:
    """Commit one event."""
    async with store.transaction() as transaction:
        transaction.emit(NewEvent(type_, {}))


async def test_a_read_survives_the_loss_of_all_idle_connections(store: Store):
    """Connections that the server has closed are replaced without the caller noticing."""
    await asyncio.gather(*(count(store) for _ in range(5)))
    await end_connections(store)
    assert await asyncio.gather(*(count(store) for _ in range(5))) == [0] * 5


async def test_a_connection_lost_in_a_transaction_is_unavailable(store: Store):
    """A write is not repeated, but the next one finds a new connection."""
    with pytest.raises(Unavailable):
        await lock_after(store, end_connections(store))
    await add_heater(store)
    assert await count(store) == 1


async def lock_after(store: Store, happening: Awaitable[None]) -> None:
    """Begin a transaction, let something happen, and go on with it."""
    async with store.transaction() as transaction:
        await happening
        await device_changes.lock(transaction, [1])


async def end_connections(store: Store) -> None:
    """End every connection of the store from another one."""
    other: Any = await asyncpg.connect(store.settings.url.replace("+asyncpg", ""))
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await other.close()


async def test_a_transaction_that_idles_is_ended_by_the_server(postgresql_url: str):
    """Whoever leaves a transaction open loses it, so that streams do not wait for it for ever."""
    store = Store(database_settings(postgresql_url, statement_timeout_seconds=0.1), event_settings())
    await store.open()
    with pytest.raises(Unavailable):
        await lock_after(store, asyncio.sleep(0.5))
    await store.close()


async def test_a_lock_that_is_held_too_long_is_unavailable(postgresql_url: str):
    """Waiting for another transaction's lock ends in time."""
    store = Store(database_settings(postgresql_url, lock_timeout_seconds=0.1), event_settings())
    await store.open()
    id_ = await add_heater(store)
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [id_])
        with pytest.raises(Unavailable, match="conflicting change"):
            await change_name(store, id_)
    await change_name(store, id_)
    await store.close()


async def change_name(store: Store, device_id: int) -> None:
    """Change a device: waits for its lock."""
    async with store.transaction() as transaction:
        await transaction.run("UPDATE devices SET name = 'x' WHERE id = $1", device_id)


async def test_a_deadlock_is_unavailable_for_one_and_nothing_to_the_other(store: Store):
    """Two transactions that wait for each other: one may try again, the other goes through."""
    first, second = await add_heater(store), await add_heater(store)
    met = asyncio.Barrier(2)

    async def lock_both(one: int, other: int) -> None:
        async with store.transaction() as transaction:
            await device_changes.lock(transaction, [one])
            await met.wait()
            await device_changes.lock(transaction, [other])

    outcomes = await asyncio.gather(lock_both(first, second), lock_both(second, first), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [Unavailable]


async def test_a_statement_prepared_before_a_migration_can_be_tried_again(store: Store):
    """A table that changed under a prepared statement costs one try inside a transaction and nothing outside."""
    id_ = await add_heater(store)
    async with store.transaction() as transaction:
        await device_changes.current(transaction, id_)
        await transaction.run("ALTER TABLE devices ALTER COLUMN name TYPE varchar(201)")
    assert (await devices.by_ids(store, [id_]))[0] is not None


async def test_the_driver_misused_is_a_defect(store: Store):
    """Two statements at once on one transaction is our mistake and must not look like a busy database."""
    async with store.transaction() as transaction:
        outcomes = await asyncio.gather(*(transaction.run("SELECT 1") for _ in range(2)), return_exceptions=True)
    assert any(isinstance(outcome, asyncpg.InterfaceError) for outcome in outcomes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "postgresql+asyncpg://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        ({"url": "postgresql+asyncpg://postgres@/postgres?host=/no/such/folder"}, "cannot be reached"),
        ({"url": "postgresql+asyncpg://host:port:more/none"}, "cannot be reached"),
    ],
    ids=["refused", "no socket", "no such address"],
)
async def test_a_server_that_is_not_there_is_unavailable(change: dict[str, str], reason: str):
    """Opening says that the database cannot be reached, in one sentence."""
    with pytest.raises(Unavailable, match=reason) as caught:
        await Store(database_settings(**change), event_settings()).open()
    assert "\n" not in caught.value.message


async def test_a_missing_database_is_named(postgresql_server: Any):
    """What the server says at the start reaches the person who starts."""
    url = databases.postgresql_url(postgresql_server, "no_such_database")
    with pytest.raises(Unavailable, match="no_such_database"):
        await Store(database_settings(url), event_settings()).open()


async def test_closing_does_not_wait_for_ever(postgresql_url: str):
    """A connection that is never given back ends with the store."""
    settings = dataclasses.replace(database_settings(postgresql_url), statement_timeout_seconds=0.2)
    store = Store(settings, event_settings())
    await store.open()
    async with store.driver.reading() as connection:
        await store.close()
        with pytest.raises(Unavailable):
            await connection.run("SELECT 1")

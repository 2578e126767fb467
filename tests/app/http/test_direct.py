"""What is written past ASGI's messages: the same bytes, and only where nothing stands in between."""

import asyncio
import json
import logging
import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.http.direct import Write, body_at_hand, send_whole, text_frames, writer_of_chunks, writer_of_frames
from tests.app.http.lab import Lab
from tests.serving import serving

BODY = json.dumps({"query": '{ hello(name: "x") }'}).encode()
LONG = json.dumps({"query": "query ($name: String!) { hello(name: $name) }", "variables": {"name": "x" * 70_000}})
REQUESTS = {
    "kept open": [b"POST /graphql HTTP/1.1\r\n"],
    "pipelined": [b"POST /graphql HTTP/1.1\r\n"] * 3,
    "closed": [b"POST /graphql HTTP/1.1\r\nconnection: close\r\n"],
    "of HTTP 1.0": [b"POST /graphql HTTP/1.0\r\n"],
    "refused": [b"DELETE /graphql HTTP/1.1\r\n"],
    "without a body": [b"HEAD /graphql HTTP/1.1\r\n"],
    "announced": [b"POST /graphql HTTP/1.1\r\nexpect: 100-continue\r\n"],
}


def indirect(app: Any) -> Any:
    """Return an application that sees all messages of another one."""

    async def passing_on(scope: Scope, receive: Receive, send: Send) -> None:
        async def receiving() -> Any:
            return await receive()

        async def sending(message: Any) -> None:
            await send(message)

        await app(scope, receiving, sending)

    return passing_on


async def raw_answers(app: Any, heads: list[bytes], body: bytes) -> bytes:
    """Return all that a server sends for some requests, until it closes; without the date."""
    request = b"".join(
        b"%bhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        for head in heads
    )
    last = b"GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    async with serving(app, lifespan="off", access_log=False) as url:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(request + last)
        async with asyncio.timeout(5):
            answers = await reader.read()
        writer.close()
    return re.sub(rb"date: [^\r]*", b"date:", answers)


@pytest.mark.parametrize("heads", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("body", [BODY, LONG.encode()], ids=["short", "long"])
async def test_responses_are_those_of_asgi_byte_for_byte(heads: list[bytes], body: bytes):
    """However a connection is used."""
    app = Lab().endpoint
    assert await raw_answers(app, heads, body) == await raw_answers(indirect(app), heads, body)


async def test_responses_go_directly_only_where_nothing_stands_in_between(monkeypatch: pytest.MonkeyPatch):
    """Uvicorn's own function is known; a middleware's is not, nor one whose requests are logged by uvicorn."""
    went: list[bool] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        went.append(send_whole(send, 200, [(b"content-length", b"2")], b"{}"))
        if not went[-1]:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})

    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "handlers", [logging.NullHandler()])
    for served, logs in ((app, True), (indirect(app), False), (app, False)):
        async with serving(served, lifespan="off", access_log=logs) as url, httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/")).json() == {}
    assert went == [False, False, True]


async def test_a_body_is_at_hand_once_it_is_there_as_a_whole():
    """One that is still on its way is not, nor one that a client would have to be asked for; it is handed out once."""
    found: list[bytes | None] = []
    begun = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        found.append(body_at_hand(receive))
        begun.set()
        if found[-1] is None:
            assert await receive() == {"type": "http.request", "body": b"12", "more_body": False}
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        assert (await waiting)["type"] == "http.disconnect"

    async def ask(head: bytes, late: bytes) -> bytes:
        begun.clear()
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n" + head)
        await begun.wait()
        writer.write(late)
        answer = await reader.read()
        writer.close()
        return answer

    async with serving(app, lifespan="off") as url, asyncio.timeout(5):
        address = urlsplit(url)
        assert b" 204 " in await ask(b"\r\n12", b"")
        assert b" 204 " in await ask(b"\r\n", b"12")
        assert b" 100 " in await ask(b"expect: 100-continue\r\n\r\n", b"12")
    async with serving(indirect(app), lifespan="off") as url, asyncio.timeout(5):
        address = urlsplit(url)
        assert b" 204 " in await ask(b"\r\n12", b"")
    assert found == [b"12", None, None, None]


async def test_chunks_are_written_into_a_response_that_has_begun():
    """Before its start and after its end nothing is, nor where a middleware stands in between."""
    went: list[Any] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        write = writer_of_chunks(send)
        if write is None:
            went.append(None)
        elif not write(b"too early"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            went.extend((write(b"a" * 1000), write(b""), write(b"b" * 70_000)))
            await send({"type": "http.response.body", "body": b"c"})
            went.append(write(b"too late"))

    async with serving(app, lifespan="off") as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/")).text == "a" * 1000 + "c"
    async with serving(indirect(app), lifespan="off") as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/")).status_code == 500
    assert went == [True, False, False, False, None]


class Sockets:
    """An application that accepts websockets, and hands what writes to them to a test."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[tuple[Write | None, Send]] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket."""
        await receive()
        write = writer_of_frames(send)
        assert write is None or not write(b"before the handshake")
        await send({"type": "websocket.accept"})
        self.opened.put_nowait((write, send))
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.closed.set()


async def test_frames_carry_texts_of_any_length():
    """As a client that knows the protocol reads them, one by one or several at once, between messages of ASGI."""
    texts = [b"", b"x", b"y" * 123, b"y" * 124, "ü".encode() * 500, b"z" * 64_000]
    app = Sockets()
    async with (
        serving(app, lifespan="off", ws_per_message_deflate=False) as url,
        connect(url.replace("http", "ws"), max_size=None) as client,
    ):
        write, send = await app.opened.get()
        assert write is not None
        for text in texts:
            assert write(text_frames(b"<", [text], b">"))
        await send({"type": "websocket.send", "text": "between"})
        assert write(text_frames(b"", texts[:4], b"!"))
        # Longer than what a connection holds back: left to ASGI, which waits.
        assert not write(text_frames(b"<", [b"z" * 66_000], b">"))
        wanted = [f"<{text.decode()}>" for text in texts] + ["between"] + [f"{text.decode()}!" for text in texts[:4]]
        assert [await asyncio.wait_for(client.recv(), 5) for _ in wanted] == wanted


def test_the_longest_frames_have_the_longest_head():
    """Eight bytes of length, from 64 KiB on."""
    frame = text_frames(b"", [b"z" * 65_536], b"")
    assert frame[:10] == b"\x81\x7f" + (65_536).to_bytes(8)


async def test_a_client_that_does_not_read_takes_nothing_more():
    """What its connection holds back stays bounded; ASGI's way then waits."""
    app = Sockets()
    frames = text_frames(b"", [b"x" * 60_000], b"")
    async with serving(app, lifespan="off", ws_per_message_deflate=False) as url:
        address = urlsplit(url)
        _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
        writer.write(
            b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        write, send = await app.opened.get()
        assert write is not None
        written = 0
        while write(frames):
            written += 1
            assert written < 10_000
        waiting = asyncio.ensure_future(send({"type": "websocket.send", "text": "later"}))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert not write(frames)
        writer.transport.abort()
        await asyncio.wait({waiting}, timeout=5)
        assert waiting.exception() is not None
        assert not write(frames)


async def test_a_socket_that_closes_or_compresses_is_left_to_asgi():
    """After a close frame nothing may follow; compressed frames look otherwise."""
    app = Sockets()
    async with (
        serving(app, lifespan="off", ws_per_message_deflate=False) as url,
        connect(url.replace("http", "ws")) as client,
    ):
        write, send = await app.opened.get()
        assert write is not None
        await send({"type": "websocket.close", "code": 1000})
        assert not write(text_frames(b"", [b"late"], b""))
        with pytest.raises(ConnectionClosed):
            await client.recv()
    async with serving(app, lifespan="off", ws_per_message_deflate=True) as url, connect(url.replace("http", "ws")):
        assert (await app.opened.get())[0] is None

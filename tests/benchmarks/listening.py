"""Clients of websockets that cost little: they count messages, and note when they came."""

import asyncio
import base64
import os
import time
from array import array
from typing import Any, cast

import orjson

_TEXT, _PING, _PONG = 1, 9, 10


class Listeners:
    """Websockets that all get the same messages.

    Attributes:
        arrivals: when each message came to each of them, in seconds since the epoch, in the order of arrival.
        first: the first message that came.
    """

    def __init__(self) -> None:
        self.arrivals = array("d")
        self.first = b""
        self._listeners: list[_Listener] = []
        self._awaited = 0
        self._reached = asyncio.Event()

    async def connect(self, port: int, path: str, count: int, *messages: dict[str, Any]) -> None:
        """Open sockets, each of which says these messages first."""
        loop = asyncio.get_running_loop()
        said = b"".join(_frame(_TEXT, orjson.dumps(message)) for message in messages)
        for start in range(0, count, 50):
            some = [_Listener(self, path, said) for _ in range(start, min(start + 50, count))]
            for listener in some:
                await loop.create_connection(lambda listener=listener: listener, "127.0.0.1", port)
            await asyncio.gather(*(listener.is_open for listener in some))
            self._listeners += some

    async def until(self, arrivals: int) -> None:
        """Wait until so many messages came to all of them together."""
        self._awaited = arrivals
        if len(self.arrivals) >= arrivals:
            return
        self._reached.clear()
        async with asyncio.timeout(120):
            await self._reached.wait()

    def arrived(self, message: bytes) -> None:
        """Note a message."""
        if not self.first:
            self.first = message
        self.arrivals.append(time.time())
        if len(self.arrivals) == self._awaited:
            self._reached.set()

    def close(self) -> None:
        """Close all sockets."""
        for listener in self._listeners:
            listener.close()


class _Listener(asyncio.Protocol):
    def __init__(self, listeners: Listeners, path: str, said: bytes) -> None:
        self._listeners = listeners
        self._path = path
        self._said = said
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        if not self.is_open.done():
            head, end, received = received.partition(b"\r\n\r\n")
            if not end:
                self._received = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_open.set_result(None)
            assert self._transport is not None
            self._transport.write(self._said)
        self._received = self._without_frames(received)

    def _without_frames(self, received: bytes) -> bytes:
        """Take the whole frames off what was received; frames of a server are not masked."""
        place = 0
        while len(received) - place >= 4:
            length, body = received[place + 1], place + 2
            if length == 126:
                length, body = int.from_bytes(received[place + 2 : place + 4]), place + 4
            if len(received) < body + length:
                break
            self._take(received[place] & 15, received[body : body + length])
            place = body + length
        return received[place:]

    def _take(self, kind: int, body: bytes) -> None:
        assert self._transport is not None
        if kind == _PING:
            self._transport.write(_frame(_PONG, body))
        elif kind == _TEXT and not body.startswith(b'{"type":"connection_ack"'):
            self._listeners.arrived(body)


def _frame(kind: int, body: bytes) -> bytes:
    """Return the frame of a client, masked as it must be; a mask of zeros changes nothing."""
    short = len(body) < 126
    length = bytes([128 | len(body)]) if short else bytes([128 | 126]) + len(body).to_bytes(2)
    return bytes([128 | kind]) + length + bytes(4) + body

"""The load: keep-alive connections that each send the next request when the answer to the last one is there."""

import asyncio
import re
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Window:
    """What a load did.

    Attributes:
        seconds: from its first request to its last answer.
        latencies: of each request, in seconds.
    """

    seconds: float = 0.0
    latencies: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds


class WrongAnswerError(Exception):
    """A server did not answer as it should under load."""


async def drive(
    port: int, path: str, bodies: Iterator[bytes], *, connections: int, seconds: float, expected: bytes
) -> Window:
    """Send bodies until they or the seconds are used up.

    Args:
        port: on the loopback address.
        path: of all requests.
        bodies: shared by the connections.
        connections: at once.
        seconds: after which no further request is sent.
        expected: must stand at the beginning of each answer's body, else WrongAnswerError is raised.
    """
    loop = asyncio.get_running_loop()
    window = Window()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\ncontent-type: application/json\r\n"
    deadline = time.perf_counter() + seconds
    clients = [_Client(head.encode(), bodies, deadline, expected, window.latencies) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    started = time.perf_counter()
    for client in clients:
        client.send_next()
    await asyncio.gather(*(client.done for client in clients))
    window.seconds = time.perf_counter() - started
    return window


async def ask(port: int, path: str, body: bytes) -> bytes:
    """Return the body of one answer."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\ncontent-type: application/json\r\n"
    client = _Client(head.encode(), iter([body]), time.perf_counter() + 60, b"", array("d"))
    await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
    client.send_next()
    await client.done
    return client.answer


class _Client(asyncio.Protocol):
    def __init__(
        self, head: bytes, bodies: Iterator[bytes], deadline: float, expected: bytes, latencies: "array[float]"
    ) -> None:
        self._head = head
        self._bodies = bodies
        self._deadline = deadline
        self._expected = expected
        self._latencies = latencies
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._whole = 0
        self._body_from = 0
        self._sent_at = 0.0
        self.answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        assert self._transport is not None
        now = time.perf_counter()
        body = next(self._bodies, None) if now < self._deadline else None
        if body is None:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent_at = now
        self._transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._whole:
            end = received.find(b"\r\n\r\n")
            length = _LENGTH.search(received, 0, end) if end >= 0 else None
            if length is None:
                return
            self._body_from = end + 4
            self._whole = self._body_from + int(length[1])
        if len(received) >= self._whole:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswerError(f"The connection broke: {exc}"))

    def _finish(self) -> None:
        self._latencies.append(time.perf_counter() - self._sent_at)
        received, body = self._received, self._body_from
        if not received.startswith(b"HTTP/1.1 200") or not received.startswith(self._expected, body):
            if not self.done.done():
                self.done.set_exception(WrongAnswerError(bytes(received[:2000]).decode(errors="replace")))
            return
        self.answer = bytes(received[body:]) if not self._expected else b""
        received.clear()
        self._whole = 0
        self.send_next()

"""Server-sent events (the graphql-sse protocol, one connection for each operation): `next` events, then `complete`."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import aclosing

from starlette.types import Receive, Send

from app.http.direct import writer_of_chunks
from app.http.negotiation import MediaKind
from app.http.presence import WhileClientWaits
from schema.engine import Response, Responses

_HEADERS = (
    (b"content-type", MediaKind.EVENT_STREAM.value),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
_COMPLETE = b"event: complete\ndata:\n\n"
_COMMENT = b":\n\n"


class EventStreams:
    """The open event streams of this process."""

    def __init__(self, keep_alive_seconds: float) -> None:
        self._keep_alive_seconds = keep_alive_seconds
        self._open: set[WhileClientWaits] = set()

    async def send(self, answer: Awaitable[Responses | Response], receive: Receive, send: Send) -> None:
        """Send each response of an operation as an event, as fast as the client reads them.

        Raises:
            ClientLeft: the client went away, or the server is about to.
        """
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        # The first byte tells the client that it is connected, before there is anything to say.
        await _write(send, _COMMENT)
        reminder = asyncio.get_running_loop().create_task(self._remind(send))
        try:
            with WhileClientWaits(receive, at_once=True) as presence:
                self._open.add(presence)
                try:
                    await _write_all(send, await answer)
                finally:
                    self._open.discard(presence)
        finally:
            reminder.cancel()
        await send({"type": "http.response.body", "body": b""})

    def end(self) -> None:
        """End all streams without `complete`, so that their clients come back."""
        for presence in tuple(self._open):
            presence.leave()

    async def _remind(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_seconds)
            await _write(send, _COMMENT)


async def _write_all(send: Send, answer: Responses | Response) -> None:
    write_at_once = writer_of_chunks(send)

    async def write(responses: Sequence[Response]) -> None:
        await _write(send, _events(responses))

    def take(responses: Sequence[Response]) -> bool:
        return write_at_once is not None and write_at_once(_events(responses))

    if isinstance(answer, Response):
        await write((answer,))
    else:
        async with aclosing(answer):
            failure = await answer.deliver(write, take)
        if failure is not None:
            await write((failure,))
    await _write(send, _COMPLETE)


def _events(responses: Sequence[Response]) -> bytes:
    return b"".join([b"event: next\ndata: %b\n\n" % response.content for response in responses])


async def _write(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})

"""Server-sent events (the graphql-sse protocol, one connection for each operation): `next` events, then `complete`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from starlette.types import Receive, Send

from app.http.negotiation import MediaKind
from app.http.presence import WhileClientWaits
from app.http.responses import encode_or_mask
from schema.engine import Response

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

    async def send(self, responses: AsyncIterator[Response], receive: Receive, send: Send) -> None:
        """Send each response as an event, as fast as the client reads them.

        Raises:
            ClientLeft: the client went away, or the server is about to.
        """
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        # The first byte tells the client that it is connected, before there is anything to say.
        await _write(send, _COMMENT)
        reminder = asyncio.get_running_loop().create_task(self._remind(send))
        try:
            with WhileClientWaits(receive, grace_seconds=0) as presence:
                self._open.add(presence)
                try:
                    await _write_all(send, responses)
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


async def _write_all(send: Send, responses: AsyncIterator[Response]) -> None:
    async with aclosing(cast("Any", responses)):
        async for response in responses:
            await _write(send, b"event: next\ndata: " + encode_or_mask(response.body()) + b"\n\n")
            await asyncio.sleep(0)  # a long replay must not hold the event loop
    await _write(send, _COMPLETE)


async def _write(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})

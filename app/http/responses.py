"""Responses on their way out, without a response object in between."""

import asyncio
import contextlib

from starlette.types import Receive, Send

from app.http.direct import send_whole
from app.http.negotiation import MediaKind
from app.http.refusals import Header

_LINGER_SECONDS = 5.0
_NOSNIFF: Header = (b"x-content-type-options", b"nosniff")


async def send_bytes(
    send: Send, status: int, kind: MediaKind, content: bytes, headers: tuple[Header, ...] = ()
) -> None:
    """Send a whole response; nothing in its headers may be what a client sent."""
    all_headers = _headers(kind, content, headers)
    if not send_whole(send, status, all_headers, content):
        await send({"type": "http.response.start", "status": status, "headers": all_headers})
        await send({"type": "http.response.body", "body": content})


async def send_not_modified(send: Send, headers: tuple[Header, ...]) -> None:
    """Tell a client that what it holds is still so; such a response has no body."""
    await send({"type": "http.response.start", "status": 304, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})


async def send_and_linger(
    send: Send, receive: Receive, status: int, kind: MediaKind, content: bytes, *, headers: tuple[Header, ...]
) -> None:
    """Send a whole response to a client that is still sending its body, then close the connection.

    What still arrives is read and dropped for a while: closing at once would reset the connection, and the client might
    never see the response.
    """
    headers = (*headers, (b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": _headers(kind, content, headers)})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b""})


def _headers(kind: MediaKind, content: bytes, headers: tuple[Header, ...]) -> list[Header]:
    return [(b"content-type", kind.value), (b"content-length", b"%d" % len(content)), _NOSNIFF, *headers]

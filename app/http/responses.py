"""Responses on their way out, without a response object in between."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from starlette.types import Receive, Send

from app.http.negotiation import MediaKind
from app.http.refusals import Header
from schema import errors

logger = logging.getLogger("iotsphere.http")

_LINGER_SECONDS = 5.0
_NOSNIFF: Header = (b"x-content-type-options", b"nosniff")


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a response; NaN becomes null, Decimal a text, datetimes RFC 3339."""
    return orjson.dumps(body, default=_encode_other, option=orjson.OPT_SERIALIZE_NUMPY)


def encode_or_mask(body: Mapping[str, Any]) -> bytes:
    """Encode a response; if a value in it cannot be encoded, the client gets an error and the log the reason."""
    try:
        return encode(body)
    except TypeError:
        logger.exception("a response cannot be encoded")
        return orjson.dumps({"errors": [errors.request_error("The answer cannot be encoded.", errors.INTERNAL)]})


async def send_bytes(
    send: Send, status: int, kind: MediaKind, content: bytes, headers: tuple[Header, ...] = ()
) -> None:
    """Send a whole response."""
    await send({"type": "http.response.start", "status": status, "headers": _headers(kind, content, headers)})
    await send({"type": "http.response.body", "body": content})


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


def _encode_other(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")

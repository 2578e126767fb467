"""The short way to the connection, where uvicorn itself stands behind the `receive` and `send` of ASGI.

ASGI takes a response as two messages, which uvicorn writes one by one after searching every header for line breaks, and
passes the text of a websocket through four objects. For a short answer, or an event that a thousand clients get, that
is more work than most of what went before. What is written here is the same, byte for byte, and at once. A body is
mostly there when it is asked for, and needs no deadline then.

It is done only where `receive` or `send` is uvicorn's own, with nothing in between that may want to see the messages,
and where the connection takes what is sent. Elsewhere nothing happens, and the functions say so: ASGI's way is then to
be taken, which waits for clients that do not read, and tells of those who have left.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from starlette.types import Receive, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from app.http.refusals import Header

Write: TypeAlias = Callable[[bytes], bool]
"""Writes at once and says so, or does nothing."""

# Beyond this size a second write costs less than a copy.
_JOINED_BYTES = 65_536
# As much as a connection holds back before those who send have to wait.
_MOST_BYTES = 65_536
_FINAL_TEXT = 0x81
_SHORT, _MEDIUM = 125, 65_535
_MEDIUM_HEAD, _LONG_HEAD = struct.Struct("!BBH"), struct.Struct("!BBQ")


def body_at_hand(receive: Receive) -> bytes | None:
    """Return the body of a request that has arrived as a whole; None where it has to be asked for, and waited."""
    cycle = getattr(receive, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.more_body or cycle.disconnected or cycle.response_complete:
        return None
    if cycle.waiting_for_100_continue:
        return None
    # What uvicorn does when it hands out a body.
    cycle.flow.resume_reading()
    cycle.message_event.clear()
    body, cycle.body = bytes(cycle.body), bytearray()
    return body


def send_whole(send: Send, status: int, headers: Iterable[Header], content: bytes) -> bool:
    """Send a whole response, if that can be done at once, and return whether it was.

    Args:
        send: of the request.
        status: of the response.
        headers: `content-length` among them, and no `connection`. They are not searched for line breaks: nothing in
            them may be what a client sent.
        content: the body.
    """
    cycle = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.response_started or cycle.disconnected:
        return False
    if cycle.flow.write_paused or cycle.access_log or cycle.scope["method"] == "HEAD":
        return False
    parts = [STATUS_LINE[status]]
    for name, value in (*cycle.default_headers, *headers):
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
    if len(content) > _JOINED_BYTES:
        cycle.transport.write(b"".join(parts))
        cycle.transport.write(content)
    else:
        parts.append(content)
        cycle.transport.write(b"".join(parts))
    # What uvicorn does at the end of a response.
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def writer_of_chunks(send: Send) -> Write | None:
    """Return what writes chunks of a response that has begun; None where only ASGI's way is open."""
    cycle = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle:
        return None

    def write(chunk: bytes) -> bool:
        if cycle.disconnected or cycle.response_complete or not cycle.chunked_encoding or cycle.flow.write_paused:
            return False
        if not 0 < len(chunk) <= _MOST_BYTES:
            return False
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        return True

    return write


def writer_of_frames(send: Send) -> Write | None:
    """Return what writes frames to a websocket that is accepted; None where only ASGI's way is open."""
    protocol = getattr(send, "__self__", None)
    if type(protocol) is not WebSocketsSansIOProtocol or protocol.conn.extensions:
        return None

    def write(frames: bytes) -> bool:
        if protocol.disconnected or protocol.conn.state is not State.OPEN or not protocol.writable.is_set():
            return False
        if len(frames) > _MOST_BYTES:
            return False
        protocol.transport.write(frames)
        return True

    return write


def text_frames(start: bytes, contents: Sequence[bytes], end: bytes) -> bytes:
    """Return text messages as a server frames them.

    Args:
        start: of each message.
        contents: what follows it, one for each message.
        end: of each message.
    """
    parts: list[bytes] = []
    for content in contents:
        length = len(start) + len(content) + len(end)
        if length <= _SHORT:
            head = bytes((_FINAL_TEXT, length))
        elif length <= _MEDIUM:
            head = _MEDIUM_HEAD.pack(_FINAL_TEXT, 126, length)
        else:
            head = _LONG_HEAD.pack(_FINAL_TEXT, 127, length)
        parts += (head, start, content, end)
    return b"".join(parts)

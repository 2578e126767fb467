"""Websockets: handshakes, and all sockets that are open."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from app.auth import Authenticator
from app.http.operations import NewContext
from app.http.origins import may_connect
from app.http.socket import PROTOCOL, Socket
from models.principal import Principal
from schema.engine import Engine
from settings.types import WebsocketSettings


class Sockets:
    """The open sockets of this process."""

    def __init__(
        self,
        engine: Engine,
        new_context: NewContext,
        authenticator: Authenticator,
        settings: WebsocketSettings,
        allowed_origins: tuple[str, ...],
    ) -> None:
        self._engine = engine
        self._new_context = new_context
        self._authenticator = authenticator
        self._settings = settings
        self._allowed_origins = allowed_origins
        self._open: set[Socket] = set()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a handshake, or refuse it with an HTTP status, and serve the socket until it is closed."""
        await receive()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not may_connect(headers.get(b"origin"), headers.get(b"host"), self._allowed_origins):
            await _refuse(send, 403, "Pages of this origin may not connect (server.allowed_origins).")
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await _refuse(send, 400, f"The websocket subprotocol must be {PROTOCOL}.")
            return
        authorization = headers.get(b"authorization")

        def authenticate(payload: Mapping[str, Any] | None) -> Principal:
            return self._authenticator.by_connection(authorization, payload)

        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        socket = Socket(self._engine, self._new_context, authenticate, self._settings, receive=receive, send=send)
        self._open.add(socket)
        try:
            await socket.serve()
        finally:
            self._open.discard(socket)

    async def close(self, *, grace_seconds: float) -> None:
        """Close all sockets; subscriptions end at once, queries and mutations have a time of grace."""
        await asyncio.gather(*(socket.drain(grace_seconds) for socket in tuple(self._open)))


async def _refuse(send: Send, status: int, reason: str) -> None:
    content = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(content))]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": content})

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
        """Accept or refuse a handshake, and serve the socket until it is closed."""
        await receive()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not may_connect(headers.get(b"origin"), headers.get(b"host"), self._allowed_origins):
            await send({"type": "websocket.close"})  # before it is accepted: the handshake is answered 403
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"The subprotocol must be {PROTOCOL}"})
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

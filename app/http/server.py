"""The process that listens: uvicorn with our limits, and an end that lets clients reconnect."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from settings.types import ServerSettings, WebsocketSettings


def server_options(server: ServerSettings, websocket: WebsocketSettings) -> dict[str, Any]:
    """Return the options of `uvicorn.Config` that follow from the settings."""
    return {
        "host": server.host,
        "port": server.port,
        "timeout_graceful_shutdown": max(1, round(server.shutdown_grace_seconds)),
        "ws_max_size": websocket.max_message_bytes,
        # Pings of the websocket protocol itself: browsers answer them, and a peer that is gone is noticed.
        "ws_ping_interval": websocket.keep_alive_seconds,
        "ws_ping_timeout": websocket.keep_alive_seconds,
        # Compression costs 300 KB and much time for each socket, for messages of some hundred bytes.
        "ws_per_message_deflate": False,
        "access_log": False,
        "server_header": False,
        # Nothing here depends on a client's address or on the scheme in front of a proxy.
        "proxy_headers": False,
    }


class Server(uvicorn.Server):
    """Tells the application before the connections are closed; uvicorn's lifespan tells it after.

    Args:
        before_closing: ends what would otherwise go on for ever, as `GraphQLEndpoint.close` does.
    """

    def __init__(self, config: uvicorn.Config, before_closing: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._before_closing = before_closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end subscriptions, then let uvicorn close the rest."""
        for server in self.servers:
            server.close()
        await self._before_closing()
        await super().shutdown(sockets)

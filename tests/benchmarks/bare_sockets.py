"""The bare broadcast: what one process of the same server can send to websockets at all.

A POST is sent to all sockets, as often as its path says: no operation, no log, and one slow socket holds up all.
"""

from starlette.types import Receive, Scope, Send


class BareBroadcast:
    """Sends each text that is posted to every open websocket."""

    def __init__(self) -> None:
        self._open: set[Send] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket or one request."""
        if scope["type"] == "websocket":
            await self._hold(receive, send)
        elif scope["type"] == "http":
            times = int(scope["path"].removeprefix("/"))
            text = (await receive())["body"].decode()
            await self._broadcast(text, times)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

    async def _hold(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        self._open.add(send)
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._open.discard(send)

    async def _broadcast(self, text: str, times: int) -> None:
        for _ in range(times):
            for send in tuple(self._open):
                await send({"type": "websocket.send", "text": text})


def make() -> BareBroadcast:
    """Return the application."""
    return BareBroadcast()

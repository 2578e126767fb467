"""The uvicorn process: our limits reach it, and its end reaches our clients."""

import asyncio
import json

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed

from app.http.server import Server, server_options
from tests.app.http.lab import SERVER, WEBSOCKET, Lab
from tests.app.http.test_socket import closing, hear, opened, socket_url, subscribe
from tests.serving import serving


async def test_the_message_limit_is_held_before_a_message_is_read_whole():
    """Uvicorn refuses a frame by its announced length."""
    options = server_options(SERVER, WEBSOCKET)
    async with serving(Lab().app, ws_max_size=options["ws_max_size"]) as url, opened(socket_url(url)) as socket:
        await socket.send(json.dumps({"type": "ping", "payload": {"a": "x" * 25_000}}))
        assert (await closing(socket))[0] == 1009


async def test_a_server_that_stops_closes_sockets_with_going_away():
    """Our close frame is sent before uvicorn's own, so that clients know to come back."""
    lab = Lab()
    config = uvicorn.Config(lab.app, **server_options(SERVER, WEBSOCKET), log_config=None)
    config.load()
    server = Server(config, lab.endpoint.close)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with opened(f"ws://127.0.0.1:{port}/graphql") as socket:
        await subscribe(socket, "1", "subscription { ticks }")
        await hear(socket)
        stopping = asyncio.create_task(server.shutdown())
        with pytest.raises(ConnectionClosed) as closed:
            await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        await stopping
    assert lab.cancelled.is_set()

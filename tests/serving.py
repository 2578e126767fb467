"""A real server for tests: uvicorn on a loopback port, in the event loop of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """Serve an ASGI application while the block runs; yields its base URL, as http://127.0.0.1:43210.

    Args:
        app: the application; its lifespan is run too where it has one.
        options: of uvicorn.Config, beside those that a test server needs.
    """
    config = uvicorn.Config(
        app, **{"host": "127.0.0.1", "port": 0, "log_config": None, "timeout_graceful_shutdown": 2, **options}
    )
    config.load()
    server = uvicorn.Server(config)
    # Started and stopped by hand: `serve` would take over the signals of the test run.
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        await server.shutdown()

"""Serving an application in this process: the socket, uvicorn, signals, and a stop in good order."""

import asyncio
import gc
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette

from app.asgi import Parts
from app.http.server import Server, server_options
from models.errors import IoTSphereError
from settings.types import ServerSettings, Settings

logger = logging.getLogger("iotsphere.server")

_BACKLOG = 2048


class CannotListen(IoTSphereError):
    """The address or port cannot be listened on."""

    code = "CANNOT_LISTEN"


def listen(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens; clients that connect before the server is ready wait.

    Raises:
        CannotListen: the port is taken, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python adds the address to what the system says; a name that cannot be resolved has a negative number.
        number = error.errno or 0
        reason = (os.strerror(number) if number > 0 else str(error.strerror)).lower()
        raise CannotListen(
            f"Cannot listen on {settings.host} port {settings.port}: {reason}; stop what listens there, or choose "
            "another with --port (server.port) or --host (server.host)."
        ) from error


def serve(app: Starlette, settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, then stop: subscriptions end, requests finish, what is being stored is stored.

    Args:
        app: of `create_app`.
        settings: that it was made with.
        listener: of `listen`.
        ready: called once clients are answered.

    Raises:
        IoTSphereError: it cannot start; the message says why.
    """
    _warn_if_open(settings)
    config = uvicorn.Config(
        app,
        # Started by hand below, where its errors are caught and told as sentences.
        lifespan="off",
        log_config=None,
        **server_options(settings.server, settings.websocket),
    )
    server = _Server(config, _parts(app), ready)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_run(app, server, listener))


async def _run(app: Starlette, server: "_Server", listener: socket.socket) -> None:
    with ExitStack() as until_all_has_stopped:
        async with app.router.lifespan_context(app):
            until_all_has_stopped.enter_context(server.capture_signals())
            await server.serve([listener])


class _Server(Server):
    """A server that says when it is ready, and for which a signal means: stop in good order."""

    def __init__(self, config: uvicorn.Config, parts: Parts, ready: Callable[[], None]) -> None:
        super().__init__(config, before_closing=parts.endpoint.close)
        self._settings = parts.runtime.services.settings.server
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        spare_the_collector(self._settings)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Handle the signals that end a process; unlike uvicorn's, it does not raise them once more at the end."""
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Stop in good order; at a second Ctrl-C, without waiting for requests."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def spare_the_collector(settings: ServerSettings) -> None:
    """Keep Python's garbage collector from walking what lives as long as the process.

    With the default thresholds a long list sets off full collections, each of which walks every object of the schema,
    the statements and the imported modules: a third of the throughput of long lists is lost and the slowest requests
    take three to five times as long. What lives now is never walked again, and new objects are looked at as rarely as
    the settings say: operations by plan leave no reference cycles, so counting references frees all that they made.
    """
    gc.collect()
    gc.freeze()
    if settings.gc_young_objects:
        gc.set_threshold(settings.gc_young_objects, settings.gc_young_rounds, settings.gc_middle_rounds)


def _parts(app: Starlette) -> Parts:
    return cast("Any", app.state).parts


def _warn_if_open(settings: Settings) -> None:
    if settings.environment == "production" and not settings.auth.required and not _is_loopback(settings.server.host):
        logger.warning(
            "anybody who reaches %s may read and change everything: set auth.required = true and auth.tokens",
            settings.server.host,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

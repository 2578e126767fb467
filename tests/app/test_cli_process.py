"""Commands as processes of their own: what a terminal, a supervisor and a client see."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager

import httpx
import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from tests.app.running import ROOT, use_environment

FLEET = {
    "IOTSPHERE_SIMULATOR__DEVICE_COUNT": "2",
    "IOTSPHERE_SIMULATOR__VENDING_MACHINE_COUNT": "1",
    "IOTSPHERE_SIMULATOR__HISTORY_DAYS": "0.02",
    "IOTSPHERE_SIMULATOR__SALES_HISTORY_DAYS": "0.02",
    "IOTSPHERE_SIMULATOR__RETIRED_COUNT": "0",
    "IOTSPHERE_SIMULATOR__COARSE_HISTORY_DAYS": "0",
    "IOTSPHERE_SIMULATOR__INTERVAL_SECONDS": "0.2",
}


@pytest.fixture
def environment(tmp_path, monkeypatch, database_url):
    """The project's settings with a fresh database of each kind."""
    use_environment(monkeypatch, tmp_path, APP_ENV="development", IOTSPHERE_DATABASE__URL=database_url, **FLEET)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return monkeypatch


@pytest.fixture(autouse=True, scope="module")
def hears_ctrl_c():
    """Let processes hear Ctrl-C, also where the tests run in the background of a shell, which ignores it for all."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@asynccontextmanager
async def process(*arguments):
    """Run `python -m app`; it is killed if it is still there at the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def url_told(started) -> str:
    """Return the address that a server prints once it is ready."""
    async with asyncio.timeout(60):
        async for line in started.stdout:
            text = line.decode()
            if "http://" in text:
                return "http://" + text.split("http://")[1].split()[0]
    raise AssertionError((await started.stderr.read()).decode())


async def ended(started) -> tuple[int, str, str]:
    """Return status and output of a process that ends by itself."""
    async with asyncio.timeout(60):
        out, err = await started.communicate()
    return started.returncode, out.decode(), err.decode()


async def hear_for_ever(opened):
    """Receive until the socket is closed."""
    while True:
        await opened.recv()


async def test_a_server_tells_its_address_serves_and_stops_in_good_order(environment):
    """Readings of the demo fleet arrive; at SIGTERM an open subscription is told to come back, and the status is 0."""
    async with process("serve", "--demo", "--port", "0") as started:
        url = await url_told(started)
        async with httpx.AsyncClient() as client:
            query = "{ devices(first: 2) { edges { node { id } } } }"
            found = (await client.post(url, json={"query": query})).json()
        ids = [edge["node"]["id"] for edge in found["data"]["devices"]["edges"]]
        assert len(ids) == 2
        async with websockets.connect(url.replace("http", "ws"), subprotocols=["graphql-transport-ws"]) as opened:  # pyright: ignore[reportArgumentType]
            document = (
                f"subscription {{ readingRecorded(deviceIds: {json.dumps(ids)}) {{ reading {{ recordedAt }} }} }}"
            )
            await opened.send(json.dumps({"type": "connection_init"}))
            await opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": document}}))
            kinds = [json.loads(await opened.recv())["type"] for _ in range(3)]
            assert kinds == ["connection_ack", "next", "next"]
            started.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await hear_for_ever(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        status, _, errors = await ended(started)
    assert status == 0, errors
    assert "Traceback" not in errors


async def interrupted(started) -> str:
    """Press Ctrl-C in the terminal of a process, which ends without complaint; return its output."""
    started.send_signal(signal.SIGINT)
    status, out, errors = await ended(started)
    assert status == 0, errors
    assert "Traceback" not in errors
    return out


async def test_a_port_that_is_taken_is_one_sentence(tmp_path, monkeypatch):
    """Before anything else is begun, so that the database does not matter."""
    use_environment(monkeypatch, tmp_path, APP_ENV="development")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with process("serve", "--port", str(port)) as started:
            status, _, errors = await ended(started)
    assert status == 1
    assert errors.startswith(f"Cannot listen on 127.0.0.1 port {port}: address already in use;")
    assert errors.count("\n") == 1


async def test_simulate_in_a_process_of_its_own_reaches_subscribers_of_a_server(environment):
    """Two processes on one database: what the one stores, the other tells its subscribers. Ctrl-C stops either."""
    environment.setenv("IOTSPHERE_SIMULATOR__ENABLED", "false")
    async with process("serve", "--demo", "--port", "0") as server:
        url = await url_told(server)
        latest = "{ latestReading { recordedAt } }"
        kinds = f"... on WaterHeater {latest} ... on VendingMachine {latest}"
        query = f"{{ devices(first: 1) {{ edges {{ node {{ id {kinds} }} }} }} }}"
        async with httpx.AsyncClient() as client, process("simulate") as simulating:
            body = {"query": query}
            first = (await client.post(url, json=body)).json()
            async with asyncio.timeout(60):
                while (await client.post(url, json=body)).json() == first:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
            assert "Stored " in await interrupted(simulating)
        await interrupted(server)


async def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path, monkeypatch):
    """A folder is no database file; commands that end by themselves say the same, as test_cli_commands.py proves."""
    url = f"sqlite+aiosqlite:///{tmp_path}"
    use_environment(monkeypatch, tmp_path, APP_ENV="development", IOTSPHERE_DATABASE__URL=url)
    async with process("serve", "--port", "0") as started:
        status, _, errors = await ended(started)
    assert status == 1
    assert errors.endswith("The database cannot be used: unable to open database file.\n")
    assert "Traceback" not in errors

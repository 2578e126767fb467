"""Two server processes, of which one is frozen: the other takes its work over, and what thaws writes nothing."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.app.running import ROOT, use_environment
from tests.app.test_cli_process import FLEET, process, url_told

SERVERS = ("one", "two")
# Each server has a role of its own, by which its writes of the health of models are told apart. Some take their time.
NOTES = """
CREATE TABLE written (id bigserial PRIMARY KEY, server text NOT NULL);
CREATE TABLE slow (server text NOT NULL);
CREATE FUNCTION note_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO written (server) VALUES (session_user);
  IF EXISTS (SELECT FROM slow WHERE server = session_user) THEN PERFORM pg_sleep(0.5); END IF;
  RETURN NULL;
END $$;
CREATE ROLE one SUPERUSER LOGIN PASSWORD 'proof';
CREATE ROLE two SUPERUSER LOGIN PASSWORD 'proof';
CREATE TRIGGER note_writer AFTER INSERT OR UPDATE ON model_health FOR EACH ROW EXECUTE FUNCTION note_writer();
"""
FORGET = "REASSIGN OWNED BY one, two TO CURRENT_USER; DROP ROLE one, two"
# One of them writes at this moment, and has not committed.
WRITES_NOW = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


class Notes:
    """What the servers have written, read by a connection of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def writers(self) -> list[str]:
        """Return whose writes were committed, in their order."""
        rows = await self._connection.fetch("SELECT server FROM written ORDER BY id")
        return [row["server"] for row in rows]

    async def until(self, server: str, count: int) -> list[str]:
        """Wait until a server has written so often, and return all writers."""
        while (found := await self.writers()).count(server) < count:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
        return found

    async def slow_down(self, server: str) -> None:
        """Let the writes of a server take half a second from now on, and wait until it is in one of them."""
        await self._connection.execute("INSERT INTO slow VALUES ($1)", server)
        while not await self._connection.fetchval(WRITES_NOW):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


@asynccontextmanager
async def two_servers(
    url: str, tmp_path: Any, patch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Notes, dict[str, Any]]]:
    """Serve one database from two processes that watch its models many times a second."""
    connection: Any = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    use_environment(
        patch,
        tmp_path,
        APP_ENV="development",
        IOTSPHERE_MONITORING__LEASE_SECONDS="2",
        IOTSPHERE_MONITORING__CHECK_SECONDS="0.1",
        IOTSPHERE_SIMULATOR__ENABLED="false",
        **FLEET,
    )
    patch.setenv("PYTHONPATH", str(ROOT))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        await connection.execute(NOTES)
        stack.push_async_callback(connection.execute, FORGET)
        servers: dict[str, Any] = {}
        for name in SERVERS:
            own = make_url(url).set(username=name, password="proof")
            patch.setenv("IOTSPHERE_DATABASE__URL", own.render_as_string(hide_password=False))
            servers[name] = await stack.enter_async_context(process("serve", "--port", "0"))
        await asyncio.gather(*(url_told(server) for server in servers.values()))
        yield Notes(connection), servers


async def test_a_frozen_server_is_replaced_and_writes_nothing_when_it_thaws(postgresql_url, tmp_path, monkeypatch):
    """Frozen for longer than its lease, between its writes or within one: from the change on all is the other's."""
    async with asyncio.timeout(90), two_servers(postgresql_url, tmp_path, monkeypatch) as (notes, servers):
        while not (found := await notes.writers()):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
        first = found[0]
        second = next(name for name in SERVERS if name != first)
        await notes.until(first, 5)
        before = await replaced(notes, servers, first, by=second, known=0)
        await notes.slow_down(second)
        await replaced(notes, servers, second, by=first, known=before)
        # It has noticed, goes on serving, and takes the work over again when the other ends.
        servers[first].terminate()
        assert await servers[first].wait() == 0
        await notes.until(second, (await notes.writers()).count(second) + 3)


async def replaced(notes: Notes, servers: dict[str, Any], frozen: str, *, by: str, known: int) -> int:
    """Freeze the server that writes until another does, and thaw it; return how many writes there are by then.

    Args:
        notes: of both servers.
        servers: by name.
        frozen: which of them is frozen.
        by: which of them takes its place.
        known: how many writes were looked at before.
    """
    servers[frozen].send_signal(signal.SIGSTOP)
    earlier = (await notes.writers())[:known].count(by)
    await notes.until(by, earlier + 5)
    servers[frozen].send_signal(signal.SIGCONT)
    found = await notes.until(by, earlier + 30)
    change = found.index(by, known)
    assert set(found[known:change]) <= {frozen}
    assert set(found[change:]) == {by}
    return len(found)

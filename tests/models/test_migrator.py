"""Migrations: both databases can be built, checked, taken down and built again."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from models import migrator
from models.errors import Unavailable
from models.store import Store
from tests import databases
from tests.factories import add_heater, database_settings, event_settings

_numbers = itertools.count(1)


@pytest.fixture
async def postgresql_empty_url(postgresql_server: Any) -> AsyncIterator[str]:
    """URL of an empty PostgreSQL database."""
    name = f"empty_{next(_numbers)}"
    await databases.run_as_admin(postgresql_server, databases.new_database(name))
    yield databases.postgresql_url(postgresql_server, name)
    await databases.run_as_admin(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_empty_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist."""
    return f"sqlite+aiosqlite:///{tmp_path}/empty.db"


@pytest.fixture
def sqlite_memory_url() -> str:
    """URL of a database in memory."""
    return "sqlite+aiosqlite:///:memory:"


@pytest.fixture(params=["sqlite_empty", "sqlite_memory", "postgresql_empty"])
async def empty(request: pytest.FixtureRequest, empty_url: str) -> AsyncIterator[Store]:
    """An open store on a database without tables."""
    store = Store(database_settings(empty_url), event_settings())
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind."""
    return str(request.getfixturevalue(f"{request.node.callspec.params['empty']}_url"))


async def test_upgrade_from_nothing(empty: Store):
    """An empty database lacks everything, a migrated one nothing, and migrating again does nothing."""
    assert await migrator.pending(empty)
    applied = await migrator.upgrade(empty)
    assert applied[0] == "0001"
    assert not await migrator.pending(empty)
    assert await migrator.upgrade(empty) == []
    await add_heater(empty)


async def test_migrated_tables_are_those_of_the_code(empty: Store):
    """A migrated database has exactly what the tables say, and a table that is missing is found."""
    await migrator.upgrade(empty)
    assert await migrator.differences(empty) is None
    async with empty.transaction() as transaction:
        await transaction.run("DROP TABLE maintenance_parts")
    assert "maintenance_parts" in str(await migrator.differences(empty))


async def test_each_migration_goes_down_and_up_again(empty: Store):
    """Step by step down to nothing and up again ends with the same tables."""
    await migrator.upgrade(empty)
    for revision in reversed(migrator._history()):
        await migrator._run(empty, lambda held: command.downgrade(migrator._config(held), "-1"), alone=True)
        assert await migrator.pending(empty), revision
    left = {
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    }
    assert {row[0] for row in await empty.run(left[empty.dialect])} <= {"alembic_version", "sqlite_sequence"}
    assert await migrator.upgrade(empty) == migrator._history()
    assert await migrator.differences(empty) is None


async def test_many_processes_may_migrate_at_once(empty: Store):
    """Servers that start together on an empty database all end up with the tables."""
    await asyncio.gather(*(migrator.upgrade(empty) for _ in range(3)))
    assert not await migrator.pending(empty)
    assert await migrator.differences(empty) is None


async def test_a_migration_that_fails_leaves_nothing(empty: Store):
    """A migration happens as a whole or not at all: the next start finds the database as it was."""

    def half_way(connection: Any) -> None:
        command.upgrade(migrator._config(connection), "head")
        connection.exec_driver_sql("SELECT * FROM no_such_table")

    with pytest.raises(Unavailable, match="no_such_table"):
        await migrator._run(empty, half_way, alone=True)
    assert await migrator.pending(empty)
    await migrator.upgrade(empty)
    assert await migrator.differences(empty) is None


async def test_a_database_out_of_reach_is_unavailable():
    """The person who starts reads one sentence."""
    store = Store(database_settings("postgresql+asyncpg://nobody@127.0.0.1:1/none"), event_settings())
    for call in (migrator.upgrade, migrator.pending, migrator.differences):
        with pytest.raises(Unavailable, match="cannot be migrated") as caught:
            await call(store)
        assert "\n" not in caught.value.message


async def test_a_new_migration_is_written_from_the_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With nothing to change, the new migration is numbered and empty; it is valid Python that runs."""
    folder = tmp_path / "migrations"
    for path in migrator._FOLDER.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            target = folder / path.relative_to(migrator._FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text())
    monkeypatch.setattr(migrator, "_FOLDER", folder)
    count = len(migrator._history())
    path = await migrator.write_revision("add nothing")
    text = path.read_text()
    assert path.name.startswith(f"{count + 1:04d}_")
    assert "pass" in text
    compile(text, str(path), "exec")

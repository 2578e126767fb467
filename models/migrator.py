"""Migrations: bring a database to the tables of this version, and say whether it is there.

Alembic is imported where it has something to do: loading it takes a tenth of a server's start, and a database that has
all migrations needs nothing of it.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite
import sqlalchemy
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from models.clock import now
from models.devices import KINDS
from models.drivers import SqliteDriver
from models.drivers.sqlite import MEMORY_URL, sqlite_uri
from models.errors import Unavailable
from models.repositories import partitions
from models.store import Store

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
# The number is any; servers that start together migrate one after the other, and the later ones find it done.
_LOCKS = {"postgresql": "SELECT pg_advisory_xact_lock(274232681)", "sqlite": "BEGIN IMMEDIATE"}


async def upgrade(store: Store) -> list[str]:
    """Bring the store's database to the newest tables and return the revisions that were applied.

    On PostgreSQL the partitions of this month and of those ahead are made too. Raises Unavailable.
    """

    def migrate(connection: Any) -> list[str]:
        before = _revision(connection)
        if before == _history()[-1]:
            return []
        from alembic import command  # noqa: PLC0415 - see above

        command.upgrade(_config(connection), "head")
        return [each for each in _history() if before is None or each > before]

    applied: list[str] = await _run(store, migrate, alone=True)
    await ensure_partitions(store)
    return applied


async def pending(store: Store) -> bool:
    """Say whether the database lacks a migration; raises Unavailable."""
    return await _run(store, _revision) != _history()[-1]


async def differences(store: Store) -> str | None:
    """Return how the database differs from the tables of the code, None if they agree: `alembic check`."""

    def check(connection: Any) -> str | None:
        from alembic import command  # noqa: PLC0415 - see above
        from alembic.util import CommandError  # noqa: PLC0415 - see above

        try:
            command.check(_config(connection))
        except CommandError as error:
            return str(error)
        return None

    return await _run(store, check)


async def write_revision(message: str) -> Path:
    """Write a new migration from what the tables have and a migrated scratch database lacks."""

    def revise(connection: Any) -> Any:
        from alembic import command  # noqa: PLC0415 - see above

        command.upgrade(_config(connection), "head")
        number = f"{len(_history()) + 1:04d}"
        return command.revision(_config(connection), message, autogenerate=True, rev_id=number)

    script: Any = await _run_on(_sqlite_engine(sqlite_uri(MEMORY_URL)), revise, alone=True)
    return Path(script.path)


async def ensure_partitions(store: Store) -> None:
    """Make the partitions of the reading tables for this month and the months ahead."""
    first = partitions.month_of(now())
    months = [partitions.following(first, count) for count in range(store.settings.partitions_ahead_months + 1)]
    async with store.transaction() as transaction:
        await partitions.ensure(transaction, KINDS, months)


def _config(connection: Any = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _history() -> list[str]:
    """Return all revisions in their order; the names of their files begin with them."""
    return sorted(each.name.partition("_")[0] for each in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def _revision(connection: Any) -> str | None:
    """Return the newest migration that a database has; None if it has none."""
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


async def _run(store: Store, function: Callable[[Any], Any], *, alone: bool = False) -> Any:
    if isinstance(store.driver, SqliteDriver):
        return await _run_on(_sqlite_engine(store.driver.uri), function, alone=alone)
    return await _run_on(create_async_engine(store.settings.url, poolclass=NullPool), function, alone=alone)


def _sqlite_engine(uri: str) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        # Without an isolation level Python leaves transactions to us: its own do not hold the making of tables.
        return await aiosqlite.connect(uri, uri=True, isolation_level=None)

    return create_async_engine("sqlite+aiosqlite://", async_creator=connect, poolclass=NullPool)


async def _run_on(engine: AsyncEngine, function: Callable[[Any], Any], *, alone: bool) -> Any:
    """Run a function in one transaction; alone: while no other process migrates."""
    try:
        async with engine.begin() as connection:
            if alone:
                await connection.exec_driver_sql(_LOCKS[engine.dialect.name])
            return await connection.run_sync(function)
    except (OSError, DBAPIError) as error:
        raise Unavailable(f"The database cannot be migrated: {_reason(error)}.") from error
    finally:
        await engine.dispose()


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).strip().splitlines()[0].rstrip(".")

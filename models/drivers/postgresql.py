"""PostgreSQL through asyncpg's own pool."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from models.drivers.base import UniqueViolated
from models.errors import Unavailable
from models.statements import Row, Statement
from settings.types import DatabaseSettings

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class PostgresConnection:
    """One asyncpg connection."""

    dialect = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        compiled = statement.on("postgresql")
        with translated():
            return await self._connection.fetch(compiled.sql, *compiled.arguments(values))

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        compiled = statement.on("postgresql")
        with translated():
            tag: str = await self._connection.execute(compiled.sql, *compiled.arguments(values))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values, in one round trip."""
        compiled = statement.on("postgresql")
        with translated():
            await self._connection.executemany(compiled.sql, [compiled.arguments(row) for row in rows])

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text."""
        with translated():
            return await self._connection.fetch(sql, *arguments)


class PostgresDriver:
    """A pool of connections with time limits on statements, locks and idle transactions."""

    dialect = "postgresql"

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._pool: Any = None

    async def open(self) -> None:
        """Connect; raises Unavailable."""
        milliseconds = round(self._settings.statement_timeout_seconds * 1000)
        with translated():
            self._pool = await asyncpg.create_pool(
                self._settings.url.replace("postgresql+asyncpg://", "postgresql://", 1),
                min_size=min(2, self._settings.pool_size),
                max_size=self._settings.pool_size,
                timeout=self._settings.connect_timeout_seconds,
                # The server ends a statement in time; the client's own limit behind it covers a server that is gone.
                command_timeout=self._settings.statement_timeout_seconds + 5,
                statement_cache_size=500,
                reset=_no_reset,
                server_settings={
                    "application_name": "iotsphere",
                    "statement_timeout": str(milliseconds),
                    "lock_timeout": str(round(self._settings.lock_timeout_seconds * 1000)),
                    "idle_in_transaction_session_timeout": str(milliseconds),
                    # Compiling costs more than it saves for statements of milliseconds.
                    "jit": "off",
                },
            )

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[PostgresConnection]:
        """Lend a connection that commits each statement by itself."""
        async with self._acquired() as connection:
            yield PostgresConnection(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[PostgresConnection]:
        """Lend a connection in a transaction."""
        async with self._acquired() as connection:
            transaction = connection.transaction()
            with translated():
                await transaction.start()
            try:
                yield PostgresConnection(connection)
            except BaseException:
                with translated():
                    await transaction.rollback()
                raise
            with translated():
                await transaction.commit()

    async def listen(
        self, channel: str, heard: Callable[[], None], ended: Callable[[], None]
    ) -> Callable[[], Awaitable[None]]:
        """Listen on a connection of its own, outside of the pool."""
        with translated():
            connection: Any = await asyncpg.connect(
                self._settings.url.replace("postgresql+asyncpg://", "postgresql://", 1),
                timeout=self._settings.connect_timeout_seconds,
                server_settings={"application_name": "iotsphere listener"},
            )
            await connection.add_listener(channel, lambda *_: heard())
            connection.add_termination_listener(lambda _: ended())
        return connection.close

    async def notify(self, channel: str) -> None:
        """Wake the listeners of other processes."""
        async with self._acquired() as connection:
            with translated():
                await connection.execute("SELECT pg_notify($1, '')", channel)

    @asynccontextmanager
    async def _acquired(self) -> AsyncGenerator[Any]:
        if self._pool is None:
            raise Unavailable("The database is not connected.")
        with translated():
            connection = await self._pool.acquire(timeout=self._settings.acquire_timeout_seconds)
        try:
            yield connection
        finally:
            with translated():
                await self._pool.release(connection)


async def _no_reset(_connection: Any) -> None:
    """Skip the reset that a release makes: no statement here leaves anything on a connection, so it is a lost trip."""


@contextmanager
def translated() -> Any:
    """Turn the driver's exceptions into the project's."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolated(error.constraint_name or "") from error
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("The database took too long for a statement; ask for less or try again.") from error
    except _BUSY as error:
        raise Unavailable("The database is busy with a conflicting change; try again.") from error
    except TimeoutError as error:
        raise Unavailable("The database did not answer in time; try again.") from error
    except _LOST as error:
        raise Unavailable("The database cannot be reached; try again.", connection_lost=True) from error

"""PostgreSQL through asyncpg's own pool."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has no types of its own

from models.drivers.base import UniqueViolated
from models.drivers.columns import Columns, binary_copy
from models.drivers.lending import Lender, terminate
from models.errors import Unavailable
from models.statements import Row, Statement
from settings.types import DatabaseSettings

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # What asyncpg makes of a statement on a connection whose server has just said farewell.
    asyncpg.InternalClientError,
    OSError,
)
_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    # A migration has changed a table since the statement was prepared.
    asyncpg.InvalidCachedStatementError,
)
# Looked at before _LOST: QueryCanceledError is an OperatorInterventionError, and TimeoutError an OSError.
_FAILURES = (
    (asyncpg.QueryCanceledError, "The database took too long for a statement; ask for less or try again."),
    (_BUSY, "The database is busy with a conflicting change; try again."),
    (asyncpg.InsufficientResourcesError, "The database is at its limits; try again later."),
    (TimeoutError, "The database did not answer in time; try again."),
)


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

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows by COPY."""
        with translated():
            await self._connection.copy_records_to_table(table, columns=columns, records=rows)

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows by COPY of bytes that are made of the arrays as a whole."""
        rows = memoryview(binary_copy(list(columns.values())))
        with translated():
            await self._connection.copy_to_table(table, source=rows, columns=list(columns), format="binary")


class PostgresDriver:
    """A pool of connections with time limits on statements, locks and idle transactions."""

    dialect = "postgresql"

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._lender: Lender | None = None

    async def open(self) -> None:
        """Connect; raises Unavailable."""
        milliseconds = round(self._settings.statement_timeout_seconds * 1000)
        try:
            pool = await cast("Any", asyncpg).create_pool(
                self._settings.url.replace("postgresql+asyncpg://", "postgresql://", 1),
                # One now, which shows whether the server is there; for a minimum asyncpg would log each failed try.
                init_size=1,
                min_size=0,
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
        except (*_LOST, asyncpg.InsufficientResourcesError, asyncpg.InterfaceError, ValueError) as error:
            # At the start the reason helps, as a wrong password; later it would only tell clients about the inside.
            reason = str(error).partition("\n")[0].rstrip(".") or "it did not answer in time"
            raise Unavailable(f"The database cannot be reached: {reason}.", connection_lost=True) from error
        self._lender = Lender(pool, self._settings.acquire_timeout_seconds)

    async def close(self) -> None:
        """Close all connections; those in use get the time that one statement may take."""
        lender, self._lender = self._lender, None
        if lender is not None:
            await lender.close(self._settings.statement_timeout_seconds)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[PostgresConnection]:
        """Lend a connection that commits each statement by itself."""
        async with self._acquired() as connection:
            yield PostgresConnection(connection)

    async def read(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Run one statement that only reads, outside of any transaction, and return its rows.

        The same as `reading` and `run`, without the objects in between: most requests are this.
        """
        lender = self._open_lender()
        with translated():
            connection = await lender.take()
            try:
                rows = await connection.fetch(sql, *arguments)
            except BaseException as error:
                await _take_back_broken(lender, connection, error)
                raise
            await lender.keep(connection)
        return rows

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
                await _roll_back(connection, transaction)
                raise
            with translated():
                await transaction.commit()

    async def listen(
        self, channel: str, heard: Callable[[], None], ended: Callable[[], None]
    ) -> Callable[[], Awaitable[None]]:
        """Listen on a connection of its own, outside of the pool."""
        with translated():
            connection = await cast("Any", asyncpg).connect(
                self._settings.url.replace("postgresql+asyncpg://", "postgresql://", 1),
                timeout=self._settings.connect_timeout_seconds,
                server_settings={"application_name": "iotsphere listener"},
            )
            connection.add_termination_listener(_without_arguments(ended))
            try:
                await connection.add_listener(channel, _without_arguments(heard))
            except BaseException:
                connection.terminate()
                raise
        return connection.close

    async def notify(self, channel: str) -> None:
        """Wake the listeners of other processes."""
        async with self._acquired() as connection:
            with translated():
                await connection.execute("SELECT pg_notify($1, '')", channel)

    @asynccontextmanager
    async def _acquired(self) -> AsyncGenerator[Any]:
        lender = self._open_lender()
        with translated():
            connection = await lender.take()
        try:
            yield connection
        except BaseException as error:
            with translated():
                await _take_back_broken(lender, connection, error)
            raise
        with translated():
            await lender.keep(connection)

    def _open_lender(self) -> Lender:
        if self._lender is None:
            raise Unavailable("The database is not connected.")
        return self._lender


async def _take_back_broken(lender: Lender, connection: Any, error: BaseException) -> None:
    """Take back a connection whose use ended with an exception, and all others if it says that the server is gone."""
    known = translation(error)
    is_lost = isinstance(known, Unavailable) and known.connection_lost
    if is_lost:
        terminate(connection)
    await lender.put_back(connection)
    if is_lost:
        await lender.expire()


async def _roll_back(connection: Any, transaction: Any) -> None:
    """Roll back without hiding the failure that led here: where that is impossible, the connection is given up."""
    try:
        await transaction.rollback()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        terminate(connection)


def _without_arguments(call: Callable[[], None]) -> Callable[..., None]:
    return lambda *_: call()


async def _no_reset(_connection: Any) -> None:
    """Skip the reset that a release makes: no statement here leaves anything on a connection, so it is a lost trip.

    A transaction that a caller cancelled twice left open is rolled back by asyncpg even so.
    """


class _Translated:
    """A block whose driver's exceptions become the project's; without state, so one serves all."""

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and (known := translation(error)) is not error:
            raise known from error


_TRANSLATED = _Translated()


def translated() -> _Translated:
    """Turn the driver's exceptions into the project's."""
    return _TRANSLATED


def translation(error: BaseException) -> BaseException:
    """Return the project's exception for one of the driver's; any other as it is."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolated(getattr(error, "constraint_name", None) or "")
    for kinds, message in _FAILURES:
        if isinstance(error, kinds):
            return Unavailable(message)
    if isinstance(error, _LOST) or _says_closed(error):
        return Unavailable("The database cannot be reached; try again.", connection_lost=True)
    return error


def _says_closed(error: BaseException) -> bool:
    # The driver has one class for connections that are gone and for its own misuse, which is a defect.
    return isinstance(error, asyncpg.InterfaceError) and ("clos" in str(error) or "released" in str(error))

"""The store, the one way to the database: reads are single statements, writes transactions, events follow commits."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from models.columnar import ColumnRows, ColumnStatement
from models.drivers import Columns, Connection, Driver, PostgresDriver, SqliteDriver
from models.errors import Unavailable
from models.events import EventLog
from models.gathering import Gatherer, K, Load, T
from models.repositories import events
from models.statements import Row, Statement
from models.together import together
from settings.types import DatabaseSettings, EventSettings

Result = TypeVar("Result")


class Transaction:
    """A write transaction: everything in it happens, with its events, or nothing does."""

    def __init__(self, connection: Connection, on_statement: Callable[[str], None]) -> None:
        self._connection = connection
        self._on_statement = on_statement
        self.dialect = connection.dialect
        self.emitted: list[events.NewEvent] = []
        self._later: list[tuple[str, Sequence[Any]]] = []

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        self._on_statement(statement.on(self.dialect).sql)
        return await self._connection.fetch(statement, **values)

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        self._on_statement(statement.on(self.dialect).sql)
        return await self._connection.execute(statement, **values)

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values."""
        self._on_statement(statement.on(self.dialect).sql)
        await self._connection.execute_many(statement, rows)

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text of this dialect; for repositories."""
        self._on_statement(sql)
        return await self._connection.run(sql, *arguments)

    def run_later(self, sql: str, /, *arguments: Any) -> None:
        """Run a change in SQL text of PostgreSQL at the end, in one statement with others and with the events.

        No other of them may change the same rows, and nothing in this transaction may look at what it changes.
        """
        self._later.append((sql, arguments))

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows of the driver's own values, in the way that is fastest for many."""
        self._on_statement(f"COPY {table}")
        await self._connection.copy_in(table, columns, rows)

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows that are given as columns of arrays, in the way that is fastest for many."""
        self._on_statement(f"COPY {table}")
        await self._connection.copy_columns(table, columns)

    async def columns(self, statement: ColumnStatement, /, **values: Any) -> ColumnRows:
        """Run one read of many rows and return them as columns."""
        compiled = statement.on(self.dialect)
        return statement.columns_of(self.dialect, await self.run(compiled.sql, *compiled.arguments(values)))

    async def gather(self, _what: Hashable, wanted: Sequence[K], load: Load[K, T], /) -> T:
        """Read something; a transaction shares nothing with others."""
        return await load(list(dict.fromkeys(wanted)))

    def emit(self, event: events.NewEvent) -> None:
        """Let an event be written with this transaction and published after its commit."""
        self.emitted.append(event)

    async def finish(self) -> None:
        """Run what was left for the end, and write the events."""
        changes = [*self._later, events.addition(self.dialect, self.emitted)] if self.emitted else self._later
        if changes:
            sql, arguments = together(changes)
            await self.run(sql, *arguments)


class Store:
    """Reads and writes of one database, shared by a whole process.

    Attributes:
        dialect: postgresql or sqlite.
        log: the events of all processes on this database.
        on_statement: called with each SQL text that is run; tests count statements with it.
    """

    def __init__(self, database: DatabaseSettings, event_settings: EventSettings) -> None:
        self.settings = database
        self.driver: Driver = open_driver(database)
        self.dialect = self.driver.dialect
        self.log = EventLog(self, event_settings)
        self.on_statement: Callable[[str], None] | None = None
        self._gatherer = Gatherer()

    async def open(self) -> None:
        """Connect; raises Unavailable."""
        await self.driver.open()

    async def close(self) -> None:
        """Close all connections."""
        await self.driver.close()

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run one read and return its rows."""
        compiled = statement.on(self.dialect)
        return compiled.rows_of(await self._read(compiled.sql, compiled.arguments(values)))

    async def columns(self, statement: ColumnStatement, /, **values: Any) -> ColumnRows:
        """Run one read of many rows and return them as columns."""
        compiled = statement.on(self.dialect)
        return statement.columns_of(self.dialect, await self._read(compiled.sql, compiled.arguments(values)))

    def gather(self, what: Hashable, wanted: Sequence[K], load: Load[K, T], /) -> Awaitable[T]:
        """Read something together with all that ask for the same now; see `Gatherer.gather`."""
        if not self.settings.gathers_reads:
            return load(list(dict.fromkeys(wanted)))
        return self._gatherer.gather(what, wanted, load)

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text of this dialect as one read; for repositories."""
        return await self._read(sql, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a write transaction; it commits at the end and rolls back on any exception."""
        async with self.driver.writing() as connection:
            transaction = Transaction(connection, self._heard)
            yield transaction
            await transaction.finish()
        if transaction.emitted:
            self.log.wake()

    async def _read(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        self._heard(sql)
        try:
            return await self.driver.read(sql, arguments)
        except Unavailable as error:
            if not error.connection_lost:
                raise
        # The connection broke since its last use: a read can be repeated, on a new one.
        return await self.driver.read(sql, arguments)

    def _heard(self, sql: str) -> None:
        if self.on_statement is not None:
            self.on_statement(sql)


def open_driver(database: DatabaseSettings) -> Driver:
    """Return the driver for a database URL, not yet connected."""
    if database.url.startswith("postgresql"):
        return PostgresDriver(database)
    return SqliteDriver(database)

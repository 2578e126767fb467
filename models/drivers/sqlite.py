"""SQLite through aiosqlite: many readers, one writer."""

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from models.drivers.base import UniqueViolated
from models.drivers.columns import Columns, plain_rows
from models.errors import Unavailable
from models.statements import Row, Statement
from settings.types import DatabaseSettings

PREFIX = "sqlite+aiosqlite:///"
MEMORY_URL = f"{PREFIX}:memory:"
_UNUSABLE = ("unable to open", "disk", "readonly", "not a database", "malformed")
_INTERRUPT_SECONDS = 0.01
Result = TypeVar("Result")


def sqlite_uri(url: str) -> str:
    """Return the URI that SQLite opens; a memory database gets a name that connections of this process share."""
    path = url.removeprefix(PREFIX)
    if path in {"", ":memory:"}:
        return f"file:/iotsphere-{uuid.uuid4().hex}?vfs=memdb"
    return path if path.startswith("file:") else f"{Path(path).absolute().as_uri()}?mode=rwc"


class SqliteConnection:
    """One connection; its statements run in the connection's own thread."""

    dialect = "sqlite"

    def __init__(self, connection: aiosqlite.Connection, statement_timeout_seconds: float) -> None:
        self._connection = connection
        self._statement_timeout_seconds = statement_timeout_seconds

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        compiled = statement.on("sqlite")
        rows = await self.run(compiled.sql, *compiled.arguments(values))
        return compiled.rows_of(rows)

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        compiled = statement.on("sqlite")
        cursor = await self._ended(self._connection.execute(compiled.sql, compiled.arguments(values)))
        return max(cursor.rowcount, 0)

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values, in one hop to the connection's thread."""
        compiled = statement.on("sqlite")
        await self._ended(self._connection.executemany(compiled.sql, [compiled.arguments(row) for row in rows]))

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text."""
        return list(await self._ended(self._connection.execute_fetchall(sql, arguments)))

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows by one prepared INSERT, in one hop to the connection's thread."""
        places = ", ".join("?" for _ in columns)
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of the catalogue
        await self._ended(self._connection.executemany(sql, list(rows)))

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows by one prepared INSERT, in one hop to the connection's thread."""
        await self.copy_in(table, list(columns), plain_rows(list(columns.values())))

    async def _ended(self, call: Awaitable[Result]) -> Result:
        """Return what a call returns; its statement ends with this: nothing runs on a connection that is free."""
        work = asyncio.ensure_future(call)
        try:
            await asyncio.wait({work}, timeout=self._statement_timeout_seconds)
        finally:
            if not work.done():
                await _settled(work, self._connection)
        with translated():
            return work.result()


class SqliteDriver:
    """A pool of readers and one writer over a file, or over a database in memory.

    Attributes:
        uri: what the connections open; for a memory database, the name under which this process shares it.
    """

    dialect = "sqlite"

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self.uri = sqlite_uri(settings.url)
        self._readers: asyncio.LifoQueue[SqliteConnection] = asyncio.LifoQueue()
        self._writer: SqliteConnection | None = None
        self._write_lock = asyncio.Lock()
        self._connections: list[aiosqlite.Connection] = []

    async def open(self) -> None:
        """Open the file, made with its folder where it is missing; raises Unavailable."""
        self._make_folder()
        with translated():
            # Tried first, because aiosqlite lets a thread outlive the event loop where a file cannot be opened.
            await asyncio.to_thread(lambda: sqlite3.connect(self.uri, uri=True).close())
        self._readers = asyncio.LifoQueue()
        try:
            self._writer = await self._connect(writer=True)
            for _ in range(self._settings.pool_size):
                self._readers.put_nowait(await self._connect(writer=False))
        except BaseException:
            # Each connection has a thread, and one that is left behind would keep the process from ending.
            await self.close()
            raise

    async def close(self) -> None:
        """Close all connections, each when its statement has ended; who waits for one is told that it is closed."""
        self._writer = None
        while self._connections:
            await self._connections.pop().close()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[SqliteConnection]:
        """Lend a reader."""
        if self._writer is None:
            raise Unavailable("The database is closed.")
        readers = self._readers
        async with _waiting(self._settings.acquire_timeout_seconds, "All connections to the database are in use"):
            reader = await readers.get()
        try:
            yield reader
        finally:
            readers.put_nowait(reader)

    async def read(self, sql: str, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run one statement that only reads and return its rows as tuples."""
        async with self.reading() as connection:
            return await connection.run(sql, *arguments)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[SqliteConnection]:
        """Lend the writer in a transaction."""
        async with _waiting(self._settings.acquire_timeout_seconds, "The database is busy with other writers"):
            await self._write_lock.acquire()
        try:
            if self._writer is None:
                raise Unavailable("The database is closed.")
            async with _transaction(self._writer):
                yield self._writer
        finally:
            self._write_lock.release()

    async def listen(
        self,
        channel: str,  # noqa: ARG002 - the protocol's parameters
        heard: Callable[[], None],  # noqa: ARG002
        ended: Callable[[], None],  # noqa: ARG002
    ) -> Callable[[], Awaitable[None]] | None:
        """Return None: SQLite has no notifications, other processes are found by polling."""
        return None

    async def notify(self, channel: str) -> None:
        """Do nothing: other processes poll."""

    def _make_folder(self) -> None:
        if "vfs=memdb" in self.uri or not self._settings.url.startswith(PREFIX):
            return
        folder = Path(self._settings.url.removeprefix(PREFIX)).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"The folder of the database, {folder}, cannot be made: {error.strerror}.") from error

    async def _connect(self, *, writer: bool) -> SqliteConnection:
        with translated():
            connection = await aiosqlite.connect(self.uri, uri=True, isolation_level=None, cached_statements=500)
            self._connections.append(connection)
            for pragma in self._pragmas(writer=writer):
                await connection.execute_fetchall(f"PRAGMA {pragma}")
            await cast("Any", connection).create_function("lower", 1, _lower, deterministic=True)
        return SqliteConnection(connection, self._settings.statement_timeout_seconds)

    def _pragmas(self, *, writer: bool) -> list[str]:
        return [
            # Wait for another process's write rather than fail.
            f"busy_timeout = {round(self._settings.lock_timeout_seconds * 1000)}",
            # Readers go on while the writer writes.
            "journal_mode = WAL",
            # What was acknowledged survives a loss of power: sync the log at each commit.
            "synchronous = FULL",
            # SQLite leaves references unchecked unless told.
            "foreign_keys = ON",
            # 32 MB of pages per connection.
            "cache_size = -32000",
            "temp_store = MEMORY",
            f"query_only = {'OFF' if writer else 'ON'}",
        ]


@asynccontextmanager
async def _transaction(writer: SqliteConnection) -> AsyncGenerator[None]:
    try:
        # IMMEDIATE takes the write lock now: a transaction that read first could not upgrade past another writer.
        await writer.run("BEGIN IMMEDIATE")
        yield
        # Not interrupted: a caller that leaves gets its cancellation after the commit.
        commit = asyncio.ensure_future(writer.run("COMMIT"))
        await _settled(commit)
        commit.result()
    except BaseException:
        await _settled(asyncio.ensure_future(_roll_back(writer)))
        raise


async def _roll_back(writer: SqliteConnection) -> None:
    """Roll back without hiding the failure that led here; SQLite may have done so, or the commit has come first."""
    with suppress(sqlite3.Error, Unavailable):
        await writer.run("ROLLBACK")


async def _settled(work: asyncio.Future[Any], interrupted: aiosqlite.Connection | None = None) -> None:
    """Wait until work has ended, and only then be cancelled.

    Args:
        work: what runs in a connection's thread.
        interrupted: interrupt this connection again and again: a statement that has not begun yet does not notice it.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        if interrupted is not None:
            with suppress(ValueError):  # closed meanwhile
                await interrupted.interrupt()
        try:
            await asyncio.wait({work}, timeout=None if interrupted is None else _INTERRUPT_SECONDS)
        except asyncio.CancelledError as error:
            cancelled = error
    if not work.cancelled():
        work.exception()  # so that asyncio does not report it as never looked at
    if cancelled is not None:
        raise cancelled


def _lower(text: str | None) -> str | None:
    """Do what PostgreSQL's lower() does; SQLite's own knows the letters of English only."""
    return None if text is None else text.lower()


@asynccontextmanager
async def _waiting(limit_seconds: float, problem: str) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(limit_seconds):
            yield
    except TimeoutError as error:
        raise Unavailable(f"{problem}; try again.") from error


@contextmanager
def translated() -> Any:
    """Turn the driver's exceptions into the project's."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if "UNIQUE constraint failed" in str(error):
            raise UniqueViolated(str(error)) from error
        raise
    except sqlite3.DatabaseError as error:
        text = str(error)
        if text == "interrupted":
            raise Unavailable("The database took too long for a statement; ask for less or try again.") from error
        if "locked" in text or "busy" in text:
            raise Unavailable("The database is busy with another writer; try again.") from error
        if any(sign in text for sign in _UNUSABLE):
            raise Unavailable(f"The database cannot be used: {error}.") from error
        if "closed" in text:
            raise Unavailable("The database is closed.") from error
        raise
    except ValueError as error:
        if "closed" in str(error) or "no active connection" in str(error):
            raise Unavailable("The database is closed.") from error
        raise

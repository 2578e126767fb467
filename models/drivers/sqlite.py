"""SQLite through aiosqlite: many readers, one writer."""

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiosqlite

from models.drivers.base import UniqueViolated
from models.errors import Unavailable
from models.statements import Row, Statement
from settings.types import DatabaseSettings

PREFIX = "sqlite+aiosqlite:///"


def sqlite_uri(url: str) -> str:
    """Return the URI that SQLite opens; a memory database gets a name that connections of this process share."""
    path = url.removeprefix(PREFIX)
    if path in {"", ":memory:"}:
        return f"file:/iotsphere-{uuid.uuid4().hex}?vfs=memdb"
    return path if path.startswith("file:") else f"{Path(path).absolute().as_uri()}?mode=rwc"


class SqliteConnection:
    """One connection; its statements run in the connection's own thread."""

    dialect = "sqlite"

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        compiled = statement.on("sqlite")
        rows = await self.run(compiled.sql, *compiled.arguments(values))
        assert compiled.row_maker is not None
        return [compiled.row_maker(row) for row in rows]

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        compiled = statement.on("sqlite")
        with translated():
            async with self._connection.execute(compiled.sql, compiled.arguments(values)) as cursor:
                return max(cursor.rowcount, 0)

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values, in one hop to the connection's thread."""
        compiled = statement.on("sqlite")
        with translated():
            await self._connection.executemany(compiled.sql, [compiled.arguments(row) for row in rows])

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text."""
        with translated():
            try:
                return list(await self._connection.execute_fetchall(sql, arguments))
            except asyncio.CancelledError:
                # The thread would go on with a statement that nobody waits for.
                await self._connection.interrupt()
                raise


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
        self._writer = await self._connect(writer=True)
        for _ in range(self._settings.pool_size):
            self._readers.put_nowait(await self._connect(writer=False))

    async def close(self) -> None:
        """Close all connections."""
        self._writer = None
        while self._connections:
            await self._connections.pop().close()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[SqliteConnection]:
        """Lend a reader."""
        if self._writer is None:
            raise Unavailable("The database is not connected.")
        with translated():
            async with asyncio.timeout(self._settings.acquire_timeout_seconds):
                reader = await self._readers.get()
        try:
            yield reader
        finally:
            self._readers.put_nowait(reader)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[SqliteConnection]:
        """Lend the writer in a transaction."""
        if self._writer is None:
            raise Unavailable("The database is not connected.")
        async with self._write_lock:
            writer = self._writer
            try:
                # IMMEDIATE takes the write lock now: a transaction that read first could not upgrade past another writer.
                await writer.run("BEGIN IMMEDIATE")
                yield writer
                # Shielded: a caller that leaves must not interrupt a commit halfway.
                await asyncio.shield(writer.run("COMMIT"))
            except BaseException:
                # The connection's thread works in order, so this follows whatever was begun, even if nobody awaited it.
                with suppress(sqlite3.OperationalError):
                    await asyncio.shield(writer.run("ROLLBACK"))
                raise

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
        return SqliteConnection(connection)

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


@contextmanager
def translated() -> Any:
    """Turn the driver's exceptions into the project's."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if "UNIQUE constraint failed" in str(error):
            raise UniqueViolated(str(error)) from error
        raise
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Unavailable("The database is busy with another writer; try again.") from error
        if "unable to open" in str(error) or "disk" in str(error) or "interrupted" in str(error):
            raise Unavailable(f"The database cannot be used: {error}.") from error
        raise
    except TimeoutError as error:
        raise Unavailable("All connections to the database are in use; try again.") from error
    except (ValueError, sqlite3.ProgrammingError) as error:
        if "closed" in str(error) or "no active connection" in str(error):
            raise Unavailable("The database is closed.") from error
        raise

"""What the store asks of a driver."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from models.drivers.columns import Columns
from models.statements import Row, Statement


class UniqueViolated(Exception):
    """A row with this unique value exists already.

    Attributes:
        constraint: what the database names as the constraint or columns, for the repository that knows them.
    """

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Connection(Protocol):
    """One connection, inside a transaction or outside of any.

    Raises (all methods): Unavailable where the database cannot be reached, is too busy or took too long;
    UniqueViolated where a unique value is taken.
    """

    @property
    def dialect(self) -> str:
        """Name of the SQL dialect: postgresql or sqlite."""
        ...

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values."""
        ...

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text of this dialect, which only repositories write, and return the driver's own rows."""
        ...

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows of the driver's own values, in the way that is fastest for many."""
        ...

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows that are given as columns of arrays, without an object for any value where that is possible."""
        ...


class Driver(Protocol):
    """A pool of connections."""

    @property
    def dialect(self) -> str:
        """Name of the SQL dialect."""
        ...

    async def open(self) -> None:
        """Connect; raises Unavailable."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    async def read(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Run one statement that only reads, outside of any transaction, and return the driver's own rows."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection for single reads, without a transaction."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection in a write transaction: committed at the end, rolled back on any exception."""
        ...

    async def listen(
        self, channel: str, heard: Callable[[], None], ended: Callable[[], None]
    ) -> Callable[[], Awaitable[None]] | None:
        """Call `heard` for each notification, `ended` when the connection breaks; return the function that stops it.

        None where the database has no notifications.
        """
        ...

    async def notify(self, channel: str) -> None:
        """Wake the listeners of other processes; a hint that may be lost."""
        ...

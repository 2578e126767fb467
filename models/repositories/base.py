"""What repositories run their statements on."""

from collections.abc import Awaitable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from models.columnar import ColumnRows, ColumnStatement
from models.drivers import Columns
from models.gathering import K, Load, T
from models.statements import Row, Statement


class Reads(Protocol):
    """The store, or a transaction."""

    @property
    def dialect(self) -> str:
        """Name of the SQL dialect: postgresql or sqlite."""
        ...

    async def fetch(self, statement: Statement, /, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...

    async def columns(self, statement: ColumnStatement, /, **values: Any) -> ColumnRows:
        """Run a statement of many rows and return them as columns."""
        ...

    def gather(self, what: Hashable, wanted: Sequence[K], load: Load[K, T], /) -> Awaitable[T]:
        """Read something together with all that ask for the same now.

        Args:
            what: is read, with all that shapes it.
            wanted: of it, as ids.
            load: reads it for what all of them want.
        """
        ...

    async def run(self, sql: str, /, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run SQL text of the dialect and return the driver's own rows."""
        ...


class Writes(Reads, Protocol):
    """A transaction."""

    async def execute(self, statement: Statement, /, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Any]], /) -> None:
        """Run a statement once for each row of values."""
        ...

    def run_later(self, sql: str, /, *arguments: Any) -> None:
        """Run a change in SQL text of PostgreSQL at the end, in one statement with others.

        No other of them may change the same rows, and nothing in this transaction may look at what it changes.
        """
        ...

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows of the driver's own values, in the way that is fastest for many."""
        ...

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows that are given as columns of arrays, in the way that is fastest for many."""
        ...


async def find(db: Reads, statement: Statement, ids: Sequence[int]) -> Mapping[int, Row]:
    """Return rows by id, at least those of these ids that exist; what is asked for now is looked up together.

    The statement has one parameter, `ids`, and its rows a column `id`.
    """

    async def load(wanted: list[int]) -> Mapping[int, Row]:
        return {row["id"]: row for row in await db.fetch(statement, ids=wanted)}

    return await db.gather(statement, ids, load)

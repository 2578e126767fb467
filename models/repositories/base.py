"""What repositories run their statements on."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Protocol

from models.columnar import ColumnRows, ColumnStatement
from models.drivers import Columns
from models.lookups import Found
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

    def find(self, statement: Statement, ids: Sequence[int], /) -> Awaitable[Found]:
        """Return rows by id: at least those of these ids that exist."""
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

    async def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Add rows of the driver's own values, in the way that is fastest for many."""
        ...

    async def copy_columns(self, table: str, columns: Columns, /) -> None:
        """Add rows that are given as columns of arrays, in the way that is fastest for many."""
        ...

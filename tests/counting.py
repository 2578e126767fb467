"""Counts of statements that do not depend on the moment at which they were asked for."""

from collections import Counter
from collections.abc import Awaitable, Sequence

from models.lookups import Found
from models.statements import Statement
from models.store import Store


class Statements(list[str]):
    """The SQL texts that a store runs, but for the reads of the event log's own tail; `clear()` starts anew."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._asked: list[str] = []
        find = store.find

        def heard(sql: str) -> None:
            if "FROM events" not in sql:
                self.append(sql)

        def found(statement: Statement, ids: Sequence[int], /) -> Awaitable[Found]:
            self._asked.append(statement.on(store.dialect).sql)
            return find(statement, ids)

        store.on_statement = heard
        store.find = found

    def clear(self) -> None:
        """Forget what was run."""
        super().clear()
        self._asked.clear()

    def count_asked(self) -> int:
        """Return how many statements it takes where each lookup by id takes one of its own.

        Lookups that happen to be asked for in one turn of the event loop share a statement, so that fewer may have been
        run; which ones meet depends on time, what is asked for does not.
        """
        return (Counter(self) | Counter(self._asked)).total()

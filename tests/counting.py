"""Counts of statements that do not depend on the moment at which they were asked for."""

from collections.abc import Awaitable, Hashable, Sequence

from models.gathering import K, Load, T
from models.store import Store


class Statements(list[str]):
    """The SQL texts that a store runs, but for the reads of the event log's own tail; `clear()` starts anew."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._asked = 0
        self._gathered = 0
        gather = store.gather

        def heard(sql: str) -> None:
            if "FROM events" not in sql:
                self.append(sql)

        def counted(what: Hashable, wanted: Sequence[K], load: Load[K, T], /) -> Awaitable[T]:
            async def loaded(together: list[K]) -> T:
                self._gathered += 1
                return await load(together)

            self._asked += 1
            return gather(what, wanted, loaded)

        store.on_statement = heard
        store.gather = counted

    def clear(self) -> None:
        """Forget what was run."""
        super().clear()
        self._asked = self._gathered = 0

    def count_asked(self) -> int:
        """Return how many statements it takes where each read that may be gathered takes one of its own.

        Reads that happen to be asked for in one turn of the event loop share a statement, so that fewer may have been
        run; which ones meet depends on time, what is asked for does not.
        """
        return len(self) - self._gathered + self._asked

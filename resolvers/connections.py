"""Pages as the graph shows them: rows, cursors, and a total that is counted only when it is wanted."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from models.paging import Page
from models.statements import Row
from resolvers import cursors
from resolvers.loaders import Batch


class Connection(NamedTuple):
    """One page of a list; a tuple, since one is made for each device of a list.

    Attributes:
        page: the rows.
        order: name of the list and its order, which cursors carry.
        sort_values: what a cursor to a row holds.
        total: batch function that counts the whole list, by `total_key`.
        total_key: whose list this is.
    """

    page: Page
    order: str
    sort_values: Callable[[Row], tuple[Any, ...]]
    total: Batch
    total_key: Hashable

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of the page."""
        return self.page.rows

    def cursor(self, row: Row) -> str:
        """Return the cursor of a row of this page."""
        return cursors.encode(self.order, self.sort_values(row))

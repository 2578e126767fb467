"""Links to the lists of a device that grow with time: maintenance, changes of controls and slots, sales."""

from collections.abc import Sequence

from models.paging import Window
from models.repositories import histories
from models.repositories.histories import History
from models.statements import Row
from resolvers.connections import Connection
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch


def pages(history: History, order: str, window: Window) -> Batch:
    """Return the batch function from devices to a page of each one's list, newest first.

    Args:
        history: the list.
        order: the name that its cursors carry.
        window: which page.
    """
    return batch(_pages, history=history, order=order, window=window)


def entries(history: History) -> Batch:
    """Return the batch function from ids to entries of a list, None where there is none."""
    return batch(_entries, history=history)


async def _pages(
    scope: Scope, ids: Sequence[int], columns: Columns, *, history: History, order: str, window: Window
) -> list[Connection]:
    scope.ask(window.count * len(ids))
    found = await histories.page_by_devices(scope.store, history, ids, window, columns)
    total = batch(_counts, history=history)
    return [Connection(page, order, history.sort_values, total, id_) for page, id_ in zip(found, ids, strict=True)]


async def _counts(scope: Scope, ids: Sequence[int], _columns: Columns, *, history: History) -> list[int]:
    return await histories.count_by_devices(scope.store, history, ids)


async def _entries(scope: Scope, ids: Sequence[int], columns: Columns, *, history: History) -> list[Row | None]:
    return await histories.by_ids(scope.store, history, ids, columns)

"""Lists that grow with time: maintenance, changes, sales, anomalies, alerts; of a device, or of the whole fleet."""

from collections.abc import Sequence

from models.filters import EVERYTHING, Filter
from models.paging import Window
from models.repositories import histories
from models.repositories.histories import History
from models.statements import Row
from resolvers.connections import Connection
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch


def pages(history: History, order: str, window: Window, wanted: Filter = EVERYTHING) -> Batch:
    """Return the batch function from devices to a page of each one's list, newest first.

    Args:
        history: the list.
        order: the name that its cursors carry.
        window: which page.
        wanted: which entries.
    """
    return batch(_pages, history=history, order=order, window=window, wanted=wanted)


def page(history: History, order: str, window: Window, wanted: Filter = EVERYTHING) -> Batch:
    """Return the batch function from the root to a page of the list of the whole fleet; arguments as of `pages`."""
    return batch(_page, history=history, order=order, window=window, wanted=wanted)


def entries(history: History) -> Batch:
    """Return the batch function from ids to entries of a list, None where there is none, as for the id None."""
    return batch(_entries, history=history)


def entries_of(history: History, column: str) -> Batch:
    """Return the batch function from ids that a column holds to all entries that hold them, oldest first."""
    return batch(_entries_of, history=history, column=column)


def counts(history: History, column: str, values: Sequence[str], wanted: Filter = EVERYTHING) -> Batch:
    """Return the batch function from the root to how many entries that a filter lets through have each value.

    Args:
        history: the list.
        column: holds the values.
        values: all of those that are told, in this order; the rows have the column, and `count`.
        wanted: which entries.
    """
    return batch(_counts_by, history=history, column=column, values=tuple(values), wanted=wanted)


async def _pages(
    scope: Scope,
    ids: Sequence[int],
    columns: Columns,
    *,
    history: History,
    order: str,
    window: Window,
    wanted: Filter,
) -> list[Connection]:
    scope.ask(window.count * len(ids))
    found = await histories.page_by_devices(scope.store, history, ids, window, columns, wanted)
    total = batch(_counts, history=history, wanted=wanted)
    return [Connection(page, order, history.sort_values, total, id_) for page, id_ in zip(found, ids, strict=True)]


async def _page(
    scope: Scope,
    keys: Sequence[None],
    columns: Columns,
    *,
    history: History,
    order: str,
    window: Window,
    wanted: Filter,
) -> list[Connection]:
    scope.ask(window.count)
    found = await histories.page(scope.store, history, window, columns, wanted)
    total = batch(_count, history=history, wanted=wanted)
    return [Connection(found, order, history.sort_values, total, None)] * len(keys)


async def _counts(
    scope: Scope, ids: Sequence[int], _columns: Columns, *, history: History, wanted: Filter
) -> list[int]:
    return await histories.count_by_devices(scope.store, history, ids, wanted)


async def _count(
    scope: Scope, keys: Sequence[None], _columns: Columns, *, history: History, wanted: Filter
) -> list[int]:
    return [await histories.count(scope.store, history, wanted)] * len(keys)


async def _counts_by(
    scope: Scope,
    keys: Sequence[None],
    _columns: Columns,
    *,
    history: History,
    column: str,
    values: Sequence[str],
    wanted: Filter,
) -> list[list[Row]]:
    counted = await histories.counts_by(scope.store, history, column, wanted)
    rows: list[Row] = [{column: value, "count": counted.get(value, 0)} for value in values]
    return [rows] * len(keys)


async def _entries(scope: Scope, ids: Sequence[int | None], columns: Columns, *, history: History) -> list[Row | None]:
    there = [id_ for id_ in ids if id_ is not None]
    found = dict(zip(there, await histories.by_ids(scope.store, history, there, columns), strict=True)) if there else {}
    return [None if id_ is None else found[id_] for id_ in ids]


async def _entries_of(
    scope: Scope, ids: Sequence[int], columns: Columns, *, history: History, column: str
) -> list[list[Row]]:
    return await histories.by_column(scope.store, history, column, ids, columns)

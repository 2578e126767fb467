"""Readings of devices: the newest, pages of history, live."""

from collections.abc import Sequence
from datetime import datetime

from models.errors import BadUserInput
from models.paging import Window
from models.repositories import readings
from models.repositories.readings import TimeRange
from models.statements import Row
from resolvers.connections import Connection
from resolvers.context import Scope
from resolvers.loaders import Columns, batch

ORDER = "readings"


async def latest(
    scope: Scope, keys: Sequence[tuple[int, datetime | None]], columns: Columns, *, kind: str
) -> list[Row | None]:
    """Return the newest reading of each device, by its id and the time of its newest reading."""
    return await readings.latest(scope.store, kind, keys, columns)


async def page(
    scope: Scope, ids: Sequence[int], columns: Columns, *, kind: str, window: Window, range_: TimeRange
) -> list[Connection]:
    """Return a page of each device's readings, newest first."""
    scope.ask(window.count * len(ids))
    pages = await readings.page_by_devices(scope.store, kind, ids, window, range_, columns)
    total = batch(count, kind=kind, range_=range_)
    return [Connection(page, ORDER, _sort_values, total, id_) for page, id_ in zip(pages, ids, strict=True)]


def _sort_values(row: Row) -> tuple[datetime]:
    return (row["recorded_at"],)


async def count(scope: Scope, ids: Sequence[int], _columns: Columns, *, kind: str, range_: TimeRange) -> list[int]:
    """Return how many readings each device has in a range."""
    return await readings.count_by_devices(scope.store, kind, ids, range_)


def time_range(start: datetime | None, end: datetime | None) -> TimeRange:
    """Return the range of two instants; raises BadUserInput if it ends before it begins."""
    if start is not None and end is not None and start >= end:
        raise BadUserInput(
            f"'from' ({start.isoformat()}) must be before 'to' ({end.isoformat()}).", input_path=("from",)
        )
    return TimeRange(start, end)

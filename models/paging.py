"""Keyset pages: a window onto an ordered list, held by the values of its last row, never by an offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, and_, bindparam, false, literal_column, or_, tuple_

from models.columnar import ColumnRows
from models.statements import Row


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of an ordered list is wanted.

    Attributes:
        count: rows at most.
        cursor: sort values of the row behind which (or, backward, before which) the page lies; None at the list's end.
        backward: the page ends at the cursor instead of beginning there.
    """

    count: int
    cursor: tuple[Any, ...] | None = None
    backward: bool = False


class Page(NamedTuple):
    """One page of a list, in the order of the list; a tuple, since one is made for each device of a list.

    Attributes:
        rows: the rows.
        has_next: rows follow.
        has_previous: rows precede.
    """

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


# Sizes of pages that are asked for again and again.
_USUAL = frozenset({1, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000})


def usual(window: Window) -> int | None:
    """Return the size of a page if it is a usual one, which then belongs to the shape of its statement.

    PostgreSQL keeps the plan of a statement only where one that knows the values would be no better. Of a limit that is
    a parameter it knows nothing, so it would plan short pages anew each time.
    """
    return window.count if window.count in _USUAL else None


def one_more(size: int | None) -> ColumnElement[Any]:
    """Return the limit of a page's rows: one more than the usual size, or what is bound as `count`."""
    return bindparam("count", type_=Integer()) if size is None else literal_column(str(size + 1))


def cut_each(rows: Sequence[Row], owner: str, window: Window) -> dict[Any, Page]:
    """Make the page of each owner from rows of many, in which those of one stand together, as `cut` does for one."""
    if isinstance(rows, ColumnRows):
        return {id_: cut(ColumnRows(rows.columns, places), window) for id_, places in rows.split(owner).items()}
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[owner], []).append(row)
    return {id_: cut(own, window) for id_, own in found.items()}


def cut(rows: Sequence[Row], window: Window) -> Page:
    """Make the page from rows fetched in the window's direction, one more than it holds if there are more."""
    more = len(rows) > window.count
    kept = rows[: window.count] if more else rows
    beyond = window.cursor is not None
    if window.backward:
        return Page(kept[::-1], has_next=beyond, has_previous=more)
    return Page(kept, has_next=more, has_previous=beyond)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order.

    Attributes:
        column: what is sorted; NULL counts as smallest.
        descending: largest first.
    """

    column: ColumnElement[Any]
    descending: bool = False

    def clause(self, *, backward: bool) -> ColumnElement[Any]:
        """Return the ORDER BY term, turned round for a backward page."""
        if self.descending != backward:
            return self.column.desc().nulls_last() if _nullable(self.column) else self.column.desc()
        return self.column.asc().nulls_first() if _nullable(self.column) else self.column.asc()


def beyond(keys: Sequence[SortKey], shape: Sequence[bool], *, backward: bool) -> ColumnElement[bool]:
    """Return the condition that a row lies beyond the cursor whose values are bound as cursor_0, cursor_1, ...

    Args:
        keys: the order; its last key makes it unambiguous.
        shape: for each key whether the cursor's value is NULL, which SQL cannot compare.
        backward: the page lies before the cursor.
    """
    if len(keys) > 1 and not any(shape) and not any(_nullable(key.column) for key in keys):
        uniform = {key.descending for key in keys}
        if len(uniform) == 1:
            return _row_comparison(keys, descending=uniform.pop() != backward)
    alternatives: list[ColumnElement[bool]] = []
    for place, key in enumerate(keys):
        ties = [_equal(keys[before].column, before, is_null=shape[before]) for before in range(place)]
        alternatives.append(and_(*ties, _past(key, place, is_null=shape[place], backward=backward)))
    return or_(*alternatives)


def cursor_values(cursor: Sequence[Any] | None) -> dict[str, Any]:
    """Return a cursor's values under the names that `beyond` binds."""
    return {f"cursor_{place}": value for place, value in enumerate(cursor or ())}


def _row_comparison(keys: Sequence[SortKey], *, descending: bool) -> ColumnElement[bool]:
    # (a, b) > (x, y) is one range of an index, where a > x OR (a = x AND b > y) is two.
    columns = tuple_(*(key.column for key in keys))
    bounds = tuple_(*(_value(key.column, place) for place, key in enumerate(keys)))
    return columns < bounds if descending else columns > bounds


def _past(key: SortKey, place: int, *, is_null: bool, backward: bool) -> ColumnElement[bool]:
    if key.descending != backward:  # towards smaller values, NULL last
        if is_null:
            return false()
        smaller = key.column < _value(key.column, place)
        return or_(smaller, key.column.is_(None)) if _nullable(key.column) else smaller
    return key.column.is_not(None) if is_null else key.column > _value(key.column, place)


def _equal(column: ColumnElement[Any], place: int, *, is_null: bool) -> ColumnElement[bool]:
    return column.is_(None) if is_null else column == _value(column, place)


def _value(column: ColumnElement[Any], place: int) -> ColumnElement[Any]:
    return bindparam(f"cursor_{place}", type_=column.type)


def _nullable(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", False))

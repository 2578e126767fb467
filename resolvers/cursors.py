"""Cursors: the sort values of a row, opaque to clients, and windows made of them."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from types import UnionType
from typing import Any, TypeAlias

import orjson

from models.errors import BadUserInput
from models.paging import Window
from models.types import from_micros, to_micros
from resolvers.checks import page_size
from settings.types import GraphQLSettings

ValueType: TypeAlias = type | UnionType
"""Of a sort value; `datetime | None` where the column may be NULL."""


def encode(order: str, values: Sequence[Any]) -> str:
    """Return the cursor of a row with these sort values in this order of a list."""
    plain = [[to_micros(value)] if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([order, *plain])).decode().rstrip("=")


def decode(order: str, types: Sequence[ValueType], cursor: str, argument: str) -> tuple[Any, ...]:
    """Return the sort values of a cursor; raises BadUserInput if it is none, or one of another list or order."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found, *plain = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        values = tuple(from_micros(value[0]) if isinstance(value, list) else value for value in plain)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    except (ValueError, TypeError, IndexError, OverflowError, binascii.Error) as error:
        raise _malformed(argument) from error
    if found != order:
        raise BadUserInput(
            f"The cursor in '{argument}' belongs to another list or another order; use cursors of this one.",
            input_path=(argument,),
        )
    if len(values) != len(types) or not all(map(_fits, values, types)):
        raise _malformed(argument)
    return values


def window(
    limits: GraphQLSettings,
    order: str,
    types: Sequence[ValueType],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Window:
    """Return the window that the arguments of a connection describe.

    Raises:
        BadUserInput: both directions at once, a negative size, a malformed or foreign cursor.
        LimitExceeded: a page larger than allowed.
    """
    if first is not None and last is not None:
        raise BadUserInput("Use 'first' with 'after', or 'last' with 'before', not both.", input_path=("last",))
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise BadUserInput("Use 'first' with 'after', or 'last' with 'before', not both.", input_path=("before",))
    size_name, size = ("last", last) if backward else ("first", first)
    cursor_name, cursor = ("before", before) if backward else ("after", after)
    count = limits.default_page_size if size is None else page_size(size, size_name, limits.max_page_size)
    values = None if cursor is None else decode(order, types, cursor, cursor_name)
    return Window(count, values, backward=backward)


def _fits(value: Any, type_: ValueType) -> bool:
    """Say whether a value may be compared with a column of this type."""
    if isinstance(value, bool) or not isinstance(value, type_):
        return False
    if isinstance(value, int):
        return abs(value) < 2**63
    return not isinstance(value, str) or "\0" not in value


def _malformed(argument: str) -> BadUserInput:
    return BadUserInput(
        f"The cursor in '{argument}' is malformed; cursors come from 'pageInfo' or 'edges'.", input_path=(argument,)
    )

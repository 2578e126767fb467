"""Filtered lists that grow with time: the arguments of their connections, bound to the batch function of a page."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.filters import EVERYTHING
from models.repositories.histories import History
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema.types.paging import After, Before, First, Last, window


def filtered(listed: Callable[..., Batch], history: History, order: str, filter_type: type) -> Callable[..., Batch]:
    """Return how a list is bound to the arguments of its connection, for `schema.fields.link`.

    Args:
        listed: `resolvers.histories.pages` for the lists of owners, `page` for the list of all.
        history: the list.
        order: the name that its cursors carry.
        filter_type: the input of its filter; its method `plain` returns the filter in plain values.
    """

    def bind(
        scope: Scope,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Any = None,  # noqa: A002 - the argument's name in the schema
    ) -> Batch:
        place = window(scope, order, (datetime, int), (first, after, last, before))
        return listed(history, order, place, EVERYTHING if filter is None else filter.plain())

    argument = strawberry.argument(description="Which ones; all if not given.")
    bind.__annotations__["filter"] = Annotated[filter_type | None, argument]
    return bind

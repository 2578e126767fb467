"""Connections: pages of lists with keyset cursors, as Relay describes them."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

import strawberry

from models.paging import Window
from resolvers.connections import Connection as PageOfRows
from resolvers.context import Scope
from resolvers.cursors import ValueType
from resolvers.cursors import window as make_window
from schema.fields import derived, link_of_parent

Node = TypeVar("Node")

First = Annotated[
    int | None, strawberry.argument(description="At most this many from the beginning, or after the cursor `after`.")
]
After = Annotated[str | None, strawberry.argument(description="Cursor behind which the page begins.")]
Last = Annotated[
    int | None, strawberry.argument(description="At most this many from the end, or before the cursor `before`.")
]
Before = Annotated[str | None, strawberry.argument(description="Cursor before which the page ends.")]


def window(
    scope: Scope,
    order: str,
    types: tuple[ValueType, ...],
    arguments: tuple[First, After, Last, Before],
) -> Window:
    """Return the window that the four arguments of a connection describe."""
    first, after, last, before = arguments
    limits = scope.services.settings.graphql
    return make_window(limits, order, types, first=first, after=after, last=last, before=before)


def _edge_cursor(place: int) -> Callable[[PageOfRows], str | None]:
    return lambda page: page.cursor(page.rows[place]) if page.rows else None


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = derived(lambda page: page.page.has_next, description="Whether rows follow this page.")
    has_previous_page: bool = derived(
        lambda page: page.page.has_previous, description="Whether rows precede this page."
    )
    start_cursor: str | None = derived(_edge_cursor(0), description="Cursor of the first row; null for an empty page.")
    end_cursor: str | None = derived(_edge_cursor(-1), description="Cursor of the last row; null for an empty page.")


@strawberry.type(description="A row of a page with its cursor.")
class Edge(Generic[Node]):
    """A row of a page with its cursor."""

    cursor: str = derived(lambda edge: edge[0].cursor(edge[1]), description="The row's place in the list.")
    node: Node = derived(lambda edge: edge[1], passes_columns=True, description="The row.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):
    """One page of a list."""

    nodes: list[Node] = derived(lambda page: page.rows, passes_columns=True, description="The rows of the page.")
    edges: list[Edge[Node]] = derived(
        lambda page: [(page, row) for row in page.rows],
        passes_columns=True,
        description="The rows of the page, each with its cursor.",
    )
    page_info: PageInfo = derived(lambda page: page, description="Where the page stands in its list.")
    total_count: int = link_of_parent(
        lambda page: page.total,
        key=lambda page: page.total_key,
        description="Length of the whole list. It is counted only when selected.",
    )

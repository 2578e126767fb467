"""Batch functions: how every link of the graph is followed.

A batch function answers for many parents at once: `load(scope, keys, columns, **arguments)` returns one result for each
key, in their order. `columns` names what is wanted of the rows, None for all. The plan of a document calls it once for
a whole level of the answer; the ordinary executor reaches it through a DataLoader. Both ways cost the same statements.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from resolvers.context import Scope

Columns: TypeAlias = frozenset[str] | None
Load: TypeAlias = Callable[..., Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch function with its arguments; equal ones share a DataLoader."""

    load: Load
    arguments: tuple[tuple[str, Hashable], ...]

    def __call__(self, scope: "Scope", keys: Sequence[Any], columns: Columns = None) -> Awaitable[Sequence[Any]]:
        """Return one result for each key."""
        return self.load(scope, keys, columns, **dict(self.arguments))


def batch(load: Load, **arguments: Hashable) -> Batch:
    """Bind a batch function to the arguments that all its keys share."""
    return Batch(load, tuple(arguments.items()))

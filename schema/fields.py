"""How fields are declared: plain columns, derived values, and links.

A plain annotated attribute is a column: its value is the row's, by its Python name. `derived` computes a value from
the row. `link` follows the graph by a batch function. The declarations are all there is: Strawberry's resolvers are
made from them here, and the compiler of plans (schema/compiler.py) reads the same ones from the field's metadata.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import strawberry
from strawberry.types.field import StrawberryField

from models.principal import Right
from resolvers import streams
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns
from resolvers.streams import Stream

DECLARATION = "declaration"
RIGHT = "right"
PERFORM = "perform"
FOLLOW = "follow"

Perform = Callable[..., Awaitable[Any]]


class Info(strawberry.Info[Scope, None]):
    """What Strawberry hands to resolvers; the context is the operation's scope."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A value computed from the row.

    Attributes:
        compute: from the row to the value; for an object type, to the row (or rows) of that type.
        needs: columns that it reads.
        passes_columns: what is selected below is selected of this row's own table (pages hand on to their rows).
        column: the value is this column's; None where there is something to compute.
    """

    compute: Callable[[Any], Any]
    needs: Columns
    passes_columns: bool = False
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of another table, found by a key of this row.

    Attributes:
        bind: from the scope and the field's arguments to the batch function.
        key: from the row to the key.
        needs: columns that the key is made of.
        of_parent: the batch function comes from the row itself, by `bind(scope, row)`; it is the same for all rows of
            one level.
    """

    bind: Callable[..., Batch]
    key: Callable[[Any], Hashable]
    needs: Columns
    of_parent: bool = False


def column_value(row: Mapping[str, Any], name: str) -> Any:
    """Return a plain field's value: the column of its name."""
    return row[name]


def derived(
    compute: Callable[[Any], Any],
    *,
    needs: tuple[str, ...] = (),
    description: str,
    passes_columns: bool = False,
) -> Any:
    """Declare a field whose value is computed from the row; its type is the attribute's annotation."""
    return _of_row_field(Derived(compute, frozenset(needs), passes_columns), description)


def renamed(column: str, *, description: str) -> Any:
    """Declare a field whose value is a column of another name; its type is the attribute's annotation."""
    return _of_row_field(Derived(itemgetter(column), frozenset({column}), column=column), description)


def _of_row_field(declaration: Derived, description: str) -> Any:
    compute = declaration.compute

    def resolve(root: Any) -> Any:
        return compute(root)

    del resolve.__annotations__["return"]
    return strawberry.field(resolver=resolve, description=description, metadata={DECLARATION: declaration})


def link(bind: Callable[..., Batch], *, key: str | tuple[str, ...] = (), description: str) -> Any:
    """Declare a field that follows a link; its type is the attribute's annotation.

    Args:
        bind: takes the scope and, by keyword, the arguments of the field, and returns the batch function; the
            arguments' annotations are those of the field.
        key: column of the row that is the key, or several for a tuple; none for the root.
        description: for the schema.
    """
    names = (key,) if isinstance(key, str) else key
    declaration = Link(bind, itemgetter(*names) if names else _no_key, frozenset(names))

    def resolve(root: Any, info: Info, **arguments: Any) -> Any:
        return info.context.load(bind(info.context, **arguments), declaration.key(root))

    _take_arguments(resolve, bind)
    return strawberry.field(resolver=resolve, description=description, metadata={DECLARATION: declaration})


def link_of_parent(batch_of: Callable[[Any], Batch], *, key: Callable[[Any], Hashable], description: str) -> Any:
    """Declare a link whose batch function the row itself carries."""
    declaration = Link(_of_row(batch_of), key, frozenset(), of_parent=True)

    def resolve(root: Any, info: Info) -> Any:
        return info.context.load(batch_of(root), key(root))

    del resolve.__annotations__["return"]
    return strawberry.field(resolver=resolve, description=description, metadata={DECLARATION: declaration})


def mutation(right: Right, *, description: str) -> Callable[[Perform], Any]:
    """Declare a mutation and the right that it takes."""

    def declare(function: Perform) -> Any:
        async def resolve(info: Info, **arguments: Any) -> Any:
            if info.path.key in info.context.performed:
                return _outcome(info.context.performed.pop(str(info.path.key)))
            # What an earlier field of this operation loaded may be what this one changes.
            info.context.forget()
            info.context.require(right)
            return await function(info.context, **arguments)

        _take_arguments(resolve, function, returns=True)
        metadata = {RIGHT: right, PERFORM: function}
        return strawberry.mutation(resolver=resolve, description=description, metadata=metadata)

    return declare


def subscription(right: Right, *, description: str) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a subscription and the right that it takes.

    The function takes the scope and the arguments of the field, checks them, and returns the `Stream` that is followed;
    `followed` makes it fit the type of one event. Subscribers whose arguments are equal, but for `after`, share one
    stream from where they meet: the function must not depend on anything else.
    """

    def declare(function: Callable[..., Awaitable[Any]]) -> Any:
        async def resolve(info: Info, **arguments: Any) -> Any:
            info.context.require(right)
            # Opened now, not when the first event is asked for: what happens from here on is part of the stream.
            return Source(info.context, await function(info.context, **arguments))

        _take_arguments(resolve, function, returns=True)
        metadata = {RIGHT: right, FOLLOW: function}
        return strawberry.subscription(resolver=resolve, description=description, metadata=metadata)

    return declare


def followed(stream: Stream) -> Any:
    """Return a stream as the events of a type: types of the schema are told apart from the rows that fill them."""
    return stream


@dataclass(frozen=True, slots=True)
class Source:
    """What the resolver of a subscription returns: the engine follows its stream, Strawberry alone its rows."""

    scope: Scope
    stream: Stream

    def __aiter__(self) -> AsyncIterator[Any]:
        """Iterate over the rows, each for an answer of its own."""
        return self._rows()

    async def _rows(self) -> AsyncGenerator[Any]:
        # Closed with this one, and not when the garbage collector comes by.
        async with aclosing(streams.rows(self.scope, self.stream)) as rows:
            async for row in rows:
                # What an earlier event loaded may have changed since.
                self.scope.renew()
                yield row


def declaration_of(definition: StrawberryField) -> Derived | Link | None:
    """Return how a field was declared; None for a plain column."""
    return cast("Derived | Link | None", definition.metadata.get(DECLARATION))


def _outcome(result: Any) -> Any:
    """Return what a use case returned, or raise what it raised."""
    if isinstance(result, Exception):
        raise result
    return result


def _of_row(batch_of: Callable[[Any], Batch]) -> Callable[..., Batch]:
    def bind(_scope: Scope, row: Any) -> Batch:
        return batch_of(row)

    return bind


def _no_key(_row: Any) -> None:
    return None


def _take_arguments(resolve: Callable[..., Any], function: Callable[..., Any], *, returns: bool = False) -> None:
    """Give a resolver the arguments (all but the scope) that a function declares, which is how Strawberry sees them."""
    own = [each for each in inspect.signature(resolve).parameters.values() if each.name in {"root", "info"}]
    declared = inspect.signature(function)
    arguments = [each.replace(kind=each.KEYWORD_ONLY) for each in list(declared.parameters.values())[1:]]
    result = declared.return_annotation if returns else inspect.Signature.empty
    target = cast("Any", resolve)
    target.__signature__ = inspect.Signature([*own, *arguments], return_annotation=result)
    target.__annotations__ = {"info": Info, **{each.name: each.annotation for each in arguments}}
    if returns:
        target.__annotations__["return"] = result
    target.__module__ = function.__module__

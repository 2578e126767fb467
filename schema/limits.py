"""What a document may ask for: depth, aliases and fields, counted in one pass before the rules of the specification.

Fragments are counted once each and the counts are added up where they are spread, so a short document of fragments that
double each other is refused in milliseconds instead of being walked path by path.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
)

from settings.types import GraphQLSettings

INTROSPECTION_DEPTH = 20
"""Deepest nesting under __schema or __type: explorers unwrap types nine times, whatever depth the data may have."""

_MOST = 2**31 - 1  # a count beyond this is only "too many", and JSON readers keep it exact


@dataclass(slots=True)
class _Size:
    """How much a selection asks for, once its fragments are spelled out.

    Attributes:
        depth: nesting of fields, without what is under an introspection field.
        introspection_depth: nesting of fields under an introspection field.
    """

    fields: int = 0
    aliases: int = 0
    depth: int = 0
    introspection_depth: int = 0

    def include(self, other: "_Size", spread: "_Spread") -> None:
        self.fields = min(self.fields + other.fields, _MOST)
        self.aliases = min(self.aliases + other.aliases, _MOST)
        if spread.in_introspection:
            inner = spread.depth + max(other.depth, other.introspection_depth)
            self.introspection_depth = max(self.introspection_depth, inner)
        else:
            self.depth = max(self.depth, spread.depth + other.depth)
            self.introspection_depth = max(self.introspection_depth, other.introspection_depth)


@dataclass(frozen=True, slots=True)
class _Spread:
    fragment: str
    depth: int
    in_introspection: bool


@dataclass(slots=True)
class _Definition:
    """What an operation or fragment asks for by itself, and the fragments that it spreads."""

    own: _Size = field(default_factory=_Size)
    spreads: list[_Spread] = field(default_factory=list[_Spread])
    introspection: FieldNode | None = None
    most_repeated: tuple[str, int] = ("", 0)


def document_rules(settings: GraphQLSettings) -> tuple[type[ASTValidationRule], ...]:
    """Return the validation rules that hold documents to the limits of the settings."""

    class Limits(ASTValidationRule):
        """Refuses documents that ask for too much."""

        def enter_document(self, node: DocumentNode, *_: Any) -> None:
            for problem in _problems(node, settings):
                self.report_error(problem)

    return (Limits, PlainText)


class PlainText(ASTValidationRule):
    """Refuses strings that hold NUL, which no text column can store."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Check one string literal."""
        if "\0" in node.value:
            message = "A text of the document holds the character NUL (U+0000); leave it out."
            self.report_error(GraphQLError(message, node, extensions={"code": "BAD_USER_INPUT"}))


def _problems(document: DocumentNode, settings: GraphQLSettings) -> Iterator[GraphQLError]:
    fragments = {
        each.name.value: _measure(each.selection_set)
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    sizes = _fragment_sizes(fragments)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            operation = _measure(each.selection_set)
            reached = [operation, *(fragments[name] for name in _reachable(operation, fragments))]
            yield from _excesses(each, _total(operation, sizes), reached, settings)


def _excesses(
    operation: OperationDefinitionNode, size: _Size, reached: Iterable[_Definition], settings: GraphQLSettings
) -> Iterator[GraphQLError]:
    name = f"The operation '{operation.name.value}'" if operation.name else "The operation"
    limits = (
        ("max_depth", f"{name} nests fields {size.depth} deep", size.depth, settings.max_depth),
        ("max_aliases", f"{name} uses {size.aliases} aliases", size.aliases, settings.max_aliases),
        (
            "max_tokens",
            f"{name} asks for {size.fields} fields once its fragments are spelled out",
            size.fields,
            settings.max_tokens,
        ),
        (
            "introspection_depth",
            f"{name} nests introspection {size.introspection_depth} deep",
            size.introspection_depth,
            INTROSPECTION_DEPTH,
        ),
    )
    for limit, what, actual, allowed in limits:
        if actual > allowed:
            yield _excess(limit, what, actual, allowed, operation)
    for each in reached:
        field_name, times = each.most_repeated
        if times > max(settings.max_aliases, 1):
            what = f"{name} asks for '{field_name}' {times} times in one selection"
            yield _excess("max_aliases", what, times, settings.max_aliases, operation)
        if each.introspection and not settings.introspection:
            yield GraphQLError("Introspection is off on this server (graphql.introspection).", each.introspection)


def _excess(limit: str, what: str, actual: int, allowed: int, node: Node) -> GraphQLError:
    source = f"graphql.{limit}" if limit.startswith("max_") else "fixed"
    return GraphQLError(
        f"{what}; at most {allowed} are allowed ({source}).",
        node,
        extensions={"code": "LIMIT_EXCEEDED", "limit": limit, "allowed": allowed, "actual": actual},
    )


def _measure(selections: SelectionSetNode) -> _Definition:
    found = _Definition()
    stack: list[tuple[SelectionSetNode, int, bool]] = [(selections, 0, False)]
    while stack:
        level, depth, in_introspection = stack.pop()
        _count_repeats(level, found)
        for each in level.selections:
            match each:
                case FieldNode():
                    _count_field(each, depth + 1, found, in_introspection=in_introspection)
                    if each.selection_set:
                        enters = not in_introspection and each.name.value in ("__schema", "__type")
                        stack.append((each.selection_set, 0 if enters else depth + 1, in_introspection or enters))
                case InlineFragmentNode():
                    stack.append((each.selection_set, depth, in_introspection))
                case FragmentSpreadNode():
                    found.spreads.append(_Spread(each.name.value, depth, in_introspection))
                case _:
                    pass
    return found


def _count_field(node: FieldNode, depth: int, found: _Definition, *, in_introspection: bool) -> None:
    size = found.own
    size.fields += 1
    size.aliases += node.alias is not None
    if in_introspection:
        size.introspection_depth = max(size.introspection_depth, depth)
    else:
        size.depth = max(size.depth, depth)
        if node.name.value in ("__schema", "__type"):
            found.introspection = node


def _count_repeats(level: SelectionSetNode, found: _Definition) -> None:
    # Fields of one name are compared pair by pair when the specification's rules look for conflicts.
    names = Counter(each.name.value for each in level.selections if isinstance(each, FieldNode) and not each.alias)
    if names and (top := names.most_common(1)[0])[1] > found.most_repeated[1]:
        found.most_repeated = top


def _fragment_sizes(fragments: Mapping[str, _Definition]) -> dict[str, _Size]:
    sizes: dict[str, _Size] = {}
    for name in _leaves_first(fragments):
        sizes[name] = _total(fragments[name], sizes)
    return sizes


def _total(definition: _Definition, sizes: Mapping[str, _Size]) -> _Size:
    # A fragment without a size does not exist or spreads itself; the rules of the specification say so.
    total = replace(definition.own)
    for spread in definition.spreads:
        if spread.fragment in sizes:
            total.include(sizes[spread.fragment], spread)
    return total


def _leaves_first(fragments: Mapping[str, _Definition]) -> Iterator[str]:
    """Yield each fragment after those that it spreads; by a stack, since chains may be longer than Python recurses."""
    seen: set[str] = set()
    for root in fragments:
        yield from _walk(root, fragments, seen)


def _walk(root: str, fragments: Mapping[str, _Definition], seen: set[str]) -> Iterator[str]:
    if root in seen:
        return
    seen.add(root)
    stack = [(root, iter(fragments[root].spreads))]
    while stack:
        name, spreads = stack[-1]
        inner = next((each.fragment for each in spreads if _is_new(each.fragment, fragments, seen)), None)
        if inner is None:
            stack.pop()
            yield name
        else:
            seen.add(inner)
            stack.append((inner, iter(fragments[inner].spreads)))


def _is_new(name: str, fragments: Mapping[str, _Definition], seen: set[str]) -> bool:
    return name in fragments and name not in seen


def _reachable(operation: _Definition, fragments: Mapping[str, _Definition]) -> set[str]:
    seen: set[str] = set()
    for spread in operation.spreads:
        if spread.fragment in fragments:
            seen.update(_walk(spread.fragment, fragments, seen))
    return seen

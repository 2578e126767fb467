"""Which subscribers may share: those whose document, operation and variables are the same, but for where they begin."""

from collections.abc import Hashable, Mapping
from typing import Any

import orjson
from graphql import FieldNode, OperationDefinitionNode, VariableNode, Visitor, visit

from schema.documents import Document

PLACE = "after"
"""The argument of a subscription that says where it begins, and nothing else."""


def sharing_key(document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Hashable:
    """Return a key that is equal for subscribers who get the same answers to the same events.

    It holds the operation itself, whose identity stands for the document's text.
    """
    kept = ("sharing", id(operation))
    if kept not in document.plans:
        document.plans[kept] = _shared_names(document, operation)
    given = {name: variables[name] for name in document.plans[kept] if name in variables}
    try:
        return (_Identity(operation), orjson.dumps(given, option=orjson.OPT_SORT_KEYS))
    except TypeError:
        # Numbers of any size are JSON too; who sends such is alone.
        return object()


class _Identity:
    """A node, equal to itself only; as long as it is held its identity belongs to nothing else."""

    __slots__ = ("_node",)

    def __init__(self, node: OperationDefinitionNode) -> None:
        self._node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._node is other._node

    def __hash__(self) -> int:
        return id(self._node)


class _Uses(Visitor):
    """Counts where variables are used, and where by the argument that says where to begin."""

    def __init__(self, root_fields: frozenset[int]) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.places: set[str] = set()
        self._root_fields = root_fields

    def enter_variable_definition(self, *_: Any) -> None:
        """Go on; the definition itself holds the name once more."""

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Count a use."""
        self.counts[node.name.value] = self.counts.get(node.name.value, 0) + 1

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Look at the arguments of the field that is followed."""
        if id(node) in self._root_fields:
            self.places |= {
                argument.value.name.value
                for argument in node.arguments or ()
                if argument.name.value == PLACE and isinstance(argument.value, VariableNode)
            }


def _shared_names(document: Document, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """Return the variables in which subscribers who share agree."""
    roots = frozenset(id(each) for each in operation.selection_set.selections)
    uses = _Uses(roots)
    visit(document.node, uses)
    declared = [each.variable.name.value for each in operation.variable_definitions or ()]
    # Used once in its definition and once as that argument: then it means nothing else.
    return tuple(name for name in declared if not (name in uses.places and uses.counts[name] == 2))

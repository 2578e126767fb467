"""From a document to a plan.

What is known: plain columns, derived values and links as schema/fields.py declares them, aliases, fragments,
`__typename`, `@skip` and `@include`, interfaces. Anything else raises Unplannable, and the ordinary executor answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from resolvers.loaders import Columns
from schema.arguments import Arguments, compile_arguments
from schema.fields import Derived, Link, declaration_of
from schema.leaves import Leaf, Maker, Unplannable, converter, is_leaf
from schema.plans import Child, OneOf, Selection
from schema.types.node import type_rule

Flags = Mapping[str, bool]
Fields = dict[str, list[FieldNode]]


def flag_names(document: DocumentNode) -> frozenset[str]:
    """Return the variables by which parts of a document are skipped or included."""
    names: set[str] = set()
    pending: list[Any] = list(document.definitions)
    while pending:
        node = pending.pop()
        for directive in node.directives or ():
            names |= {
                each.value.name.value for each in directive.arguments or () if isinstance(each.value, VariableNode)
            }
        selection_set = getattr(node, "selection_set", None)
        pending.extend(selection_set.selections if selection_set else ())
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles an operation of a document for given values of its flags.

    Attributes:
        variables: those of the operation that have coerced values.
    """

    schema: GraphQLSchema
    converter: GraphQLCoreConverter
    document: DocumentNode
    flags: Flags
    variables: frozenset[str]

    def compile(self, operation: OperationDefinitionNode) -> Selection:
        """Return the plan of a query.

        Raises:
            Unplannable: the operation has something that only the ordinary executor knows.
        """
        root = self.schema.query_type
        if root is None:
            raise Unplannable("no query type")
        return self._selection(root, [operation.selection_set])

    def event(self, operation: OperationDefinitionNode) -> tuple[str, Selection | OneOf]:
        """Return the response key of a subscription and what it selects of an event.

        Raises:
            Unplannable: it has something that only the ordinary executor knows.
        """
        root, fields = self.schema.subscription_type, Fields()
        if root is None:
            raise Unplannable("no subscription type")
        self._collect(root, operation.selection_set, fields)
        ((response_key, nodes),) = fields.items()
        _, type_ = _nullability(root.fields[nodes[0].name.value].type)
        return response_key, self._below(type_, nodes)

    def payload(self, field: GraphQLField, node: FieldNode) -> Selection:
        """Return what a mutation selects of its result.

        Raises:
            Unplannable: the result is no object, or has something that only the ordinary executor knows.
        """
        _, type_ = _nullability(cast("Any", field).type)
        if not isinstance(type_, GraphQLObjectType) or node.selection_set is None:
            raise Unplannable("the result is no object")
        return self._selection(type_, [node.selection_set])

    def _selection(self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]) -> Selection:
        fields: Fields = {}
        for selection_set in selection_sets:
            self._collect(type_, selection_set, fields)
        leaves: list[Leaf] = []
        children: list[Child] = []
        needs: Columns = frozenset()
        for response_key, nodes in fields.items():
            leaf, child, needed = self._field(type_, response_key, nodes)
            leaves.append(leaf)
            needs = _union(needs, needed)
            if child is not None:
                children.append(child)
        links = tuple(child for child in children if isinstance(child.declaration, Link))
        parts = tuple(child for child in children if not isinstance(child.declaration, Link))
        return Selection(Maker(leaves), parts, links, needs)

    def _field(
        self, parent: GraphQLObjectType, response_key: str, nodes: list[FieldNode]
    ) -> tuple[Leaf, Child | None, Columns]:
        name = nodes[0].name.value
        if name == "__typename":
            return Leaf(response_key, constant=parent.name), None, frozenset()
        field = parent.fields.get(name)
        definition = None if field is None else field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field is None or not isinstance(definition, StrawberryField):
            raise Unplannable(f"{parent.name}.{name} is not a field of ours")
        declaration = declaration_of(definition)
        type_: Any = field.type
        if declaration is None:
            if not definition.is_basic_field:
                raise Unplannable(f"{parent.name}.{name} has a resolver of its own")
            if not is_leaf(type_):
                # An object that stands in the row, as those of payloads do.
                column = definition.python_name
                inline = Derived(itemgetter(column), frozenset({column}))
                return self._child(response_key, nodes, field, definition, inline)
            return Leaf(response_key, type_, column=definition.python_name), None, frozenset({definition.python_name})
        if isinstance(declaration, Derived) and is_leaf(type_):
            column, compute = declaration.column, None if declaration.column else declaration.compute
            leaf = Leaf(response_key, type_, column=column, compute=compute, needs=declaration.needs)
            return leaf, None, declaration.needs
        return self._child(response_key, nodes, field, definition, declaration)

    def _child(
        self,
        response_key: str,
        nodes: list[FieldNode],
        field: GraphQLField,
        definition: StrawberryField,
        declaration: Link | Derived,
    ) -> tuple[Leaf, Child, Columns]:
        type_ = cast("Any", field).type
        may_be_null, inner = _nullability(type_)
        is_list = isinstance(inner, GraphQLList)
        items_may_be_null, item = _nullability(cast("Any", inner).of_type) if is_list else (False, inner)
        leaf = is_leaf(type_)
        child = Child(
            response_key,
            declaration,
            self._arguments(nodes[0], field, definition),
            below=None if leaf else self._below(item, nodes),
            convert=converter(type_) if leaf else None,
            is_list=is_list,
            may_be_null=may_be_null,
            items_may_be_null=items_may_be_null,
        )
        passed = child.below.needs if _passes(declaration) and child.below else frozenset[str]()
        return Leaf(response_key), child, _union(declaration.needs, passed)

    def _below(self, type_: Any, nodes: list[FieldNode]) -> Selection | OneOf:
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        if isinstance(type_, GraphQLObjectType):
            return self._selection(type_, sets)
        if not isinstance(type_, GraphQLInterfaceType):
            raise Unplannable(f"{type_} is neither an object nor an interface")
        selections = {each.name: self._selection(each, sets) for each in self.schema.get_possible_types(type_)}
        rule = type_rule(type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin)
        needs: Columns = rule.needs
        for selection in selections.values():
            needs = _union(needs, selection.needs)
        return OneOf(rule, selections, needs)

    def _arguments(self, node: FieldNode, field: GraphQLField, definition: StrawberryField) -> Arguments:
        return compile_arguments(field, node, definition, self.converter, self.variables)

    def _collect(self, type_: GraphQLObjectType, selection_set: SelectionSetNode, fields: Fields) -> None:
        """Add the fields that apply to a type, by response key, in the order of the specification."""
        for selection in selection_set.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                fields.setdefault(key, []).append(selection)
                continue
            fragment = self._fragment(selection)
            condition = fragment.type_condition
            if condition is None or self._applies(condition.name.value, type_):
                self._collect(type_, fragment.selection_set, fields)

    def _fragment(self, selection: Any) -> InlineFragmentNode | FragmentDefinitionNode:
        if isinstance(selection, InlineFragmentNode):
            return selection
        if isinstance(selection, FragmentSpreadNode):
            for definition in self.document.definitions:
                if isinstance(definition, FragmentDefinitionNode) and definition.name.value == selection.name.value:
                    return definition
        raise Unplannable("unknown selection")

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        known = self.schema.get_type(condition)
        return known is type_ or (isinstance(known, GraphQLInterfaceType) and self.schema.is_sub_type(known, type_))

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in {"skip", "include"}:
                raise Unplannable(f"@{name}")
            if self._flag(directive.arguments[0].value) == (name == "skip"):
                return False
        return True

    def _flag(self, value: Any) -> bool:
        flag = self.flags.get(value.name.value) if isinstance(value, VariableNode) else value.value
        if not isinstance(flag, bool):
            raise Unplannable("a flag that is null is the client's error")
        return flag


def _passes(declaration: Link | Derived) -> bool:
    return isinstance(declaration, Derived) and declaration.passes_columns


def _nullability(type_: Any) -> tuple[bool, Any]:
    return (False, cast("Any", type_).of_type) if isinstance(type_, GraphQLNonNull) else (True, type_)


def _union(one: Columns, other: Iterable[str] | None) -> Columns:
    return None if one is None or other is None else one | frozenset(other)

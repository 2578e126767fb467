"""Valid documents, made at random from a schema: the same seed makes the same ones."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_composite_type,
    is_required_argument,
)

from tests.random_values import Values, literal


@dataclass
class Writer:
    """Writes one document.

    Attributes:
        schema: whose fields are selected.
        values: makes the arguments.
        seen: "Type.field" of what was written before; what was not is written rather.
        deepest: levels of fields.
        is_plain: no part of the selection has variables.
    """

    schema: GraphQLSchema
    values: Values
    seen: set[str] = field(default_factory=set[str])
    deepest: int = 6
    fragments: list[str] = field(default_factory=list[str])
    declared: list[str] = field(default_factory=list[str])
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    aliases: int = 0
    is_plain: bool = False

    @property
    def chance(self) -> random.Random:
        """Source of all choices."""
        return self.values.chance

    def query(self) -> tuple[str, dict[str, Any]]:
        """Return a query and its variables."""
        assert self.schema.query_type is not None
        return self._document("query", self._selections(self.schema.query_type, 0, wide=2))

    def mutation(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return a mutation of one field and its variables."""
        assert self.schema.mutation_type is not None
        about: Any = self.schema.mutation_type.fields[name]
        type_ = about.args["input"].type
        value = self.values.of(type_, "Mutation", "input")
        self.is_plain = self.chance.random() < 0.8
        if self.is_plain:
            self.declared.append(f"$input: {type_}")
            self.given["input"] = value
        written = "$input" if self.is_plain else literal(type_, value)
        below = self._selections(named(about.type), 1)
        return self._document("mutation", f"done: {name}(input: {written}) {{ {below} }}")

    def whole(self, type_name: str) -> tuple[str, dict[str, Any]]:
        """Return a query of all the leaves of a type, and of what lies below it by name, with its variables."""
        type_: Any = self.schema.type_map[type_name]
        parts: list[str] = []
        for name, about in type_.fields.items():
            below = " { __typename }" if is_composite_type(named(about.type)) else ""
            parts.append(f"{name}{self._arguments(f'{type_name}.{name}', about.args)}{below}")
            self.seen.add(f"{type_name}.{name}")
        body = f"... on {type_name} {{ {' '.join(parts)} }}"
        for parent, name in reversed(self._path_to(type_)):
            about = parent.fields[name]
            body = f"{name}{self._arguments(f'{parent.name}.{name}', about.args)} {{ {body} }}"
            body = f"... on {parent.name} {{ {body} }}"
        return self._document("query", body)

    def _path_to(self, type_: Any) -> list[tuple[Any, str]]:
        """Return the shortest way from the root to a type: the fields with the types that they belong to."""
        paths: dict[Any, list[tuple[Any, str]]] = {self.schema.query_type: []}
        for parent, path in ((each, paths[each]) for each in iter_growing(paths)):
            for name, about in parent.fields.items():
                below: Any = named(about.type)
                found = [below] if is_composite_type(below) else []
                found += self.schema.get_possible_types(below) if isinstance(below, GraphQLInterfaceType) else []
                for each in found:
                    # By its id anything is found, but only what is of that type.
                    if (parent, name) not in {(self.schema.query_type, "node"), (self.schema.query_type, "nodes")}:
                        paths.setdefault(each, [*path, (parent, name)])
        return paths[type_]

    def subscription(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return a subscription with arguments, each a text in a variable or as declared, and its variables."""
        assert self.schema.subscription_type is not None
        about: Any = self.schema.subscription_type.fields[name]
        written = ", ".join(
            f"{argument}: ${self._variable(about.args[argument].type, value)}" for argument, value in arguments.items()
        )
        below = self._selections(named(about.type), 1, wide=6)
        return self._document("subscription", f"told: {name}{f'({written})' if written else ''} {{ {below} }}")

    def _document(self, operation: str, body: str) -> tuple[str, dict[str, Any]]:
        head = f"{operation} Made({', '.join(self.declared)})" if self.declared else f"{operation} Made"
        return "\n".join([f"{head} {{ {body} }}", *self.fragments]), dict(self.given)

    def _selections(self, type_: Any, depth: int, *, wide: int = 4) -> str:
        parts = [self._part(type_, depth) for _ in range(self.chance.randint(1, wide))]
        if self.chance.random() < 0.3:
            # The same fields once more: their selections are merged.
            parts.append(self.chance.choice(parts))
        return " ".join(part for part in parts if part) or "__typename"

    def _part(self, type_: Any, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.08:
            return f"__typename{self._directive()}"
        if kind < 0.2:
            return f"...{self._condition(type_)}{self._directive()} {{ {self._inside(type_, depth)} }}"
        if kind < 0.28:
            name = f"F{len(self.fragments)}"
            self.fragments.append("")
            on = type_.name
            self.fragments[int(name[1:])] = f"fragment {name} on {on} {{ {self._selections(type_, depth, wide=2)} }}"
            return f"...{name}{self._directive()}"
        if kind < 0.33 and isinstance(type_, GraphQLObjectType) and type_.interfaces:
            interface = self.chance.choice(type_.interfaces)
            return f"... on {interface.name}{self._directive()} {{ {self._field(interface, depth, alias=True)} }}"
        return self._field(type_, depth)

    def _condition(self, type_: Any) -> str:
        return f" on {type_.name}" if self.chance.random() < 0.7 else ""

    def _inside(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType) and self.chance.random() < 0.8:
            concrete = self._rather_new(
                list(self.schema.get_possible_types(type_)),
                lambda each: any(self._has_new(each, name) for name in each.fields),
            )
            # Under aliases of its own: fields of different types must not conflict.
            return f"... on {concrete.name} {{ {self._field(concrete, depth, alias=True)} }}"
        return self._selections(type_, depth, wide=2)

    def _field(self, type_: Any, depth: int, *, alias: bool = False) -> str:
        links = [name for name, each in type_.fields.items() if is_composite_type(named(each.type))]
        leaves = [name for name in type_.fields if name not in links]
        follow = links and depth < self.deepest and (not leaves or self.chance.random() < (0.9 if depth == 0 else 0.5))
        names = links if follow else leaves
        if not names:
            return "__typename"
        name = self._rather_new(names, lambda each: self._has_new(type_, each))
        self.seen.add(f"{type_.name}.{name}")
        about = type_.fields[name]
        written = self._arguments(f"{type_.name}.{name}", about.args)
        inner = named(about.type)
        below = f" {{ {self._selections(inner, depth + 1)} }}" if is_composite_type(inner) else ""
        # A field with arguments always has an alias, so that two with different ones do not conflict.
        if written or alias or (self.chance.random() < 0.15 and self.aliases < 20):
            self.aliases += 1
            name = f"a{self.aliases}: {name}"
        return f"{name}{written}{self._directive()}{below}"

    def _rather_new(self, choices: list[Any], is_new: Callable[[Any], bool]) -> Any:
        new = [each for each in choices if is_new(each)]
        return self.chance.choice(new if new and self.chance.random() < 0.6 else choices)

    def _has_new(self, type_: Any, name: str) -> bool:
        """Say whether a field was not written before, or one below it."""
        below = named(type_.fields[name].type)
        names = [f"{below.name}.{each}" for each in getattr(below, "fields", ())]
        return any(each not in self.seen for each in (f"{type_.name}.{name}", *names))

    def _arguments(self, place: str, arguments: Mapping[str, Any]) -> str:
        made: list[str] = []
        for name, value in self.values.arguments(place, arguments).items():
            about = arguments[name]
            if not self.is_plain and self.chance.random() < 0.3:
                required = name == "id" or is_required_argument(about)
                made.append(f"{name}: ${self._variable(about.type, value, required=required)}")
            else:
                made.append(f"{name}: {literal(about.type, value)}")
        return f"({', '.join(made)})" if made else ""

    def _variable(self, type_: Any, value: Any, *, required: bool = True) -> str:
        """Declare a variable of a value: given, or its default, or of none where that is allowed."""
        name = f"v{len(self.declared)}"
        way = self.chance.random()
        if way < 0.3 and value is not None:
            self.declared.append(f"${name}: {_nullable(type_)} = {literal(type_, value)}")
            return name
        self.declared.append(f"${name}: {type_}")
        if way > 0.35 or required or isinstance(type_, GraphQLNonNull):
            self.given[name] = value
        return name

    def _directive(self) -> str:
        if self.chance.random() > 0.12:
            return ""
        name = self.chance.choice(["skip", "include"])
        if self.is_plain or self.chance.random() < 0.5:
            return f" @{name}(if: {self.chance.choice(['true', 'false'])})"
        flag = f"flag{self.chance.randint(0, 2)}"
        declared = f"${flag}: Boolean!"
        if declared not in self.declared:
            self.declared.append(declared)
            self.given[flag] = self.chance.random() < 0.5
        return f" @{name}(if: ${flag})"


def named(type_: Any) -> Any:
    """Return a type without lists and non-nulls around it."""
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return type_


def iter_growing(known: Mapping[Any, Any]) -> Iterator[Any]:
    """Iterate over the keys of a mapping that grows meanwhile."""
    place = 0
    while place < len(known):
        yield list(known)[place]
        place += 1


def _nullable(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_

"""Valid queries, made at random from a schema: the same seed makes the same ones."""

import random
from collections.abc import Callable
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

Arguments = dict[str, Callable[[random.Random], str]]


@dataclass
class Writer:
    """Writes one query.

    Attributes:
        schema: whose fields are selected.
        chance: source of all choices.
        arguments: by "Type.field", for each argument a maker of its value; one of a name with `?` may be left out.
        deepest: levels of fields.
    """

    schema: GraphQLSchema
    chance: random.Random
    arguments: dict[str, Arguments]
    deepest: int = 6
    fragments: list[str] = field(default_factory=list[str])
    flags: dict[str, bool] = field(default_factory=dict[str, bool])
    aliases: int = 0

    def query(self) -> tuple[str, dict[str, Any]]:
        """Return a document and its variables."""
        assert self.schema.query_type is not None
        body = self._selections(self.schema.query_type, 0, wide=2)
        declared = ", ".join(f"${name}: Boolean!" for name in self.flags)
        head = f"query Made({declared})" if declared else "query Made"
        return "\n".join([f"{head} {{ {body} }}", *self.fragments]), dict(self.flags)

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
        return self._field(type_, depth)

    def _condition(self, type_: Any) -> str:
        return f" on {type_.name}" if self.chance.random() < 0.7 else ""

    def _inside(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType) and self.chance.random() < 0.8:
            concrete = self.chance.choice(self.schema.get_possible_types(type_))
            # Under aliases of its own: fields of different types must not conflict.
            return f"... on {concrete.name} {{ {self._field(concrete, depth, alias=True)} }}"
        return self._selections(type_, depth, wide=2)

    def _field(self, type_: GraphQLObjectType | GraphQLInterfaceType, depth: int, *, alias: bool = False) -> str:
        known = [name for name in type_.fields if self._is_known(f"{type_.name}.{name}", type_.fields[name])]
        links = [name for name in known if is_composite_type(_of(type_.fields[name].type))]
        leaves = [name for name in known if name not in links]
        follow = links and depth < self.deepest and (not leaves or self.chance.random() < 0.5)
        names = links if follow else leaves
        if not names:
            return "__typename"
        name = self.chance.choice(names)
        about = type_.fields[name]
        written = self._arguments(f"{type_.name}.{name}")
        inner = _of(about.type)
        below = f" {{ {self._selections(inner, depth + 1)} }}" if is_composite_type(inner) else ""
        # A field with arguments always has an alias, so that two with different ones do not conflict.
        if written or alias or (self.chance.random() < 0.15 and self.aliases < 20):
            self.aliases += 1
            name = f"a{self.aliases}: {name}"
        return f"{name}{written}{self._directive()}{below}"

    def _is_known(self, place: str, about: Any) -> bool:
        """Say whether there are makers for all the arguments that a field must have."""
        makers = self.arguments.get(place, {})
        return all(name in makers for name, each in about.args.items() if is_required_argument(each))

    def _arguments(self, place: str) -> str:
        made: list[str] = []
        for name, make in self.arguments.get(place, {}).items():
            if not name.endswith("?") or self.chance.random() < 0.5:
                made.append(f"{name.rstrip('?')}: {make(self.chance)}")
        return f"({', '.join(made)})" if made else ""

    def _directive(self) -> str:
        if self.chance.random() > 0.12:
            return ""
        name = self.chance.choice(["skip", "include"])
        if self.chance.random() < 0.5:
            return f" @{name}(if: {self.chance.choice(['true', 'false'])})"
        flag = f"flag{self.chance.randint(0, 2)}"
        self.flags.setdefault(flag, self.chance.random() < 0.5)
        return f" @{name}(if: ${flag})"


def _of(type_: Any) -> Any:
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return type_

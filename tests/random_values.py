"""Values for arguments and variables, made at random from the types of a schema."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, is_required_input_field

GARBAGE = ("", "garbage", "V2F0ZXJIZWF0ZXI6MQ==", "∞")
# By type: values that fit, and values that are often refused.
_SCALARS: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
    "Int": ((1, 2, 3, 4), (-1, 0, 2_147_483_647)),
    "Float": ((50, 52.5, 55.25), (-1e308, 0, 1e6)),
    "Boolean": ((True, False), (True, False)),
    "Decimal": (("1.50", "2", "0.10"), ("0.125", "-1")),
    "String": (("1", "Heater", "Room 1"), GARBAGE),
}
# What asks for nothing, or for something else, beside what is given already.
_CLOSED = {"last", "after", "before", "serialNumber", "version"}


@dataclass
class Values:
    """Makes values.

    Attributes:
        chance: source of all choices.
        ids: global ids of what is in the database, by the name of their type.
        at: the present; spans of time end here.
        wild: out of how many values one is of the right form but may be refused (ids of other types, spans that end
            before they begin, pages that are too large); 0 for none.
        fixed: values of arguments and input fields by their names, chosen from.
    """

    chance: random.Random
    ids: Mapping[str, Sequence[str]]
    at: datetime
    wild: int = 0
    fixed: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])

    def arguments(self, place: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return values for some of the arguments of a field, and for all that it must have."""
        return self._some(place, {name: (each.type, is_required_input_field(each)) for name, each in arguments.items()})

    def of(self, type_: Any, place: str, name: str) -> Any:
        """Return a value of a type, as JSON has it, for the argument or input field of this name."""
        if isinstance(type_, GraphQLNonNull):
            return self._made(type_.of_type, place, name)
        return None if self.chance.random() < 0.1 and not _is_key(name) else self._made(type_, place, name)

    def _made(self, type_: Any, place: str, name: str) -> Any:
        if name in self.fixed and not self._is_wild():
            return self.chance.choice(self.fixed[name])
        if isinstance(type_, GraphQLList):
            least = 0 if place.endswith("Filter") or self._is_wild() else 1
            made = (self.of(type_.of_type, place, name) for _ in range(self.chance.randint(least, 3)))
            return list({orjson.dumps(each): each for each in made}.values())
        if isinstance(type_, GraphQLEnumType):
            return self.chance.choice(sorted(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            fields = {name: (each.type, is_required_input_field(each)) for name, each in type_.fields.items()}
            return self._some(type_.name, fields)
        return self._scalar(type_.name, place, name)

    def _some(self, place: str, fields: Mapping[str, tuple[Any, bool]]) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        for name, (type_, required) in fields.items():
            left_out = name in _CLOSED and not self._is_wild()
            if required or _is_key(name) or (not left_out and self.chance.random() < 0.4):
                chosen[name] = self.of(type_, place, name)
        return chosen

    def _scalar(self, type_name: str, place: str, name: str) -> Any:
        if type_name == "ID":
            return self._id(place, name)
        if type_name == "DateTime":
            return self._instant(name)
        tame, wild = _SCALARS[type_name]
        return self.chance.choice(wild if self._is_wild() else tame)

    def _id(self, place: str, name: str) -> str:
        if self._is_wild():
            return self.chance.choice((*GARBAGE, *self._all()))
        for about in (f"{place}.{name}", name):
            if about in self.ids:
                return self.chance.choice(self.ids[about])
        return self.chance.choice(self._all())

    def _instant(self, name: str) -> str:
        back = timedelta(minutes=self.chance.randint(2, 9_000))
        if name in {"to", "windowEnd"} and not self._is_wild():
            back = timedelta(0)
        return (self.at - back).isoformat()

    def _all(self) -> list[str]:
        return [id_ for ids in self.ids.values() for id_ in ids]

    def _is_wild(self) -> bool:
        return self.wild > 0 and self.chance.randrange(self.wild) == 0


def literal(type_: Any, value: Any) -> str:
    """Return a value as it is written in a document."""
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type, value)
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        return f"[{', '.join(literal(type_.of_type, each) for each in value)}]"
    if isinstance(type_, GraphQLInputObjectType):
        inner = (f"{name}: {literal(type_.fields[name].type, each)}" for name, each in value.items())
        return f"{{{', '.join(inner)}}}"
    return value if isinstance(type_, GraphQLEnumType) else orjson.dumps(value).decode()


def _is_key(name: str) -> bool:
    """Say whether a field asks for nothing without this argument, though its type lets it be left out."""
    return name == "id"

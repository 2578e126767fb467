"""Anything with a global id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import strawberry

from models.devices import KINDS, DeviceKind
from schema import ids
from schema.fields import derived

TYPE_NAME = "__typename"
MODEL = "Model"
DEVICE_TYPES = tuple(kind.type_name for kind in KINDS.values())


def type_of(row: Any) -> str:
    """Return the name of the type of a row: what the row says of itself, or that of its device kind."""
    told = row.get(TYPE_NAME)
    return told or KINDS[row["kind"]].type_name


def reading_type_name(kind: DeviceKind) -> str:
    """Return the name of the type of a kind's readings."""
    return f"{kind.type_name}Reading"


@dataclass(frozen=True, slots=True)
class TypeRule:
    """How the rows of an interface tell their types.

    Attributes:
        tell: from a row to the name of its type.
        column: of the table that says it, and
        names: the name of the type for each of its values.
        needs: columns that `tell` reads, beyond those that rows have in any case.
    """

    tell: Callable[[Any], str]
    column: str
    names: Mapping[str, str]
    needs: frozenset[str] = frozenset()


_BY_DEVICE_KIND = TypeRule(type_of, "kind", {kind.name: kind.type_name for kind in KINDS.values()})


def type_rule(interface: type) -> TypeRule:
    """Return the rule of an interface; those that name none have rows with their type's name, or devices."""
    return getattr(interface, "TYPE_RULE", _BY_DEVICE_KIND)


@strawberry.interface(description="Anything that has a global id.")
class Node:
    """Anything that has a global id."""

    TYPE_RULE: ClassVar[TypeRule] = _BY_DEVICE_KIND

    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")

    @classmethod
    def resolve_type(cls, row: Any, _info: Any, _type: Any) -> str:
        """Return the name of the type of a row that is reached through an interface."""
        return cls.TYPE_RULE.tell(row)


def id_of(type_name: str) -> Any:
    """Declare the global id of a type."""
    return derived(
        lambda row: ids.encode(type_name, row["id"]), needs=("id",), description="Global id, opaque to clients."
    )

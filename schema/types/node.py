"""Anything with a global id."""

from typing import Any

import strawberry

from models.devices import KINDS
from schema import ids
from schema.fields import derived

TYPE_NAME = "__typename"


@strawberry.interface(description="Anything that has a global id.")
class Node:
    """Anything that has a global id."""

    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")

    @classmethod
    def resolve_type(cls, row: Any, _info: Any, _type: Any) -> str:
        """Return the name of a row's type: what the row says of itself, or that of its device kind."""
        return type_of(row)


def type_of(row: Any) -> str:
    """Return the name of the type of a row that is reached through an interface."""
    told = row.get(TYPE_NAME)
    return told or KINDS[row["kind"]].type_name


def id_of(type_name: str) -> Any:
    """Declare the global id of a type."""
    return derived(
        lambda row: ids.encode(type_name, row["id"]), needs=("id",), description="Global id, opaque to clients."
    )

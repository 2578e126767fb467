"""What a kind of device adds to the schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from strawberry.tools import create_type

from resolvers.loaders import Batch


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the schema that belongs to one kind of device.

    Attributes:
        type_: its type, an implementation of Device.
        query: a type whose fields are root fields of queries.
        mutation: a type whose fields are mutations.
        nodes: for each of its other types with a global id, the batch function from ids to rows.
    """

    type_: type
    query: type
    mutation: type
    nodes: Mapping[str, Batch] = field(default_factory=dict[str, Batch])


def merged(name: str, description: str, *types: type) -> type:
    """Return a type with the fields of several types, in their order.

    Raises:
        ValueError: two of them have a field of the same name.
    """
    fields = [each for type_ in types for each in cast("Any", type_).__strawberry_definition__.fields]
    names = [each.python_name for each in fields]
    twice = {each for each in names if names.count(each) > 1}
    if twice:
        raise ValueError(f"{name} has two fields of the name {' and '.join(sorted(twice))}")
    return create_type(name, fields, description=description)

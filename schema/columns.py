"""Long lists of inputs as columns: what a batch of readings is coerced to, without an object for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = "columns"
"""Metadata of an input's list field whose items may be handed over as Columns."""

MICROS = "micros"
"""Metadata of a field of such an item whose instants may be handed over as microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of n inputs of one type: by Python name (n,) values, None for null and for what is left out.

    Attributes:
        count: n.
        fields: the columns; one that no input has may be absent. Instants of a field with MICROS may be an array of
            int64.
    """

    count: int
    fields: Mapping[str, Sequence[Any]]


def columns_of(inputs: Any, names: Sequence[str]) -> Columns:
    """Return columns as they are, and a list of inputs as columns."""
    if isinstance(inputs, Columns):
        return inputs
    return Columns(len(inputs), {name: [getattr(each, name) for each in inputs] for name in names})

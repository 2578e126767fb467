"""Which rows of a list are wanted: conditions that are bound to a statement's text once and to its values each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, bindparam, false, or_, true

from models.statements import is_one_of, is_one_text_of

Choice = tuple[str, tuple[str, ...]]
Flag = tuple[str, bool]
Bound = tuple[str, str, Any]
FilterShape = tuple[tuple[Choice, ...], str | None, tuple[tuple[str, str], ...], str | None, tuple[Flag, ...]]

FROM = "from"
BEFORE = "before"
_BOUNDS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    FROM: lambda column, value: column >= value,
    BEFORE: lambda column, value: column < value,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that a row has to meet, all of them.

    Attributes:
        choices: columns that hold a name, and the names that are wanted. They become part of the statement's text, so
            that indexes of a part of the rows can serve: only names of enums may stand here, each once and sorted.
        ids: a column and the whole numbers that are wanted.
        bounds: columns, FROM (inclusive) or BEFORE (exclusive), and a value.
        texts: a column and the texts that are wanted, whatever they are: they are bound as values.
        flags: columns that are true or false, and which of the two is wanted.
    """

    choices: tuple[Choice, ...] = ()
    ids: tuple[str, tuple[int, ...]] | None = None
    bounds: tuple[Bound, ...] = ()
    texts: tuple[str, tuple[str, ...]] | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def shape(self) -> FilterShape:
        """What decides the text of a statement."""
        bounds = tuple((column, side) for column, side, _ in self.bounds)
        return (self.choices, self.ids and self.ids[0], bounds, self.texts and self.texts[0], self.flags)

    @property
    def values(self) -> dict[str, Any]:
        """What the statement binds."""
        values: dict[str, Any] = {f"bound_{place}": value for place, (_, _, value) in enumerate(self.bounds)}
        if self.ids is not None:
            values["wanted_ids"] = list(self.ids[1])
        if self.texts is not None:
            values["wanted_texts"] = list(self.texts[1])
        return values


EVERYTHING = Filter()


def condition(shape: FilterShape, columns: Mapping[str, Column[Any]], dialect: str) -> ColumnElement[bool]:
    """Return the condition of a shape of filter on the columns of a table."""
    choices, ids, bounds, texts, flags = shape
    every = [or_(false(), *(columns[name] == value for value in values)) for name, values in choices]
    if ids is not None:
        every.append(is_one_of(columns[ids], "wanted_ids", dialect))
    if texts is not None:
        every.append(is_one_text_of(columns[texts], "wanted_texts", dialect))
    every += [columns[name] == wanted for name, wanted in flags]
    for place, (name, side) in enumerate(bounds):
        every.append(_BOUNDS[side](columns[name], bindparam(f"bound_{place}", type_=columns[name].type)))
    return and_(true(), *every)

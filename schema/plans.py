"""Plans: a selection as it runs, level by level of the answer.

A selection makes the objects of all its rows in one call, then fills in what lies below them: for each link one call of
its batch function for the whole level, however many rows there are, and no task per row.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.columnar import ColumnRows
from resolvers.context import Scope
from resolvers.loaders import Columns
from schema.arguments import Arguments, Values
from schema.fields import Derived, Link
from schema.leaves import Maker, Unexpected
from schema.types.node import TypeRule


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a plan.

    Attributes:
        scope: of the operation.
        values: of the variables.
    """

    scope: Scope
    values: Values


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected of rows of one object type.

    Attributes:
        make: makes the objects with their leaves, and a place for each child.
        parts: what lies below in the same row.
        links: what lies below in other tables.
        needs: columns that the rows must have; None for all.
    """

    make: Maker
    parts: tuple["Child", ...]
    links: tuple["Child", ...]
    needs: Columns

    async def complete(self, rows: Sequence[Any], run: Run) -> list[Any]:
        """Return the object of each row."""
        if type(rows) is ColumnRows and (self.parts or self.links):
            # Made once, and not for each of the children.
            rows = list(rows)
        objects = self.make(rows)
        if not rows:
            return objects
        for part in self.parts:
            await part.fill(rows, objects, run)
        if len(self.links) == 1:
            await self.links[0].fill(rows, objects, run)
        elif self.links:
            await _together(link.fill(rows, objects, run) for link in self.links)
        return objects


@dataclass(frozen=True, slots=True)
class OneOf:
    """What is selected of rows of an interface: a selection for each type that they may have.

    Attributes:
        rule: how rows tell the names of their types.
        selections: by the name of the type.
        needs: columns that any of them needs.
    """

    rule: TypeRule
    selections: Mapping[str, Selection]
    needs: Columns

    async def complete(self, rows: Sequence[Any], run: Run) -> list[Any]:
        """Return the object of each row, made by the selection of its type."""
        names = self._type_names(rows)
        if names and names.count(names[0]) == len(names):
            return await self.selections[names[0]].complete(rows, run)
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(name, []).append(place)
        parts = [
            rows.at(mine) if isinstance(rows, ColumnRows) else [rows[each] for each in mine] for mine in places.values()
        ]
        # At once: what all types have in common, as the device of each row, is then looked up at once.
        of_each = await _together(
            self.selections[type_name].complete(part, run) for type_name, part in zip(places, parts, strict=True)
        )
        objects: list[Any] = [None] * len(rows)
        for mine, made in zip(places.values(), of_each, strict=True):
            for place, object_ in zip(mine, made, strict=True):
                objects[place] = object_
        return objects

    def _type_names(self, rows: Sequence[Any]) -> list[str]:
        if isinstance(rows, ColumnRows):
            return list(map(self.rule.names.__getitem__, rows.of(rows.columns[self.rule.column].values)))
        return list(map(self.rule.tell, rows))


@dataclass(frozen=True, slots=True)
class Child:
    """A field below an object.

    Attributes:
        response_key: its name in the answer.
        declaration: how its values are found.
        arguments: of the field, coerced.
        below: what is selected of its objects; None where its values are leaves.
        convert: for leaves, from the value to that of the answer.
        is_list: its value is a list.
        may_be_null: the value itself, and
        items_may_be_null: the items of a list.
    """

    response_key: str
    declaration: Link | Derived
    arguments: Arguments
    below: Selection | OneOf | None
    convert: Callable[[Any], Any] | None
    is_list: bool
    may_be_null: bool
    items_may_be_null: bool

    async def fill(self, rows: Sequence[Any], objects: Sequence[dict[str, Any]], run: Run) -> None:
        """Put the field's value into the object of each row."""
        if isinstance(self.declaration, Derived):
            compute = self.declaration.compute
            values = await self._completed([compute(row) for row in rows], run)
        else:
            values = await self._followed(self.declaration, rows, run)
        key = self.response_key
        for object_, value in zip(objects, values, strict=True):
            object_[key] = value

    async def _followed(self, link: Link, rows: Sequence[Any], run: Run) -> list[Any]:
        key_of = link.key
        keys = [key_of(row) for row in rows]
        distinct = list(dict.fromkeys(keys))
        arguments = self.arguments(run.values)
        batch = link.bind(run.scope, rows[0]) if link.of_parent else link.bind(run.scope, **arguments)
        found = await batch(run.scope, distinct, None if self.below is None else self.below.needs)
        completed = await self._completed(found, run)
        if len(distinct) == len(keys):
            return completed
        by_key = dict(zip(distinct, completed, strict=True))
        return [by_key[key] for key in keys]

    async def _completed(self, values: Sequence[Any], run: Run) -> list[Any]:
        if not self.may_be_null and any(value is None for value in values):
            raise Unexpected(f"{self.response_key} is null")
        if self.below is None:
            return [value if value is None or self.convert is None else self.convert(value) for value in values]
        if self.is_list:
            return await self._completed_lists(self.below, values, run)
        there = [value for value in values if value is not None]
        objects = iter(await self.below.complete(there, run))
        return [None if value is None else next(objects) for value in values]

    async def _completed_lists(self, below: Selection | OneOf, values: Sequence[Any], run: Run) -> list[Any]:
        if all(type(value) is ColumnRows or value == () for value in values):
            return await _lists_of_columns(below, values, run)
        items = [item for value in values if value is not None for item in value]
        there = [item for item in items if item is not None]
        if len(there) < len(items) and not self.items_may_be_null:
            raise Unexpected(f"an item of {self.response_key} is null")
        objects = await below.complete(there, run)
        if len(there) < len(items):
            made = iter(objects)
            objects = [None if item is None else next(made) for item in items]
        lists: list[Any] = []
        start = 0
        for value in values:
            if value is None:
                lists.append(None)
                continue
            lists.append(objects[start : start + len(value)])
            start += len(value)
        return lists


async def _lists_of_columns(below: Selection | OneOf, values: Sequence[Any], run: Run) -> list[Any]:
    """Return the objects of lists that are held as columns, or are empty; what shares columns is completed at once."""
    made: dict[int, list[Any]] = {}
    lists: list[list[Any]] = []
    for value in values:
        if value == ():
            lists.append([])
            continue
        columns = id(value.columns)
        if columns not in made:
            made[columns] = await below.complete(value.whole(), run)
        places, objects = value.places, made[columns]
        lists.append(objects[places.start : places.stop] if places.step == 1 else value.of(objects))
    return lists


async def _together(work: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return what all of it returns; all is awaited, so that none goes on behind the ordinary executor's back."""
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes

"""Answers to events: the rows that events give a subscription, completed together, each as a response of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from graphql import ExecutionResult

from models.errors import Unavailable
from models.events import EventLog
from models.repositories.events import Cursor, Event
from models.statements import Row
from resolvers.context import Scope
from resolvers.streams import Project, projected
from schema.arguments import Values
from schema.plans import OneOf, Run, Selection
from schema.response import Response

T = TypeVar("T")
Items: TypeAlias = list[tuple[Cursor, Response]]
Outcome: TypeAlias = Response | ExecutionResult

logger = logging.getLogger("iotsphere.streams")

# Rows that are completed by one plan, with one statement for each link.
_TOGETHER = 200
# How often a database that is there but does not answer in time is asked for the links of an event.
_PATIENCE = 5


@dataclass(frozen=True, slots=True)
class EventPlan:
    """How the events of a subscription are answered by plan.

    Attributes:
        response_key: of the field that is followed.
        selection: of an event.
        values: of the variables.
    """

    response_key: str
    selection: Selection | OneOf
    values: Values


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers the events of one subscription, the same for all who share it.

    Attributes:
        log: that it follows.
        new_scope: makes the scope of some events.
        project: of the stream.
        plan: None where the ordinary executor has to answer.
        execute: answers one row by the ordinary executor.
        respond: formats what the ordinary executor answered.
    """

    log: EventLog
    new_scope: Callable[[], Scope]
    project: Project
    plan: EventPlan | None
    execute: Callable[[Row, Scope], Awaitable[ExecutionResult]]
    respond: Callable[[ExecutionResult], Response]

    async def read(self, after: Cursor) -> list[Event]:
        """Return the next events of the log; waits while the database cannot be reached."""
        return await self._patiently(lambda: self.log.read(after))

    async def answers(self, events: Sequence[Event]) -> Items:
        """Return a response for each row that the events give, with the place behind it.

        While the database cannot be reached this waits. Where an answer has errors, the events are read once more: a
        row of something that was deleted meanwhile is gone then, and what is left is what the client has to know.
        """
        rows = await self._rows(events)
        outcomes = await self._outcomes([row for _, row in rows])
        for _ in range(2):
            if all(isinstance(outcome, Response) or not outcome.errors for outcome in outcomes):
                break
            again = await self._rows(events)
            if again == rows:
                break
            rows = again
            outcomes = await self._outcomes([row for _, row in rows])
        return [
            (cursor, outcome if isinstance(outcome, Response) else self.respond(outcome))
            for (cursor, _), outcome in zip(rows, outcomes, strict=True)
        ]

    async def _rows(self, events: Sequence[Event]) -> list[tuple[Cursor, Row]]:
        return await self._patiently(lambda: projected(self.new_scope(), self.project, events))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except Unavailable as error:
                await self._wait(error)

    async def _wait(self, error: Unavailable) -> None:
        logger.warning("a stream waits, its rows cannot be read: %s", error.message)
        await asyncio.sleep(self.log.poll_seconds)

    async def _outcomes(self, rows: Sequence[Row]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for start in range(0, len(rows), _TOGETHER):
            if start:
                await asyncio.sleep(0)  # a long event must not hold the event loop
            outcomes += await self._of_some(rows[start : start + _TOGETHER])
        return outcomes

    async def _of_some(self, rows: Sequence[Row]) -> list[Outcome]:
        failures = 0
        while True:
            try:
                return await self._completed(rows, accepts_failure=failures >= _PATIENCE)
            except Unavailable as error:
                failures += not error.connection_lost
                await self._wait(error)

    async def _completed(self, rows: Sequence[Row], *, accepts_failure: bool) -> list[Outcome]:
        if self.plan is not None:
            run = Run(self.new_scope(), self.plan.values)
            try:
                objects = await self.plan.selection.complete(rows, run)
            except Exception as error:
                if isinstance(error, Unavailable) and (error.connection_lost or not accepts_failure):
                    raise
                logger.debug("answered by the ordinary executor: %r", error)
            else:
                return [Response({self.plan.response_key: each}) for each in objects]
            if len(rows) > 1:
                # What fails may be one of them, or the budget that each has for itself.
                middle = len(rows) // 2
                halves = (rows[:middle], rows[middle:])
                return [
                    each for half in halves for each in await self._completed(half, accepts_failure=accepts_failure)
                ]
        return [await self._executed(row, accepts_failure=accepts_failure) for row in rows]

    async def _executed(self, row: Row, *, accepts_failure: bool) -> ExecutionResult:
        result = await self.execute(row, self.new_scope())
        for error in result.errors or ():
            cause = error.original_error
            if isinstance(cause, Unavailable) and (cause.connection_lost or not accepts_failure):
                raise cause
        return result

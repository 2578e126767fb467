"""Live streams: what the event log has for a subscription, from any place of it.

A use case that can be followed returns a `Stream`: where it starts, and which rows the events of the log give to its
filter. The rest (replaying, going on live, sharing, waiting for the database) is the same for all and is done for it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from models.errors import BadUserInput, LimitExceeded
from models.repositories import devices as device_rows
from models.repositories import readings
from models.repositories.events import Cursor, Event
from models.statements import Row
from models.types import from_micros
from resolvers import devices
from resolvers.context import Scope
from resolvers.ingest import READINGS_RECORDED
from resolvers.loaders import Columns

Items: TypeAlias = Sequence[tuple[Cursor, Row]]
Project: TypeAlias = Callable[[Scope, Sequence[Event]], Awaitable[Items]]

_MOST_DEVICES = 1000


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that is followed.

    Attributes:
        start: behind this place of the log.
        project: returns the rows that events of the log give, in their order, each with the place behind it
            (`event.cursor`; `event.cursor_of(index, count)` where the payload names several things). It depends on its
            arguments and on the filter of the subscription only, because subscribers with the same filter share its
            results; it may be called again for the same events, and leaves out what was deleted meanwhile. The
            rows' `cursor` is filled in.
    """

    start: Cursor
    project: Project


async def starting(scope: Scope, after: str | None = None) -> Cursor:
    """Return where a stream begins: behind a client's cursor, now if there is none.

    To be called before anything else is read, so that nothing falls between.

    Raises:
        BadUserInput: `after` is no cursor of this log.
        CursorExpired: events behind it are forgotten.
    """
    log = scope.store.log
    return log.newest if after is None else await log.place(after, "after")


async def present_place(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[str]:
    """Return the cursor of now: a stream that begins behind it has all that happens from here on."""
    log = scope.store.log
    return [log.text(log.newest)] * len(keys)


async def projected(scope: Scope, project: Project, events: Sequence[Event]) -> list[tuple[Cursor, Row]]:
    """Return the rows that events give, each with its cursor as clients hold it."""
    text = scope.store.log.text
    return [(cursor, {**row, "cursor": text(cursor)}) for cursor, row in await project(scope, events)]


async def rows(scope: Scope, stream: Stream) -> AsyncGenerator[Row]:
    """Yield the rows of a stream, for ever.

    Raises: CursorExpired if it falls behind what the log still has.
    """
    async with aclosing(scope.store.log.follow(stream.start)) as batches:
        async for events in batches:
            for cursor, row in await projected(scope, stream.project, events):
                if cursor > stream.start:
                    yield row


async def of_present_devices(scope: Scope, items: Items) -> list[tuple[Cursor, Row]]:
    """Leave out rows whose device (`device_id`) does not exist any more; None is no device."""
    ids = list({row["device_id"] for _, row in items} - {None})
    found = await device_rows.by_ids(scope.store, ids, frozenset({"id"})) if ids else []
    present = {None, *(id_ for id_, device in zip(ids, found, strict=True) if device is not None)}
    return [(cursor, row) for cursor, row in items if row["device_id"] in present]


async def readings_recorded(scope: Scope, device_ids: Sequence[int]) -> Stream:
    """Follow each reading of these devices that is stored from now on, as device_id, kind and reading.

    Raises: NotFound for an unknown device; BadUserInput for none; LimitExceeded for too many.
    """
    if not device_ids:
        raise BadUserInput("Name at least one device.", input_path=("deviceIds",))
    if len(device_ids) > _MOST_DEVICES:
        raise LimitExceeded(
            f"One subscription may follow {_MOST_DEVICES} devices, not {len(device_ids)}.", input_path=("deviceIds",)
        )
    start = await starting(scope)
    await devices.required(scope, device_ids, frozenset())
    wanted = frozenset(device_ids)

    async def project(scope: Scope, events: Sequence[Event]) -> Items:
        return await _readings(scope, events, wanted)

    return Stream(start, project)


async def _readings(scope: Scope, events: Sequence[Event], wanted: frozenset[int]) -> Items:
    """Return the readings that events name, as they are stored; one statement for each kind."""
    places: list[tuple[Cursor, str, tuple[int, int]]] = []
    for event in events:
        if event.type != READINGS_RECORDED:
            continue
        ids: list[int] = event.payload["device_ids"]
        instants: list[int] = event.payload["recorded_at"]
        places += [
            (event.cursor_of(index, len(ids)), event.payload["kind"], (id_, instants[index]))
            for index, id_ in enumerate(ids)
            if id_ in wanted
        ]
    found: dict[tuple[str, tuple[int, int]], Row] = {}
    for kind in {kind for _, kind, _ in places}:
        keys = [key for _, each, key in places if each == kind]
        stored = await readings.latest(scope.store, kind, [(id_, from_micros(micros)) for id_, micros in keys])
        # A reading that was deleted meanwhile, with its device, has nothing to show.
        found |= {(kind, key): row for key, row in zip(keys, stored, strict=True) if row is not None}
    return [
        (cursor, {"device_id": key[0], "kind": kind, "reading": found[kind, key]})
        for cursor, kind, key in places
        if (kind, key) in found
    ]

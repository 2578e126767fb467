"""The event log: appended in the writing transaction, read in an order in which nothing is overtaken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from models.clock import now
from models.repositories.base import Reads, Writes
from models.types import from_micros, to_micros


class Cursor(NamedTuple):
    """A place in the log: after this event. Transaction first, because ids alone are not the order of commits."""

    xid: int
    id: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened, to be written with the transaction that made it happen.

    Attributes:
        type: what happened, in the past tense, as readings_recorded.
        payload: JSON values that name what it happened to.
    """

    type: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it stands in the log."""

    cursor: Cursor
    type: str
    occurred_at: datetime
    payload: dict[str, Any]


# The transaction's id is taken by the row itself; only rows of transactions that ended before every open one are read,
# so a transaction that commits late cannot slip in behind a reader.
_APPEND = {
    "postgresql": (
        "INSERT INTO events (xid, type, occurred_at, payload) "
        "SELECT pg_current_xact_id()::text::bigint, t, $3, p FROM unnest($1::text[], $2::text[]) AS new (t, p)"
    ),
    "sqlite": (
        "INSERT INTO events (xid, type, occurred_at, payload) "
        "SELECT 0, json_extract(value, '$[0]'), ?2, json_extract(value, '$[1]') FROM json_each(?1)"
    ),
}
_AFTER = {
    "postgresql": (
        "SELECT xid, id, type, occurred_at, payload FROM events "
        "WHERE (xid, id) > ($1, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
        "ORDER BY xid, id LIMIT $3"
    ),
    "sqlite": (
        "SELECT xid, id, type, occurred_at, payload FROM events WHERE xid = ?1 AND id > ?2 ORDER BY xid, id LIMIT ?3"
    ),
}
_NEWEST = {
    "postgresql": (
        "SELECT xid, id FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
        "ORDER BY xid DESC, id DESC LIMIT 1"
    ),
    "sqlite": "SELECT xid, id FROM events ORDER BY xid DESC, id DESC LIMIT 1",
}
_FORGET = {
    "postgresql": (
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE occurred_at < $1 ORDER BY occurred_at LIMIT $2) "
        "RETURNING id"
    ),
    "sqlite": (
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE occurred_at < ?1 ORDER BY occurred_at LIMIT ?2) "
        "RETURNING id"
    ),
}


async def add(transaction: Writes, new: Sequence[NewEvent]) -> None:
    """Append events in the order given."""
    types = [event.type for event in new]
    payloads = [orjson.dumps(event.payload).decode() for event in new]
    if transaction.dialect == "postgresql":
        await transaction.run(_APPEND["postgresql"], types, payloads, now())
    else:
        rows = orjson.dumps(list(zip(types, payloads, strict=True))).decode()
        await transaction.run(_APPEND["sqlite"], rows, to_micros(now()))


async def after(db: Reads, cursor: Cursor, limit: int) -> list[Event]:
    """Return the next events of the log behind a cursor, at most `limit`."""
    rows = await db.run(_AFTER[db.dialect], cursor.xid, cursor.id, limit)
    return [
        Event(Cursor(xid, id_), type_, at if isinstance(at, datetime) else from_micros(at), orjson.loads(payload))
        for xid, id_, type_, at, payload in rows
    ]


async def newest(db: Reads) -> Cursor:
    """Return the cursor of the last event that can be read now; the beginning of all where there is none."""
    rows = await db.run(_NEWEST[db.dialect])
    return Cursor(rows[0][0], rows[0][1]) if rows else Cursor(0, 0)


async def forget_before(transaction: Writes, instant: datetime, limit: int) -> int:
    """Delete the oldest events that happened before an instant, at most `limit`, and return how many."""
    value = instant if transaction.dialect == "postgresql" else to_micros(instant)
    return len(await transaction.run(_FORGET[transaction.dialect], value, limit))

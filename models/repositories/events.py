"""The event log: appended in the writing transaction, read in an order in which nothing is overtaken.

What was forgotten is remembered by its highest cursor, in the one row of `event_log`: a reader that asks for what is
behind an older one is told so, also where the log is empty.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, NamedTuple

import orjson

from models.clock import now
from models.repositories.base import Reads, Writes
from models.types import from_micros, to_micros

WHOLE: Final = 2**31 - 1


class Cursor(NamedTuple):
    """A place in the log: after this event. Transaction first, because ids alone are not the order of commits.

    Attributes:
        xid: of the transaction; 0 on SQLite.
        id: of the event.
        part: of an event that tells of several things, how many of them lie before this place; WHOLE for all.
    """

    xid: int
    id: int
    part: int = WHOLE


BEGINNING: Final = Cursor(0, 0)


class Forgotten(Exception):
    """Events behind the place that was asked for are forgotten already.

    Attributes:
        horizon: the place behind which nothing is forgotten.
    """

    def __init__(self, horizon: Cursor) -> None:
        super().__init__(horizon)
        self.horizon = horizon


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened, to be written with the transaction that made it happen.

    Attributes:
        type: what happened, in the past tense, as readings_recorded.
        payload: JSON values that name what it happened to; arrays of numbers are lists.
    """

    type: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it stands in the log.

    Attributes:
        size: of its payload as text, in characters.
    """

    cursor: Cursor
    type: str
    occurred_at: datetime
    payload: dict[str, Any]
    size: int

    def cursor_of(self, index: int, count: int) -> Cursor:
        """Return the place behind the thing at an index, of `count` that the payload names."""
        return self.cursor if index == count - 1 else self.cursor._replace(part=index + 1)


@dataclass(frozen=True, slots=True)
class LogState:
    """What is known of the log as a whole.

    Attributes:
        name: tells this log from those of other databases.
        horizon: the place behind which nothing is forgotten.
        newest: the place behind the last event that can be read now.
    """

    name: str
    horizon: Cursor
    newest: Cursor


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
_VISIBLE = {"postgresql": "xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint", "sqlite": "true"}
# In one statement, so that events and horizon are of the same moment.
_AFTER = """
SELECT log.forgotten_xid, log.forgotten_id, e.xid, e.id, e.type, e.occurred_at, e.payload
FROM (SELECT 1) AS one
LEFT JOIN event_log AS log ON true
LEFT JOIN (
  SELECT xid, id, type, occurred_at, payload FROM events
  WHERE (xid, id) > ($1, $2) AND {visible} ORDER BY xid, id LIMIT $3
) AS e ON true
ORDER BY e.xid, e.id"""
_STATE = """
SELECT log.name, log.forgotten_xid, log.forgotten_id, e.xid, e.id
FROM (SELECT 1) AS one
LEFT JOIN event_log AS log ON true
LEFT JOIN (SELECT xid, id FROM events WHERE {visible} ORDER BY xid DESC, id DESC LIMIT 1) AS e ON true"""
_OLDEST = "SELECT xid, id, occurred_at FROM events WHERE {visible} ORDER BY xid, id LIMIT $1"
_FORGET = "DELETE FROM events WHERE (xid, id) <= ($1, $2)"
_IDENTIFY = """
INSERT INTO event_log (id, name, forgotten_xid, forgotten_id) VALUES (1, $1, 0, 0) ON CONFLICT (id) DO NOTHING"""
_REMEMBER = """
UPDATE event_log SET forgotten_xid = $1, forgotten_id = $2 WHERE (forgotten_xid, forgotten_id) < ($1, $2)"""


async def add(transaction: Writes, new: Sequence[NewEvent]) -> None:
    """Append events in the order given."""
    sql, arguments = addition(transaction.dialect, new)
    await transaction.run(sql, *arguments)


def addition(dialect: str, new: Sequence[NewEvent]) -> tuple[str, Sequence[Any]]:
    """Return the SQL text that appends events in the order given, and its arguments."""
    types = [event.type for event in new]
    payloads = [orjson.dumps(event.payload, option=orjson.OPT_SERIALIZE_NUMPY).decode() for event in new]
    if dialect == "postgresql":
        return _APPEND[dialect], (types, payloads, now())
    rows = orjson.dumps(list(zip(types, payloads, strict=True))).decode()
    return _APPEND[dialect], (rows, to_micros(now()))


async def identify(transaction: Writes) -> None:
    """Give the log a name if it has none yet."""
    await transaction.run(_sql(_IDENTIFY, transaction.dialect), secrets.token_hex(6))


async def state(db: Reads) -> LogState:
    """Return what is known of the log as a whole."""
    ((name, forgotten_xid, forgotten_id, xid, id_),) = await db.run(_sql(_STATE, db.dialect))
    horizon = Cursor(forgotten_xid or 0, forgotten_id or 0)
    return LogState(name or "", horizon, horizon if xid is None else max(horizon, Cursor(xid, id_)))


async def newest(db: Reads) -> Cursor:
    """Return the place behind the last event that can be read now; the beginning of all where there never was one."""
    return (await state(db)).newest


async def after(db: Reads, cursor: Cursor, limit: int) -> list[Event]:
    """Return the next events of the log behind a place, at most `limit`; one that it lies within comes again.

    Raises:
        Forgotten: some of them are no longer there.
    """
    last_id = cursor.id if cursor.part == WHOLE else cursor.id - 1
    rows = await db.run(_sql(_AFTER, db.dialect), cursor.xid, last_id, limit)
    horizon = Cursor(rows[0][0] or 0, rows[0][1] or 0)
    if cursor < horizon:
        raise Forgotten(horizon)
    return [
        Event(Cursor(xid, id_), type_, _instant(at), orjson.loads(payload), len(payload))
        for _, _, xid, id_, type_, at, payload in rows
        if xid is not None
    ]


async def forget_before(transaction: Writes, instant: datetime, limit: int) -> int:
    """Delete the first events of the log, as far as they happened before an instant, and return how many.

    In the order of the log, which is that of time but for the length of a transaction, so that what is left has no
    hole. At most `limit` at a time.
    """
    oldest = await transaction.run(_sql(_OLDEST, transaction.dialect), limit)
    old = list(takewhile(lambda row: _instant(row[2]) < instant, oldest))
    if old:
        xid, id_, _ = old[-1]
        await identify(transaction)
        await transaction.run(_sql(_REMEMBER, transaction.dialect), xid, id_)
        await transaction.run(_sql(_FORGET, transaction.dialect), xid, id_)
    return len(old)


def _sql(text: str, dialect: str) -> str:
    made = text.format(visible=_VISIBLE[dialect])
    return made if dialect == "postgresql" else made.replace("$", "?")


def _instant(stored: Any) -> datetime:
    return stored if isinstance(stored, datetime) else from_micros(stored)

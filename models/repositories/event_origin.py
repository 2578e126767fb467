"""Where the events of the log were written: in this database, or in one from which it was restored.

Ids of transactions belong to one PostgreSQL cluster. Events that came with a logical restore, as of pg_dump, carry
those of another one: they would stand in the wrong order among new ones, or not be visible for as long as the new
cluster takes to get so far. So they are deleted, which costs those who have followed them as much as falling behind.
"""

import secrets
from dataclasses import dataclass

from models.repositories import events
from models.repositories.base import Writes

_SEPARATOR = "."

_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')"
_DATABASE = "(SELECT oid::text FROM pg_database WHERE datname = current_database())"
_HERE = {
    True: f"SELECT system_identifier::text || '/' || {_DATABASE} FROM pg_control_system()",  # noqa: S608 - a constant
    # Where the cluster does not tell who it is, its databases at least can be told apart.
    False: f"SELECT '/' || {_DATABASE}",
}
_LOCK = "SELECT name, origin, forgotten_xid FROM event_log WHERE id = 1 FOR UPDATE"
_IS_OF_THE_FUTURE = """
SELECT greatest($1::bigint, (SELECT max(xid) FROM events)) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"""
_DELETE = "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT $1) RETURNING id"
_SETTLE = "UPDATE event_log SET origin = $1 WHERE id = 1"
_BEGIN_ANEW = "UPDATE event_log SET origin = $1, name = $2, forgotten_xid = 0, forgotten_id = 0 WHERE id = 1"


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of settling the log has done.

    Attributes:
        deleted: events of another database.
        is_settled: the log is of this database; otherwise there is more to delete.
        began_anew: it is so since this step.
    """

    deleted: int = 0
    is_settled: bool = True
    began_anew: bool = False


async def settle(transaction: Writes, most: int) -> Step:
    """Let the log be one of this database, with a name: delete events that were written elsewhere, at most so many.

    Processes that start together do so one after the other. SQLite needs no more than the name: its order is the ids.
    """
    await events.identify(transaction)
    if transaction.dialect != "postgresql":
        return Step()
    ((may_ask,),) = await transaction.run(_MAY_ASK)
    ((here,),) = await transaction.run(_HERE[may_ask])
    ((name, origin, forgotten_xid),) = await transaction.run(_LOCK)
    ((is_of_the_future,),) = await transaction.run(_IS_OF_THE_FUTURE, forgotten_xid)
    if origin in {here, None} and not is_of_the_future:
        if origin is None:
            await transaction.run(_SETTLE, here)
        return Step()
    deleted = len(await transaction.run(_DELETE, most))
    if deleted == most:
        return Step(deleted, is_settled=False)
    await transaction.run(_BEGIN_ANEW, here, _next_name(name))
    return Step(deleted, began_anew=True)


def is_of_before(name: str, present: str) -> bool:
    """Say whether a name is one that the log, or the one that it was restored from, had at another time."""
    return name != present and _family(name) == _family(present)


def _next_name(name: str) -> str:
    # By chance and not by counting: two copies of a log are not the same log.
    return f"{_family(name)}{_SEPARATOR}{secrets.token_hex(4)}"


def _family(name: str) -> str:
    return name.partition(_SEPARATOR)[0]

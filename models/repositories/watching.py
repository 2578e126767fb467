"""What is remembered of each device from one reading to the next: the detector's state and daily profile."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, LargeBinary, bindparam, insert, update
from sqlmodel import SQLModel

from models.repositories.base import Reads, Writes
from models.statements import Statement, prepared, table_columns, table_of
from models.tables import AnomalyDetectorRow, AnomalyProfileRow
from models.types import array_text


class Watched(NamedTuple):
    """What there is to know of a device before its readings are looked at.

    Attributes:
        state: of the detector; None for a device that it has not seen yet.
        has_conditions: a condition of an alert is not at rest.
        has_rules: it has rules of its own.
    """

    state: bytes | None
    has_conditions: bool
    has_rules: bool


async def watched(db: Reads, ids: Sequence[int]) -> dict[int, Watched]:
    """Return what is known of devices whose locks the caller holds, in one statement."""
    rows = await db.run(_WATCHED[db.dialect], _list(db, ids))
    states = {id_: state for id_, state, what in rows if what == _STATE}
    conditions = {id_ for id_, _, what in rows if what == _HAS_CONDITIONS}
    rules = {id_ for id_, _, what in rows if what == _HAS_RULES}
    return {id_: Watched(states.get(id_), id_ in conditions, id_ in rules) for id_ in ids}


async def states(db: Reads, ids: Sequence[int]) -> dict[int, bytes]:
    """Return the detector's state of those devices that have one, without their locks."""
    rows = await db.run(_STATES_OF[db.dialect], _list(db, ids))
    return {row[0]: row[1] for row in rows}


async def profiles(db: Reads, ids: Sequence[int]) -> dict[int, bytes]:
    """Return the detector's daily profile of those devices that have one."""
    rows = await db.run(_PROFILES_OF[db.dialect], _list(db, ids))
    return {row[0]: row[1] for row in rows}


async def save_states(transaction: Writes, states: dict[int, bytes], known: Collection[int]) -> None:
    """Store the detector's states of devices, all of the same size, at the end; `known` are those that had one."""
    await _save(transaction, AnomalyDetectorRow, "state", states, known)


async def save_profiles(transaction: Writes, profiles: dict[int, bytes], known: Collection[int]) -> None:
    """Store the detector's profiles of devices, all of the same size, at the end; `known` are those that had one."""
    await _save(transaction, AnomalyProfileRow, "profile", profiles, known)


async def _save(
    transaction: Writes, table: type[SQLModel], column: str, values: dict[int, bytes], known: Collection[int]
) -> None:
    old = {id_: value for id_, value in values.items() if id_ in known}
    new = {id_: value for id_, value in values.items() if id_ not in known}
    for part, sql, statement in ((old, _UPDATE, _update_one), (new, _INSERT, _insert_one)):
        if not part:
            continue
        if transaction.dialect == "postgresql":
            (size,) = set(map(len, part.values()))
            named = sql.format(table=table_of(table).name, column=column)
            transaction.run_later(named, array_text(part), b"".join(part.values()), size)
        else:
            rows = [{"id": id_, "value": value} for id_, value in part.items()]
            await transaction.execute_many(statement(table, column), rows)


def _list(db: Reads, ids: Sequence[int]) -> Any:
    return array_text(ids) if db.dialect == "postgresql" else orjson.dumps(list(ids)).decode()


_STATE, _HAS_CONDITIONS, _HAS_RULES = range(3)
# What a row is of. Three looks into an index, each for all devices, cost PostgreSQL a third of a join with two
# questions about each device.
_OWN = {
    "postgresql": "device_id = ANY($1::text::bigint[])",
    "sqlite": "device_id IN (SELECT value FROM json_each(?1))",
}
_WATCHED = {
    dialect: (
        f"SELECT device_id, state, {_STATE} FROM anomaly_detectors WHERE {own} "  # noqa: S608 - no value of a caller
        f"UNION ALL SELECT device_id, NULL, {_HAS_CONDITIONS} FROM alert_conditions WHERE {own} "
        f"UNION ALL SELECT device_id, NULL, {_HAS_RULES} FROM alert_rules WHERE {own}"
    )
    for dialect, own in _OWN.items()
}
_STATES_OF = {
    "postgresql": "SELECT device_id, state FROM anomaly_detectors WHERE device_id = ANY($1::text::bigint[])",
    "sqlite": "SELECT device_id, state FROM anomaly_detectors WHERE device_id IN (SELECT value FROM json_each(?1))",
}
_PROFILES_OF = {
    "postgresql": "SELECT device_id, profile FROM anomaly_profiles WHERE device_id = ANY($1::text::bigint[])",
    "sqlite": ("SELECT device_id, profile FROM anomaly_profiles WHERE device_id IN (SELECT value FROM json_each(?1))"),
}
# The values travel as one, of which each device gets its part.
_NEW = "unnest($1::text::bigint[]) WITH ORDINALITY AS new (id, place)"
_PART = "substring($2::bytea FROM (new.place::int - 1) * $3::int + 1 FOR $3::int)"
_INSERT = f"INSERT INTO {{table}} (device_id, {{column}}) SELECT new.id, {_PART} FROM {_NEW}"  # noqa: S608 - no value
_UPDATE = f"UPDATE {{table}} SET {{column}} = {_PART} FROM {_NEW} WHERE device_id = new.id"  # noqa: S608 - no value


@prepared
def _insert_one(table: type[SQLModel], column: str) -> Statement:
    values = {"device_id": bindparam("id", type_=BigInteger()), column: bindparam("value", type_=LargeBinary())}
    return Statement(insert(table).values(values))


@prepared
def _update_one(table: type[SQLModel], column: str) -> Statement:
    mine = table_columns(table)["device_id"] == bindparam("id")
    return Statement(update(table).where(mine).values({column: bindparam("value", type_=LargeBinary())}))

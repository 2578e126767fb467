"""What becomes of alerts is stored, recorded as their history, and told to subscribers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.alerting import Act, Step
from models.alerts import AlertChangeKind, AlertOwner, AlertState
from models.repositories import alerts
from models.repositories.alert_conditions import CONDITIONS
from models.repositories.alerts import ALERT_CHANGED, deduplication_key, resolution
from models.repositories.events import NewEvent
from models.snapshots import snapshot
from models.statements import Row
from models.store import Transaction
from models.tables import AlertRow
from resolvers.alerting.courses import Courses, Key, about_columns

Change = tuple[AlertChangeKind, Row]
Taken = Sequence[tuple[Key, Step]]


async def store(transaction: Transaction, courses: Courses, now: datetime) -> None:
    """Store conditions that have moved, and what becomes of their alerts; the devices or models are locked.

    Alerts are changed in rounds, each with the next step of every condition, by one statement for each kind of step.
    A live reading makes one step at most; only a long stretch of history makes several.
    """
    changes: list[Change] = []
    rounds = max(map(len, courses.steps.values()), default=0)
    for place in range(rounds):
        taken = [(key, steps[place]) for key, steps in sorted(courses.steps.items(), key=_id) if place < len(steps)]
        changes += await _take(transaction, courses, taken, now)
    await announce(transaction, changes)
    conditions = CONDITIONS[courses.owner]
    await conditions.put_many(transaction, courses.stored())
    await conditions.remove_many(transaction, courses.at_rest())


async def announce(transaction: Transaction, changes: Sequence[Change]) -> None:
    """Record changes of alerts in their history, and emit an event for each."""
    if not changes:
        return
    await alerts.add_changes(transaction, [_history(kind, row) for kind, row in changes])
    for kind, row in changes:
        payload = snapshot(AlertRow, row) | {"change": kind.value}
        transaction.emit(NewEvent(ALERT_CHANGED, payload))


async def _take(transaction: Transaction, courses: Courses, taken: Taken, now: datetime) -> list[Change]:
    by_act: dict[Act, list[tuple[Key, Step]]] = {act: [] for act in Act}
    for key, step in taken:
        by_act[step.act].append((key, step))
    owner = courses.owner
    escalated = await alerts.retell_many(transaction, [_retold(owner, *each, now) for each in by_act[Act.ESCALATE]])
    updated = await alerts.retell_many(transaction, [_retold(owner, *each, now) for each in by_act[Act.UPDATE]])
    resolved = await alerts.resolve_many(
        transaction,
        [_key_column(owner, key) | resolution(min(step.at, now), now) for key, step in by_act[Act.RESOLVE]],
    )
    # What people have resolved comes back where it gets worse.
    standing = {row["deduplication_key"] for row in escalated}
    again = [each for each in by_act[Act.ESCALATE] if deduplication_key(*each[0], owner) not in standing]
    new = [_new(courses, *each, now) for each in (*by_act[Act.RAISE], *again)]
    raised = await alerts.add_many(transaction, new)
    told = (
        (AlertChangeKind.RAISED, raised),
        (AlertChangeKind.ESCALATED, escalated),
        (AlertChangeKind.UPDATED, updated),
        (AlertChangeKind.RESOLVED, resolved),
    )
    return [(kind, row) for kind, rows in told for row in sorted(rows, key=_row_id)]


def _new(courses: Courses, key: Key, step: Step, now: datetime) -> dict[str, Any]:
    return {
        **_key_column(courses.owner, key),
        **courses.about(key),
        "kind": key[1].value,
        "severity": step.condition.severity.value,
        "state": AlertState.OPEN.value,
        **about_columns(step.condition.about),
        # The clock of a device may be ahead.
        "raised_at": min(step.at, now),
        "updated_at": now,
    }


def _retold(owner: AlertOwner, key: Key, step: Step, now: datetime) -> dict[str, Any]:
    about = about_columns(step.condition.about)
    return _key_column(owner, key) | {"severity": step.condition.severity.value, **about, "updated_at": now}


def _history(kind: AlertChangeKind, row: Row) -> dict[str, Any]:
    who = {"changed_by": None, "comment": None}
    if kind is AlertChangeKind.ACKNOWLEDGED:
        who = {"changed_by": row["acknowledged_by"], "comment": row["acknowledge_comment"]}
    elif kind is AlertChangeKind.RESOLVED:
        who = {"changed_by": row["resolved_by"], "comment": row["resolve_comment"]}
    at = {AlertChangeKind.RAISED: "raised_at", AlertChangeKind.RESOLVED: "resolved_at"}.get(kind, "updated_at")
    facts = {name: row[name] for name in ("state", "severity", "message")}
    return {"alert_id": row["id"], "changed_at": row[at], **facts, **who}


def _key_column(owner: AlertOwner, key: Key) -> dict[str, Any]:
    return {"deduplication_key": deduplication_key(*key, owner)}


def _id(item: tuple[Key, Any]) -> tuple[int, str]:
    return item[0][0], item[0][1].value


def _row_id(row: Mapping[str, Any]) -> int:
    return int(row["id"])

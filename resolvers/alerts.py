"""Alerts as people meet them: acknowledged, resolved, counted, with their history."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.alerts import AlertChangeKind, AlertOwner, AlertState
from models.errors import Conflict, NotFound
from models.repositories import alerts, histories
from models.repositories.alerts import ALERTS, UNRESOLVED
from models.severity import Severity
from models.statements import Row
from resolvers import checks
from resolvers.alerting.writing import announce
from resolvers.context import Scope
from resolvers.loaders import Columns

__all__ = [
    "UNRESOLVED",
    "acknowledge",
    "by_ids",
    "changes",
    "counts_by_severity",
    "device_counts_by_severity",
    "resolve",
]

_STATES_BEFORE = {
    AlertChangeKind.ACKNOWLEDGED: (AlertState.OPEN,),
    AlertChangeKind.RESOLVED: (AlertState.OPEN, AlertState.ACKNOWLEDGED),
}


async def acknowledge(scope: Scope, alert_id: int, comment: str | None, owner: AlertOwner = AlertOwner.DEVICE) -> Row:
    """Say that somebody takes care of an open alert, and return it.

    Raises: NotFound; Conflict if it is acknowledged or resolved already.
    """
    now = scope.services.clock()
    words = checks.optional_text(comment, "comment", longest=checks.NOTES_LENGTH)
    values = {
        "state": AlertState.ACKNOWLEDGED.value,
        "acknowledged_at": now,
        "acknowledged_by": scope.principal.name,
        "acknowledge_comment": words,
        "updated_at": now,
    }
    return await _change(scope, alert_id, owner, AlertChangeKind.ACKNOWLEDGED, values)


async def resolve(scope: Scope, alert_id: int, comment: str | None, owner: AlertOwner = AlertOwner.DEVICE) -> Row:
    """Say that an alert is done with, and return it.

    While its condition goes on it does not come back: only when it gets worse, or was gone and begins anew.

    Raises: NotFound; Conflict if it is resolved already.
    """
    now = scope.services.clock()
    words = checks.optional_text(comment, "comment", longest=checks.NOTES_LENGTH)
    values = {"state": AlertState.RESOLVED.value, **alerts.resolution(now, now, scope.principal.name, words)}
    return await _change(scope, alert_id, owner, AlertChangeKind.RESOLVED, values)


async def by_ids(scope: Scope, ids: Sequence[int], columns: Columns, *, owner: AlertOwner) -> list[Row | None]:
    """Return the alert of each id; None for one that does not exist or is not of such an owner."""
    needed = None if columns is None else columns | {owner.column}
    rows = await histories.by_ids(scope.store, ALERTS, ids, needed)
    return [row if row is not None and row[owner.column] is not None else None for row in rows]


async def changes(scope: Scope, alert_ids: Sequence[int], columns: Columns) -> list[list[Row]]:
    """Return the history of each alert, oldest first."""
    return await alerts.changes_by_alerts(scope.store, alert_ids, columns)


async def counts_by_severity(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[list[Row]]:
    """Return how many alerts of each severity are not resolved."""
    counted = await histories.counts_by(scope.store, ALERTS, "severity", UNRESOLVED)
    return [_counts(counted)] * len(keys)


async def device_counts_by_severity(scope: Scope, device_ids: Sequence[int], _columns: Columns) -> list[list[Row]]:
    """Return how many alerts of each severity are not resolved, for each device."""
    return [_counts(each) for each in await alerts.unresolved_counts_by_devices(scope.store, device_ids)]


async def _change(
    scope: Scope, alert_id: int, owner: AlertOwner, kind: AlertChangeKind, values: Mapping[str, Any]
) -> Row:
    async with scope.store.transaction() as transaction:
        changed = await alerts.change(transaction, alert_id, _STATES_BEFORE[kind], values)
        (row,) = await histories.by_ids(transaction, ALERTS, [alert_id])
        if row is None or row[owner.column] is None:
            raise NotFound(f"There is no alert with id {alert_id}.", input_path=("input", "id"))
        if not changed:
            raise _conflict(row)
        await announce(transaction, [(kind, row)])
    return row


def _conflict(row: Row) -> Conflict:
    verb = "resolved" if row["state"] == AlertState.RESOLVED.value else "acknowledged"
    at = row[f"{verb}_at"].isoformat(timespec="seconds")
    who = row[f"{verb}_by"] or "the server, because its cause was gone"
    return Conflict(
        f"The alert is {row['state']} already: {verb} at {at} by {who}.", input_path=("input", "id"), state=row["state"]
    )


def _counts(counted: Mapping[str, int]) -> list[Row]:
    return [{"severity": each.value, "count": counted.get(each.value, 0)} for each in Severity]

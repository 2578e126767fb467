"""Anomalies: judged by people."""

from models.alerts import AlertChangeKind, AlertState
from models.anomalies import AnomalyState, Verdict
from models.errors import Conflict, NotFound
from models.repositories import alerts, anomaly_verdicts, device_changes, histories
from models.repositories.alerts import ALERTS
from models.repositories.anomalies import ANOMALIES, changed
from models.statements import Row
from models.store import Transaction
from resolvers import checks
from resolvers.alerting.writing import announce
from resolvers.context import Scope

_FALSE_ALARM = "The anomaly was a false alarm."


async def resolve(scope: Scope, anomaly_id: int, verdict: Verdict, comment: str | None) -> Row:
    """Store what a person found an anomaly to be and return it; once more with the same verdict changes nothing.

    A false alarm takes the alerts that the anomaly raised with it; after a true one they stay with those who mend what
    is wrong.

    Raises: NotFound; Conflict if it has another verdict; BadUserInput for a comment that is too long.
    """
    text = checks.optional_text(comment, "comment", longest=checks.NOTES_LENGTH)
    async with scope.store.transaction() as transaction:
        row = await _locked(transaction, anomaly_id)
        if row["state"] == AnomalyState.RESOLVED.value:
            return _judged_before(row, verdict)
        judged = {
            **row,
            "state": AnomalyState.RESOLVED.value,
            "verdict": verdict.value,
            "resolved_at": scope.services.clock(),
            "resolved_by": scope.principal.name,
            "comment": text,
        }
        await anomaly_verdicts.store(transaction, judged)
        transaction.emit(changed("RESOLVED", judged))
        if verdict is Verdict.FALSE_ALARM:
            await _withdraw_alerts(transaction, judged)
    return judged


async def _locked(transaction: Transaction, anomaly_id: int) -> Row:
    """Return all columns of an anomaly whose device is locked for the rest of the transaction; raises NotFound."""
    found = await histories.by_ids(transaction, ANOMALIES, [anomaly_id], frozenset({"device_id"}))
    if found[0] is not None:
        # The detector follows the anomaly under this lock.
        await device_changes.lock(transaction, [found[0]["device_id"]])
        found = await histories.by_ids(transaction, ANOMALIES, [anomaly_id])
    if found[0] is None:
        raise NotFound(f"There is no anomaly with id {anomaly_id}.")
    return found[0]


async def _withdraw_alerts(transaction: Transaction, anomaly: Row) -> None:
    """Resolve the alerts that an anomaly raised and that still stand."""
    at = anomaly["resolved_at"]
    resolution = alerts.resolution(at, at, anomaly["resolved_by"], anomaly["comment"] or _FALSE_ALARM)
    (raised,) = await histories.by_column(transaction, ALERTS, "anomaly_id", [anomaly["id"]])
    standing = [{"deduplication_key": each["deduplication_key"], **resolution} for each in raised if _stands(each)]
    resolved = await alerts.resolve_many(transaction, standing)
    await announce(transaction, [(AlertChangeKind.RESOLVED, each) for each in resolved])


def _stands(alert: Row) -> bool:
    return alert["state"] != AlertState.RESOLVED.value


def _judged_before(row: Row, verdict: Verdict) -> Row:
    if row["verdict"] == verdict.value:
        return row
    raise Conflict(
        f"The anomaly was resolved as {row['verdict']} by '{row['resolved_by']}' at {row['resolved_at'].isoformat()}; "
        "a verdict is given once.",
        input_path=("input", "verdict"),
        verdict=row["verdict"],
        resolvedBy=row["resolved_by"],
        resolvedAt=row["resolved_at"].isoformat(),
    )

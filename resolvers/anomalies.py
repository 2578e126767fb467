"""Anomalies: judged by people."""

from models.anomalies import AnomalyState, Verdict
from models.errors import Conflict, NotFound
from models.repositories import anomaly_verdicts, device_changes, histories
from models.repositories.anomalies import ANOMALIES, changed
from models.statements import Row
from models.store import Transaction
from resolvers import checks
from resolvers.context import Scope


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

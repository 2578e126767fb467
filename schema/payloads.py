"""Payloads of mutations of all kinds, and how rows become payloads."""

from typing import Any

import strawberry

from models.readings import ReadingBatch, Rejection
from resolvers.context import Scope
from schema.types.anomaly import Anomaly


@strawberry.type(description="A row of a batch that cannot be stored, and why.")
class RejectedRow:
    """A row of a batch that cannot be stored, and why."""

    index: int = strawberry.field(description="The row's place in the batch, counted from 0.")
    code: str = strawberry.field(description="Name of the reason; `rejected` says which there are.")
    message: str = strawberry.field(description="What is wrong with which value, and what is allowed.")


@strawberry.type(
    description="What became of a batch of readings. Accepted ones are durable when this is answered; sending a batch "
    "again is safe."
)
class RecordReadingsPayload:
    """What became of a batch of readings."""

    accepted_count: int = strawberry.field(description="Readings that were stored now.")
    duplicate_count: int = strawberry.field(
        description="Readings that were there already: same device, same instant. The stored one stays."
    )
    rejected: list[RejectedRow] = strawberry.field(
        description="Rows that cannot be stored, by index. Reasons: UNKNOWN_DEVICE, WRONG_KIND, OUT_OF_RANGE, "
        "NOT_FINITE, NO_VALUES, IN_FUTURE, TOO_OLD."
    )
    anomalies: list[Anomaly] = strawberry.field(
        description="What these readings showed to be strange: anomalies that they opened, or raised in severity."
    )


async def record_readings(scope: Scope, batch: ReadingBatch) -> Any:
    """Store a batch of readings and return the row of its RecordReadingsPayload."""
    report = await scope.services.ingest.record(batch)
    return payload(
        accepted_count=report.accepted_count,
        duplicate_count=report.duplicate_count,
        rejected=[rejected_row(each) for each in report.rejected],
        anomalies=report.anomalies,
    )


def rejected_row(rejection: Rejection) -> dict[str, Any]:
    """Return the row of a RejectedRow."""
    return {"index": rejection.index, "code": rejection.code, "message": rejection.message}


def payload(**fields: Any) -> Any:
    """Return the row of a payload: types of the schema are told apart from the rows that fill them."""
    return fields

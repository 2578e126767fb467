"""What people do about anomalies and alerts."""

from typing import Annotated

import strawberry

from models.principal import Right
from resolvers import anomalies
from resolvers.context import Scope
from schema import ids
from schema.fields import mutation
from schema.inputs import INPUT
from schema.payloads import payload
from schema.types.anomaly import Anomaly
from schema.types.enums import Verdict

_ANOMALY = ("Anomaly",)


@strawberry.input(description="What an anomaly was found to be.")
class ResolveAnomalyInput:
    """What an anomaly was found to be."""

    id: strawberry.ID = strawberry.field(description="The anomaly.")
    verdict: Verdict = strawberry.field(description="What it was found to be.")
    comment: str | None = strawberry.field(
        default=None, description="What there is to say about it; at most 4000 characters."
    )


@strawberry.type(description="An anomaly as it is after the change.")
class AnomalyPayload:
    """An anomaly as it is after the change."""

    anomaly: Anomaly = strawberry.field(description="The anomaly.")


@strawberry.type
class AlarmMutations:
    """Fields of the root of mutations."""

    @mutation(
        Right.OPERATE,
        description="Say what an anomaly was, whether it goes on or not. A false alarm resolves the alerts that it "
        "raised. The same verdict once more changes nothing; another one is refused as CONFLICT.",
    )
    @staticmethod
    async def resolve_anomaly(scope: Scope, input: Annotated[ResolveAnomalyInput, INPUT]) -> AnomalyPayload:  # noqa: A002
        """Say what an anomaly was."""
        anomaly_id = ids.decode(input.id, _ANOMALY, "input.id")
        return payload(anomaly=await anomalies.resolve(scope, anomaly_id, input.verdict, input.comment))

"""What people do about anomalies and alerts."""

from typing import Annotated

import strawberry

from models.principal import Right
from resolvers import alerts, anomalies
from resolvers.context import Scope
from schema import ids
from schema.fields import mutation
from schema.inputs import INPUT
from schema.payloads import payload
from schema.types.alert import ALERT_TYPES, Alert
from schema.types.anomaly import Anomaly
from schema.types.enums import Verdict

_ANOMALY = ("Anomaly",)
_COMMENT = "What there is to say about it; at most 4000 characters."


@strawberry.input(description="What an anomaly was found to be.")
class ResolveAnomalyInput:
    """What an anomaly was found to be."""

    id: strawberry.ID = strawberry.field(description="The anomaly.")
    verdict: Verdict = strawberry.field(description="What it was found to be.")
    comment: str | None = strawberry.field(default=None, description=_COMMENT)


@strawberry.input(description="An alert that somebody takes on.")
class AcknowledgeAlertInput:
    """An alert that somebody takes on."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    comment: str | None = strawberry.field(default=None, description=_COMMENT)


@strawberry.input(description="An alert that is done with.")
class ResolveAlertInput:
    """An alert that is done with."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    comment: str | None = strawberry.field(default=None, description=_COMMENT)


@strawberry.type(description="An anomaly as it is after the change.")
class AnomalyPayload:
    """An anomaly as it is after the change."""

    anomaly: Anomaly = strawberry.field(description="The anomaly.")


@strawberry.type(description="An alert as it is after the change.")
class AlertPayload:
    """An alert as it is after the change."""

    alert: Alert = strawberry.field(description="The alert.")


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

    @mutation(
        Right.OPERATE, description="Take an alert on, which others then see; refused as CONFLICT unless it is OPEN."
    )
    @staticmethod
    async def acknowledge_alert(scope: Scope, input: Annotated[AcknowledgeAlertInput, INPUT]) -> AlertPayload:  # noqa: A002
        """Take an alert on."""
        alert_id = ids.decode(input.id, ALERT_TYPES, "input.id")
        return payload(alert=await alerts.acknowledge(scope, alert_id, input.comment))

    @mutation(
        Right.OPERATE,
        description="Say that an alert is done with; refused as CONFLICT if it is RESOLVED. While its cause goes on it "
        "does not come back, unless it gets worse.",
    )
    @staticmethod
    async def resolve_alert(scope: Scope, input: Annotated[ResolveAlertInput, INPUT]) -> AlertPayload:  # noqa: A002
        """Say that an alert is done with."""
        alert_id = ids.decode(input.id, ALERT_TYPES, "input.id")
        return payload(alert=await alerts.resolve(scope, alert_id, input.comment))

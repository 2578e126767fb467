"""What people do about anomalies and alerts."""

from typing import Annotated

import strawberry

from models.alerts import AlertOwner
from models.principal import Right
from resolvers import alert_rules, alerts, anomalies
from resolvers.context import Scope
from schema import ids
from schema.fields import mutation
from schema.inputs import INPUT, given
from schema.payloads import payload
from schema.types.alert import OWNER_BY_TYPE, Alert
from schema.types.alert_rule import AlertRule, ResetAlertRuleInput, SetAlertRuleInput
from schema.types.anomaly import Anomaly
from schema.types.enums import Verdict
from schema.types.node import DEVICE_TYPES

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


@strawberry.type(description="A rule as it is in force after the change.")
class AlertRulePayload:
    """A rule as it is in force after the change."""

    alert_rule: AlertRule = strawberry.field(description="The rule.")


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
        alert_id, owner = _alert(input.id)
        return payload(alert=await alerts.acknowledge(scope, alert_id, input.comment, owner))

    @mutation(
        Right.OPERATE,
        description="Say that an alert is done with; refused as CONFLICT if it is RESOLVED. While its cause goes on it "
        "does not come back, unless it gets worse.",
    )
    @staticmethod
    async def resolve_alert(scope: Scope, input: Annotated[ResolveAlertInput, INPUT]) -> AlertPayload:  # noqa: A002
        """Say that an alert is done with."""
        alert_id, owner = _alert(input.id)
        return payload(alert=await alerts.resolve(scope, alert_id, input.comment, owner))

    @mutation(Right.OPERATE, description="Let a device alert otherwise than the settings say.")
    @staticmethod
    async def set_alert_rule(scope: Scope, input: Annotated[SetAlertRuleInput, INPUT]) -> AlertRulePayload:  # noqa: A002
        """Let a device alert otherwise than the settings say."""
        device_id = ids.decode(input.device_id, DEVICE_TYPES, "input.deviceId")
        values = given(input, without=("device_id", "kind"))
        return payload(alert_rule=await alert_rules.put(scope, device_id, input.kind.value, values))

    @mutation(Right.OPERATE, description="Let a device alert as the settings say.")
    @staticmethod
    async def reset_alert_rule(scope: Scope, input: Annotated[ResetAlertRuleInput, INPUT]) -> AlertRulePayload:  # noqa: A002
        """Let a device alert as the settings say."""
        device_id = ids.decode(input.device_id, DEVICE_TYPES, "input.deviceId")
        return payload(alert_rule=await alert_rules.reset(scope, device_id, input.kind.value))


def _alert(given: str) -> tuple[int, AlertOwner]:
    row_id = ids.decode(given, tuple(OWNER_BY_TYPE), "input.id")
    type_name, _ = ids.decode_any(given, "input.id")
    return row_id, OWNER_BY_TYPE[type_name]

"""Rules: when a device alerts, and where it differs from what the settings say."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import alert_rules, devices
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.types.enums import AlertKind, Metric

if TYPE_CHECKING:
    from schema.types.device import Device


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _rules(_scope: Scope) -> Batch:
    return batch(alert_rules.by_devices)


def _own(row: Any) -> dict[str, Any] | None:
    told = {name: row[name] for name in ("updated_at", "updated_by")}
    is_there = any(value is not None for value in row["own"].values())
    return {**row["own"], **told} if is_there else None


@strawberry.type(description="Where a device alerts otherwise than the settings say; null is as they have it.")
class OwnAlertRule:
    """Where a device alerts otherwise than the settings say."""

    is_enabled: bool | None = strawberry.field(description="Whether it alerts.")
    high_threshold: float | None = strawberry.field(description="From where on an alert is HIGH.")
    critical_threshold: float | None = strawberry.field(description="From where on it is CRITICAL.")
    hold_seconds: float | None = strawberry.field(description="How long the cause must last before an alert.")
    recover_seconds: float | None = strawberry.field(description="How long it must be gone before the alert resolves.")
    updated_at: datetime | None = strawberry.field(description="When somebody last changed it.")
    updated_by: str | None = strawberry.field(description="Who did.")


@strawberry.type(description="When a device raises alerts of a kind: the settings, and over them what is its own.")
class AlertRule:
    """When a device raises alerts of a kind."""

    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device."
    )
    kind: AlertKind = strawberry.field(description="The kind of alert.")
    metric: Metric | None = strawberry.field(description="What is compared with the thresholds; null without them.")
    unit: str = strawberry.field(description="Unit of the thresholds; empty without them.")
    is_above: bool | None = strawberry.field(
        description="Whether values from a threshold up are bad, or those from it down; null without thresholds."
    )
    is_enabled: bool = strawberry.field(description="Whether it alerts.")
    high_threshold: float | None = strawberry.field(description="From where on an alert is HIGH; null without one.")
    critical_threshold: float | None = strawberry.field(description="From where on it is CRITICAL; null without one.")
    hold_seconds: float = strawberry.field(description="How long the cause must last before an alert is raised.")
    recover_seconds: float = strawberry.field(
        description="How long the cause must be gone before the alert is resolved."
    )
    own: OwnAlertRule | None = derived(
        _own,
        needs=("own", "updated_at", "updated_by"),
        description="What of it is the device's own; null where all is as the settings say.",
    )


@strawberry.input(
    description="When a device shall alert. A field that is left out stays as it is, null is back to the settings."
)
class SetAlertRuleInput:
    """When a device shall alert."""

    device_id: strawberry.ID = strawberry.field(description="The device.")
    kind: AlertKind = strawberry.field(description="The kind of alert, one of the device's `alertRules`.")
    is_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it alerts; false resolves an alert that stands."
    )
    high_threshold: float | None = strawberry.field(
        default=strawberry.UNSET, description="From where on an alert is HIGH, in the rule's unit."
    )
    critical_threshold: float | None = strawberry.field(
        default=strawberry.UNSET, description="From where on it is CRITICAL, in the rule's unit."
    )
    hold_seconds: float | None = strawberry.field(
        default=strawberry.UNSET, description="How long the cause must last before an alert is raised."
    )
    recover_seconds: float | None = strawberry.field(
        default=strawberry.UNSET, description="How long the cause must be gone before the alert is resolved."
    )


@strawberry.input(description="A rule that shall be as the settings say.")
class ResetAlertRuleInput:
    """A rule that shall be as the settings say."""

    device_id: strawberry.ID = strawberry.field(description="The device.")
    kind: AlertKind = strawberry.field(description="The kind of alert.")


def alert_rules_of_device() -> Any:
    """Declare the rules of a device."""
    return link(_rules, key="id", description="When it alerts: a rule for each kind of alert that it can raise.")

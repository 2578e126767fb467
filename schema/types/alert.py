"""Alerts: what people have to know of, and what became of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import strawberry

from models.alerts import MODEL_ALERTS as KINDS_OF_MODELS
from models.alerts import AlertOwner
from models.devices import KINDS
from models.filters import Filter
from models.repositories.alerts import ALERTS
from models.repositories.anomalies import ANOMALIES
from resolvers import alerts, devices, histories
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.filtering import bounds, choices, owners_in
from schema.types.enums import AlertKind, AlertState, DeviceKind, Metric, Severity
from schema.types.filtered import filtered
from schema.types.node import TYPE_NAME, Node, TypeRule, id_of

if TYPE_CHECKING:
    from schema.types.anomaly import Anomaly
    from schema.types.device import Device

DEVICE_ALERT = "DeviceAlert"
MODEL_ALERT = "ModelAlert"

ORDER = "alerts"
_TYPE_BY_OWNER = {AlertOwner.DEVICE: DEVICE_ALERT, AlertOwner.MODEL: MODEL_ALERT}
OWNER_BY_TYPE = {type_name: owner for owner, type_name in _TYPE_BY_OWNER.items()}
_TYPE_BY_KIND = {kind.value: MODEL_ALERT if kind in KINDS_OF_MODELS else DEVICE_ALERT for kind in AlertKind}

NODES: dict[str, Batch] = {type_name: batch(alerts.by_ids, owner=owner) for owner, type_name in _TYPE_BY_OWNER.items()}
"""For each type of alert, the batch function from ids to rows."""


def _type_of(row: Any) -> str:
    return row.get(TYPE_NAME) or _TYPE_BY_KIND[row["kind"]]


def _changes(_scope: Scope) -> Batch:
    return batch(alerts.changes)


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _anomaly(_scope: Scope) -> Batch:
    return histories.entries(ANOMALIES)


def _unit(row: Any) -> str | None:
    metric = row["metric"]
    return None if metric is None else KINDS[row["device_kind"]].by_name[metric].unit


@strawberry.type(description="One change of an alert: what it was from then on.")
class AlertChange:
    """One change of an alert."""

    changed_at: datetime = strawberry.field(description="When.")
    state: AlertState = strawberry.field(description="How it stood.")
    severity: Severity = strawberry.field(description="How bad it was.")
    message: str = strawberry.field(description="What was the matter, in words.")
    changed_by: str | None = strawberry.field(description="Who changed it; null for the server.")
    comment: str | None = strawberry.field(description="What they had to say.")


@strawberry.interface(
    description="Something that people have to know of. The same matter is one alert until it is resolved, and a new "
    "one when it comes back after that."
)
class Alert(Node):
    """Something that people have to know of."""

    TYPE_RULE: ClassVar[TypeRule] = TypeRule(_type_of, "kind", _TYPE_BY_KIND, frozenset({"kind"}))

    severity: Severity = strawberry.field(description="How bad it is; it can rise while the alert lasts.")
    state: AlertState = strawberry.field(description="How it stands.")
    message: str = strawberry.field(description="What is the matter, in words.")
    raised_at: datetime = strawberry.field(description="When it was raised.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    acknowledged_at: datetime | None = strawberry.field(description="When somebody took it on.")
    acknowledged_by: str | None = strawberry.field(description="Who did.")
    acknowledge_comment: str | None = strawberry.field(description="What they had to say.")
    resolved_at: datetime | None = strawberry.field(description="When it was resolved.")
    resolved_by: str | None = strawberry.field(description="Who did it; null where its cause went away.")
    resolve_comment: str | None = strawberry.field(description="What they had to say.")
    history: list[AlertChange] = link(_changes, key="id", description="All its changes, oldest first.")


@strawberry.type(description="An alert of a device.")
class DeviceAlert(Alert):
    """An alert of a device."""

    id: strawberry.ID = id_of(DEVICE_ALERT)
    kind: AlertKind = strawberry.field(description="What it is about.")
    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device."
    )
    metric: Metric | None = strawberry.field(description="What was beyond its threshold, or strange; null for others.")
    value: float | None = strawberry.field(description="What it was when the alert last changed.")
    threshold: float | None = strawberry.field(description="The threshold that it is beyond.")
    unit: str | None = derived(
        _unit, needs=("device_kind", "metric"), description="Unit of the metric, as of `value` and `threshold`."
    )
    anomaly: Annotated["Anomaly", strawberry.lazy("schema.types.anomaly")] | None = link(
        _anomaly, key="anomaly_id", description="The anomaly that raised it; null for alerts of other kinds."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(
    description="Which alerts are wanted: those that meet all fields that are given. A list is met by any of its "
    "values, an empty one by nothing."
)
class AlertFilter:
    """Which alerts are wanted."""

    device_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of any of these devices, 1000 at most."
    )
    model_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Of any of these versions of models, 1000 at most. An alert is of a device or of a model, so none "
        "meets both.",
    )
    kinds: list[AlertKind] | None = strawberry.field(default=None, description="About any of these.")
    device_kinds: list[DeviceKind] | None = strawberry.field(
        default=None, description="Of devices of any of these kinds."
    )
    severities: list[Severity] | None = strawberry.field(default=None, description="Of any of these severities.")
    states: list[AlertState] | None = strawberry.field(default=None, description="In any of these states.")
    raised_after: datetime | None = strawberry.field(default=None, description="Raised at or after this instant.")
    raised_before: datetime | None = strawberry.field(default=None, description="Raised before this instant.")

    def plain(self) -> Filter:
        """Return the filter in plain values; raises BadUserInput for bad ids, LimitExceeded for too many."""
        return Filter(
            choices=choices(
                device_kind=self.device_kinds, kind=self.kinds, severity=self.severities, state=self.states
            ),
            ids=owners_in(self.device_ids, self.model_ids),
            bounds=bounds("raised_at", self.raised_after, self.raised_before),
        )


def alerts_of_device() -> Any:
    """Declare the alerts of a device."""
    return link(
        filtered(histories.pages, ALERTS, ORDER, AlertFilter), key="id", description="Its alerts, newest first."
    )


def alerts_of_fleet() -> Any:
    """Declare all alerts."""
    return link(
        filtered(histories.page, ALERTS, ORDER, AlertFilter),
        description="All alerts, of devices and of models, newest first.",
    )


@strawberry.type(description="How many there are of a severity.")
class SeverityCount:
    """How many there are of a severity."""

    severity: Severity = strawberry.field(description="The severity.")
    count: int = strawberry.field(description="How many.")


def _open_of_fleet(_scope: Scope) -> Batch:
    return batch(alerts.counts_by_severity)


def _open_of_devices(_scope: Scope) -> Batch:
    return batch(alerts.device_counts_by_severity)


def open_alerts_of_fleet() -> Any:
    """Declare how many alerts are not resolved, by severity."""
    return link(
        _open_of_fleet,
        description="How many alerts of each severity, of devices and of models, are not resolved, whether somebody "
        "has taken them on or not.",
    )


def open_alerts_of_device() -> Any:
    """Declare how many alerts of a device are not resolved, by severity."""
    return link(
        _open_of_devices,
        key="id",
        description="How many of its alerts of each severity are not resolved, whether somebody has taken them on or "
        "not.",
    )

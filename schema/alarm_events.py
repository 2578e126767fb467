"""Anomalies and alerts that can be followed."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import strawberry

from models.principal import Right
from resolvers import alarm_streams
from resolvers.alarm_streams import EventFilter
from resolvers.context import Scope
from schema.fields import followed, subscription
from schema.filtering import Names, choices, device_ids, model_ids
from schema.types.alert import Alert
from schema.types.anomaly import Anomaly
from schema.types.enums import (
    AlertChangeKind,
    AlertKind,
    AlertState,
    AnomalyChangeKind,
    AnomalyState,
    DeviceKind,
    Metric,
    Severity,
)

_CURSOR = "The event's place in the log: give it as `after` to go on behind it."
_ANY = "A list is met by any of its values, an empty one by nothing."


@strawberry.input(
    description=f"Which changes of anomalies are wanted: those that meet all fields that are given. {_ANY}"
)
class AnomalyEventFilter:
    """Which changes of anomalies are wanted."""

    device_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of any of these devices, 1000 at most."
    )
    kinds: list[DeviceKind] | None = strawberry.field(default=None, description="Of devices of any of these kinds.")
    metrics: list[Metric] | None = strawberry.field(
        default=None, description="After which `metric`, which stands out most, is any of these."
    )
    severities: list[Severity] | None = strawberry.field(
        default=None, description="After which the anomaly is of any of these severities."
    )
    states: list[AnomalyState] | None = strawberry.field(
        default=None,
        description="After which it is in any of these states; without them [OPEN]: what opens, and what rises in "
        "severity.",
    )


@strawberry.input(description=f"Which changes of alerts are wanted: those that meet all fields that are given. {_ANY}")
class AlertEventFilter:
    """Which changes of alerts are wanted."""

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
    severities: list[Severity] | None = strawberry.field(
        default=None, description="After which the alert is of any of these severities."
    )
    states: list[AlertState] | None = strawberry.field(
        default=None, description="After which it is in any of these states."
    )


@strawberry.type(description="A change of an anomaly.")
class AnomalyDetected:
    """A change of an anomaly."""

    cursor: str = strawberry.field(description=_CURSOR)
    change: AnomalyChangeKind = strawberry.field(description="What happened.")
    anomaly: Anomaly = strawberry.field(
        description="The anomaly as it was after the change; what it links to is as it is now."
    )


@strawberry.type(description="A change of an alert.")
class AlertChanged:
    """A change of an alert."""

    cursor: str = strawberry.field(description=_CURSOR)
    change: AlertChangeKind = strawberry.field(description="What happened.")
    alert: Alert = strawberry.field(
        description="The alert as it was after the change; what it links to is as it is now."
    )


_After = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor of the last event that was seen: what came behind it is sent first. Without it the stream "
        "begins now."
    ),
]


@strawberry.type
class AlarmSubscriptions:
    """Fields of the root of subscriptions."""

    @subscription(
        Right.READ,
        description="Anomalies as they open and rise in severity, and other changes where the filter names states.",
    )
    @staticmethod
    async def anomaly_detected(
        scope: Scope,
        filter: Annotated[  # noqa: A002 - the argument's name in the schema
            AnomalyEventFilter | None, strawberry.argument(description="Which ones; all devices' if not given.")
        ] = None,
        after: _After = None,
    ) -> AsyncIterator[AnomalyDetected]:
        """Follow anomalies."""
        given = filter or AnomalyEventFilter()
        wanted = _filter(
            given.device_ids,
            None,
            device_kind=given.kinds,
            metric=given.metrics,
            severity=given.severities,
            state=[AnomalyState.OPEN] if given.states is None else given.states,
        )
        return followed(await alarm_streams.anomalies_changed(scope, wanted, after))

    @subscription(Right.READ, description="All changes of alerts, of devices and of models.")
    @staticmethod
    async def alert_changed(
        scope: Scope,
        filter: Annotated[  # noqa: A002 - the argument's name in the schema
            AlertEventFilter | None, strawberry.argument(description="Which ones; all if not given.")
        ] = None,
        after: _After = None,
    ) -> AsyncIterator[AlertChanged]:
        """Follow alerts."""
        given = filter or AlertEventFilter()
        wanted = _filter(
            given.device_ids,
            given.model_ids,
            kind=given.kinds,
            device_kind=given.device_kinds,
            severity=given.severities,
            state=given.states,
        )
        return followed(await alarm_streams.alerts_changed(scope, wanted, after))


def _filter(
    devices: Sequence[strawberry.ID] | None, models: Sequence[strawberry.ID] | None, **names: Names
) -> EventFilter:
    of_devices, of_models = device_ids(devices), model_ids(models)
    return EventFilter(
        None if of_devices is None else frozenset(of_devices),
        choices(**names),
        None if of_models is None else frozenset(of_models),
    )

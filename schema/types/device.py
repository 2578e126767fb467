"""What every device has, whatever its kind."""

from datetime import datetime
from typing import Any

import strawberry

from models.devices import KINDS
from models.repositories.devices import DeviceFilter as Filter
from models.repositories.devices import DeviceOrder as Order
from resolvers import checks
from resolvers.cursors import ValueType
from schema import ids
from schema.fields import derived
from schema.filtering import names_of
from schema.types.alert import DeviceAlert, SeverityCount, alerts_of_device, open_alerts_of_device
from schema.types.alert_rule import AlertRule, alert_rules_of_device
from schema.types.anomaly import Anomaly, anomalies_of_device
from schema.types.device_predictions import (
    DevicePredictions,
    prediction_history_of_device,
    predictions_of_device,
)
from schema.types.enums import DeviceKind, DeviceOrderField, DeviceStatus, OrderDirection
from schema.types.failure import DeviceFailure, failures_of_device
from schema.types.maintenance import MaintenanceRecord, records_link
from schema.types.node import Node
from schema.types.paging import Connection
from schema.types.prediction import Prediction


def _global_id(row: Any) -> str:
    return ids.encode(KINDS[row["kind"]].type_name, row["id"])


@strawberry.interface(description="A connected device of any kind.")
class Device(Node):
    """A connected device of any kind."""

    id: strawberry.ID = derived(_global_id, needs=("id", "kind"), description="Global id, opaque to clients.")
    kind: DeviceKind = strawberry.field(description="What kind of device it is.")
    name: str = strawberry.field(description="What people call it.")
    serial_number: str = strawberry.field(description="The manufacturer's number, unique in the fleet.")
    manufacturer: str | None = strawberry.field(description="Who made it.")
    model: str | None = strawberry.field(description="The manufacturer's name of the type.")
    firmware_version: str | None = strawberry.field(description="Version of the software that runs on it.")
    location: str | None = strawberry.field(description="Where it stands.")
    status: DeviceStatus = strawberry.field(description="How it stands.")
    last_seen_at: datetime | None = strawberry.field(description="When it was last heard of; null if never.")
    installed_at: datetime | None = strawberry.field(description="When it was installed.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    updated_at: datetime = strawberry.field(description="When somebody last changed it; readings do not count.")
    version: int = strawberry.field(
        description="How often it was changed, counted from 1. A change that carries the version it saw is refused "
        "as CONFLICT if somebody else was faster."
    )
    maintenance_records: Connection[MaintenanceRecord] = records_link()
    failures: Connection[DeviceFailure] = failures_of_device()
    anomalies: Connection[Anomaly] = anomalies_of_device()
    alerts: Connection[DeviceAlert] = alerts_of_device()
    open_alerts_by_severity: list[SeverityCount] = open_alerts_of_device()
    alert_rules: list[AlertRule] = alert_rules_of_device()
    predictions: DevicePredictions = predictions_of_device()
    prediction_history: Connection[Prediction] = prediction_history_of_device()


@strawberry.input(description="Which devices are wanted; what is not given does not restrict.")
class DeviceFilter:
    """Which devices are wanted."""

    kinds: list[DeviceKind] | None = strawberry.field(default=None, description="Of any of these kinds.")
    statuses: list[DeviceStatus] | None = strawberry.field(default=None, description="With any of these statuses.")
    location: str | None = strawberry.field(default=None, description="At exactly this location.")
    search: str | None = strawberry.field(
        default=None, description="With this text in the name or the serial number, in upper or lower case."
    )
    last_seen_before: datetime | None = strawberry.field(default=None, description="Last seen before this instant.")
    last_seen_after: datetime | None = strawberry.field(default=None, description="Last seen after this instant.")


@strawberry.input(description="How devices are sorted.")
class DeviceOrder:
    """How devices are sorted."""

    field: DeviceOrderField = strawberry.field(default=DeviceOrderField.NAME, description="By what.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which first; devices never seen count as seen before all others."
    )


ORDER_TYPES: dict[str, tuple[ValueType, ...]] = {
    "name": (str, int),
    "last_seen_at": (datetime | None, int),
    "created_at": (datetime, int),
    "status": (str, int),
}


def plain_filter(given: DeviceFilter | None, kind: str | None = None) -> Filter:
    """Return the filter in plain values; with a kind, of devices of this kind only."""
    if given is None:
        return Filter(kinds=(kind,) if kind else None)
    kinds = names_of(given.kinds)
    if kind is not None:
        kinds = (kind,) if kinds is None or kind in kinds else ()
    return Filter(
        kinds=kinds,
        statuses=names_of(given.statuses),
        location=_text(given.location, "location"),
        search=_text(given.search, "search"),
        last_seen_before=given.last_seen_before,
        last_seen_after=given.last_seen_after,
    )


def _text(given: str | None, field: str) -> str | None:
    return None if given is None else checks.text(given, field, may_be_empty=True, argument="filter.")


def plain_order(given: DeviceOrder | None) -> Order:
    """Return the order in plain values."""
    return Order() if given is None else Order(given.field.value, given.direction is OrderDirection.DESC)

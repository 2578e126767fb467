"""Anomalies: what the detector found strange in the readings of a device, and what people said of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry

from models.devices import KINDS
from models.filters import Filter
from models.repositories.alerts import ALERTS
from models.repositories.anomalies import ANOMALIES
from resolvers import devices, histories, predictions, readings
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from schema.fields import derived, link
from schema.filtering import bounds, choices, devices_in
from schema.types.enums import AnomalyPattern, AnomalyState, DeviceKind, Metric, Severity, Verdict
from schema.types.filtered import filtered
from schema.types.node import TYPE_NAME, Node, id_of, reading_type_name

if TYPE_CHECKING:
    from schema.types.alert import DeviceAlert
    from schema.types.device import Device
    from schema.types.model import Model
    from schema.types.reading import Reading

_ORDER = "anomalies"


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _alerts(_scope: Scope) -> Batch:
    return histories.entries_of(ALERTS, "anomaly_id")


def _reading(_scope: Scope) -> Batch:
    return batch(_readings)


async def _readings(
    scope: Scope, keys: Sequence[tuple[str, int, datetime]], columns: Columns
) -> Sequence[dict[str, Any] | None]:
    """Return the reading of each (device kind, device id, time) with the name of its type; None where it is gone."""
    found: dict[tuple[str, int, datetime], dict[str, Any] | None] = {}
    for kind in sorted({kind for kind, _, _ in keys}):
        mine = [(device_id, at) for each, device_id, at in keys if each == kind]
        type_name = reading_type_name(KINDS[kind])
        for (device_id, at), row in zip(mine, await readings.latest(scope, mine, columns, kind=kind), strict=True):
            found[kind, device_id, at] = None if row is None else {**row, TYPE_NAME: type_name}
    return [found[key] for key in keys]


def _model(_scope: Scope) -> Batch:
    return batch(predictions.detectors)


def _unit(row: Any) -> str:
    return KINDS[row["device_kind"]].by_name[row["metric"]].unit


def _metrics(row: Any) -> list[str]:
    return orjson.loads(row["metrics"])


@strawberry.type(
    description="An incident: readings of a device that are not as usual. It is opened by the first of them, followed "
    "while it lasts, and closed when readings are usual again. A person may say what it was, at any time."
)
class Anomaly(Node):
    """An incident of a device."""

    id: strawberry.ID = id_of("Anomaly")
    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device whose readings are strange."
    )
    metric: Metric = strawberry.field(description="What stood out most at the peak.")
    metrics: list[Metric] = derived(_metrics, needs=("metrics",), description="All that took part.")
    pattern: AnomalyPattern = strawberry.field(description="In which way readings were strange at the peak.")
    score: float = strawberry.field(
        description="How strange they were at the peak, from 0 to 1; from 0.5 on it is an anomaly."
    )
    severity: Severity = strawberry.field(description="How bad it is, by its score.")
    state: AnomalyState = strawberry.field(description="How it stands.")
    observed: float | None = strawberry.field(description="What `metric` was at the peak, in `unit`.")
    expected: float | None = strawberry.field(description="What it was expected to be, in `unit`.")
    unit: str = derived(_unit, needs=("device_kind", "metric"), description="Unit of `observed` and `expected`.")
    explanation: str = strawberry.field(description="What was strange, in words.")
    detected_at: datetime = strawberry.field(description="Time of the reading that opened it.")
    peak_at: datetime = strawberry.field(description="Time of the strangest reading.")
    ended_at: datetime | None = strawberry.field(
        description="When it ended, which is known once readings have been usual for a while; null while it goes on."
    )
    reading: Annotated["Reading", strawberry.lazy("schema.types.reading")] | None = link(
        _reading,
        key=("device_kind", "device_id", "peak_at"),
        description="The strangest reading, of `peakAt`; null once it is no longer kept.",
    )
    detector_version: str = strawberry.field(description="Version of the detector that found it.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] | None = link(
        _model,
        key=("device_kind", "detector_version"),
        description="The detector, as a version of the model that finds anomalies in devices of its kind; null for one "
        "of before there were models.",
    )
    alerts: list[Annotated["DeviceAlert", strawberry.lazy("schema.types.alert")]] = link(
        _alerts, key="id", description="The alerts that it raised, oldest first."
    )
    resolved_at: datetime | None = strawberry.field(description="When a person judged it.")
    resolved_by: str | None = strawberry.field(description="Who did.")
    verdict: Verdict | None = strawberry.field(description="What they found it to be.")
    comment: str | None = strawberry.field(description="What they had to say.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(
    description="Which anomalies are wanted: those that meet all fields that are given. A list is met by any of its "
    "values, an empty one by nothing."
)
class AnomalyFilter:
    """Which anomalies are wanted."""

    device_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of any of these devices, 1000 at most."
    )
    kinds: list[DeviceKind] | None = strawberry.field(default=None, description="Of devices of any of these kinds.")
    metrics: list[Metric] | None = strawberry.field(
        default=None, description="Whose `metric`, which stood out most, is any of these."
    )
    severities: list[Severity] | None = strawberry.field(default=None, description="Of any of these severities.")
    states: list[AnomalyState] | None = strawberry.field(default=None, description="In any of these states.")
    verdicts: list[Verdict] | None = strawberry.field(default=None, description="With any of these verdicts.")
    detected_after: datetime | None = strawberry.field(default=None, description="Detected at or after this instant.")
    detected_before: datetime | None = strawberry.field(default=None, description="Detected before this instant.")

    def plain(self) -> Filter:
        """Return the filter in plain values; raises BadUserInput for bad ids, LimitExceeded for too many."""
        return Filter(
            choices=choices(
                device_kind=self.kinds,
                metric=self.metrics,
                severity=self.severities,
                state=self.states,
                verdict=self.verdicts,
            ),
            ids=devices_in(self.device_ids),
            bounds=bounds("detected_at", self.detected_after, self.detected_before),
        )


def anomalies_of_device() -> Any:
    """Declare the anomalies of a device."""
    return link(
        filtered(histories.pages, ANOMALIES, _ORDER, AnomalyFilter),
        key="id",
        description="What was strange in its readings, newest first.",
    )


def anomalies_of_fleet() -> Any:
    """Declare the anomalies of all devices."""
    return link(
        filtered(histories.page, ANOMALIES, _ORDER, AnomalyFilter),
        description="What was strange in the readings of any device, newest first.",
    )


def open_anomalies(_scope: Scope) -> Batch:
    """Bind the counts of open anomalies by severity."""
    wanted = Filter(choices=choices(state=[AnomalyState.OPEN]))
    return histories.counts(ANOMALIES, "severity", [each.value for each in Severity], wanted)

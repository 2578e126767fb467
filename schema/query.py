"""What can be read."""

from typing import Annotated, Any

import strawberry

from models.devices import KINDS
from models.repositories.anomalies import ANOMALIES
from models.repositories.device_failures import FAILURES
from models.repositories.maintenance_records import RECORDS
from models.statements import Row
from resolvers import devices, histories, streams
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from schema import ids
from schema.fields import derived, link
from schema.finding import device_link, devices_link
from schema.kinds import PARTS
from schema.kinds.part import merged
from schema.modelling import NODES as MODEL_NODES
from schema.modelling import ModelQueries
from schema.types.alert import NODES as ALERT_NODES
from schema.types.alert import Alert, SeverityCount, alerts_of_fleet, open_alerts_of_fleet
from schema.types.anomaly import Anomaly, anomalies_of_fleet, open_anomalies
from schema.types.device import Device, plain_filter
from schema.types.device_predictions import NODES as PREDICTION_NODES
from schema.types.enums import DeviceKind, DeviceStatus
from schema.types.failure import FAILURE
from schema.types.model_monitoring import NODES as MONITORING_NODES
from schema.types.node import TYPE_NAME, Node
from schema.types.paging import Connection

Id = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(name="ids", description="Global ids.")]


@strawberry.type(description="How many devices there are of a kind.")
class DeviceKindCount:
    """How many devices there are of a kind."""

    kind: DeviceKind = strawberry.field(description="The kind.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="How many devices have a status.")
class DeviceStatusCount:
    """How many devices have a status."""

    status: DeviceStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="How many.")


def _device_count(_scope: Scope) -> Batch:
    return batch(devices.count, wanted=plain_filter(None))


def _by_kind(_scope: Scope) -> Batch:
    return batch(devices.counts_by_kind)


def _by_status(_scope: Scope) -> Batch:
    return batch(devices.counts_by_status)


@strawberry.type(description="All devices together.")
class Fleet:
    """All devices together."""

    device_count: int = link(_device_count, description="How many there are.")
    devices_by_kind: list[DeviceKindCount] = link(_by_kind, description="How many there are of each kind.")
    devices_by_status: list[DeviceStatusCount] = link(_by_status, description="How many have each status.")
    open_anomalies_by_severity: list[SeverityCount] = link(
        open_anomalies, description="How many anomalies of each severity are OPEN: going on, and judged by nobody."
    )
    open_alerts_by_severity: list[SeverityCount] = open_alerts_of_fleet()


_NODES: dict[str, Batch] = {
    **{kind.type_name: batch(devices.by_ids, kind=kind.name) for kind in KINDS.values()},
    "MaintenanceRecord": histories.entries(RECORDS),
    FAILURE: histories.entries(FAILURES),
    "Anomaly": histories.entries(ANOMALIES),
    **ALERT_NODES,
    **MODEL_NODES,
    **MONITORING_NODES,
    **PREDICTION_NODES,
    **{type_name: found for part in PARTS for type_name, found in part.nodes.items()},
}


def _node(_scope: Scope, id: Id) -> Batch:  # noqa: A002 - the argument's name in the schema
    return batch(_node_rows, wanted=(ids.decode_node(id, _NODES, "id"),), single=True)


def _nodes(scope: Scope, ids_: Ids) -> Batch:
    scope.ask(len(ids_))
    wanted = tuple(ids.decode_node(each, _NODES, f"ids.{place}") for place, each in enumerate(ids_))
    return batch(_node_rows, wanted=wanted, single=False)


async def _node_rows(
    scope: Scope, keys: Any, _columns: Columns, *, wanted: tuple[tuple[str, int], ...], single: bool
) -> list[Any]:
    found: dict[tuple[str, int], Row | None] = {}
    for type_name in {type_name for type_name, _ in wanted}:
        row_ids = list({row_id for each, row_id in wanted if each == type_name})
        rows = await _NODES[type_name](scope, row_ids)
        for row_id, row in zip(row_ids, rows, strict=True):
            found[type_name, row_id] = None if row is None else {**row, TYPE_NAME: type_name}
    result = [found.get(each) for each in wanted]
    return [result[0] if single else result] * len(keys)


@strawberry.type
class _Devices:
    fleet: Fleet = derived(lambda _: {}, description="All devices together.")
    device: Device | None = device_link(
        description="The device with this id or this serial number; give one of the two."
    )
    devices: Connection[Device] = devices_link(description="Devices of all kinds.")


@strawberry.type
class _Findings:
    anomalies: Connection[Anomaly] = anomalies_of_fleet()
    alerts: Connection[Alert] = alerts_of_fleet()


def _event_cursor(_scope: Scope) -> Batch:
    return batch(streams.present_place)


@strawberry.type
class _Events:
    event_cursor: str = link(
        _event_cursor,
        description="The present place in the log of events. Select it with what a page shows and hand it to a "
        "subscription as `after`: nothing falls between, also if the connection breaks before the first event.",
    )


@strawberry.type
class _Nodes:
    node: Node | None = link(_node, description="Anything by its global id; null if it no longer exists.")
    nodes: list[Node | None] = link(
        _nodes, description="Anything by global ids, in their order; null for each that no longer exists."
    )


Query = merged(
    "Query", "What can be read.", _Devices, *(part.query for part in PARTS), _Findings, ModelQueries, _Events, _Nodes
)

"""Live anomalies and alerts: each change as it was when it happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from models.repositories.alerts import ALERT_CHANGED
from models.repositories.anomalies import ANOMALY_CHANGED
from models.repositories.events import Event
from models.snapshots import restored
from models.tables import AlertRow, AnomalyRow
from resolvers.context import Scope
from resolvers.streams import Items, Stream, of_present_devices, starting


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which changes are wanted: those after which the row meets all conditions.

    Attributes:
        device_ids: of any of these devices; None for all.
        names: columns, and the names of which a row may have any.
        model_ids: of any of these versions of models; None for all.
    """

    device_ids: frozenset[int] | None
    names: tuple[tuple[str, tuple[str, ...]], ...]
    model_ids: frozenset[int] | None = None

    def lets_through(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row, or its snapshot, meets all conditions."""
        if self.device_ids is not None and row["device_id"] not in self.device_ids:
            return False
        if self.model_ids is not None and row["model_id"] not in self.model_ids:
            return False
        return all(row[column] in names for column, names in self.names)


async def anomalies_changed(scope: Scope, wanted: EventFilter, after: str | None) -> Stream:
    """Follow changes of anomalies, as device_id, anomaly and change.

    Raises: BadUserInput if `after` is no cursor of the log; CursorExpired if events behind it are forgotten.
    """
    return await _changes(scope, _Kind(ANOMALY_CHANGED, "anomaly", partial(restored, AnomalyRow)), wanted, after)


async def alerts_changed(scope: Scope, wanted: EventFilter, after: str | None) -> Stream:
    """Follow changes of alerts, as device_id (None where it is of a model), alert and change.

    Raises: as `anomalies_changed` does.
    """
    return await _changes(scope, _Kind(ALERT_CHANGED, "alert", partial(restored, AlertRow)), wanted, after)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is followed.

    Attributes:
        event: type of its events, whose payloads are snapshots of rows with a `change`.
        name: under which a row stands in what is yielded.
        restore: from a payload to the row.
    """

    event: str
    name: str
    restore: Callable[[Mapping[str, Any]], dict[str, Any]]


async def _changes(scope: Scope, kind: _Kind, wanted: EventFilter, after: str | None) -> Stream:
    async def project(scope: Scope, events: Sequence[Event]) -> Items:
        found = [
            (
                event.cursor,
                {
                    "device_id": event.payload["device_id"],
                    "change": event.payload["change"],
                    kind.name: kind.restore(event.payload),
                },
            )
            for event in events
            if event.type == kind.event and wanted.lets_through(event.payload)
        ]
        return await of_present_devices(scope, found)

    return Stream(await starting(scope, after), project)

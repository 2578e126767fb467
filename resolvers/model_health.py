"""The health of models: the present one, and its changes as they happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.repositories import model_health
from models.repositories.events import Event
from models.repositories.model_health import MODEL_HEALTH_CHANGED
from models.snapshots import restored
from models.statements import Row
from models.tables import ModelHealthRow
from resolvers.context import Scope
from resolvers.loaders import Columns
from resolvers.streams import Items, Stream, starting


@dataclass(frozen=True, slots=True)
class HealthFilter:
    """Which changes are wanted: those after which the health meets all conditions; None restricts nothing.

    Attributes:
        model_ids: of any of these versions.
        statuses: names, of which the health may have any.
    """

    model_ids: frozenset[int] | None = None
    statuses: tuple[str, ...] | None = None

    def lets_through(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row, or its snapshot, meets all conditions."""
        if self.model_ids is not None and row["model_id"] not in self.model_ids:
            return False
        return self.statuses is None or row["status"] in self.statuses


async def present(scope: Scope, model_ids: Sequence[int], columns: Columns) -> list[Row | None]:
    """Return the present health of each version; None for one that was never evaluated."""
    found = await model_health.present(scope.store, model_ids, columns)
    return [found.get(model_id) for model_id in model_ids]


async def changed(scope: Scope, wanted: HealthFilter, after: str | None) -> Stream:
    """Follow changes of health, as model_id, health and previous_status.

    Raises: BadUserInput if `after` is no cursor of the log; CursorExpired if events behind it are forgotten.
    """

    async def project(_scope: Scope, events: Sequence[Event]) -> Items:
        return [
            (event.cursor, _change(event.payload))
            for event in events
            if event.type == MODEL_HEALTH_CHANGED and wanted.lets_through(event.payload)
        ]

    return Stream(await starting(scope, after), project)


def _change(payload: Mapping[str, Any]) -> Row:
    return {
        "model_id": payload["model_id"],
        "health": restored(ModelHealthRow, payload),
        "previous_status": payload["previous_status"],
    }

"""How well models do: their health, metrics and drift."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry

from models.filters import Filter
from models.repositories.model_drift import DRIFT
from models.repositories.model_health import HEALTH
from models.repositories.model_metrics import METRICS
from resolvers import histories, model_health
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.filtering import bounds, choices, texts
from schema.types.enums import DriftFinding, HealthStatus, Severity
from schema.types.model_link import model_link
from schema.types.node import Node, id_of
from schema.types.paging import After, Before, First, Last, window

if TYPE_CHECKING:
    from schema.types.model import Model

MODEL_HEALTH = "ModelHealth"
MODEL_METRIC = "ModelMetric"
MODEL_DRIFT = "ModelDrift"

NODES: dict[str, Batch] = {
    MODEL_HEALTH: histories.entries(HEALTH),
    MODEL_METRIC: histories.entries(METRICS),
    MODEL_DRIFT: histories.entries(DRIFT),
}
"""For each type with a global id, the batch function from ids to rows."""

_HEALTH_ORDER = "modelHealth"
_METRIC_ORDER = "modelMetrics"
_DRIFT_ORDER = "modelDrift"
_PLACE = (datetime, int)


def _present(_scope: Scope) -> Batch:
    return batch(model_health.present)


def _reasons(row: Any) -> list[dict[str, Any]]:
    return orjson.loads(row["reasons"])


def _model() -> Any:
    return link(model_link, key="model_id", description="The version of the model.")


@strawberry.type(description="One thing that the health of a model rests on.")
class HealthReason:
    """One thing that the health of a model rests on."""

    metric: str = strawberry.field(description="The metric, or the feature that drifts.")
    status: HealthStatus = strawberry.field(description="How good it is.")
    value: float | None = strawberry.field(description="What it is; null where it is not known.")
    threshold: float | None = strawberry.field(description="The threshold that it is compared with.")
    message: str = strawberry.field(description="The same in words.")


@strawberry.type(
    description="How well a model was from `beganAt` on: until the next entry of its history, or until now."
)
class ModelHealth(Node):
    """How well a model was for some time."""

    id: strawberry.ID = id_of(MODEL_HEALTH)
    status: HealthStatus = strawberry.field(
        description="As the worst of its reasons; UNKNOWN where too little is known."
    )
    score: float | None = strawberry.field(description="From 0 to 1, more is better; null where nothing is known.")
    began_at: datetime = strawberry.field(description="Since when its status and those of its reasons are these.")
    evaluated_at: datetime = strawberry.field(description="When that was found last.")
    reasons: list[HealthReason] = derived(_reasons, needs=("reasons",), description="What it rests on.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] = _model()

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="A metric of a model over a window of time.")
class ModelMetric(Node):
    """A metric of a model over a window of time."""

    id: strawberry.ID = id_of(MODEL_METRIC)
    name: str = strawberry.field(description="Which one, as mae; docs/model-monitoring.md has those of the server.")
    value: float = strawberry.field(description="What it was.")
    sample_count: int = strawberry.field(
        description="What it is made of: devices with outcomes for errors, predictions otherwise."
    )
    window_start: datetime = strawberry.field(description="Beginning of the window.")
    window_end: datetime = strawberry.field(description="End of the window, which does not belong to it.")
    recorded_at: datetime = strawberry.field(description="When it was stored.")
    reported_by: str | None = strawberry.field(description="Who reported it; null for what the server measured itself.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] = _model()

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(
    description="How far an input of a model, or its predictions or errors, were from what it was trained on, at one "
    "evaluation. Of one window only: what lasts is told by the health."
)
class ModelDrift(Node):
    """How far something of a model was from what it was trained on, at one evaluation."""

    id: strawberry.ID = id_of(MODEL_DRIFT)
    feature: str = strawberry.field(
        description="The feature, as channel.statistic; `prediction` for what was predicted, `error` for the errors."
    )
    finding: DriftFinding = strawberry.field(description="What was found.")
    statistic: str = strawberry.field(description="What was measured.")
    value: float | None = strawberry.field(description="What it was; null where there was too little to say.")
    threshold: float | None = strawberry.field(description="Beyond which it is a finding.")
    drifted: bool = strawberry.field(description="Whether the window was not as in training.")
    severity: Severity | None = strawberry.field(description="How large the change is; null where there is none.")
    sample_count: int = strawberry.field(description="How many values that is made of.")
    message: str = strawberry.field(description="The finding in words.")
    evaluated_at: datetime = strawberry.field(description="When it was found.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] = _model()

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


def health_of_model() -> Any:
    """Declare the present health of a version."""
    return link(_present, key="id", description="How well it does; null while it was never evaluated.")


def health_history_of_model() -> Any:
    """Declare how well a version did."""
    return link(_healths, key="id", description="How well it did, newest first; a new entry for each change.")


def metrics_of_model() -> Any:
    """Declare the metrics of a version."""
    return link(_metrics, key="id", description="What was measured of it, newest first.")


def drift_of_model() -> Any:
    """Declare what was found of the distributions of a version."""
    return link(_drift, key="id", description="How far it was from what it was trained on, newest first.")


_Statuses = Annotated[
    list[HealthStatus] | None, strawberry.argument(description="With any of these; with any if null.")
]
_Names = Annotated[
    list[str] | None, strawberry.argument(description="Of any of these names, 100 at most; of all if not given.")
]
_Features = Annotated[
    list[str] | None, strawberry.argument(description="Of any of these features, 100 at most; of all if not given.")
]
_Drifted = Annotated[bool | None, strawberry.argument(description="Only those that drifted, or that did not.")]
_WindowAfter = Annotated[
    datetime | None, strawberry.argument(description="Whose windows end at or after this instant.")
]
_WindowBefore = Annotated[datetime | None, strawberry.argument(description="Whose windows end before this instant.")]


def _healths(
    scope: Scope,
    *,
    statuses: _Statuses = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Batch:
    place = window(scope, _HEALTH_ORDER, _PLACE, (first, after, last, before))
    return histories.pages(HEALTH, _HEALTH_ORDER, place, Filter(choices=choices(status=statuses)))


def _metrics(
    scope: Scope,
    *,
    names: _Names = None,
    window_after: _WindowAfter = None,
    window_before: _WindowBefore = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Batch:
    place = window(scope, _METRIC_ORDER, _PLACE, (first, after, last, before))
    wanted = Filter(texts=texts("name", names, "names"), bounds=bounds("window_end", window_after, window_before))
    return histories.pages(METRICS, _METRIC_ORDER, place, wanted)


def _drift(
    scope: Scope,
    *,
    features: _Features = None,
    drifted: _Drifted = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Batch:
    place = window(scope, _DRIFT_ORDER, _PLACE, (first, after, last, before))
    flags = () if drifted is None else (("drifted", drifted),)
    return histories.pages(
        DRIFT, _DRIFT_ORDER, place, Filter(texts=texts("feature", features, "features"), flags=flags)
    )

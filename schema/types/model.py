"""Models that predict, in versions, and the runs that train them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry

from models.filters import EVERYTHING, Filter
from models.repositories.prediction_models import MODELS
from models.repositories.predictions import MODEL_PREDICTIONS
from resolvers import histories
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema.fields import derived, link
from schema.filtering import choices
from schema.types.enums import DeviceKind, ModelStage, PredictionKind
from schema.types.model_alert import ModelAlert, alerts_of_model
from schema.types.model_link import model_link
from schema.types.model_monitoring import (
    ModelDrift,
    ModelHealth,
    ModelMetric,
    drift_of_model,
    health_history_of_model,
    health_of_model,
    metrics_of_model,
)
from schema.types.node import MODEL, Node, id_of
from schema.types.paging import After, Before, Connection, First, Last, window
from schema.types.prediction import Prediction
from schema.types.training_run import TrainingRun, runs_of_model

_ORDER = "models"
_PREDICTIONS_ORDER = "modelPredictions"


def _window(row: Any) -> dict[str, Any] | None:
    if row["window_from"] is None:
        return None
    return {
        "range_start": row["window_from"],
        "range_end": row["window_to"],
        "sample_count": row["sample_count"],
    }


def _feature_names(row: Any) -> list[str]:
    return orjson.loads(row["feature_names"])


def _numbers(column: str) -> Callable[[Any], list[dict[str, Any]]]:
    """Return how the numbers of a column of JSON are told: by name, in their order."""

    def told(row: Any) -> list[dict[str, Any]]:
        values: dict[str, Any] = orjson.loads(row[column])
        return [{"name": name, "value": float(each)} for name, each in values.items() if isinstance(each, int | float)]

    return told


def _comparison(row: Any) -> dict[str, Any] | None:
    return orjson.loads(row["metrics"]).get("comparison")


def _predictions(
    scope: Scope, *, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Batch:
    place = window(scope, _PREDICTIONS_ORDER, (datetime, int), (first, after, last, before))
    return histories.pages(MODEL_PREDICTIONS, _PREDICTIONS_ORDER, place)


@strawberry.type(description="What a version was trained on.")
class TrainingWindow:
    """What a version was trained on."""

    range_start: datetime = strawberry.field(name="from", description="The first instant that was learnt from.")
    range_end: datetime = strawberry.field(name="to", description="The last one.")
    sample_count: int = strawberry.field(description="Days of devices; devices where ages alone were learnt from.")


@strawberry.type(description="A number with a name.")
class NamedNumber:
    """A number with a name."""

    name: str = strawberry.field(description="The name.")
    value: float = strawberry.field(description="The number.")


@strawberry.type(
    description="How a version and the one that was in production at its training predict what neither had seen: the "
    "days of devices after the end of the older one's training."
)
class ModelComparison:
    """How two versions predict what neither had seen."""

    measure: str = strawberry.field(description="By what: mae, less is better, or pr_auc, more is better.")
    candidate: float | None = strawberry.field(description="Of this version.")
    present: float | None = strawberry.field(description="Of the one that was in production.")
    rows: int = strawberry.field(description="Days of devices that both predicted.")
    devices: int = strawberry.field(description="Devices that these are of.")
    present_model: Annotated["Model", strawberry.lazy("schema.types.model")] | None = link(
        model_link, key="present_id", description="The one that was in production."
    )


@strawberry.type(
    description="One version of a model that predicts something of a kind of device. It never changes, but for its "
    "stage: of all versions of a model one is in production."
)
class Model(Node):
    """One version of a model."""

    id: strawberry.ID = id_of(MODEL)
    name: str = strawberry.field(description="Name of the model, the same for all its versions.")
    version: int = strawberry.field(description="Number of the version, counted from 1.")
    kind: PredictionKind = strawberry.field(description="What it predicts.")
    device_kind: DeviceKind = strawberry.field(description="The kind of the devices of which it predicts it.")
    stage: ModelStage = strawberry.field(description="What it is used for.")
    method: str = strawberry.field(
        description="How it predicts: REGRESSION, WEIBULL or WEIBAYES (remaining life), BOOSTED_TREES (risk), PROFILE "
        "(usage), STREAMING_DETECTOR (anomalies); the last two need no training. EXTERNAL: it runs elsewhere, and only "
        "its metrics are reported."
    )
    trained_at: datetime = strawberry.field(
        description="When its training ended; of a method that needs none, when this server began to use it."
    )
    training_window: TrainingWindow | None = derived(
        _window,
        needs=("window_from", "window_to", "sample_count"),
        description="What it was trained on; null for a method that needs no training.",
    )
    feature_names: list[str] = derived(
        _feature_names, needs=("feature_names",), description="What it predicts from, as channel.statistic."
    )
    parameters: list[NamedNumber] = derived(
        _numbers("parameters"), needs=("parameters",), description="How it was trained."
    )
    training_metrics: list[NamedNumber] = derived(
        _numbers("metrics"),
        needs=("metrics",),
        description="How well it predicted, at its training, devices that were not learnt from. Errors of remaining "
        "life are in days.",
    )
    comparison: ModelComparison | None = derived(
        _comparison,
        needs=("metrics",),
        description="How it compares with the version that was in production at its training; null where there was "
        "none, or too little to compare them on.",
    )
    promoted_at: datetime | None = strawberry.field(description="When it was put into production last.")
    promoted_by: str | None = strawberry.field(description="Who did that; null if the server did.")
    promotion_reason: str | None = strawberry.field(description="Why, as they put it.")
    training_runs: Connection[TrainingRun] = runs_of_model()
    health: ModelHealth | None = health_of_model()
    health_history: Connection[ModelHealth] = health_history_of_model()
    metrics: Connection[ModelMetric] = metrics_of_model()
    drift: Connection[ModelDrift] = drift_of_model()
    alerts: Connection[ModelAlert] = alerts_of_model()
    recent_predictions: Connection[Prediction] = link(
        _predictions, key="id", description="What it predicted, newest first."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(
    description="Which versions are wanted: those that meet all fields that are given. A list is met by any of its "
    "values, an empty one by nothing."
)
class ModelFilter:
    """Which versions are wanted."""

    stages: list[ModelStage] | None = strawberry.field(default=None, description="In any of these stages.")
    kinds: list[PredictionKind] | None = strawberry.field(default=None, description="That predict any of these.")
    device_kinds: list[DeviceKind] | None = strawberry.field(default=None, description="Of any of these devices.")

    def plain(self) -> Filter:
        """Return the filter in plain values."""
        return Filter(choices=choices(stage=self.stages, kind=self.kinds, device_kind=self.device_kinds))


def _listed(
    scope: Scope,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[ModelFilter | None, strawberry.argument(description="Which ones; all if not given.")] = None,  # noqa: A002
) -> Batch:
    """Bind the list of all versions to the arguments of its connection."""
    place = window(scope, _ORDER, (datetime, int), (first, after, last, before))
    return histories.page(MODELS, _ORDER, place, EVERYTHING if filter is None else filter.plain())


def models_link() -> Any:
    """Declare the versions of all models."""
    return link(_listed, description="The versions of all models, newest first.")

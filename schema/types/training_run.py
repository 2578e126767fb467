"""Trainings of models."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.filters import Filter
from models.repositories.prediction_models import MODELS
from models.repositories.training_runs import RUNS
from resolvers import histories
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema.fields import link
from schema.filtering import choices
from schema.types.enums import DeviceKind, PredictionKind, TrainingState
from schema.types.filtered import filtered
from schema.types.node import Node, id_of

if TYPE_CHECKING:
    from schema.types.model import Model

TRAINING_RUN = "TrainingRun"
_ORDER = "trainingRuns"


def _model(_scope: Scope) -> Batch:
    return histories.entries(MODELS)


@strawberry.type(description="One training of a model. There is one at a time for each model.")
class TrainingRun(Node):
    """One training of a model."""

    id: strawberry.ID = id_of(TRAINING_RUN)
    kind: PredictionKind = strawberry.field(description="What the model predicts.")
    device_kind: DeviceKind = strawberry.field(description="The kind of the devices that it learns from.")
    state: TrainingState = strawberry.field(description="How it stands.")
    progress: float = strawberry.field(description="The share that is done, from 0 to 1.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    requested_by: str | None = strawberry.field(description="Who asked for it.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    error: str | None = strawberry.field(description="Why it failed.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] | None = link(
        _model, key="model_id", description="The version that it made."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.input(
    description="Which trainings are wanted: those that meet all fields that are given. A list is met by any of its "
    "values, an empty one by nothing."
)
class TrainingRunFilter:
    """Which trainings are wanted."""

    states: list[TrainingState] | None = strawberry.field(default=None, description="In any of these states.")
    kinds: list[PredictionKind] | None = strawberry.field(default=None, description="Of models that predict these.")
    device_kinds: list[DeviceKind] | None = strawberry.field(default=None, description="Of any of these devices.")

    def plain(self) -> Filter:
        """Return the filter in plain values."""
        return Filter(choices=choices(state=self.states, kind=self.kinds, device_kind=self.device_kinds))


def runs_of_model() -> Any:
    """Declare the trainings of a version: the one that made it."""
    return link(
        filtered(histories.pages, RUNS, _ORDER, TrainingRunFilter), key="id", description="The training that made it."
    )


def runs_link() -> Any:
    """Declare all trainings."""
    return link(
        filtered(histories.page, RUNS, _ORDER, TrainingRunFilter),
        description="The trainings of all models, newest first.",
    )

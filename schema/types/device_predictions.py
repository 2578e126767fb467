"""The predictions of a device: the present ones, and those of the past."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.filters import Filter
from models.predictions import PredictionKind
from models.repositories.predictions import PREDICTIONS
from resolvers import histories, predictions
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.filtering import choices
from schema.types.enums import AbsentReason
from schema.types.enums import PredictionKind as Kind
from schema.types.paging import After, Before, First, Last, window
from schema.types.prediction import TYPE_NAMES
from schema.types.prediction_kinds import (
    AnomalyPrediction,
    LifespanPrediction,
    MultiFactorPrediction,
    UsagePatternsPrediction,
)

_ORDER = "predictions"
_Kinds = Annotated[list[Kind] | None, strawberry.argument(description="Of these kinds; of all if not given.")]

NODES: dict[str, Batch] = {
    type_name: batch(predictions.by_ids, kind=PredictionKind(kind)) for kind, type_name in TYPE_NAMES.items()
}
"""For each type of prediction, the batch function from ids to rows."""


def _of_kind(kind: PredictionKind) -> Callable[[Scope], Batch]:
    def bind(_scope: Scope) -> Batch:
        return batch(predictions.present, kind=kind)

    return bind


def _unavailable(_scope: Scope, kinds: _Kinds = None) -> Batch:
    wanted = tuple(each for each in PredictionKind if kinds is None or each in kinds)
    return batch(predictions.unavailable, kinds=wanted)


def _history(
    scope: Scope,
    *,
    kinds: _Kinds = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Batch:
    place = window(scope, _ORDER, (datetime, int), (first, after, last, before))
    return histories.pages(PREDICTIONS, _ORDER, place, Filter(choices=choices(kind=kinds)))


@strawberry.type(description="Why there is no prediction.")
class UnavailablePrediction:
    """Why there is no prediction."""

    kind: Kind = strawberry.field(description="What cannot be predicted.")
    reason: AbsentReason = strawberry.field(description="Why.")
    message: str = strawberry.field(description="The same in words, with what would be needed.")


@strawberry.type(
    description="What is predicted of a device at present. Each prediction is made when it is selected, and used "
    "again for a while (predictions.reuse_seconds); where there is none it is null, and `unavailable` says why."
)
class DevicePredictions:
    """What is predicted of a device at present."""

    lifespan: LifespanPrediction | None = link(
        _of_kind(PredictionKind.LIFESPAN), key="id", description="In how many days it will have to be replaced."
    )
    anomaly: AnomalyPrediction | None = link(
        _of_kind(PredictionKind.ANOMALY), key="id", description="Whether it is strange at present."
    )
    usage_patterns: UsagePatternsPrediction | None = link(
        _of_kind(PredictionKind.USAGE_PATTERNS), key="id", description="How it is used, and what could be saved."
    )
    multi_factor: MultiFactorPrediction | None = link(
        _of_kind(PredictionKind.MULTI_FACTOR), key="id", description="The risk that it fails within a horizon."
    )
    unavailable: list[UnavailablePrediction] = link(
        _unavailable,
        key="id",
        description="Which of the kinds cannot be predicted, and why. To know it, those that can be are made.",
    )


def predictions_of_device() -> Any:
    """Declare the present predictions of a device."""
    return derived(lambda row: row, needs=("id",), description="What is predicted of it at present.")


def prediction_history_of_device() -> Any:
    """Declare the predictions that were made of a device."""
    return link(_history, key="id", description="What was predicted of it, newest first.")

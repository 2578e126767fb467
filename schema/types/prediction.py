"""Predictions: what all kinds of them have, with the reasons for them and what to do."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import strawberry

from models.devices import KINDS
from models.predictions import PredictionKind
from resolvers import devices, predictions
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from resolvers.predicting.words import label_of
from schema.fields import derived, link
from schema.types.enums import (
    Action,
    ContributionDirection,
    PredictionMethod,
    Urgency,
)
from schema.types.enums import PredictionKind as Kind
from schema.types.node import TYPE_NAME, Node, TypeRule

if TYPE_CHECKING:
    from schema.types.device import Device
    from schema.types.model import Model

TYPE_NAMES: Mapping[str, str] = {
    PredictionKind.LIFESPAN.value: "LifespanPrediction",
    PredictionKind.ANOMALY.value: "AnomalyPrediction",
    PredictionKind.USAGE_PATTERNS.value: "UsagePatternsPrediction",
    PredictionKind.MULTI_FACTOR.value: "MultiFactorPrediction",
}
_UNITS = {
    PredictionKind.LIFESPAN.value: "d",
    PredictionKind.ANOMALY.value: "",
    PredictionKind.MULTI_FACTOR.value: "",
}


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Mapping[str, Any]:
    return orjson.loads(text)


def details(row: Any) -> Mapping[str, Any]:
    """Return the details of a prediction, which several fields of one row read."""
    return _parsed(row["details"])


def _type_of(row: Any) -> str:
    return row.get(TYPE_NAME) or TYPE_NAMES[row["kind"]]


def _unit(row: Any) -> str:
    kind: str = row["kind"]
    return _UNITS[kind] if kind in _UNITS else f"{details(row)['unit']}/d"


def _device(_scope: Scope) -> Batch:
    return devices.link()


def _version(_scope: Scope) -> Batch:
    return batch(predictions.versions)


def _baseline(_scope: Scope) -> Batch:
    return batch(predictions.baselines)


def _factors(_scope: Scope) -> Batch:
    return batch(predictions.factors)


def _recommendations(_scope: Scope) -> Batch:
    return batch(predictions.recommendations)


def _direction(factor: Any) -> str:
    return "RAISES" if factor["contribution"] > 0 else "LOWERS"


def _label(factor: Any) -> str:
    return label_of(KINDS[factor["device_kind"]], factor["name"])


@strawberry.type(description="What one thing adds to a prediction.")
class ContributingFactor:
    """What one thing adds to a prediction."""

    name: str = strawberry.field(description="Channel, event, attribute, age, or part of the day, for programs.")
    label: str = derived(_label, needs=("name",), description="The same for people.")
    value: float | None = strawberry.field(description="Its own value, in `unit`; null where it is not known.")
    unit: str = strawberry.field(description="Unit of `value`; empty for a number of times and for ratios.")
    contribution: float = strawberry.field(
        description="What it adds to the prediction, in the prediction's `unit`; below 0 it takes away."
    )
    direction: ContributionDirection = derived(
        _direction, needs=("contribution",), description="Which way it moves the prediction."
    )


@strawberry.type(description="Something to do, and why.")
class Recommendation:
    """Something to do, and why."""

    action: Action = strawberry.field(description="What.")
    urgency: Urgency = strawberry.field(description="How soon.")
    reason: str = strawberry.field(description="Why, with the values that it rests on.")
    due_by: datetime | None = strawberry.field(description="Until when; null where no date follows.")


@strawberry.interface(
    description="What is predicted of a device. Each prediction is stored with the version of the model that made it "
    "and with what that was made from, so it can be explained later, and be compared with what came."
)
class Prediction(Node):
    """What is predicted of a device."""

    TYPE_RULE: ClassVar[TypeRule] = TypeRule(_type_of, "kind", TYPE_NAMES, frozenset({"kind"}))

    kind: Kind = strawberry.field(description="What is predicted.")
    method: PredictionMethod = strawberry.field(description="How it was made.")
    confidence: float = strawberry.field(
        description="From 0 to 1: how narrow the prediction is, less what is missing, old or beyond what the model "
        "has seen. No probability."
    )
    doubts: list[str] = derived(
        lambda row: details(row)["doubts"], needs=("details",), description="What lowers the confidence, in words."
    )
    predicted_at: datetime = strawberry.field(description="When it was made.")
    data_until: datetime | None = strawberry.field(
        description="The newest data that it rests on; null where it rests on the age alone."
    )
    unit: str = derived(
        _unit,
        needs=("kind", "details"),
        description="Unit of the prediction, of `baseline` and of contributions: d for LIFESPAN, L/d or kWh/d for "
        "USAGE_PATTERNS, empty for scores and probabilities.",
    )
    device: Annotated["Device", strawberry.lazy("schema.types.device")] = link(
        _device, key="device_id", description="The device."
    )
    model: Annotated["Model", strawberry.lazy("schema.types.model")] | None = link(
        _version, key="model_id", description="The version of the model that made it."
    )
    baseline: float | None = link(
        _baseline,
        key=predictions.EXPLAINED_BY,
        description="What would be predicted without knowing the device. With all contributions it adds up to the "
        "prediction. Null where the model that made it can no longer be read.",
    )
    contributing_factors: list[ContributingFactor] | None = link(
        _factors,
        key=predictions.EXPLAINED_BY,
        description="Why it is so: what each thing adds, the most first. Of LIFESPAN and MULTI_FACTOR these are "
        "TreeSHAP values by channel; of ANOMALY shares of the channels' own scores, of USAGE_PATTERNS parts of the "
        "day. Computed when selected. Null where the model that made it can no longer be read.",
    )
    recommendations: list[Recommendation] = link(
        _recommendations,
        key=predictions.EXPLAINED_BY,
        description="What to do, the most urgent first; empty where nothing is to be done.",
    )

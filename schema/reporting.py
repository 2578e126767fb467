"""What others tell of models."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from models.errors import BadUserInput
from models.predictions import PredictionKind as Kind
from models.principal import Right
from resolvers.context import Scope
from resolvers.monitoring import reporting
from resolvers.monitoring.reporting import ReportedMetric
from schema import ids
from schema.fields import mutation
from schema.inputs import INPUT
from schema.payloads import payload
from schema.types.enums import DeviceKind, PredictionKind
from schema.types.model import Model
from schema.types.model_monitoring import ModelMetric
from schema.types.node import MODEL

_MODEL = (MODEL,)


@strawberry.input(description="A metric of a model over a window of time.")
class ModelMetricInput:
    """A metric of a model over a window of time."""

    name: str = strawberry.field(
        description="Which one, in lower case letters, digits and underscores; mae, rmse, brier and others that the "
        "server knows count for the model's health."
    )
    value: float = strawberry.field(description="What it was.")
    sample_count: int = strawberry.field(
        description="What it is made of: devices with outcomes for errors, predictions otherwise."
    )
    window_start: datetime = strawberry.field(description="Beginning of the window.")
    window_end: datetime = strawberry.field(description="End of the window, which does not belong to it.")


@strawberry.input(description="Metrics of one version of a model: of `modelId`, or of `name` and `version`.")
class ReportModelMetricsInput:
    """Metrics of one version of a model."""

    model_id: strawberry.ID | None = strawberry.field(default=None, description="The version.")
    name: str | None = strawberry.field(default=None, description="Name of the model.")
    version: int | None = strawberry.field(default=None, description="Number of the version.")
    metrics: list[ModelMetricInput] = strawberry.field(description="What was measured.")


@strawberry.input(description="A number with a name.")
class NamedNumberInput:
    """A number with a name."""

    name: str = strawberry.field(description="The name.")
    value: float = strawberry.field(description="The number.")


@strawberry.input(description="A model that runs elsewhere.")
class RegisterExternalModelInput:
    """A model that runs elsewhere."""

    name: str = strawberry.field(description="Name of the model; its version has the next number of its kind.")
    kind: PredictionKind = strawberry.field(description="What it predicts.")
    device_kind: DeviceKind = strawberry.field(description="The kind of the devices of which it predicts it.")
    metrics: list[NamedNumberInput] | None = strawberry.field(
        default=None, description="Its errors at its training, as mae or brier, which reported ones are compared with."
    )


@strawberry.type(description="The metrics that were stored.")
class ReportModelMetricsPayload:
    """The metrics that were stored."""

    metrics: list[ModelMetric] = strawberry.field(description="The metrics, as they were given.")


@strawberry.type(description="The version that was registered.")
class RegisterExternalModelPayload:
    """The version that was registered."""

    model: Model = strawberry.field(description="The version; a CANDIDATE of the method EXTERNAL.")


@strawberry.type
class ReportingMutations:
    """Fields of the root of mutations."""

    @mutation(
        Right.INGEST,
        description="Tell metrics of a model that runs elsewhere, or that were measured elsewhere; its health is "
        "judged by them. All of them are stored, or none: a window that overlaps one of the same metric is refused as "
        "CONFLICT.",
    )
    @staticmethod
    async def report_model_metrics(
        scope: Scope,
        input: Annotated[ReportModelMetricsInput, INPUT],  # noqa: A002
    ) -> ReportModelMetricsPayload:
        """Tell metrics of a model."""
        metrics = [
            ReportedMetric(each.name, each.value, each.sample_count, each.window_start, each.window_end)
            for each in input.metrics
        ]
        model_id = None if input.model_id is None else ids.decode(input.model_id, _MODEL, "input.modelId")
        rows = await reporting.report(scope, metrics, model_id=model_id, name=input.name, version=input.version)
        return payload(metrics=rows)

    @mutation(
        Right.OPERATE,
        description="Register a version of a model that runs elsewhere, so that its metrics can be reported. It never "
        "predicts here and cannot be promoted.",
    )
    @staticmethod
    async def register_external_model(
        scope: Scope,
        input: Annotated[RegisterExternalModelInput, INPUT],  # noqa: A002
    ) -> RegisterExternalModelPayload:
        """Register a version of a model that runs elsewhere."""
        row = await reporting.register_external(
            scope,
            name=input.name,
            kind=Kind(input.kind.value),
            device_kind=str(input.device_kind.value),
            metrics=_numbers(input.metrics or ()),
        )
        return payload(model=row)


def _numbers(given: Sequence[NamedNumberInput]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for place, each in enumerate(given):
        if each.name in numbers:
            path = ("input", "metrics", place, "name")
            raise BadUserInput(f"'{each.name[:60]}' is there twice; name each number once.", input_path=path)
        numbers[each.name] = each.value
    return numbers

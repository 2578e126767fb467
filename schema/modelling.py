"""What can be asked of models, and what people do with them."""

from typing import Annotated, Any

import strawberry

from models.principal import Right
from models.repositories.prediction_models import MODELS
from models.repositories.training_runs import RUNS
from resolvers import histories
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from resolvers.predicting import promotion, training
from schema import ids
from schema.fields import link, mutation
from schema.inputs import INPUT
from schema.payloads import payload
from schema.types.enums import DeviceKind, PredictionKind
from schema.types.model import Model, models_link
from schema.types.node import MODEL
from schema.types.paging import Connection
from schema.types.training_run import TRAINING_RUN, TrainingRun, runs_link

_MODEL = (MODEL,)
NODES: dict[str, Batch] = {MODEL: histories.entries(MODELS), TRAINING_RUN: histories.entries(RUNS)}


async def _entry(scope: Scope, keys: Any, columns: Columns, *, model_id: int) -> list[Any]:
    return list(await NODES[MODEL](scope, [model_id], columns)) * len(keys)


def _by_id(
    _scope: Scope,
    id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")],  # noqa: A002 - the name in the schema
) -> Batch:
    return batch(_entry, model_id=ids.decode(id, _MODEL, "id"))


@strawberry.type
class ModelQueries:
    """Fields of the root of queries."""

    model: Model | None = link(_by_id, description="A version of a model by its id; null if there is none.")
    models: Connection[Model] = models_link()
    training_runs: Connection[TrainingRun] = runs_link()


@strawberry.input(description="A model that is to be trained.")
class TrainModelInput:
    """A model that is to be trained."""

    kind: PredictionKind = strawberry.field(description="What it predicts: LIFESPAN, MULTI_FACTOR or ANOMALY.")
    device_kind: DeviceKind = strawberry.field(description="The kind of the devices that it learns from.")


@strawberry.input(description="A version that is to be put into production.")
class PromoteModelInput:
    """A version that is to be put into production."""

    model_id: strawberry.ID = strawberry.field(description="The version.")
    force: bool = strawberry.field(default=False, description="Although it is worse than the present one.")
    reason: str | None = strawberry.field(
        default=None,
        description="Why; at most 4000 characters. It is needed with `force`, and to go back to an archived version.",
    )


@strawberry.type(description="The training that was asked for.")
class TrainModelPayload:
    """The training that was asked for."""

    run: TrainingRun = strawberry.field(description="The training; it is QUEUED.")


@strawberry.type(description="What is in production now, and what was before.")
class PromoteModelPayload:
    """What is in production now, and what was before."""

    model: Model = strawberry.field(description="The version that is in production now.")
    replaced: Model | None = strawberry.field(
        description="The version that was in production before; null if none was."
    )


@strawberry.type
class ModelMutations:
    """Fields of the root of mutations."""

    @mutation(
        Right.OPERATE,
        description="Ask for a training; a server does it in the background, and its run tells how far it is. Its "
        "result is a candidate, the very first version goes into production by itself. Refused as CONFLICT while "
        "another training of the model has not ended.",
    )
    @staticmethod
    async def train_model(scope: Scope, input: Annotated[TrainModelInput, INPUT]) -> TrainModelPayload:  # noqa: A002
        """Ask for a training."""
        kind = training.PredictionKind(input.kind.value)
        return payload(run=await training.request(scope, kind, str(input.device_kind.value)))

    @mutation(
        Right.OPERATE,
        description="Put a version into production; the present one is archived. Refused as CONFLICT if it predicts "
        "worse than the present one, unless it is forced with a reason. An archived one is taken back with a reason.",
    )
    @staticmethod
    async def promote_model(scope: Scope, input: Annotated[PromoteModelInput, INPUT]) -> PromoteModelPayload:  # noqa: A002
        """Put a version into production."""
        model_id = ids.decode(input.model_id, _MODEL, "input.modelId")
        promoted = await promotion.promote(scope, model_id, force=input.force, reason=input.reason)
        return payload(model=promoted.model, replaced=promoted.replaced)

"""The health of models, which can be followed."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from models.principal import Right
from resolvers import model_health
from resolvers.context import Scope
from resolvers.model_health import HealthFilter
from schema.fields import followed, link, subscription
from schema.filtering import model_ids, names_of
from schema.types.enums import HealthStatus
from schema.types.model import Model
from schema.types.model_link import model_link
from schema.types.model_monitoring import ModelHealth


@strawberry.input(
    description="Which changes of health are wanted: those that meet all fields that are given. A list is met by any "
    "of its values, an empty one by nothing."
)
class ModelHealthEventFilter:
    """Which changes of health are wanted."""

    model_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of any of these versions of models, 1000 at most."
    )
    statuses: list[HealthStatus] | None = strawberry.field(
        default=None, description="After which the health is any of these."
    )


@strawberry.type(description="A change of the health of a model.")
class ModelHealthChanged:
    """A change of the health of a model."""

    cursor: str = strawberry.field(description="The event's place in the log: give it as `after` to go on behind it.")
    model: Model = link(model_link, key="model_id", description="The version of the model.")
    health: ModelHealth = strawberry.field(description="Its health as it was after the change.")
    previous_status: HealthStatus | None = strawberry.field(
        description="What it was before; null for the first evaluation."
    )


@strawberry.type
class HealthSubscriptions:
    """Fields of the root of subscriptions."""

    @subscription(Right.READ, description="Changes of the health of models.")
    @staticmethod
    async def model_health_changed(
        scope: Scope,
        filter: Annotated[  # noqa: A002 - the argument's name in the schema
            ModelHealthEventFilter | None, strawberry.argument(description="Which ones; all models' if not given.")
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Cursor of the last event that was seen: what came behind it is sent first. Without it the "
                "stream begins now."
            ),
        ] = None,
    ) -> AsyncIterator[ModelHealthChanged]:
        """Follow the health of models."""
        given = filter or ModelHealthEventFilter()
        of_models = model_ids(given.model_ids)
        wanted = HealthFilter(None if of_models is None else frozenset(of_models), names_of(given.statuses))
        return followed(await model_health.changed(scope, wanted, after))

"""What is spoken: the GraphQL schema, and the engine that executes it."""

import strawberry

from schema.engine import Engine
from schema.kinds import PARTS
from schema.limits import document_rules
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import CONFIG
from schema.subscription import Subscription
from schema.types.alert import DeviceAlert
from schema.types.model_alert import ModelAlert
from schema.types.prediction_kinds import (
    AnomalyPrediction,
    LifespanPrediction,
    MultiFactorPrediction,
    UsagePatternsPrediction,
)
from settings.types import Settings

# Types that are reached through their interfaces only have to be named.
SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        *(part.type_ for part in PARTS),
        DeviceAlert,
        ModelAlert,
        LifespanPrediction,
        AnomalyPrediction,
        UsagePatternsPrediction,
        MultiFactorPrediction,
    ],
    config=CONFIG,
)


def build_engine(settings: Settings) -> Engine:
    """Return the engine that answers operations within the limits of the settings."""
    limits = settings.graphql
    return Engine(
        SCHEMA,
        rules=document_rules(limits),
        max_tokens=limits.max_tokens,
        cache_size=limits.document_cache_size,
        timeout_seconds=limits.operation_timeout_seconds,
        introspection=limits.introspection,
        debug=settings.debug,
    )


def print_schema() -> str:
    """Return the schema in the schema definition language, as the snapshot holds it."""
    return SCHEMA.as_str() + "\n"

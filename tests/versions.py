"""Versions of models for tests: made by a real, quick training, stored as the server stores them."""

from typing import Any

import numpy as np

from models.devices import KINDS
from models.learning.features import History
from models.learning.lifespan import Life, train_by_age
from models.predictions import PredictionKind
from models.principal import Principal, Role
from models.statements import Row
from resolvers.context import Scope, Services
from resolvers.predicting import training
from resolvers.predicting.data import layout_of
from schema import ids

TRAINER = Principal("Ada", Role.OPERATOR)
LIFESPAN, RISK = PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR


def model_id(row_id: int) -> str:
    """Return the global id of a version."""
    return ids.encode("Model", row_id)


def learnt(**changes: Any) -> dict[str, Any]:
    """Return what a training of remaining life by age gives; changes are of its values, `metrics` among them."""
    kind = KINDS["WATER_HEATER"]
    layout = layout_of(kind)
    history = History(
        started=0.0, events=(np.empty(0),) * len(layout.events), attributes=np.zeros(len(layout.attributes))
    )
    trained = train_by_age(layout, [Life(history, failed_at=age) for age in (900.0, 1000.0, 1100.0, 1300.0)])
    return {
        "artefact": trained.text,
        "method": "WEIBULL",
        "feature_names": list(trained.feature_names),
        "parameters": {"min_failures": 5},
        "metrics": dict(trained.metrics),
        "window": list(trained.window),
        "sample_count": 4,
        "reference": None,
        **changes,
    }


async def add_version(services: Services, kind: PredictionKind = LIFESPAN, **changes: Any) -> Row:
    """Store the version that a run has made, as `learnt` has it, and return it; the first one is in production."""
    run = await training.begin(Scope(services, TRAINER), kind, "WATER_HEATER")
    return await training.complete(services, run, learnt(**changes))

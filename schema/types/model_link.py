"""The link to a version of a model, which many types have."""

from models.repositories.prediction_models import MODELS
from resolvers import histories
from resolvers.context import Scope
from resolvers.loaders import Batch


def model_link(_scope: Scope) -> Batch:
    """Bind the link from the id of a version, which may be None, to the version."""
    return histories.entries(MODELS)

"""Alerts of models."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.repositories.alerts import MODEL_ALERTS
from resolvers import histories
from schema.fields import link
from schema.types.alert import MODEL_ALERT, ORDER, Alert, AlertFilter
from schema.types.enums import AlertKind
from schema.types.filtered import filtered
from schema.types.model_link import model_link
from schema.types.node import id_of

if TYPE_CHECKING:
    from schema.types.model import Model


@strawberry.type(description="An alert of a model.")
class ModelAlert(Alert):
    """An alert of a model."""

    id: strawberry.ID = id_of(MODEL_ALERT)
    kind: AlertKind = strawberry.field(description="What it is about.")
    model: Annotated["Model", strawberry.lazy("schema.types.model")] = link(
        model_link, key="model_id", description="The version of the model."
    )
    impact: str | None = strawberry.field(
        description="What rests on the model: which predictions, and of how many devices."
    )
    metric: str | None = strawberry.field(
        description="The metric or the feature that stands out most; null where it is none of them."
    )
    value: float | None = strawberry.field(description="What it was when the alert last changed.")
    threshold: float | None = strawberry.field(description="The threshold that it is beyond.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


def alerts_of_model() -> Any:
    """Declare the alerts of a version of a model."""
    return link(
        filtered(histories.pages, MODEL_ALERTS, ORDER, AlertFilter), key="id", description="Its alerts, newest first."
    )

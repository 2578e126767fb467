"""Predictions, and the feature values from which they were made."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Text
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, NEVER_REUSED, device_key, instant, serial_key


class PredictionRow(SQLModel, table=True):
    """What was predicted of a device, by which model, from data up to `data_until`.

    `value`, `lower` and `upper` are what is compared with the outcome: days for LIFESPAN, a probability for
    MULTI_FACTOR, a score for ANOMALY, litres a day for USAGE_PATTERNS. `details` is JSON with the rest of the answer.
    `missing_share` says which part of the features was missing, `duration_ms` how long the batch took that made it.
    """

    __tablename__ = "predictions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_predictions_device_id_predicted_at_id", "device_id", "predicted_at", "id"),
        Index("ix_predictions_device_id_kind_id", "device_id", "kind", "id"),
        Index("ix_predictions_model_id_predicted_at_id", "model_id", "predicted_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    device_kind: str = Field(max_length=40)
    kind: str = Field(max_length=40)
    model_id: int | None = Field(
        default=None, sa_column=Column("model_id", ID_TYPE, ForeignKey("prediction_models.id"), nullable=True)
    )
    method: str = Field(max_length=40)
    predicted_at: datetime = instant("predicted_at")
    data_until: datetime | None = instant("data_until", nullable=True)
    confidence: float
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    details: str = Field(sa_column=Column("details", Text, nullable=False))
    missing_share: float | None = None
    duration_ms: float | None = None


class PredictionFeaturesRow(SQLModel, table=True):
    """The feature values of a prediction: a JSON list in the order of its model's feature names, null where missing."""

    __tablename__ = "prediction_features"  # pyright: ignore[reportAssignmentType]

    prediction_id: int = Field(
        sa_column=Column("prediction_id", ID_TYPE, ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True)
    )
    feature_values: str = Field(sa_column=Column("feature_values", Text, nullable=False))

"""What is known of how well models do: outcomes, metrics, drift, health."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, NEVER_REUSED, instant, serial_key


def _model_key() -> object:
    return Field(
        sa_column=Column("model_id", ID_TYPE, ForeignKey("prediction_models.id", ondelete="CASCADE"), nullable=False)
    )


class PredictionOutcomeRow(SQLModel, table=True):
    """What came of a prediction, in the unit of its value: days until the failure, 1 or 0 for what came true or not.

    `is_lower_bound`: it is known so far only that the value is no less, as of a device that still runs.
    """

    __tablename__ = "prediction_outcomes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_prediction_outcomes_observed_at", "observed_at"),)

    prediction_id: int = Field(
        sa_column=Column("prediction_id", ID_TYPE, ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True)
    )
    observed_at: datetime = instant("observed_at")
    value: float
    is_lower_bound: bool = False


class ModelMetricRow(SQLModel, table=True):
    """One metric of a model over a window of time; `reported_by` is None where the server measured it itself."""

    __tablename__ = "model_metrics"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("model_id", "name", "window_end", name="uq_model_metrics_window"),
        Index("ix_model_metrics_model_id_recorded_at_id", "model_id", "recorded_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    model_id: int = _model_key()  # pyright: ignore[reportAssignmentType]
    name: str = Field(max_length=60)
    value: float
    sample_count: int
    window_start: datetime = instant("window_start")
    window_end: datetime = instant("window_end")
    recorded_at: datetime = instant("recorded_at")
    reported_by: str | None = Field(default=None, max_length=200)


class ModelDriftRow(SQLModel, table=True):
    """How far an input of a model, or its prediction, is from what it was trained on, at one evaluation."""

    __tablename__ = "model_drift"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_model_drift_model_id_evaluated_at_id", "model_id", "evaluated_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    model_id: int = _model_key()  # pyright: ignore[reportAssignmentType]
    feature: str = Field(max_length=200)
    finding: str = Field(max_length=40)
    statistic: str = Field(max_length=40)
    value: float | None = None
    threshold: float | None = None
    drifted: bool
    severity: str | None = Field(default=None, max_length=20)
    sample_count: int
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    evaluated_at: datetime = instant("evaluated_at")


class ModelHealthRow(SQLModel, table=True):
    """How well a model was from `began_at` until the next row; `evaluated_at` is when that was last found.

    `reasons` is a JSON list of metric, status, value, threshold and message. A new row begins when the status or the
    status of a reason changes.
    """

    __tablename__ = "model_health"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_model_health_model_id_began_at_id", "model_id", "began_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    model_id: int = _model_key()  # pyright: ignore[reportAssignmentType]
    status: str = Field(max_length=20)
    score: float | None = None
    reasons: str = Field(sa_column=Column("reasons", Text, nullable=False))
    began_at: datetime = instant("began_at")
    evaluated_at: datetime = instant("evaluated_at")


class WorkerLeaseRow(SQLModel, table=True):
    """Which process does a work that only one may do, and until when it has said so."""

    __tablename__ = "worker_leases"  # pyright: ignore[reportAssignmentType]

    name: str = Field(primary_key=True, max_length=60)
    holder: str = Field(max_length=100)
    expires_at: datetime = instant("expires_at")

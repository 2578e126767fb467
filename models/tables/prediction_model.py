"""Models that predict: an immutable registry of versions, and the runs that train them."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, NEVER_REUSED, instant, serial_key


class PredictionModelRow(SQLModel, table=True):
    """One version of the model of a kind of prediction for a kind of device.

    All but the stage stays as it was trained. `metrics`, `parameters`, `feature_names` and `reference` (what drift is
    measured against) are JSON; `artefact` is text from which the model is made again.
    """

    __tablename__ = "prediction_models"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("kind", "device_kind", "version", name="uq_prediction_models_version"),
        Index("ix_prediction_models_trained_at_id", "trained_at", "id"),
        Index(
            "uq_prediction_models_production",
            *("kind", "device_kind"),
            unique=True,
            postgresql_where=text("stage = 'PRODUCTION'"),
            sqlite_where=text("stage = 'PRODUCTION'"),
        ),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    name: str = Field(max_length=100)
    kind: str = Field(max_length=40)
    device_kind: str = Field(max_length=40)
    version: int
    stage: str = Field(max_length=20)
    method: str = Field(max_length=40)
    trained_at: datetime = instant("trained_at")
    window_from: datetime | None = instant("window_from", nullable=True)
    window_to: datetime | None = instant("window_to", nullable=True)
    sample_count: int
    feature_names: str = Field(sa_column=Column("feature_names", Text, nullable=False))
    parameters: str = Field(sa_column=Column("parameters", Text, nullable=False))
    metrics: str = Field(sa_column=Column("metrics", Text, nullable=False))
    reference: str | None = Field(default=None, sa_column=Column("reference", Text, nullable=True))
    artefact: str = Field(sa_column=Column("artefact", Text, nullable=False))
    promoted_at: datetime | None = instant("promoted_at", nullable=True)
    promoted_by: str | None = Field(default=None, max_length=200)
    promotion_reason: str | None = Field(default=None, max_length=4000)


class TrainingRunRow(SQLModel, table=True):
    """One training of a model: asked for, running, done or failed; `progress` goes from 0 to 1.

    `beat_at` is when the process that trains last told that it is alive: a run without a beat was abandoned.
    """

    __tablename__ = "training_runs"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_training_runs_requested_at_id", "requested_at", "id"),
        Index(
            "uq_training_runs_unfinished",
            *("kind", "device_kind"),
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    kind: str = Field(max_length=40)
    device_kind: str = Field(max_length=40)
    state: str = Field(max_length=20)
    progress: float = 0.0
    requested_at: datetime = instant("requested_at")
    requested_by: str | None = Field(default=None, max_length=200)
    started_at: datetime | None = instant("started_at", nullable=True)
    beat_at: datetime | None = instant("beat_at", nullable=True)
    finished_at: datetime | None = instant("finished_at", nullable=True)
    error: str | None = Field(default=None, sa_column=Column("error", Text, nullable=True))
    model_id: int | None = Field(
        default=None,
        sa_column=Column("model_id", ID_TYPE, ForeignKey("prediction_models.id", ondelete="SET NULL"), nullable=True),
    )

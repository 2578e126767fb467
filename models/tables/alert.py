"""Alerts, their course, the conditions behind them, and the rules of single devices."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.columns import ID_TYPE, NEVER_REUSED, device_key, instant, serial_key


class AlertRow(SQLModel, table=True):
    """Something that people have to know of, from OPEN by way of ACKNOWLEDGED to RESOLVED.

    `deduplication_key` says what it is about: while one alert of a key is not resolved there is no second one.
    It is of a device or of a model; `device_kind` repeats what the device says, for filters, and `impact` says what
    rests on the model.
    """

    __tablename__ = "alerts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_alerts_device_id_raised_at_id", "device_id", "raised_at", "id"),
        Index("ix_alerts_raised_at_id", "raised_at", "id"),
        Index(
            "ix_alerts_unresolved",
            *("state", "raised_at", "id"),
            postgresql_where=text("state <> 'RESOLVED'"),
            sqlite_where=text("state <> 'RESOLVED'"),
        ),
        Index(
            "uq_alerts_deduplication_key",
            "deduplication_key",
            unique=True,
            postgresql_where=text("state <> 'RESOLVED'"),
            sqlite_where=text("state <> 'RESOLVED'"),
        ),
        Index("ix_alerts_anomaly_id", "anomaly_id"),
        Index("ix_alerts_model_id_raised_at_id", "model_id", "raised_at", "id"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    deduplication_key: str = Field(max_length=200)
    device_id: int | None = Field(
        default=None,
        sa_column=Column("device_id", ID_TYPE, ForeignKey("devices.id", ondelete="CASCADE"), nullable=True),
    )
    device_kind: str | None = Field(default=None, max_length=40)
    # No foreign key: models are never deleted.
    model_id: int | None = Field(default=None, sa_column=Column("model_id", BigInteger, nullable=True))
    impact: str | None = Field(default=None, sa_column=Column("impact", Text, nullable=True))
    kind: str = Field(max_length=40)
    severity: str = Field(max_length=20)
    state: str = Field(max_length=20)
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    metric: str | None = Field(default=None, max_length=40)
    value: float | None = None
    threshold: float | None = None
    anomaly_id: int | None = Field(
        default=None,
        sa_column=Column("anomaly_id", ID_TYPE, ForeignKey("anomalies.id", ondelete="SET NULL"), nullable=True),
    )
    raised_at: datetime = instant("raised_at")
    updated_at: datetime = instant("updated_at")
    acknowledged_at: datetime | None = instant("acknowledged_at", nullable=True)
    acknowledged_by: str | None = Field(default=None, max_length=200)
    acknowledge_comment: str | None = Field(default=None, max_length=4000)
    resolved_at: datetime | None = instant("resolved_at", nullable=True)
    resolved_by: str | None = Field(default=None, max_length=200)
    resolve_comment: str | None = Field(default=None, max_length=4000)


class AlertChangeRow(SQLModel, table=True):
    """One change of an alert: who or what made it what it is; `changed_by` is None where the server did."""

    __tablename__ = "alert_changes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_alert_changes_alert_id_id", "alert_id", "id"), NEVER_REUSED)

    id: int | None = serial_key()
    alert_id: int = Field(
        sa_column=Column("alert_id", ID_TYPE, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False)
    )
    changed_at: datetime = instant("changed_at")
    state: str = Field(max_length=20)
    severity: str = Field(max_length=20)
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    changed_by: str | None = Field(default=None, max_length=200)
    comment: str | None = Field(default=None, max_length=4000)


class AlertConditionRow(SQLModel, table=True):
    """A condition of a device that is not at rest: about to raise an alert, behind one, or about to be over.

    `since` is when the phase began. A device whose conditions are all at rest has no row here.
    """

    __tablename__ = "alert_conditions"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    kind: str = Field(primary_key=True, max_length=40)
    phase: str = Field(max_length=20)
    since: datetime = instant("since")
    severity: str = Field(max_length=20)
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    metric: str | None = Field(default=None, max_length=40)
    value: float | None = None
    threshold: float | None = None
    anomaly_id: int | None = Field(default=None, sa_column=Column("anomaly_id", ID_TYPE, nullable=True))


class ModelConditionRow(SQLModel, table=True):
    """A condition of a model that is not at rest, as `alert_conditions` are of devices."""

    __tablename__ = "model_conditions"  # pyright: ignore[reportAssignmentType]

    model_id: int = Field(
        sa_column=Column("model_id", ID_TYPE, ForeignKey("prediction_models.id", ondelete="CASCADE"), primary_key=True)
    )
    kind: str = Field(primary_key=True, max_length=40)
    phase: str = Field(max_length=20)
    since: datetime = instant("since")
    severity: str = Field(max_length=20)
    message: str = Field(sa_column=Column("message", Text, nullable=False))
    metric: str | None = Field(default=None, max_length=60)
    value: float | None = None
    threshold: float | None = None


class AlertRuleRow(SQLModel, table=True):
    """What one device has otherwise than the settings of its kind; None is as the settings have it."""

    __tablename__ = "alert_rules"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    kind: str = Field(primary_key=True, max_length=40)
    is_enabled: bool | None = None
    high_threshold: float | None = None
    critical_threshold: float | None = None
    hold_seconds: float | None = None
    recover_seconds: float | None = None
    updated_at: datetime = instant("updated_at")
    updated_by: str | None = Field(default=None, max_length=200)

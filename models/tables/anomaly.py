"""Anomalies, and what the detector remembers of each device."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, device_key, instant, serial_key


class AnomalyRow(SQLModel, table=True):
    """One incident of one device: opened, followed while it lasts, closed by the detector, judged by people.

    `detected_at` is the time of the reading that opened it, `peak_at` of the one with the highest score, `ended_at` of
    the one that closed it. `metric` is the channel that stood out most at the peak, `metrics` a JSON list of all that
    took part. `device_kind` repeats what the device says, for filters.
    """

    __tablename__ = "anomalies"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_anomalies_device_id_detected_at_id", "device_id", "detected_at", "id"),
        Index("ix_anomalies_detected_at_id", "detected_at", "id"),
        # What nobody has judged yet is little among much, and what people ask for first.
        Index(
            "ix_anomalies_unresolved",
            *("state", "detected_at", "id"),
            postgresql_where=text("state <> 'RESOLVED'"),
            sqlite_where=text("state <> 'RESOLVED'"),
        ),
        # One incident at a time.
        Index(
            "uq_anomalies_going_on",
            "device_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    device_kind: str = Field(max_length=40)
    metric: str = Field(max_length=40)
    metrics: str = Field(sa_column=Column("metrics", Text, nullable=False))
    pattern: str = Field(max_length=20)
    score: float
    severity: str = Field(max_length=20)
    state: str = Field(max_length=20)
    observed: float | None = None
    expected: float | None = None
    explanation: str = Field(sa_column=Column("explanation", Text, nullable=False))
    detector_version: str = Field(max_length=40)
    detected_at: datetime = instant("detected_at")
    peak_at: datetime = instant("peak_at")
    ended_at: datetime | None = instant("ended_at", nullable=True)
    created_at: datetime = instant("created_at")
    resolved_at: datetime | None = instant("resolved_at", nullable=True)
    resolved_by: str | None = Field(default=None, max_length=200)
    verdict: str | None = Field(default=None, max_length=20)
    comment: str | None = Field(default=None, max_length=4000)


class AnomalyDetectorRow(SQLModel, table=True):
    """What the detector carries of a device from one reading to the next; its layout belongs to the detector."""

    __tablename__ = "anomaly_detectors"  # pyright: ignore[reportAssignmentType]
    # It changes with every reading: room for the next version of each row.
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    device_id: int = device_key(primary_key=True)
    state: bytes = Field(sa_column=Column("state", LargeBinary, nullable=False))


class AnomalyProfileRow(SQLModel, table=True):
    """The detector's daily profile of a device, which it needs and changes once an hour."""

    __tablename__ = "anomaly_profiles"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    profile: bytes = Field(sa_column=Column("profile", LargeBinary, nullable=False))

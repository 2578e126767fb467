"""Predictions: hours of readings, failures, models, training runs, predictions.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction_models",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("device_kind", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("trained_at", types.UtcDateTime(), nullable=False),
        sa.Column("window_from", types.UtcDateTime(), nullable=True),
        sa.Column("window_to", types.UtcDateTime(), nullable=True),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("feature_names", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("artefact", sa.Text(), nullable=False),
        sa.Column("promoted_at", types.UtcDateTime(), nullable=True),
        sa.Column("promoted_by", sa.String(length=200), nullable=True),
        sa.Column("promotion_reason", sa.String(length=4000), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "device_kind", "version", name="uq_prediction_models_version"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("prediction_models", schema=None) as batch_op:
        batch_op.create_index("ix_prediction_models_trained_at_id", ["trained_at", "id"], unique=False)
        batch_op.create_index(
            "uq_prediction_models_production",
            ["kind", "device_kind"],
            unique=True,
            postgresql_where=sa.text("stage = 'PRODUCTION'"),
            sqlite_where=sa.text("stage = 'PRODUCTION'"),
        )

    op.create_table(
        "device_failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("failed_at", types.UtcDateTime(), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("ends_life", sa.Boolean(), nullable=False),
        sa.Column("reported_by", sa.String(length=200), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("device_failures", schema=None) as batch_op:
        batch_op.create_index(
            "ix_device_failures_device_id_failed_at_id", ["device_id", "failed_at", "id"], unique=False
        )
        batch_op.create_index("ix_device_failures_failed_at_id", ["failed_at", "id"], unique=False)

    op.create_table(
        "predictions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("device_kind", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("predicted_at", types.UtcDateTime(), nullable=False),
        sa.Column("data_until", types.UtcDateTime(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("lower", sa.Float(), nullable=True),
        sa.Column("upper", sa.Float(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["prediction_models.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index("ix_predictions_device_id_kind_id", ["device_id", "kind", "id"], unique=False)
        batch_op.create_index(
            "ix_predictions_device_id_predicted_at_id", ["device_id", "predicted_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_predictions_model_id_predicted_at_id", ["model_id", "predicted_at", "id"], unique=False
        )

    op.create_table(
        "stale_reading_hours",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hour", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "hour"),
    )
    with op.batch_alter_table("stale_reading_hours", schema=None) as batch_op:
        batch_op.create_index("ix_stale_reading_hours_hour", ["hour"], unique=False)

    op.create_table(
        "training_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("device_kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("requested_at", types.UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=True),
        sa.Column("started_at", types.UtcDateTime(), nullable=True),
        sa.Column("beat_at", types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", types.UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["prediction_models.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.create_index("ix_training_runs_requested_at_id", ["requested_at", "id"], unique=False)
        batch_op.create_index(
            "uq_training_runs_unfinished",
            ["kind", "device_kind"],
            unique=True,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )

    op.create_table(
        "vending_machine_hours",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hour", types.UtcDateTime(), nullable=False),
        sa.Column("reading_count", sa.Integer(), nullable=False),
        sa.Column("cabinet_temperature_mean", sa.Float(), nullable=True),
        sa.Column("cabinet_temperature_minimum", sa.Float(), nullable=True),
        sa.Column("cabinet_temperature_maximum", sa.Float(), nullable=True),
        sa.Column("cabinet_temperature_deviation", sa.Float(), nullable=True),
        sa.Column("power_mean", sa.Float(), nullable=True),
        sa.Column("power_minimum", sa.Float(), nullable=True),
        sa.Column("power_maximum", sa.Float(), nullable=True),
        sa.Column("power_deviation", sa.Float(), nullable=True),
        sa.Column("kwh", sa.Float(), nullable=True),
        sa.Column("kwh_seconds", sa.Float(), nullable=True),
        sa.Column("open_seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "hour"),
    )
    op.create_table(
        "water_heater_hours",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hour", types.UtcDateTime(), nullable=False),
        sa.Column("reading_count", sa.Integer(), nullable=False),
        sa.Column("temperature_mean", sa.Float(), nullable=True),
        sa.Column("temperature_minimum", sa.Float(), nullable=True),
        sa.Column("temperature_maximum", sa.Float(), nullable=True),
        sa.Column("temperature_deviation", sa.Float(), nullable=True),
        sa.Column("inlet_temperature_mean", sa.Float(), nullable=True),
        sa.Column("inlet_temperature_minimum", sa.Float(), nullable=True),
        sa.Column("inlet_temperature_maximum", sa.Float(), nullable=True),
        sa.Column("inlet_temperature_deviation", sa.Float(), nullable=True),
        sa.Column("pressure_mean", sa.Float(), nullable=True),
        sa.Column("pressure_minimum", sa.Float(), nullable=True),
        sa.Column("pressure_maximum", sa.Float(), nullable=True),
        sa.Column("pressure_deviation", sa.Float(), nullable=True),
        sa.Column("flow_rate_mean", sa.Float(), nullable=True),
        sa.Column("flow_rate_minimum", sa.Float(), nullable=True),
        sa.Column("flow_rate_maximum", sa.Float(), nullable=True),
        sa.Column("flow_rate_deviation", sa.Float(), nullable=True),
        sa.Column("power_mean", sa.Float(), nullable=True),
        sa.Column("power_minimum", sa.Float(), nullable=True),
        sa.Column("power_maximum", sa.Float(), nullable=True),
        sa.Column("power_deviation", sa.Float(), nullable=True),
        sa.Column("liters", sa.Float(), nullable=True),
        sa.Column("liters_seconds", sa.Float(), nullable=True),
        sa.Column("kwh", sa.Float(), nullable=True),
        sa.Column("kwh_seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "hour"),
    )
    op.create_table(
        "prediction_features",
        sa.Column("prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("prediction_id"),
    )


def downgrade() -> None:
    op.drop_table("prediction_features")
    op.drop_table("water_heater_hours")
    op.drop_table("vending_machine_hours")
    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_training_runs_unfinished",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_index("ix_training_runs_requested_at_id")

    op.drop_table("training_runs")
    with op.batch_alter_table("stale_reading_hours", schema=None) as batch_op:
        batch_op.drop_index("ix_stale_reading_hours_hour")

    op.drop_table("stale_reading_hours")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index("ix_predictions_model_id_predicted_at_id")
        batch_op.drop_index("ix_predictions_device_id_predicted_at_id")
        batch_op.drop_index("ix_predictions_device_id_kind_id")

    op.drop_table("predictions")
    with op.batch_alter_table("device_failures", schema=None) as batch_op:
        batch_op.drop_index("ix_device_failures_failed_at_id")
        batch_op.drop_index("ix_device_failures_device_id_failed_at_id")

    op.drop_table("device_failures")
    with op.batch_alter_table("prediction_models", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_prediction_models_production",
            postgresql_where=sa.text("stage = 'PRODUCTION'"),
            sqlite_where=sa.text("stage = 'PRODUCTION'"),
        )
        batch_op.drop_index("ix_prediction_models_trained_at_id")

    op.drop_table("prediction_models")

"""Monitoring of models: outcomes, metrics, drift, health, leases, alerts of models.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker_leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("expires_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "model_conditions",
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("since", types.UtcDateTime(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metric", sa.String(length=60), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["prediction_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "kind"),
    )
    op.create_table(
        "model_drift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature", sa.String(length=200), nullable=False),
        sa.Column("finding", sa.String(length=40), nullable=False),
        sa.Column("statistic", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("drifted", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=True),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("evaluated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["prediction_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("model_drift", schema=None) as batch_op:
        batch_op.create_index(
            "ix_model_drift_model_id_evaluated_at_id", ["model_id", "evaluated_at", "id"], unique=False
        )

    op.create_table(
        "model_health",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("began_at", types.UtcDateTime(), nullable=False),
        sa.Column("evaluated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["prediction_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("model_health", schema=None) as batch_op:
        batch_op.create_index("ix_model_health_model_id_began_at_id", ["model_id", "began_at", "id"], unique=False)

    op.create_table(
        "model_metrics",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("window_start", types.UtcDateTime(), nullable=False),
        sa.Column("window_end", types.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("reported_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["prediction_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model_id", "name", "window_end", name="uq_model_metrics_window"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("model_metrics", schema=None) as batch_op:
        batch_op.create_index(
            "ix_model_metrics_model_id_recorded_at_id", ["model_id", "recorded_at", "id"], unique=False
        )

    op.create_table(
        "prediction_outcomes",
        sa.Column("prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("observed_at", types.UtcDateTime(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("is_lower_bound", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("prediction_id"),
    )
    with op.batch_alter_table("prediction_outcomes", schema=None) as batch_op:
        batch_op.create_index("ix_prediction_outcomes_observed_at", ["observed_at"], unique=False)

    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("model_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("impact", sa.Text(), nullable=True))
    op.create_index("ix_alerts_model_id_raised_at_id", "alerts", ["model_id", "raised_at", "id"])
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("missing_share", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("duration_ms", sa.Float(), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE predictions DROP COLUMN duration_ms")
    op.execute("ALTER TABLE predictions DROP COLUMN missing_share")

    op.drop_index("ix_alerts_model_id_raised_at_id", table_name="alerts")
    # Not in batches, in which Alembic copies the table and forgets that SQLite must not give an id twice.
    op.execute("ALTER TABLE alerts DROP COLUMN impact")
    op.execute("ALTER TABLE alerts DROP COLUMN model_id")
    with op.batch_alter_table("prediction_outcomes", schema=None) as batch_op:
        batch_op.drop_index("ix_prediction_outcomes_observed_at")

    op.drop_table("prediction_outcomes")
    with op.batch_alter_table("model_metrics", schema=None) as batch_op:
        batch_op.drop_index("ix_model_metrics_model_id_recorded_at_id")

    op.drop_table("model_metrics")
    with op.batch_alter_table("model_health", schema=None) as batch_op:
        batch_op.drop_index("ix_model_health_model_id_began_at_id")

    op.drop_table("model_health")
    with op.batch_alter_table("model_drift", schema=None) as batch_op:
        batch_op.drop_index("ix_model_drift_model_id_evaluated_at_id")

    op.drop_table("model_drift")
    op.drop_table("model_conditions")
    op.drop_table("worker_leases")

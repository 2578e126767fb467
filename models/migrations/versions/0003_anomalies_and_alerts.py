"""Anomalies and alerts.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_log",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("forgotten_xid", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "alert_conditions",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("since", types.UtcDateTime(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metric", sa.String(length=40), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("anomaly_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "kind"),
    )
    op.create_table(
        "alert_rules",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=True),
        sa.Column("high_threshold", sa.Float(), nullable=True),
        sa.Column("critical_threshold", sa.Float(), nullable=True),
        sa.Column("hold_seconds", sa.Float(), nullable=True),
        sa.Column("recover_seconds", sa.Float(), nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "kind"),
    )
    op.create_table(
        "anomalies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("device_kind", sa.String(length=40), nullable=False),
        sa.Column("metric", sa.String(length=40), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("pattern", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("observed", sa.Float(), nullable=True),
        sa.Column("expected", sa.Float(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("detector_version", sa.String(length=40), nullable=False),
        sa.Column("detected_at", types.UtcDateTime(), nullable=False),
        sa.Column("peak_at", types.UtcDateTime(), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("resolved_at", types.UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(length=200), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("comment", sa.String(length=4000), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("anomalies", schema=None) as batch_op:
        batch_op.create_index("ix_anomalies_detected_at_id", ["detected_at", "id"], unique=False)
        batch_op.create_index("ix_anomalies_device_id_detected_at_id", ["device_id", "detected_at", "id"], unique=False)
        batch_op.create_index(
            "ix_anomalies_unresolved",
            ["state", "detected_at", "id"],
            unique=False,
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )
        batch_op.create_index(
            "uq_anomalies_going_on",
            ["device_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "anomaly_detectors",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "anomaly_profiles",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("deduplication_key", sa.String(length=200), nullable=False),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("device_kind", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metric", sa.String(length=40), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("anomaly_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("raised_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", types.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=200), nullable=True),
        sa.Column("acknowledge_comment", sa.String(length=4000), nullable=True),
        sa.Column("resolved_at", types.UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(length=200), nullable=True),
        sa.Column("resolve_comment", sa.String(length=4000), nullable=True),
        sa.ForeignKeyConstraint(["anomaly_id"], ["anomalies.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_anomaly_id", ["anomaly_id"], unique=False)
        batch_op.create_index("ix_alerts_device_id_raised_at_id", ["device_id", "raised_at", "id"], unique=False)
        batch_op.create_index("ix_alerts_raised_at_id", ["raised_at", "id"], unique=False)
        batch_op.create_index(
            "ix_alerts_unresolved",
            ["state", "raised_at", "id"],
            unique=False,
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )
        batch_op.create_index(
            "uq_alerts_deduplication_key",
            ["deduplication_key"],
            unique=True,
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )

    op.create_table(
        "alert_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=True),
        sa.Column("comment", sa.String(length=4000), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alert_changes", schema=None) as batch_op:
        batch_op.create_index("ix_alert_changes_alert_id_id", ["alert_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("alert_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_changes_alert_id_id")

    op.drop_table("alert_changes")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alerts_deduplication_key",
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )
        batch_op.drop_index(
            "ix_alerts_unresolved",
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )
        batch_op.drop_index("ix_alerts_raised_at_id")
        batch_op.drop_index("ix_alerts_device_id_raised_at_id")
        batch_op.drop_index("ix_alerts_anomaly_id")

    op.drop_table("alerts")
    op.drop_table("anomaly_profiles")
    op.drop_table("anomaly_detectors")
    with op.batch_alter_table("anomalies", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_anomalies_going_on",
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_anomalies_unresolved",
            postgresql_where=sa.text("state <> 'RESOLVED'"),
            sqlite_where=sa.text("state <> 'RESOLVED'"),
        )
        batch_op.drop_index("ix_anomalies_device_id_detected_at_id")
        batch_op.drop_index("ix_anomalies_detected_at_id")

    op.drop_table("anomalies")
    op.drop_table("alert_rules")
    op.drop_table("alert_conditions")
    op.drop_table("event_log")

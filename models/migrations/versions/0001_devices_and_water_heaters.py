"""Devices and water heaters.

Revision: 0001, after None.
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("serial_number", sa.String(length=100), nullable=False),
        sa.Column("manufacturer", sa.String(length=200), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("firmware_version", sa.String(length=100), nullable=True),
        sa.Column("location", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("last_seen_at", types.UtcDateTime(), nullable=True),
        sa.Column("latest_reading_at", types.UtcDateTime(), nullable=True),
        sa.Column("installed_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("serial_number"),
        postgresql_with={"fillfactor": 70},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index("ix_devices_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_devices_kind_name_id", ["kind", "name", "id"], unique=False)
        batch_op.create_index("ix_devices_name_id", ["name", "id"], unique=False)
        batch_op.create_index("ix_devices_status_id", ["status", "id"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_occurred_at", ["occurred_at"], unique=False)
        batch_op.create_index("ix_events_xid_id", ["xid", "id"], unique=False)

    op.create_table(
        "water_heater_readings",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("inlet_temperature", sa.Float(), nullable=True),
        sa.Column("pressure", sa.Float(), nullable=True),
        sa.Column("flow_rate", sa.Float(), nullable=True),
        sa.Column("power", sa.Float(), nullable=True),
        sa.Column("energy", sa.Float(), nullable=True),
        sa.Column("heating", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", "recorded_at"),
        postgresql_partition_by="RANGE (recorded_at)",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "maintenance_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("performed_at", types.UtcDateTime(), nullable=False),
        sa.Column("performed_by", sa.String(length=200), nullable=True),
        sa.Column("notes", sa.String(length=4000), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("maintenance_records", schema=None) as batch_op:
        batch_op.create_index(
            "ix_maintenance_records_device_id_performed_at_id", ["device_id", "performed_at", "id"], unique=False
        )

    op.create_table(
        "water_heater_control_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=True),
        sa.Column("old_target_temperature", sa.Float(), nullable=True),
        sa.Column("new_target_temperature", sa.Float(), nullable=True),
        sa.Column("old_mode", sa.String(length=20), nullable=True),
        sa.Column("new_mode", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("water_heater_control_changes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_control_changes_device_id_changed_at_id", ["device_id", "changed_at", "id"], unique=False
        )

    op.create_table(
        "water_heaters",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("target_temperature", sa.Float(), nullable=False),
        sa.Column("min_temperature", sa.Float(), nullable=False),
        sa.Column("max_temperature", sa.Float(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("heater_type", sa.String(length=20), nullable=False),
        sa.Column("capacity_liters", sa.Float(), nullable=False),
        sa.Column("rated_power_watts", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "maintenance_parts",
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("part_number", sa.String(length=100), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["maintenance_records.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "position"),
    )


def downgrade() -> None:
    op.drop_table("maintenance_parts")
    op.drop_table("water_heaters")
    with op.batch_alter_table("water_heater_control_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_control_changes_device_id_changed_at_id")

    op.drop_table("water_heater_control_changes")
    with op.batch_alter_table("maintenance_records", schema=None) as batch_op:
        batch_op.drop_index("ix_maintenance_records_device_id_performed_at_id")

    op.drop_table("maintenance_records")
    op.drop_table("water_heater_readings")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_xid_id")
        batch_op.drop_index("ix_events_occurred_at")

    op.drop_table("events")
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index("ix_devices_status_id")
        batch_op.drop_index("ix_devices_name_id")
        batch_op.drop_index("ix_devices_kind_name_id")
        batch_op.drop_index("ix_devices_created_at_id")

    op.drop_table("devices")

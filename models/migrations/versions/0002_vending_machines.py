"""Vending machines.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from models import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vending_machine_readings",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("cabinet_temperature", sa.Float(), nullable=True),
        sa.Column("power", sa.Float(), nullable=True),
        sa.Column("door_open", sa.Boolean(), nullable=True),
        sa.Column("cash_level", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", "recorded_at"),
        postgresql_partition_by="RANGE (recorded_at)",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vending_machine_products",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("slot", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sku", sa.String(length=100), nullable=True),
        sa.Column("category", sa.String(length=100), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("low_stock_threshold", sa.Integer(), nullable=False),
        sa.Column("stocked_at", types.UtcDateTime(), nullable=False),
        sa.Column("configured_at", types.UtcDateTime(), nullable=False),
        sa.Column("removed_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("vending_machine_products", schema=None) as batch_op:
        batch_op.create_index(
            "uq_vending_machine_products_slot",
            ["device_id", "slot"],
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
            sqlite_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_vending_machine_products_device_id_slot", ["device_id", "slot", "configured_at"], unique=False
        )

    op.create_table(
        "vending_machine_slot_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("old_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("new_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("old_quantity", sa.Integer(), nullable=True),
        sa.Column("new_quantity", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("vending_machine_slot_changes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_slot_changes_device_id_changed_at_id", ["device_id", "changed_at", "id"], unique=False
        )

    op.create_table(
        "vending_machines",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("machine_type", sa.String(length=20), nullable=False),
        sa.Column("target_cabinet_temperature", sa.Float(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("cash_capacity_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "vending_machine_sales",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.String(length=100), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_method", sa.String(length=20), nullable=False),
        sa.Column("sold_at", types.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("oversold_quantity", sa.Integer(), nullable=False),
        sa.Column("refunded_quantity", sa.Integer(), nullable=False),
        sa.Column("refunded_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_id", "transaction_id", "line", name="uq_vending_machine_sales_transaction"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("vending_machine_sales", schema=None) as batch_op:
        batch_op.create_index(
            "ix_vending_machine_sales_device_id_sold_at_id", ["device_id", "sold_at", "id"], unique=False
        )
        batch_op.create_index("ix_vending_machine_sales_sold_at", ["sold_at"], unique=False)

    op.create_table(
        "vending_machine_demand_choices",
        sa.Column(
            "device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("members", sa.String(length=400), nullable=False),
        sa.Column("mae", sa.Float(), nullable=False),
        sa.Column("day_count", sa.Integer(), nullable=False),
        sa.Column("day_variation", sa.Float(), nullable=False),
        sa.Column("evaluated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id"),
    )


def downgrade() -> None:
    op.drop_table("vending_machine_demand_choices")
    with op.batch_alter_table("vending_machine_sales", schema=None) as batch_op:
        batch_op.drop_index("ix_vending_machine_sales_sold_at")
        batch_op.drop_index("ix_vending_machine_sales_device_id_sold_at_id")

    op.drop_table("vending_machine_sales")
    op.drop_table("vending_machines")
    with op.batch_alter_table("vending_machine_slot_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_slot_changes_device_id_changed_at_id")

    op.drop_table("vending_machine_slot_changes")
    with op.batch_alter_table("vending_machine_products", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_vending_machine_products_slot",
            postgresql_where=sa.text("removed_at IS NULL"),
            sqlite_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index("ix_vending_machine_products_device_id_slot")

    op.drop_table("vending_machine_products")
    op.drop_table("vending_machine_readings")

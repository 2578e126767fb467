"""What a vending machine has beyond any device: its settings, what is in its slots, and how that changed."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, device_key, instant, serial_key


class VendingMachineRow(SQLModel, table=True):
    """A vending machine: cabinet temperature in °C, money in the minor unit of its one currency."""

    __tablename__ = "vending_machines"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    machine_type: str = Field(max_length=20)
    target_cabinet_temperature: float
    currency: str = Field(max_length=3)
    time_zone: str = Field(max_length=60)
    cash_capacity_minor: int | None = Field(
        default=None, sa_column=Column("cash_capacity_minor", BigInteger, nullable=True)
    )


class VendingMachineProductRow(SQLModel, table=True):
    """A product in a slot of a machine, from when it was put there until it was taken out.

    `quantity` is what a count at `stocked_at` said, less what was sold and plus what was loaded since: a sale that is
    told later but happened before is in the count already. A row that was taken out stays, for the sales that name it.
    """

    __tablename__ = "vending_machine_products"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index(
            "uq_vending_machine_products_slot",
            "device_id",
            "slot",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
            sqlite_where=text("removed_at IS NULL"),
        ),
        # Which product was in a slot at some time.
        Index("ix_vending_machine_products_device_id_slot", "device_id", "slot", "configured_at"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    slot: str = Field(max_length=20)
    name: str = Field(max_length=200)
    sku: str | None = Field(default=None, max_length=100)
    category: str | None = Field(default=None, max_length=100)
    price_minor: int = Field(sa_column=Column("price_minor", BigInteger, nullable=False))
    currency: str = Field(max_length=3)
    capacity: int
    quantity: int
    low_stock_threshold: int
    stocked_at: datetime = instant("stocked_at")
    configured_at: datetime = instant("configured_at")
    removed_at: datetime | None = instant("removed_at", nullable=True)


class VendingMachineSlotChangeRow(SQLModel, table=True):
    """One change of a slot by people: configured, re-priced, restocked, cleared."""

    __tablename__ = "vending_machine_slot_changes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_slot_changes_device_id_changed_at_id", "device_id", "changed_at", "id"), NEVER_REUSED)

    id: int | None = serial_key()
    device_id: int = device_key()
    product_id: int = Field(sa_column=Column("product_id", BigInteger, nullable=False))
    slot: str = Field(max_length=20)
    kind: str = Field(max_length=20)
    changed_at: datetime = instant("changed_at")
    changed_by: str | None = Field(default=None, max_length=200)
    currency: str = Field(max_length=3)
    old_price_minor: int | None = Field(default=None, sa_column=Column("old_price_minor", BigInteger, nullable=True))
    new_price_minor: int | None = Field(default=None, sa_column=Column("new_price_minor", BigInteger, nullable=True))
    old_quantity: int | None = None
    new_quantity: int | None = None


class VendingMachineDemandChoiceRow(SQLModel, table=True):
    """Which method forecasts a machine's demand best, by its last backtest; chosen anew when it is a day old.

    `members` are the methods whose mean is the forecast, separated by spaces. `mae` is the mean absolute error in units
    a day over `day_count` days; `day_variation` is the variance of a day's demand beyond Poisson noise, as a share of
    its squared expectation.
    """

    __tablename__ = "vending_machine_demand_choices"  # pyright: ignore[reportAssignmentType]

    device_id: int = device_key(primary_key=True)
    method: str = Field(max_length=40)
    members: str = Field(max_length=400)
    mae: float
    day_count: int
    day_variation: float
    evaluated_at: datetime = instant("evaluated_at")

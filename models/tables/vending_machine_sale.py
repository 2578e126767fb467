"""Sales of vending machines."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import NEVER_REUSED, device_key, instant, serial_key


class VendingMachineSaleRow(SQLModel, table=True):
    """One line of a transaction, at the price of then.

    `oversold_quantity` is what the machine says it sold beyond the stock that was known. Refunded units stay in
    `quantity` and are counted in `refunded_quantity`. There is no foreign key to products: these go only with their
    device, as sales do, and the database would look for the sales of each.
    """

    __tablename__ = "vending_machine_sales"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("device_id", "transaction_id", "line", name="uq_vending_machine_sales_transaction"),
        Index("ix_vending_machine_sales_device_id_sold_at_id", "device_id", "sold_at", "id"),
        # For the sales of the whole fleet in a span of time.
        Index("ix_vending_machine_sales_sold_at", "sold_at"),
        NEVER_REUSED,
    )

    id: int | None = serial_key()
    device_id: int = device_key()
    product_id: int = Field(sa_column=Column("product_id", BigInteger, nullable=False))
    transaction_id: str = Field(max_length=100)
    line: int
    quantity: int
    unit_price_minor: int = Field(sa_column=Column("unit_price_minor", BigInteger, nullable=False))
    currency: str = Field(max_length=3)
    payment_method: str = Field(max_length=20)
    sold_at: datetime = instant("sold_at")
    recorded_at: datetime = instant("recorded_at")
    oversold_quantity: int = 0
    refunded_quantity: int = 0
    refunded_at: datetime | None = instant("refunded_at", nullable=True)

"""Sales of vending machines."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.devices.vending_machine import PaymentMethod
from schema.fields import derived, link
from schema.types.money import Money, money
from schema.types.node import Node, id_of
from schema.types.product import Product, machine, money_of, product_link

if TYPE_CHECKING:
    from schema.types.vending_machine import VendingMachine

strawberry.enum(PaymentMethod, description="How a sale was paid.")


def _amount(units: str, description: str) -> Any:
    def compute(row: Any) -> Any:
        return money(row[units] * row["unit_price_minor"], row["currency"])

    return derived(compute, needs=(units, "unit_price_minor", "currency"), description=description)


@strawberry.type(description="One line of a transaction of a vending machine.")
class Sale(Node):
    """One line of a transaction of a vending machine."""

    id: strawberry.ID = id_of("Sale")
    product: Product = product_link(description="What was sold.")
    transaction_id: str = strawberry.field(description="The machine's own name of the transaction.")
    line: int = strawberry.field(description="Line of the transaction.")
    quantity: int = strawberry.field(description="Units that were sold, refunded ones included.")
    unit_price: Money = money_of("unit_price_minor", "Price of a unit at which it was sold.")
    total: Money = _amount("quantity", "What was paid.")
    payment_method: PaymentMethod = strawberry.field(description="How it was paid.")
    sold_at: datetime = strawberry.field(description="When it was sold.")
    recorded_at: datetime = strawberry.field(description="When the server was told.")
    oversold_quantity: int = strawberry.field(
        description="Units that the machine sold beyond the stock that was known; the stock was then set to 0."
    )
    refunded_quantity: int = strawberry.field(description="Units that were refunded.")
    refunded: Money = _amount("refunded_quantity", "What was paid back.")
    refunded_at: datetime | None = strawberry.field(description="When something was last refunded.")
    machine: Annotated["VendingMachine", strawberry.lazy("schema.types.vending_machine")] = link(
        machine, key="device_id", description="The machine."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True

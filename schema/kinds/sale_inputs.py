"""Inputs of sales and refunds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models.devices.vending_machine import VENDING_MACHINE
from models.sales import NewSale
from schema.columns import COLUMNS, columns_of
from schema.inputs import decoded
from schema.types.money import MoneyInput
from schema.types.sale import PaymentMethod


@strawberry.input(description="One line of a transaction; name the product or the slot.")
class SaleInput:
    """One line of a transaction."""

    machine_id: strawberry.ID = strawberry.field(description="The vending machine.")
    transaction_id: str = strawberry.field(
        description="The machine's own name of the transaction, at most 100 characters. Sending it again is safe."
    )
    sold_at: datetime = strawberry.field(description="When it was sold; not in the future.")
    line: int | None = strawberry.field(
        default=None, description="Line of the transaction; number them from 1 if it has several, 1 if not given."
    )
    product_id: strawberry.ID | None = strawberry.field(default=None, description="What was sold, or")
    slot: str | None = strawberry.field(default=None, description="the slot from which it was sold.")
    quantity: int | None = strawberry.field(default=None, description="Units, at least 1; 1 if not given.")
    unit_price: MoneyInput | None = strawberry.field(
        default=None, description="What a unit was sold for; the price that the product had then if not given."
    )
    payment_method: PaymentMethod | None = strawberry.field(
        default=None, description="How it was paid; OTHER if not given."
    )


_NAMES = (
    *("machine_id", "transaction_id", "sold_at", "line", "product_id"),
    *("slot", "quantity", "unit_price", "payment_method"),
)


@strawberry.input(description="Sales of vending machines, of one or many.")
class RecordSalesInput:
    """Sales of vending machines."""

    sales: list[SaleInput] = strawberry.field(
        description="At least one; how many at most is a setting of the server, 10,000 unless it says otherwise.",
        metadata={COLUMNS: True},
    )

    def batch(self) -> list[NewSale]:
        """Return the sales; raises BadUserInput for an id that is none of a vending machine or of a product."""
        columns = columns_of(self.sales, _NAMES)
        if not columns.count:
            return []
        nothing = [None] * columns.count
        fields = {name: columns.fields.get(name, nothing) for name in _NAMES}
        fields["machine_id"] = decoded(fields["machine_id"], (VENDING_MACHINE.type_name,), "input.sales", "machineId")
        fields["product_id"] = decoded(fields["product_id"], ("Product",), "input.sales", "productId")
        return [_sale(row) for row in zip(*(fields[name] for name in _NAMES), strict=True)]


@strawberry.input(description="A sale to refund, or some of its units.")
class RefundSaleInput:
    """A sale to refund."""

    id: strawberry.ID = strawberry.field(description="The sale.")
    quantity: int | None = strawberry.field(
        default=None, description="Units to refund; all that are not refunded yet if not given."
    )
    return_to_stock: bool = strawberry.field(default=False, description="Whether the units are back in their slot.")


def _sale(row: Sequence[Any]) -> NewSale:
    device_id, transaction_id, sold_at, line, product_id, slot, quantity, unit_price, payment_method = row
    return NewSale(
        device_id=device_id,
        transaction_id=transaction_id,
        sold_at=sold_at,
        line=1 if line is None else line,
        product_id=product_id,
        slot=slot,
        quantity=1 if quantity is None else quantity,
        unit_price=None if unit_price is None else (unit_price.amount, unit_price.currency),
        payment_method=(payment_method or PaymentMethod.OTHER).value,
    )

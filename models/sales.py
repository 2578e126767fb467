"""Sales on their way in, and the verdict on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.readings import Rejection
from models.statements import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSale:
    """One line of a transaction, as a machine tells it.

    Attributes:
        device_id: the machine.
        transaction_id: the machine's own name of the transaction; with `line` it makes sending again safe.
        line: the line of the transaction, from 1.
        product_id: what was sold, or
        slot: from where it was sold.
        quantity: units.
        unit_price: (amount in the currency's major unit, currency) of one unit; None for the product's price of then.
        payment_method: name of a PaymentMethod.
        sold_at: aware UTC instant.
    """

    device_id: int
    transaction_id: str
    sold_at: datetime
    line: int = 1
    product_id: int | None = None
    slot: str | None = None
    quantity: int = 1
    unit_price: tuple[Decimal, str] | None = None
    payment_method: str = "OTHER"


@dataclass(frozen=True, slots=True)
class SalesReport:
    """What became of a batch of sales; accepted ones are durable when this is returned.

    Attributes:
        accepted_count: sales that were stored now.
        duplicate_count: sales that were stored before with the same content, or stand earlier in the same batch.
        rejected: one entry for each sale that cannot be stored, by index.
        low_stock: the products of accepted sales that are low on stock now.
    """

    accepted_count: int
    duplicate_count: int
    rejected: Sequence[Rejection]
    low_stock: Sequence[Row]

"""Exact amounts of money."""

from decimal import Decimal
from typing import Any

import strawberry

from models.money import from_minor


@strawberry.type(description="An exact amount of money.")
class Money:
    """An exact amount of money."""

    amount: Decimal = strawberry.field(description="Amount in the currency's major unit, with all its decimals.")
    currency: str = strawberry.field(description="Currency, three letters of ISO 4217.")


@strawberry.input(description="An exact amount of money.")
class MoneyInput:
    """An exact amount of money."""

    amount: Decimal = strawberry.field(description="Amount in the currency's major unit, at least 0.")
    currency: str = strawberry.field(description="Currency, three letters of ISO 4217, as EUR.")


def money(minor: int | None, currency: str | None) -> dict[str, Any] | None:
    """Return the row of an amount in minor units; None where there is none."""
    if minor is None or currency is None:
        return None
    return {"amount": from_minor(minor, currency), "currency": currency}

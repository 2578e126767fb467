"""Sales on their way in: which can be stored, what each was a sale of, and whether it is there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.errors import BadUserInput
from models.money import to_minor
from models.sales import NewSale
from models.statements import Row
from resolvers import checks
from resolvers.reading_checks import IN_FUTURE, OUT_OF_RANGE, TOO_OLD, age_problem, future_problem
from settings.types import IngestSettings

CONFLICT = "CONFLICT"
INVALID_TRANSACTION = "INVALID_TRANSACTION"
NO_PRODUCT = "NO_PRODUCT"
UNKNOWN_PRODUCT = "UNKNOWN_PRODUCT"
UNKNOWN_SLOT = "UNKNOWN_SLOT"
WRONG_CURRENCY = "WRONG_CURRENCY"

MOST_UNITS = 10_000
_MOST_LINES = 1_000_000

Problem = tuple[str, str]
"""Code and sentence."""


def problem_of(sale: NewSale, settings: IngestSettings, now: datetime) -> Problem | None:
    """Return what is wrong with a sale by itself; None if nothing is."""
    try:
        checks.text(sale.transaction_id, "transactionId", longest=checks.LABEL_LENGTH)
    except BadUserInput as error:
        return INVALID_TRANSACTION, error.message
    if sale.product_id is None and not (sale.slot or "").strip():
        return NO_PRODUCT, "Give productId or slot."
    return _problem_of_numbers(sale) or _problem_of_time(sale, settings, now)


def _problem_of_numbers(sale: NewSale) -> Problem | None:
    for name, value, most in (("line", sale.line, _MOST_LINES), ("quantity", sale.quantity, MOST_UNITS)):
        if not 1 <= value <= most:
            return OUT_OF_RANGE, f"{name} must be from 1 to {most}, not {value}."
    if sale.unit_price is not None and sale.unit_price[0] < 0:
        return OUT_OF_RANGE, f"unitPrice must be at least 0, not {sale.unit_price[0]}."
    return None


def _problem_of_time(sale: NewSale, settings: IngestSettings, now: datetime) -> Problem | None:
    if sale.sold_at > now + timedelta(seconds=settings.max_future_seconds):
        return IN_FUTURE, future_problem("soldAt", sale.sold_at, settings, now)
    if sale.sold_at < now - timedelta(days=settings.max_age_days):
        return TOO_OLD, age_problem("soldAt", sale.sold_at, settings)
    return None


def told_price(sale: NewSale, product: Row) -> int | Problem | None:
    """Return the price of a unit in minor units as it was told, None if it was not, or what is wrong with it."""
    if sale.unit_price is None:
        return None
    amount, currency = sale.unit_price
    if currency != product["currency"]:
        return WRONG_CURRENCY, f"The machine's currency is {product['currency']}, not {currency[:10]}."
    try:
        return to_minor(amount, currency, input_path=())
    except BadUserInput as error:
        return OUT_OF_RANGE, error.message


@dataclass(slots=True)
class Assortment:
    """The products that machines have and had.

    Attributes:
        products: all of them, in the order in which they were put in.
        repricings: product_id, changed_at and old_price_minor of changes of prices, oldest first, as far back as a sale
            that does not tell its price.
    """

    products: Sequence[Row]
    repricings: Sequence[Row] = ()
    _by_id: dict[int, Row] = field(init=False)
    _by_slot: dict[tuple[int, str], list[Row]] = field(init=False)
    _repriced: dict[int, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_id = {row["id"]: row for row in self.products}
        self._by_slot = {}
        for row in self.products:
            self._by_slot.setdefault((row["device_id"], row["slot"]), []).append(row)
        self._repriced = {}
        for change in self.repricings:
            self._repriced.setdefault(change["product_id"], []).append(change)

    def sold_in(self, sale: NewSale) -> Row | Problem:
        """Return the product that a sale was a sale of, or why there is none.

        A sale that names a slot, or a product that has left its slot, is one of the product that was in the slot when
        it was sold; where that is not known, of the one that is there now.
        """
        slot = (sale.slot or "").strip()
        if sale.product_id is None:
            found = self._at(sale.device_id, slot, sale.sold_at)
            return found if found is not None else (UNKNOWN_SLOT, f"The machine has no product in slot '{slot[:20]}'.")
        named = self._by_id.get(sale.product_id)
        if named is None or named["device_id"] != sale.device_id:
            return UNKNOWN_PRODUCT, "The machine has no product with this id."
        if slot and named["slot"] != slot:
            return UNKNOWN_PRODUCT, f"The product with this id is in slot '{named['slot']}', not '{slot[:20]}'."
        if named["removed_at"] is None or _was_there(named, sale.sold_at):
            return named
        return self._at(sale.device_id, named["slot"], sale.sold_at) or named

    def price_then(self, product: Row, instant: datetime) -> int:
        """Return the price of a unit at an instant, in minor units."""
        for change in self._repriced.get(product["id"], ()):
            if change["changed_at"] > instant:
                return int(change["old_price_minor"])
        return int(product["price_minor"])

    def is_same(self, sale: NewSale, stored: Mapping[str, Any]) -> bool:
        """Return whether a sale that is sent again tells what is stored of it.

        Args:
            sale: as it is sent now; a price that it does not tell is none that differs.
            stored: product_id, quantity, unit_price_minor, payment_method and sold_at.
        """
        product = self._by_id[stored["product_id"]]
        return (
            self._may_be(sale, product)
            and told_price(sale, product) in {None, stored["unit_price_minor"]}
            and sale.quantity == stored["quantity"]
            and sale.payment_method == stored["payment_method"]
            and sale.sold_at == stored["sold_at"]
        )

    def _may_be(self, sale: NewSale, product: Row) -> bool:
        """Return whether a product is one that a sale was taken for: what it names, or what was in that slot then."""
        if sale.product_id is None:
            return product["slot"] == (sale.slot or "").strip()
        named = self._by_id.get(sale.product_id)
        if named is None:
            return False
        return named["id"] == product["id"] or (named["removed_at"] is not None and named["slot"] == product["slot"])

    def _at(self, device_id: int, slot: str, instant: datetime) -> Row | None:
        """Return the product that was in a slot at an instant, or else the one that is there now, or None."""
        rows = self._by_slot.get((device_id, slot), [])
        there = [row for row in rows if _was_there(row, instant)] or [row for row in rows if row["removed_at"] is None]
        return there[-1] if there else None


def _was_there(product: Row, instant: datetime) -> bool:
    removed_at = product["removed_at"]
    return product["configured_at"] <= instant and (removed_at is None or instant < removed_at)

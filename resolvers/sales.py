"""Sales of vending machines: recorded with their effect on the stock, refunded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.devices import VENDING_MACHINE
from models.errors import BadUserInput, LimitExceeded, NotFound
from models.readings import Rejection
from models.repositories import device_changes, histories, products, sales
from models.repositories.sales import SALES
from models.sales import NewSale, SalesReport
from models.statements import Row
from models.store import Transaction
from resolvers import devices
from resolvers.context import Scope
from resolvers.reading_checks import device_problem
from resolvers.sale_checks import CONFLICT, Assortment, Problem, problem_of, told_price


@dataclass(slots=True)
class _Recording:
    """A batch while it is decided upon, its machines being locked.

    Attributes:
        stock: quantity of each product that sales have changed, by its id.
        stored: what is stored of each line of a transaction, by machine, transaction and line.
        new: rows to store.
        low: ids of products that a sale left low.
        ran_low: when the last sale was that made a product low or sold it out, by machine.
    """

    assortment: Assortment
    now: datetime
    clock_tolerance: timedelta
    stock: dict[int, int] = field(default_factory=dict[int, int])
    stored: dict[tuple[int, str, int], Mapping[str, Any]] = field(
        default_factory=dict[tuple[int, str, int], Mapping[str, Any]]
    )
    new: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    duplicate_count: int = 0
    low: set[int] = field(default_factory=set[int])
    ran_low: dict[int, datetime] = field(default_factory=dict[int, datetime])

    def add(self, sale: NewSale) -> Problem | None:
        """Take a sale in, count it as a duplicate, or return what is wrong with it."""
        stored = self.stored.get(_key(sale))
        if stored is not None:
            return self._add_again(sale, stored)
        product = self.assortment.sold_in(sale)
        if isinstance(product, tuple):
            return product
        price = told_price(sale, product)
        if isinstance(price, tuple):
            return price
        if price is None:
            price = self.assortment.price_then(product, sale.sold_at)
        self.new.append(self._row(sale, product, price))
        self.stored[_key(sale)] = self.new[-1]
        return None

    def _add_again(self, sale: NewSale, stored: Mapping[str, Any]) -> Problem | None:
        if not self.assortment.is_same(sale, stored):
            return CONFLICT, (
                f"Line {sale.line} of transaction '{sale.transaction_id.strip()}' is stored with other content; "
                "what is stored stays."
            )
        self.duplicate_count += 1
        return None

    def _row(self, sale: NewSale, product: Row, price: int) -> dict[str, Any]:
        return {
            "device_id": sale.device_id,
            "product_id": product["id"],
            "transaction_id": sale.transaction_id.strip(),
            "line": sale.line,
            "quantity": sale.quantity,
            "unit_price_minor": price,
            "currency": product["currency"],
            "payment_method": sale.payment_method,
            "sold_at": sale.sold_at,
            "recorded_at": self.now,
            "oversold_quantity": self._take(sale, product),
        }

    def _take(self, sale: NewSale, product: Row) -> int:
        """Take what was sold out of the stock and return how much of it was not there."""
        # In doubt the sale came after the count: a slot that is thought emptier than it is does less harm.
        counted = sale.sold_at < product["stocked_at"] - self.clock_tolerance
        if counted or product["removed_at"] is not None:
            return 0
        before = self.stock.get(product["id"], int(product["quantity"]))
        after = max(before - sale.quantity, 0)
        self.stock[product["id"]] = after
        if after <= product["low_stock_threshold"]:
            self.low.add(product["id"])
            if before > product["low_stock_threshold"] or (after == 0 and before > 0):
                self.ran_low[sale.device_id] = max(sale.sold_at, self.ran_low.get(sale.device_id, sale.sold_at))
        return max(sale.quantity - before, 0)


async def record(scope: Scope, batch: Sequence[NewSale]) -> SalesReport:
    """Store what can be stored of a batch of sales, lower the stock, and return the verdict on every sale.

    A sale lowers the quantity of its product unless it happened before the product was last counted; by as much as
    clocks may differ (`ingest.max_future_seconds`) before the count it still does. What a machine sold beyond the known
    stock is stored and flagged, and the stock is 0.

    Raises:
        BadUserInput: the batch is empty.
        LimitExceeded: it is larger than a batch may be.
    """
    _check_size(scope, len(batch))
    settings, now = scope.services.settings.ingest, scope.services.clock()
    rejected = {
        index: problem for index, sale in enumerate(batch) if (problem := problem_of(sale, settings, now)) is not None
    }
    good = [index for index in range(len(batch)) if index not in rejected]
    if not good:
        return SalesReport(0, 0, _rejections(rejected), ())
    async with scope.store.transaction() as transaction:
        machines = await device_changes.lock(transaction, [batch[index].device_id for index in good])
        for index in good:
            problem = device_problem(machines.get(batch[index].device_id), VENDING_MACHINE)
            if problem is not None:
                rejected[index] = problem
        sold = {index: batch[index] for index in good if index not in rejected}
        recording = await _begin(transaction, list(sold.values()), now, timedelta(seconds=settings.max_future_seconds))
        for index, sale in sold.items():
            problem = recording.add(sale)
            if problem is not None:
                rejected[index] = problem
        await _store(transaction, scope, recording)
    low = await products.by_ids(scope.store, sorted(recording.low)) if recording.low else []
    present = [row for row in low if row is not None]
    return SalesReport(len(recording.new), recording.duplicate_count, _rejections(rejected), present)


async def refund(scope: Scope, sale_id: int, quantity: int | None, *, restock: bool) -> Row:
    """Refund units of a sale, put them back into their slot if that is wanted, and return the sale.

    Args:
        scope: of the operation.
        sale_id: which sale.
        quantity: units; None for all that are not refunded yet.
        restock: the units are back in the slot.

    Raises: NotFound; BadUserInput for more than was sold, or for a slot that cannot take the units back.
    """
    now = scope.services.clock()
    sale = await _sale(scope.store, sale_id)
    async with scope.store.transaction() as transaction:
        await devices.locked(transaction, sale["device_id"], None)
        sale = await _sale(transaction, sale_id)
        left = sale["quantity"] - sale["refunded_quantity"]
        units = left if quantity is None else quantity
        if not 1 <= units <= left:
            raise BadUserInput(
                f"Of this sale {left} of {sale['quantity']} can be refunded, not {units}.",
                input_path=("input", "quantity"),
                allowed=left,
            )
        await sales.refund(transaction, sale_id, units, now)
        if restock:
            await _put_back(transaction, sale["product_id"], units)
            await scope.services.alerting.stock(transaction, [sale["device_id"]], {sale["device_id"]: now})
    return await _sale(scope.store, sale_id)


def _key(sale: NewSale) -> tuple[int, str, int]:
    return sale.device_id, sale.transaction_id.strip(), sale.line


def _check_size(scope: Scope, size: int) -> None:
    allowed = scope.services.settings.ingest.max_batch_size
    if size == 0:
        raise BadUserInput("The batch has no sales.", input_path=("input", "sales"))
    if size > allowed:
        raise LimitExceeded(
            f"A batch may have {allowed} sales (ingest.max_batch_size), not {size}; send several.",
            input_path=("input", "sales"),
            limit="max_batch_size",
            allowed=allowed,
        )


async def _begin(
    transaction: Transaction, sold: Sequence[NewSale], now: datetime, clock_tolerance: timedelta
) -> _Recording:
    machines = list({sale.device_id for sale in sold})
    unpriced = [sale.sold_at for sale in sold if sale.unit_price is None]
    assortment = Assortment(
        await products.ever_in(transaction, machines) if machines else (),
        await products.repricings(transaction, machines, min(unpriced)) if unpriced else (),
    )
    recording = _Recording(assortment, now, clock_tolerance)
    keys = list(dict.fromkeys(_key(sale)[:2] for sale in sold))
    for row in await sales.of_transactions(transaction, keys) if keys else ():
        recording.stored[row["device_id"], row["transaction_id"], row["line"]] = row
    return recording


async def _store(transaction: Transaction, scope: Scope, recording: _Recording) -> None:
    if not recording.new:
        return
    await sales.add_many(transaction, recording.new)
    if recording.stock:
        await products.set_quantities(transaction, recording.stock)
    if recording.ran_low:
        await scope.services.alerting.stock(transaction, sorted(recording.ran_low), recording.ran_low)
    heard: dict[int, datetime] = {}
    for row in recording.new:
        heard[row["device_id"]] = max(row["sold_at"], heard.get(row["device_id"], row["sold_at"]))
    silence = timedelta(seconds=scope.services.settings.devices.offline_after_seconds)
    await device_changes.mark_seen(transaction, heard, online_since=recording.now - silence, by_reading=False)


async def _put_back(transaction: Transaction, product_id: int, units: int) -> None:
    (product,) = await products.by_ids(transaction, [product_id])
    path = ("input", "returnToStock")
    if product is None or product["removed_at"] is not None:
        raise BadUserInput("The product is no longer in its slot, so nothing can be put back.", input_path=path)
    after = product["quantity"] + units
    if after > product["capacity"]:
        raise BadUserInput(
            f"Slot '{product['slot']}' holds {product['capacity']}; with the units put back it would be {after}.",
            input_path=path,
            capacity=product["capacity"],
        )
    await products.set_quantities(transaction, {product_id: after})


async def _sale(db: Any, sale_id: int) -> Row:
    (row,) = await histories.by_ids(db, SALES, [sale_id])
    if row is None:
        raise NotFound(f"There is no sale with id {sale_id}.", input_path=("input", "id"))
    return row


def _rejections(rejected: Mapping[int, Problem]) -> list[Rejection]:
    return [Rejection(index, *rejected[index]) for index in sorted(rejected)]

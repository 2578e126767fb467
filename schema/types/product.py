"""Products in the slots of vending machines, and what people did to the slots."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.devices.vending_machine import VENDING_MACHINE, SlotChangeKind
from models.learning.demand import Method, Reason
from resolvers import devices, products, restocking
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.types.money import Money, money
from schema.types.node import Node, id_of

if TYPE_CHECKING:
    from schema.types.vending_machine import VendingMachine

strawberry.enum(
    SlotChangeKind,
    description="What people did to a slot: CONFIGURED when a product came or its settings changed, REPRICED when its "
    "price did, RESTOCKED, CLEARED when the product was taken out.",
)
strawberry.enum(
    Reason,
    name="NoForecastReason",
    description="Why no time of selling out is expected: nothing was sold lately (NO_SALES), there are too few days "
    "or sales to tell (TOO_LITTLE_HISTORY), or it lasts longer than the forecast looks ahead (BEYOND_HORIZON).",
)
strawberry.enum(
    Method,
    name="DemandMethod",
    description="How the daily sales of a machine are forecast. Which one is chosen for each machine by how well it "
    "would have forecast the machine's last weeks.",
)


def machine(_scope: Scope) -> Batch:
    """Bind the link to a vending machine."""
    return devices.link(VENDING_MACHINE.name)


def product_link(*, description: str, key: str = "product_id") -> Any:
    """Declare a link to a product; null where the key is."""

    def bind(_scope: Scope) -> Batch:
        return batch(products.by_ids)

    return link(bind, key=key, description=description)


def money_of(minor: str, description: str) -> Any:
    """Declare an amount in the row's currency, by the column that holds it in minor units."""
    return derived(lambda row: money(row[minor], row["currency"]), needs=(minor, "currency"), description=description)


def _is_low_stock(row: Any) -> bool:
    return row["removed_at"] is None and row["quantity"] <= row["low_stock_threshold"]


def _forecasts(_scope: Scope) -> Batch:
    return batch(restocking.forecasts)


def _sold_out_times(_scope: Scope) -> Batch:
    return batch(restocking.sold_out_times)


@strawberry.type(description="When a product is expected to sell out, made of what its machine sold.")
class SoldOutForecast:
    """When a product is expected to sell out."""

    expected_at: datetime | None = strawberry.field(
        description="When the expected sales reach the stock; null with a `reason`. Now if it is sold out."
    )
    earliest_at: datetime | None = strawberry.field(
        description="It sells out before this instant with a probability of 10 %; null if that lies too far ahead."
    )
    latest_at: datetime | None = strawberry.field(
        description="It sells out before this instant with a probability of 90 %; null if that lies too far ahead."
    )
    reason: Reason | None = strawberry.field(description="Why there is no expected time.")
    method: Method | None = strawberry.field(description="How the machine's sales are forecast; null if they are not.")
    mean_absolute_error: float | None = strawberry.field(
        description="By how many units a day of the whole machine the method was wrong on average in its backtest."
    )
    units_per_day: float | None = strawberry.field(
        description="Units of the product that are expected to be sold, as a mean of the seven days from today on."
    )


@strawberry.type(description="A product in a slot of a vending machine, or one that was there.")
class Product(Node):
    """A product in a slot of a vending machine."""

    id: strawberry.ID = id_of("Product")
    slot: str = strawberry.field(description="The slot, as the machine names it.")
    name: str = strawberry.field(description="What it is.")
    sku: str | None = strawberry.field(description="The seller's number of the product.")
    category: str | None = strawberry.field(description="What kind of product it is.")
    price: Money = money_of("price_minor", "Price of a unit now; a sale keeps the price that it was made at.")
    capacity: int = strawberry.field(description="Units that the slot holds.")
    quantity: int = strawberry.field(description="Units that are in the slot, by what was counted, loaded and sold.")
    low_stock_threshold: int = strawberry.field(description="The stock is low at this quantity and below.")
    is_low_stock: bool = derived(
        _is_low_stock,
        needs=("quantity", "low_stock_threshold", "removed_at"),
        description="Whether the stock is low.",
    )
    counted_at: datetime = derived(
        lambda row: row["stocked_at"],
        needs=("stocked_at",),
        description="When the quantity was last set; sales of before that are in it already.",
    )
    configured_at: datetime = strawberry.field(description="When it was put into the slot.")
    removed_at: datetime | None = strawberry.field(description="When it was taken out; null while it is there.")
    expected_sold_out_at: datetime | None = link(
        _sold_out_times,
        key=("id", "device_id"),
        description="When it is expected to sell out; null where nothing can be said, see `soldOutForecast`.",
    )
    sold_out_forecast: SoldOutForecast | None = link(
        _forecasts, key=("id", "device_id"), description="When it is expected to sell out; null if it was taken out."
    )
    machine: Annotated["VendingMachine", strawberry.lazy("schema.types.vending_machine")] = link(
        machine, key="device_id", description="The machine."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="What people did to a slot. What did not change is null.")
class SlotChange(Node):
    """What people did to a slot."""

    id: strawberry.ID = id_of("SlotChange")
    kind: SlotChangeKind = strawberry.field(description="What was done.")
    changed_at: datetime = strawberry.field(description="When.")
    changed_by: str | None = strawberry.field(description="Who.")
    slot: str = strawberry.field(description="The slot.")
    product: Product = product_link(description="The product.")
    old_price: Money | None = money_of("old_price_minor", "Price of a unit before.")
    new_price: Money | None = money_of("new_price_minor", "Price of a unit after.")
    old_quantity: int | None = strawberry.field(description="Units before.")
    new_quantity: int | None = strawberry.field(description="Units after.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True

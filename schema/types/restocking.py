"""What to load into vending machines next."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import restocking
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import derived, link
from schema.types.paging import After, First
from schema.types.product import Product, SoldOutForecast, machine

if TYPE_CHECKING:
    from schema.types.vending_machine import VendingMachine


@strawberry.type(description="What to load into a slot.")
class RestockItem:
    """What to load into a slot."""

    product: Product = strawberry.field(description="The product that is in the slot.")
    quantity_to_load: int = strawberry.field(description="Units that fill the slot.")
    expected_sold_out_at: datetime | None = derived(
        lambda row: row["forecast"]["expected_at"],
        needs=("forecast",),
        description="When it is expected to sell out; null where nothing can be said.",
    )
    forecast: SoldOutForecast = strawberry.field(description="The same with its interval, or why there is none.")


@strawberry.type(description="A machine that something can be loaded into.")
class RestockNeed:
    """A machine that something can be loaded into."""

    machine: Annotated["VendingMachine", strawberry.lazy("schema.types.vending_machine")] = link(
        machine, key="device_id", description="The machine."
    )
    low_stock_product_count: int = strawberry.field(description="Slots whose stock is low.")
    soonest_sold_out_at: datetime | None = strawberry.field(
        description="When the first of its slots is expected to sell out; null where nothing can be said."
    )
    items: list[RestockItem] = strawberry.field(description="What to load, what is expected to sell out soonest first.")


def restock_list_link() -> Any:
    """Declare what to load into a machine."""

    def bind(_scope: Scope) -> Batch:
        return batch(restocking.restock_lists)

    return link(bind, key="id", description="What to load into its slots, what is expected to sell out soonest first.")


def restock_needs_link() -> Any:
    """Declare which machines to visit."""

    def bind(scope: Scope, *, first: First = None, after: After = None) -> Batch:
        return batch(restocking.needs, window=restocking.window(scope, first, after))

    return link(
        bind,
        description="The vending machines that something can be loaded into, the most urgent first: by when the first "
        "slot is expected to sell out, then by how many run low.",
    )

"""What vending machines sold in a span of time."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.calendars import CalendarUnit
from resolvers import sales_summaries
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from resolvers.sales_summaries import SalesGroup
from schema.fields import link
from schema.types.money import Money
from schema.types.product import Product, money_of, product_link
from schema.types.sale import PaymentMethod

strawberry.enum(CalendarUnit, description="Length of a calendar bucket; weeks begin on Monday.")
strawberry.enum(SalesGroup, description="By what sales are divided.")

From = Annotated[datetime, strawberry.argument(name="from", description="Beginning of the span.")]
To = Annotated[datetime, strawberry.argument(name="to", description="End of the span, exclusive.")]
_First = Annotated[int, strawberry.argument(description="How many at most.")]
_Unit = Annotated[CalendarUnit, strawberry.argument(description="Length of a bucket.")]
_Zone = Annotated[
    str | None,
    strawberry.argument(description="Whose calendar, as Europe/Berlin; the machine's own, or UTC, if not given."),
]
_GroupBy = Annotated[SalesGroup, strawberry.argument(description="By what the sales of each bucket are divided.")]


def _top_products(_scope: Scope, first: _First = 10) -> Batch:
    return batch(sales_summaries.top_products, first=first)


def _buckets(_scope: Scope, *, unit: _Unit, time_zone: _Zone = None, group_by: _GroupBy = SalesGroup.NONE) -> Batch:
    return batch(sales_summaries.buckets, unit=unit, zone=time_zone, group=group_by)


@strawberry.type(description="What was sold of a product.")
class ProductSales:
    """What was sold of a product."""

    product: Product = product_link(
        description="The product; for a fleet the newest one of those with its name and SKU, which count as one."
    )
    units_sold: int = strawberry.field(description="Units, without those that were refunded.")
    revenue: Money = money_of("revenue_minor", "What they brought, less what was refunded.")


@strawberry.type(description="What was sold in a bucket of the calendar, all of it or by a group.")
class SalesBucket:
    """What was sold in a bucket of the calendar."""

    range_start: datetime = strawberry.field(name="from", description="Beginning of the bucket.")
    range_end: datetime = strawberry.field(
        name="to", description="Beginning of the next bucket. Sales outside of the summary's span do not count."
    )
    product: Product | None = product_link(description="The product, if sales are divided by it.")
    category: str | None = strawberry.field(description="The category, if sales are divided by it; null for none.")
    payment_method: PaymentMethod | None = strawberry.field(description="How it was paid, if sales are divided by it.")
    units_sold: int = strawberry.field(description="Units, without those that were refunded.")
    revenue: Money = money_of("revenue_minor", "What they brought, less what was refunded.")


@strawberry.type(description="What one machine, or all machines of a currency, sold in a span of time.")
class SalesSummary:
    """What was sold in a span of time."""

    range_start: datetime = strawberry.field(name="from", description="Beginning of the span.")
    range_end: datetime = strawberry.field(name="to", description="End of the span, exclusive.")
    currency: str = strawberry.field(description="Currency, three letters of ISO 4217.")
    transaction_count: int = strawberry.field(
        description="Transactions, without those of which everything was refunded."
    )
    units_sold: int = strawberry.field(description="Units, without those that were refunded.")
    revenue: Money = money_of("revenue_minor", "What they brought, less what was refunded.")
    top_products: list[ProductSales] = link(
        _top_products, key=sales_summaries.KEY, description="The products that sold best, most units first."
    )
    buckets: list[SalesBucket] = link(
        _buckets,
        key=sales_summaries.KEY,
        description="The same by hour, day, week or month of a calendar. Without a group every bucket of the span is "
        "there; with one, those in which the group sold something.",
    )


def summary_link() -> Any:
    """Declare what a machine sold in a span of time."""

    def bind(_scope: Scope, *, start: From, end: To) -> Batch:
        return sales_summaries.of_machines(start, end)

    return link(bind, key=("id", "currency", "time_zone"), description="What it sold in a span of time.")


def summaries_link() -> Any:
    """Declare what all machines sold in a span of time."""

    def bind(_scope: Scope, *, start: From, end: To) -> Batch:
        return sales_summaries.of_fleet(start, end)

    return link(bind, description="What all vending machines sold in a span of time, for each currency.")

"""Vending machines."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry

from models.devices.vending_machine import VENDING_MACHINE, VendingMachineType
from models.repositories.products import SLOT_CHANGES
from models.repositories.sales import SALES
from resolvers import histories, products, vending_machines
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import link
from schema.types.device import Device
from schema.types.enums import metric_enum
from schema.types.money import Money
from schema.types.paging import After, Before, Connection, First, Last, window
from schema.types.product import Product, SlotChange, money_of
from schema.types.reading import Reading, Series, channel, history_link, latest_link, series_link
from schema.types.restocking import RestockItem, restock_list_link
from schema.types.sale import Sale
from schema.types.sales_summary import SalesSummary, summary_link

strawberry.enum(VendingMachineType, description="What a vending machine sells.")

if TYPE_CHECKING:
    VendingMachineMetric: TypeAlias = Enum
else:
    VendingMachineMetric = metric_enum(VENDING_MACHINE)


@strawberry.type(description="What a vending machine reported at one instant; a channel that it did not send is null.")
class VendingMachineReading(Reading):
    """What a vending machine reported at one instant."""

    cabinet_temperature: float | None = channel(VENDING_MACHINE, "cabinet_temperature")
    power: float | None = channel(VENDING_MACHINE, "power")
    door_open: bool | None = channel(VENDING_MACHINE, "door_open")
    cash_level: float | None = channel(VENDING_MACHINE, "cash_level")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="One line of a chart of a vending machine.")
class VendingMachineSeries(Series):
    """One line of a chart of a vending machine."""

    metric: VendingMachineMetric = strawberry.field(description="What it shows.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


def _cash_levels(_scope: Scope) -> Batch:
    return batch(vending_machines.cash_levels)


def _low_stock_counts(_scope: Scope) -> Batch:
    return batch(vending_machines.low_stock_counts)


def _products(_scope: Scope) -> Batch:
    return batch(products.by_devices)


def _sales(scope: Scope, first: First = None, after: After = None, last: Last = None, before: Before = None) -> Batch:
    place = window(scope, "sales", (datetime, int), (first, after, last, before))
    return histories.pages(SALES, "sales", place)


def _slot_changes(
    scope: Scope, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Batch:
    place = window(scope, "slotChanges", (datetime, int), (first, after, last, before))
    return histories.pages(SLOT_CHANGES, "slotChanges", place)


@strawberry.type(description="A vending machine.")
class VendingMachine(Device):
    """A vending machine."""

    machine_type: VendingMachineType = strawberry.field(description="What it sells.")
    target_cabinet_temperature: float = strawberry.field(description="Temperature that the cabinet is to have, in °C.")
    currency: str = strawberry.field(description="Its one currency, three letters of ISO 4217.")
    time_zone: str = strawberry.field(description="Where it stands, as Europe/Berlin: whose days and hours it has.")
    cash_capacity: Money | None = money_of("cash_capacity_minor", "Cash that it holds at most.")
    cash_level: Money | None = link(
        _cash_levels,
        key=("id", "currency", "latest_reading_at"),
        description="Cash that it last reported; null if none of its newest 10,000 readings tells.",
    )
    low_stock_product_count: int = link(_low_stock_counts, key="id", description="Slots whose stock is low.")
    products: list[Product] = link(_products, key="id", description="What is in its slots, by slot.")
    sales: Connection[Sale] = link(_sales, key="id", description="What it sold, newest first.")
    sales_summary: SalesSummary = summary_link()
    restock_list: list[RestockItem] = restock_list_link()
    slot_changes: Connection[SlotChange] = link(
        _slot_changes, key="id", description="What people did to its slots, newest first."
    )
    latest_reading: VendingMachineReading | None = latest_link(VENDING_MACHINE)
    readings: Connection[VendingMachineReading] = history_link(VENDING_MACHINE)
    series: list[VendingMachineSeries] = series_link(VENDING_MACHINE, VendingMachineMetric)

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True

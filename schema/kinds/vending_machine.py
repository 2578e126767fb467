"""What vending machines add to the schema."""

from typing import Annotated, Any

import strawberry

from models.devices.vending_machine import VENDING_MACHINE
from models.principal import Right
from models.repositories.products import SLOT_CHANGES
from models.repositories.sales import SALES
from resolvers import histories, products, sales, vending_machines
from resolvers.context import Scope
from resolvers.loaders import batch
from schema import ids
from schema.fields import mutation
from schema.finding import device_link, devices_link
from schema.inputs import INPUT, given
from schema.kinds.part import Part
from schema.kinds.sale_inputs import RecordSalesInput, RefundSaleInput
from schema.kinds.vending_machine_inputs import (
    ClearSlotInput,
    ConfigureProductInput,
    CreateVendingMachineInput,
    RecordVendingMachineReadingsInput,
    RestockInput,
    UpdateVendingMachineInput,
)
from schema.payloads import RecordReadingsPayload, RejectedRow, payload, record_readings, rejected_row
from schema.types.paging import Connection
from schema.types.product import Product
from schema.types.restocking import RestockNeed, restock_needs_link
from schema.types.sale import Sale
from schema.types.sales_summary import SalesSummary, summaries_link
from schema.types.vending_machine import VendingMachine

_MACHINE = (VENDING_MACHINE.type_name,)
_PRODUCT = ("Product",)
_SALE = ("Sale",)


@strawberry.type
class _Query:
    vending_machine: VendingMachine | None = device_link(
        VENDING_MACHINE.name,
        description="The vending machine with this id or this serial number; give one of the two.",
    )
    vending_machines: Connection[VendingMachine] = devices_link(VENDING_MACHINE.name, description="Vending machines.")
    sales_summaries: list[SalesSummary] = summaries_link()
    restock_needs: Connection[RestockNeed] = restock_needs_link()


@strawberry.type(description="A vending machine as it is after the change.")
class VendingMachinePayload:
    """A vending machine as it is after the change."""

    vending_machine: VendingMachine = strawberry.field(description="The vending machine.")


@strawberry.type(description="A product as it is after the change.")
class ProductPayload:
    """A product as it is after the change."""

    product: Product = strawberry.field(description="The product.")


@strawberry.type(description="The products that were loaded.")
class RestockPayload:
    """The products that were loaded."""

    products: list[Product] = strawberry.field(description="The products as they are then, in the order of the loads.")


@strawberry.type(
    description="What became of a batch of sales. Accepted ones are durable when this is answered; sending a batch "
    "again is safe."
)
class RecordSalesPayload:
    """What became of a batch of sales."""

    accepted_count: int = strawberry.field(description="Sales that were stored now.")
    duplicate_count: int = strawberry.field(
        description="Sales that were there already with the same content: same machine, transaction and line."
    )
    rejected: list[RejectedRow] = strawberry.field(
        description="Rows that cannot be stored, by index. Reasons: UNKNOWN_DEVICE, WRONG_KIND, UNKNOWN_PRODUCT, "
        "UNKNOWN_SLOT, NO_PRODUCT, INVALID_TRANSACTION, WRONG_CURRENCY, OUT_OF_RANGE, IN_FUTURE, TOO_OLD, and CONFLICT "
        "for a line of a transaction that is stored with other content."
    )
    low_stock_products: list[Product] = strawberry.field(description="What accepted sales have left low on stock.")


@strawberry.type(description="A sale as it is after the refund.")
class RefundSalePayload:
    """A sale as it is after the refund."""

    sale: Sale = strawberry.field(description="The sale.")


@strawberry.type
class _Mutation:
    @mutation(Right.OPERATE, description="Register a vending machine.")
    @staticmethod
    async def create_vending_machine(
        scope: Scope,
        input: Annotated[CreateVendingMachineInput, INPUT],  # noqa: A002
    ) -> VendingMachinePayload:
        """Register a vending machine."""
        return payload(vending_machine=await vending_machines.create(scope, _plain(given(input))))

    @mutation(Right.OPERATE, description="Change a vending machine.")
    @staticmethod
    async def update_vending_machine(
        scope: Scope,
        input: Annotated[UpdateVendingMachineInput, INPUT],  # noqa: A002
    ) -> VendingMachinePayload:
        """Change a vending machine."""
        device_id = ids.decode(input.id, _MACHINE, "input.id")
        values = _plain(given(input, without=("id", "version")))
        return payload(vending_machine=await vending_machines.update(scope, device_id, input.version, values))

    @mutation(Right.OPERATE, description="Put a product into a slot, or change the one that is there.")
    @staticmethod
    async def configure_product(scope: Scope, input: Annotated[ConfigureProductInput, INPUT]) -> ProductPayload:  # noqa: A002
        """Put a product into a slot, or change the one that is there."""
        device_id = ids.decode(input.machine_id, _MACHINE, "input.machineId")
        setting = products.SlotSetting(
            slot=input.slot,
            name=input.name,
            sku=input.sku,
            category=input.category,
            price=(input.price.amount, input.price.currency),
            capacity=input.capacity,
            quantity=input.quantity,
            low_stock_threshold=input.low_stock_threshold,
        )
        return payload(product=await products.configure(scope, device_id, setting))

    @mutation(Right.OPERATE, description="Take the product out of a slot.")
    @staticmethod
    async def clear_slot(scope: Scope, input: Annotated[ClearSlotInput, INPUT]) -> ProductPayload:  # noqa: A002
        """Take the product out of a slot."""
        device_id = ids.decode(input.machine_id, _MACHINE, "input.machineId")
        return payload(product=await products.clear(scope, device_id, input.slot))

    @mutation(Right.OPERATE, description="Record what was loaded into a vending machine.")
    @staticmethod
    async def restock(scope: Scope, input: Annotated[RestockInput, INPUT]) -> RestockPayload:  # noqa: A002
        """Record what was loaded into a vending machine."""
        device_id = ids.decode(input.machine_id, _MACHINE, "input.machineId")
        loads = [
            products.Load(
                None if each.product_id is None else ids.decode(each.product_id, _PRODUCT, _load(place)),
                each.slot,
                each.quantity,
                each.mode,
            )
            for place, each in enumerate(input.loads)
        ]
        return payload(products=await products.restock(scope, device_id, loads, input.restocked_by))

    @mutation(Right.INGEST, description="Store sales and lower the stock by them; what cannot be stored is named.")
    @staticmethod
    async def record_sales(scope: Scope, input: Annotated[RecordSalesInput, INPUT]) -> RecordSalesPayload:  # noqa: A002
        """Store sales and lower the stock by them."""
        report = await sales.record(scope, input.batch())
        return payload(
            accepted_count=report.accepted_count,
            duplicate_count=report.duplicate_count,
            rejected=[rejected_row(each) for each in report.rejected],
            low_stock_products=report.low_stock,
        )

    @mutation(Right.OPERATE, description="Refund a sale, or some of its units.")
    @staticmethod
    async def refund_sale(scope: Scope, input: Annotated[RefundSaleInput, INPUT]) -> RefundSalePayload:  # noqa: A002
        """Refund a sale, or some of its units."""
        sale_id = ids.decode(input.id, _SALE, "input.id")
        return payload(sale=await sales.refund(scope, sale_id, input.quantity, restock=input.return_to_stock))

    @mutation(Right.INGEST, description="Store readings of vending machines; what cannot be stored is named.")
    @staticmethod
    async def record_vending_machine_readings(
        scope: Scope,
        input: Annotated[RecordVendingMachineReadingsInput, INPUT],  # noqa: A002
    ) -> RecordReadingsPayload:
        """Store readings of vending machines; what cannot be stored is named."""
        return await record_readings(scope, input.batch())


def _load(place: int) -> str:
    return f"input.loads.{place}.productId"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with money as (amount, currency)."""
    capacity = values.get("cash_capacity")
    return values if capacity is None else {**values, "cash_capacity": (capacity.amount, capacity.currency)}


VENDING_MACHINE_PART = Part(
    VendingMachine,
    _Query,
    _Mutation,
    nodes={
        "Product": batch(products.by_ids),
        "Sale": histories.entries(SALES),
        "SlotChange": histories.entries(SLOT_CHANGES),
    },
)

"""Inputs of the mutations of vending machines, but for sales."""

from datetime import datetime

import strawberry

from models.devices.vending_machine import VENDING_MACHINE
from models.readings import ReadingBatch
from resolvers.products import RestockMode
from schema.columns import COLUMNS, MICROS
from schema.inputs import VERSION, reading_batch
from schema.types.money import MoneyInput
from schema.types.reading import optional_channel
from schema.types.vending_machine import VendingMachineType

strawberry.enum(RestockMode, description="Whether units are added to those in the slot, or are all that are in it.")


@strawberry.input(description="A vending machine to register.")
class CreateVendingMachineInput:
    """A vending machine to register."""

    name: str = strawberry.field(description="What people call it; at most 200 characters.")
    serial_number: str = strawberry.field(description="The manufacturer's number, unique; at most 100 characters.")
    manufacturer: str | None = strawberry.field(default=None, description="Who made it.")
    model: str | None = strawberry.field(default=None, description="The manufacturer's name of the type.")
    firmware_version: str | None = strawberry.field(default=None, description="Version of its software.")
    location: str | None = strawberry.field(default=None, description="Where it stands.")
    installed_at: datetime | None = strawberry.field(default=None, description="When it was installed.")
    machine_type: VendingMachineType = strawberry.field(default=VendingMachineType.SNACK, description="What it sells.")
    target_cabinet_temperature: float = strawberry.field(default=5.0, description="From -30 to 95 °C.")
    currency: str = strawberry.field(
        default="EUR", description="Its one currency, three letters of ISO 4217; it cannot be changed."
    )
    time_zone: str = strawberry.field(default="UTC", description="Where it stands, as Europe/Berlin.")
    cash_capacity: MoneyInput | None = strawberry.field(default=None, description="Cash that it holds at most.")


@strawberry.input(description="What to change of a vending machine; what is not given stays as it is.")
class UpdateVendingMachineInput:
    """What to change of a vending machine."""

    id: strawberry.ID = strawberry.field(description="Which one.")
    version: int | None = strawberry.field(default=None, description=VERSION)
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it.")
    manufacturer: str | None = strawberry.field(default=strawberry.UNSET, description="Who made it.")
    model: str | None = strawberry.field(default=strawberry.UNSET, description="The manufacturer's name of the type.")
    firmware_version: str | None = strawberry.field(default=strawberry.UNSET, description="Version of its software.")
    location: str | None = strawberry.field(default=strawberry.UNSET, description="Where it stands.")
    installed_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it was installed.")
    machine_type: VendingMachineType | None = strawberry.field(default=strawberry.UNSET, description="What it sells.")
    target_cabinet_temperature: float | None = strawberry.field(
        default=strawberry.UNSET, description="From -30 to 95 °C."
    )
    time_zone: str | None = strawberry.field(default=strawberry.UNSET, description="Where it stands.")
    cash_capacity: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Cash that it holds at most."
    )


@strawberry.input(
    description="What a slot shall hold. The product that is there, by name and SKU, is changed; another one takes its "
    "place, which is then taken out. What was sold before keeps its price."
)
class ConfigureProductInput:
    """What a slot shall hold."""

    machine_id: strawberry.ID = strawberry.field(description="The vending machine.")
    slot: str = strawberry.field(description="The slot, as the machine names it; at most 20 characters.")
    name: str = strawberry.field(description="What it is; at most 200 characters.")
    price: MoneyInput = strawberry.field(description="Price of a unit, in the machine's currency.")
    capacity: int = strawberry.field(description="Units that the slot holds, at least 1.")
    sku: str | None = strawberry.field(default=None, description="The seller's number of the product.")
    category: str | None = strawberry.field(default=None, description="What kind of product it is.")
    quantity: int | None = strawberry.field(
        default=None, description="Units that are in the slot now; as they were, or 0 for a new product, if not given."
    )
    low_stock_threshold: int | None = strawberry.field(
        default=None,
        description="The stock is low at this quantity and below; as it was, or a fifth of the capacity for a new "
        "product, if not given.",
    )


@strawberry.input(description="A slot to take the product out of.")
class ClearSlotInput:
    """A slot to take the product out of."""

    machine_id: strawberry.ID = strawberry.field(description="The vending machine.")
    slot: str = strawberry.field(description="The slot.")


@strawberry.input(description="What was loaded into a slot; name the product or the slot.")
class RestockLoadInput:
    """What was loaded into a slot."""

    quantity: int = strawberry.field(description="Units, at least 0; the slot's capacity is the limit.")
    product_id: strawberry.ID | None = strawberry.field(default=None, description="The product, or")
    slot: str | None = strawberry.field(default=None, description="the slot.")
    mode: RestockMode = strawberry.field(
        default=RestockMode.ADD, description="ADD for units that were added, SET for the units that are there now."
    )


@strawberry.input(description="What was loaded into a vending machine.")
class RestockInput:
    """What was loaded into a vending machine."""

    machine_id: strawberry.ID = strawberry.field(description="The vending machine.")
    loads: list[RestockLoadInput] = strawberry.field(description="At least one; all of them are made, or none.")
    restocked_by: str | None = strawberry.field(default=None, description="Who did it; the caller if not given.")


@strawberry.input(description="One reading of a vending machine; at least one channel.")
class VendingMachineReadingInput:
    """One reading of a vending machine."""

    device_id: strawberry.ID = strawberry.field(description="The vending machine.")
    recorded_at: datetime = strawberry.field(
        description="When the device took it; not in the future.", metadata={MICROS: True}
    )
    cabinet_temperature: float | None = optional_channel(VENDING_MACHINE, "cabinet_temperature")
    power: float | None = optional_channel(VENDING_MACHINE, "power")
    door_open: bool | None = optional_channel(VENDING_MACHINE, "door_open")
    cash_level: float | None = optional_channel(VENDING_MACHINE, "cash_level")


@strawberry.input(description="Readings of vending machines, of one or many.")
class RecordVendingMachineReadingsInput:
    """Readings of vending machines."""

    readings: list[VendingMachineReadingInput] = strawberry.field(
        description="At least one; how many at most is a setting of the server, 10,000 unless it says otherwise.",
        metadata={COLUMNS: True},
    )

    def batch(self) -> ReadingBatch:
        """Return the readings as columns; raises BadUserInput for an id that is none of a vending machine."""
        return reading_batch(VENDING_MACHINE, self.readings)

"""Inputs of the mutations of water heaters."""

from datetime import datetime

import strawberry

from models.devices.water_heater import WATER_HEATER
from models.readings import ReadingBatch
from schema.columns import COLUMNS, MICROS
from schema.inputs import VERSION, reading_batch
from schema.types.reading import optional_channel
from schema.types.water_heater import HeaterType, WaterHeaterMode


@strawberry.input(description="A water heater to register.")
class CreateWaterHeaterInput:
    """A water heater to register."""

    name: str = strawberry.field(description="What people call it; at most 200 characters.")
    serial_number: str = strawberry.field(description="The manufacturer's number, unique; at most 100 characters.")
    manufacturer: str | None = strawberry.field(default=None, description="Who made it.")
    model: str | None = strawberry.field(default=None, description="The manufacturer's name of the type.")
    firmware_version: str | None = strawberry.field(default=None, description="Version of its software.")
    location: str | None = strawberry.field(default=None, description="Where it stands.")
    installed_at: datetime | None = strawberry.field(default=None, description="When it was installed.")
    heater_type: HeaterType = strawberry.field(default=HeaterType.RESISTIVE, description="How it makes heat.")
    mode: WaterHeaterMode = strawberry.field(default=WaterHeaterMode.ECO, description="How it is run.")
    target_temperature: float = strawberry.field(default=55.0, description="Within its limits, in °C.")
    min_temperature: float = strawberry.field(default=30.0, description="Lowest target allowed, 1 to 99 °C.")
    max_temperature: float = strawberry.field(default=75.0, description="Highest target allowed, 1 to 99 °C.")
    capacity_liters: float = strawberry.field(default=150.0, description="Volume of the tank, in L.")
    rated_power_watts: float = strawberry.field(default=2000.0, description="Power that it draws at most, in W.")


@strawberry.input(description="What to change of a water heater; what is not given stays as it is.")
class UpdateWaterHeaterInput:
    """What to change of a water heater."""

    id: strawberry.ID = strawberry.field(description="Which one.")
    version: int = strawberry.field(
        description="The version that the change is based on; it is refused as CONFLICT if the device has been changed "
        "since."
    )
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it.")
    manufacturer: str | None = strawberry.field(default=strawberry.UNSET, description="Who made it.")
    model: str | None = strawberry.field(default=strawberry.UNSET, description="The manufacturer's name of the type.")
    firmware_version: str | None = strawberry.field(default=strawberry.UNSET, description="Version of its software.")
    location: str | None = strawberry.field(default=strawberry.UNSET, description="Where it stands.")
    installed_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When it was installed.")
    heater_type: HeaterType | None = strawberry.field(default=strawberry.UNSET, description="How it makes heat.")
    mode: WaterHeaterMode | None = strawberry.field(default=strawberry.UNSET, description="How it is run.")
    target_temperature: float | None = strawberry.field(default=strawberry.UNSET, description="In °C.")
    min_temperature: float | None = strawberry.field(default=strawberry.UNSET, description="Lowest target, in °C.")
    max_temperature: float | None = strawberry.field(default=strawberry.UNSET, description="Highest target, in °C.")
    capacity_liters: float | None = strawberry.field(default=strawberry.UNSET, description="Volume, in L.")
    rated_power_watts: float | None = strawberry.field(default=strawberry.UNSET, description="Power, in W.")


@strawberry.input(description="A new target temperature.")
class SetTargetTemperatureInput:
    """A new target temperature."""

    id: strawberry.ID = strawberry.field(description="The water heater.")
    target_temperature: float = strawberry.field(description="Within the heater's limits, in °C.")
    version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="A new mode.")
class SetWaterHeaterModeInput:
    """A new mode."""

    id: strawberry.ID = strawberry.field(description="The water heater.")
    mode: WaterHeaterMode = strawberry.field(description="One of the heater's `supportedModes`.")
    version: int | None = strawberry.field(default=None, description=VERSION)


@strawberry.input(description="One reading of a water heater; at least one channel.")
class WaterHeaterReadingInput:
    """One reading of a water heater."""

    device_id: strawberry.ID = strawberry.field(description="The water heater.")
    recorded_at: datetime = strawberry.field(
        description="When the device took it; not in the future.", metadata={MICROS: True}
    )
    temperature: float | None = optional_channel(WATER_HEATER, "temperature")
    inlet_temperature: float | None = optional_channel(WATER_HEATER, "inlet_temperature")
    pressure: float | None = optional_channel(WATER_HEATER, "pressure")
    flow_rate: float | None = optional_channel(WATER_HEATER, "flow_rate")
    power: float | None = optional_channel(WATER_HEATER, "power")
    energy: float | None = optional_channel(WATER_HEATER, "energy")
    heating: bool | None = optional_channel(WATER_HEATER, "heating")


@strawberry.input(description="Readings of water heaters, of one or many.")
class RecordWaterHeaterReadingsInput:
    """Readings of water heaters."""

    readings: list[WaterHeaterReadingInput] = strawberry.field(
        description="At least one; how many at most is a setting of the server, 10,000 unless it says otherwise.",
        metadata={COLUMNS: True},
    )

    def batch(self) -> ReadingBatch:
        """Return the readings as columns; raises BadUserInput for an id that is none of a water heater."""
        return reading_batch(WATER_HEATER, self.readings)

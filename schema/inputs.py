"""Inputs of mutations."""

import dataclasses
from datetime import datetime
from typing import Any

import strawberry

from models.devices import DeviceKind
from models.devices.water_heater import WATER_HEATER
from models.readings import ReadingBatch
from schema import ids
from schema.columns import COLUMNS, columns_of
from schema.types.enums import HeaterType, WaterHeaterMode
from schema.types.reading import optional_channel

_VERSION = (
    "The version that the change is based on; it is refused as CONFLICT if the device has been changed since. "
    "Without it the change applies to whatever version there is."
)


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
    version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="A new mode.")
class SetWaterHeaterModeInput:
    """A new mode."""

    id: strawberry.ID = strawberry.field(description="The water heater.")
    mode: WaterHeaterMode = strawberry.field(description="One of the heater's `supportedModes`.")
    version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Whether a device is in maintenance.")
class SetDeviceMaintenanceInput:
    """Whether a device is in maintenance."""

    id: strawberry.ID = strawberry.field(description="The device.")
    active: bool = strawberry.field(
        description="True sets the status MAINTENANCE; false gives it back to the readings: ONLINE or OFFLINE."
    )
    version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="A device to remove, with its readings and everything else that belongs to it.")
class DeleteDeviceInput:
    """A device to remove."""

    id: strawberry.ID = strawberry.field(description="The device.")
    version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="One reading of a water heater; at least one channel.")
class WaterHeaterReadingInput:
    """One reading of a water heater."""

    device_id: strawberry.ID = strawberry.field(description="The water heater.")
    recorded_at: datetime = strawberry.field(description="When the device took it; not in the future.")
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


def reading_batch(kind: DeviceKind, readings: Any) -> ReadingBatch:
    """Return readings, given as inputs or as columns, as a batch.

    Raises:
        BadUserInput: an id is none of a device of this kind.
    """
    columns = columns_of(readings, ("device_id", "recorded_at", *kind.by_name))
    if not columns.count:
        return ReadingBatch(kind.name, (), (), {})
    global_ids = columns.fields["device_id"]
    places: dict[str, int] = {}
    for place, global_id in enumerate(global_ids):
        places.setdefault(global_id, place)
    known = {
        global_id: ids.decode(global_id, (kind.type_name,), f"input.readings.{place}.deviceId")
        for global_id, place in places.items()
    }
    return ReadingBatch(
        kind.name,
        [known[global_id] for global_id in global_ids],
        columns.fields["recorded_at"],
        {name: values for name, values in columns.fields.items() if name in kind.by_name and set(values) != {None}},
    )


def given(values: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of an input that the caller gave, by Python name."""
    every = {each.name: getattr(values, each.name) for each in dataclasses.fields(values)}
    return {name: value for name, value in every.items() if value is not strawberry.UNSET and name not in without}

"""What can be changed."""

from typing import Annotated, Any

import strawberry

from models.devices.water_heater import WATER_HEATER
from models.principal import Right
from resolvers import devices, maintenance, water_heaters
from resolvers.context import Scope
from schema import ids
from schema.fields import mutation
from schema.inputs import (
    CreateWaterHeaterInput,
    DeleteDeviceInput,
    RecordWaterHeaterReadingsInput,
    SetDeviceMaintenanceInput,
    SetTargetTemperatureInput,
    SetWaterHeaterModeInput,
    UpdateWaterHeaterInput,
    given,
)
from schema.query import DEVICE_TYPES
from schema.types.device import Device
from schema.types.maintenance import MaintenanceRecord, RecordMaintenanceInput
from schema.types.water_heater import WaterHeater

_HEATER = (WATER_HEATER.type_name,)
_INPUT = strawberry.argument(description="What to do.")


@strawberry.type(description="A water heater as it is after the change.")
class WaterHeaterPayload:
    """A water heater as it is after the change."""

    water_heater: WaterHeater = strawberry.field(description="The water heater.")


@strawberry.type(description="A device as it is after the change.")
class DevicePayload:
    """A device as it is after the change."""

    device: Device = strawberry.field(description="The device.")


@strawberry.type(description="What was removed.")
class DeleteDevicePayload:
    """What was removed."""

    deleted_id: strawberry.ID = strawberry.field(description="Global id that the device had.")


@strawberry.type(description="The record that was stored.")
class RecordMaintenancePayload:
    """The record that was stored."""

    maintenance_record: MaintenanceRecord = strawberry.field(description="The record.")


@strawberry.type(description="A row of a batch that cannot be stored, and why.")
class RejectedRow:
    """A row of a batch that cannot be stored, and why."""

    index: int = strawberry.field(description="The row's place in the batch, counted from 0.")
    code: str = strawberry.field(
        description="Name of the reason: UNKNOWN_DEVICE, WRONG_KIND, OUT_OF_RANGE, NOT_FINITE, NO_VALUES, IN_FUTURE "
        "or TOO_OLD."
    )
    message: str = strawberry.field(description="What is wrong with which value, and what is allowed.")


@strawberry.type(
    description="What became of a batch of readings. Accepted ones are durable when this is answered; sending a batch "
    "again is safe."
)
class RecordReadingsPayload:
    """What became of a batch of readings."""

    accepted_count: int = strawberry.field(description="Readings that were stored now.")
    duplicate_count: int = strawberry.field(
        description="Readings that were there already: same device, same instant. The stored one stays."
    )
    rejected: list[RejectedRow] = strawberry.field(description="Rows that cannot be stored, by index.")


@strawberry.type(description="What can be changed.")
class Mutation:
    """What can be changed."""

    @mutation(Right.OPERATE, description="Register a water heater.")
    @staticmethod
    async def create_water_heater(scope: Scope, input: Annotated[CreateWaterHeaterInput, _INPUT]) -> WaterHeaterPayload:  # noqa: A002
        """Register a water heater."""
        return _heater(await water_heaters.create(scope, given(input)))

    @mutation(Right.OPERATE, description="Change a water heater.")
    @staticmethod
    async def update_water_heater(scope: Scope, input: Annotated[UpdateWaterHeaterInput, _INPUT]) -> WaterHeaterPayload:  # noqa: A002
        """Change a water heater."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        values = given(input, without=("id", "version"))
        return _heater(await water_heaters.update(scope, device_id, input.version, values))

    @mutation(Right.OPERATE, description="Set the temperature that a water heater keeps.")
    @staticmethod
    async def set_target_temperature(
        scope: Scope,
        input: Annotated[SetTargetTemperatureInput, _INPUT],  # noqa: A002
    ) -> WaterHeaterPayload:
        """Set the temperature that a water heater keeps."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        values = {"target_temperature": input.target_temperature}
        return _heater(await water_heaters.update(scope, device_id, input.version, values))

    @mutation(Right.OPERATE, description="Set how a water heater is run.")
    @staticmethod
    async def set_water_heater_mode(
        scope: Scope,
        input: Annotated[SetWaterHeaterModeInput, _INPUT],  # noqa: A002
    ) -> WaterHeaterPayload:
        """Set how a water heater is run."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        return _heater(await water_heaters.update(scope, device_id, input.version, {"mode": input.mode}))

    @mutation(Right.OPERATE, description="Take a device into maintenance, or out of it.")
    @staticmethod
    async def set_device_maintenance(
        scope: Scope,
        input: Annotated[SetDeviceMaintenanceInput, _INPUT],  # noqa: A002
    ) -> DevicePayload:
        """Take a device into maintenance, or out of it."""
        device_id = ids.decode(input.id, DEVICE_TYPES, "input.id")
        row = await devices.set_maintenance(scope, device_id, active=input.active, version=input.version)
        return _payload(device=row)

    @mutation(Right.OPERATE, description="Remove a device with everything that belongs to it.")
    @staticmethod
    async def delete_device(scope: Scope, input: Annotated[DeleteDeviceInput, _INPUT]) -> DeleteDevicePayload:  # noqa: A002
        """Remove a device with everything that belongs to it."""
        await devices.delete(scope, ids.decode(input.id, DEVICE_TYPES, "input.id"), input.version)
        return _payload(deleted_id=input.id)

    @mutation(Right.OPERATE, description="Record what was done to a device.")
    @staticmethod
    async def record_maintenance(
        scope: Scope,
        input: Annotated[RecordMaintenanceInput, _INPUT],  # noqa: A002
    ) -> RecordMaintenancePayload:
        """Record what was done to a device."""
        device_id = ids.decode(input.device_id, DEVICE_TYPES, "input.deviceId")
        return _payload(maintenance_record=await maintenance.record(scope, input.new_record(device_id)))

    @mutation(Right.INGEST, description="Store readings of water heaters; what cannot be stored is named.")
    @staticmethod
    async def record_water_heater_readings(
        scope: Scope,
        input: Annotated[RecordWaterHeaterReadingsInput, _INPUT],  # noqa: A002
    ) -> RecordReadingsPayload:
        """Store readings of water heaters; what cannot be stored is named."""
        report = await scope.services.ingest.record(input.batch())
        rejected = [{"index": each.index, "code": each.code, "message": each.message} for each in report.rejected]
        return _payload(accepted_count=report.accepted_count, duplicate_count=report.duplicate_count, rejected=rejected)


def _heater(row: Any) -> Any:
    return _payload(water_heater=row)


def _payload(**fields: Any) -> Any:
    """Return the row of a payload: types of the schema are told apart from the rows that fill them."""
    return fields

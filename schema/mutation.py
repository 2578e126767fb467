"""What can be changed."""

from typing import Annotated

import strawberry

from models.principal import Right
from resolvers import devices, failures, maintenance
from resolvers.context import Scope
from schema import ids
from schema.alarms import AlarmMutations
from schema.fields import mutation
from schema.inputs import INPUT, DeleteDeviceInput, SetDeviceMaintenanceInput
from schema.kinds import PARTS
from schema.kinds.part import merged
from schema.modelling import ModelMutations
from schema.payloads import payload
from schema.reporting import ReportingMutations
from schema.types.device import Device
from schema.types.failure import DeviceFailure, RecordFailureInput
from schema.types.maintenance import MaintenanceRecord, RecordMaintenanceInput
from schema.types.node import DEVICE_TYPES


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


@strawberry.type(description="The failure that was stored.")
class RecordFailurePayload:
    """The failure that was stored."""

    failure: DeviceFailure = strawberry.field(description="The failure.")


@strawberry.type
class _Devices:
    @mutation(Right.OPERATE, description="Take a device into maintenance, or out of it.")
    @staticmethod
    async def set_device_maintenance(
        scope: Scope,
        input: Annotated[SetDeviceMaintenanceInput, INPUT],  # noqa: A002
    ) -> DevicePayload:
        """Take a device into maintenance, or out of it."""
        device_id = ids.decode(input.id, DEVICE_TYPES, "input.id")
        row = await devices.set_maintenance(scope, device_id, active=input.active, version=input.version)
        return payload(device=row)

    @mutation(Right.OPERATE, description="Remove a device with everything that belongs to it.")
    @staticmethod
    async def delete_device(scope: Scope, input: Annotated[DeleteDeviceInput, INPUT]) -> DeleteDevicePayload:  # noqa: A002
        """Remove a device with everything that belongs to it."""
        await devices.delete(scope, ids.decode(input.id, DEVICE_TYPES, "input.id"), input.version)
        return payload(deleted_id=input.id)

    @mutation(Right.OPERATE, description="Record what was done to a device.")
    @staticmethod
    async def record_maintenance(
        scope: Scope,
        input: Annotated[RecordMaintenanceInput, INPUT],  # noqa: A002
    ) -> RecordMaintenancePayload:
        """Record what was done to a device."""
        device_id = ids.decode(input.device_id, DEVICE_TYPES, "input.deviceId")
        return payload(maintenance_record=await maintenance.record(scope, input.new_record(device_id)))

    @mutation(Right.OPERATE, description="Record that a device has failed.")
    @staticmethod
    async def record_failure(
        scope: Scope,
        input: Annotated[RecordFailureInput, INPUT],  # noqa: A002
    ) -> RecordFailurePayload:
        """Record that a device has failed."""
        device_id = ids.decode(input.device_id, DEVICE_TYPES, "input.deviceId")
        return payload(failure=await failures.record(scope, input.new_failure(device_id)))


Mutation = merged(
    "Mutation",
    "What can be changed.",
    _Devices,
    *(part.mutation for part in PARTS),
    AlarmMutations,
    ModelMutations,
    ReportingMutations,
)

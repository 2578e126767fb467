"""What water heaters add to the schema."""

from typing import Annotated, Any

import strawberry

from models.devices.water_heater import WATER_HEATER
from models.principal import Right
from models.repositories.water_heaters import CONTROL_CHANGES
from resolvers import histories, water_heaters
from resolvers.context import Scope
from schema import ids
from schema.fields import mutation
from schema.finding import device_link, devices_link
from schema.inputs import INPUT, given
from schema.kinds.part import Part
from schema.kinds.water_heater_inputs import (
    CreateWaterHeaterInput,
    RecordWaterHeaterReadingsInput,
    SetTargetTemperatureInput,
    SetWaterHeaterModeInput,
    UpdateWaterHeaterInput,
)
from schema.payloads import RecordReadingsPayload, payload, record_readings
from schema.types.paging import Connection
from schema.types.water_heater import WaterHeater

_HEATER = (WATER_HEATER.type_name,)


@strawberry.type
class _Query:
    water_heater: WaterHeater | None = device_link(
        WATER_HEATER.name,
        description="The water heater with this id or this serial number; give one of the two.",
    )
    water_heaters: Connection[WaterHeater] = devices_link(WATER_HEATER.name, description="Water heaters.")


@strawberry.type(description="A water heater as it is after the change.")
class WaterHeaterPayload:
    """A water heater as it is after the change."""

    water_heater: WaterHeater = strawberry.field(description="The water heater.")


@strawberry.type
class _Mutation:
    @mutation(Right.OPERATE, description="Register a water heater.")
    @staticmethod
    async def create_water_heater(scope: Scope, input: Annotated[CreateWaterHeaterInput, INPUT]) -> WaterHeaterPayload:  # noqa: A002
        """Register a water heater."""
        return _heater(await water_heaters.create(scope, given(input)))

    @mutation(Right.OPERATE, description="Change a water heater.")
    @staticmethod
    async def update_water_heater(scope: Scope, input: Annotated[UpdateWaterHeaterInput, INPUT]) -> WaterHeaterPayload:  # noqa: A002
        """Change a water heater."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        values = given(input, without=("id", "version"))
        return _heater(await water_heaters.update(scope, device_id, input.version, values))

    @mutation(Right.OPERATE, description="Set the temperature that a water heater keeps.")
    @staticmethod
    async def set_target_temperature(
        scope: Scope,
        input: Annotated[SetTargetTemperatureInput, INPUT],  # noqa: A002
    ) -> WaterHeaterPayload:
        """Set the temperature that a water heater keeps."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        values = {"target_temperature": input.target_temperature}
        return _heater(await water_heaters.update(scope, device_id, input.version, values))

    @mutation(Right.OPERATE, description="Set how a water heater is run.")
    @staticmethod
    async def set_water_heater_mode(
        scope: Scope,
        input: Annotated[SetWaterHeaterModeInput, INPUT],  # noqa: A002
    ) -> WaterHeaterPayload:
        """Set how a water heater is run."""
        device_id = ids.decode(input.id, _HEATER, "input.id")
        return _heater(await water_heaters.update(scope, device_id, input.version, {"mode": input.mode}))

    @mutation(Right.INGEST, description="Store readings of water heaters; what cannot be stored is named.")
    @staticmethod
    async def record_water_heater_readings(
        scope: Scope,
        input: Annotated[RecordWaterHeaterReadingsInput, INPUT],  # noqa: A002
    ) -> RecordReadingsPayload:
        """Store readings of water heaters; what cannot be stored is named."""
        return await record_readings(scope, input.batch())


def _heater(row: Any) -> Any:
    return payload(water_heater=row)


WATER_HEATER_PART = Part(
    WaterHeater, _Query, _Mutation, nodes={"WaterHeaterControlChange": histories.entries(CONTROL_CHANGES)}
)

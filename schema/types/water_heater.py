"""Water heaters."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry

from models.devices.water_heater import MODES, WATER_HEATER, HeaterType, WaterHeaterMode
from models.repositories.water_heaters import CONTROL_CHANGES
from resolvers import histories
from resolvers.context import Scope
from resolvers.loaders import Batch
from schema.fields import derived, link
from schema.types.device import Device
from schema.types.enums import metric_enum
from schema.types.node import Node, id_of
from schema.types.paging import After, Before, Connection, First, Last, window
from schema.types.reading import Reading, Series, channel, history_link, latest_link, series_link

strawberry.enum(HeaterType, description="How a water heater makes heat.")
strawberry.enum(
    WaterHeaterMode,
    description="How a water heater is run. Which modes a heater has depends on its type; see `supportedModes`.",
)

if TYPE_CHECKING:
    WaterHeaterMetric: TypeAlias = Enum
else:
    WaterHeaterMetric = metric_enum(WATER_HEATER)


@strawberry.type(description="What a water heater reported at one instant; a channel that it did not send is null.")
class WaterHeaterReading(Reading):
    """What a water heater reported at one instant."""

    temperature: float | None = channel(WATER_HEATER, "temperature")
    inlet_temperature: float | None = channel(WATER_HEATER, "inlet_temperature")
    pressure: float | None = channel(WATER_HEATER, "pressure")
    flow_rate: float | None = channel(WATER_HEATER, "flow_rate")
    power: float | None = channel(WATER_HEATER, "power")
    energy: float | None = channel(WATER_HEATER, "energy")
    heating: bool | None = channel(WATER_HEATER, "heating")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="One line of a chart of a water heater.")
class WaterHeaterSeries(Series):
    """One line of a chart of a water heater."""

    metric: WaterHeaterMetric = strawberry.field(description="What it shows.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="A change of a water heater's controls. The pair that did not change is null.")
class WaterHeaterControlChange(Node):
    """A change of a water heater's controls."""

    id: strawberry.ID = id_of("WaterHeaterControlChange")
    changed_at: datetime = strawberry.field(description="When.")
    changed_by: str | None = strawberry.field(description="Who.")
    old_target_temperature: float | None = strawberry.field(description="Target temperature before, in °C.")
    new_target_temperature: float | None = strawberry.field(description="Target temperature after, in °C.")
    old_mode: WaterHeaterMode | None = strawberry.field(description="Mode before.")
    new_mode: WaterHeaterMode | None = strawberry.field(description="Mode after.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


_ORDER = "controlChanges"


def _control_changes(
    scope: Scope, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Batch:
    place = window(scope, _ORDER, (datetime, int), (first, after, last, before))
    return histories.pages(CONTROL_CHANGES, _ORDER, place)


def _supported_modes(row: Any) -> list[str]:
    return [mode.value for mode in MODES[HeaterType(row["heater_type"])]]


@strawberry.type(description="A water heater with a tank.")
class WaterHeater(Device):
    """A water heater with a tank."""

    target_temperature: float = strawberry.field(description="Temperature that the heater is set to, in °C.")
    min_temperature: float = strawberry.field(description="Lowest target temperature that may be set, in °C.")
    max_temperature: float = strawberry.field(description="Highest target temperature that may be set, in °C.")
    mode: WaterHeaterMode = strawberry.field(description="How it is run.")
    supported_modes: list[WaterHeaterMode] = derived(
        _supported_modes, needs=("heater_type",), description="The modes that a heater of its type has."
    )
    heater_type: HeaterType = strawberry.field(description="How it makes heat.")
    capacity_liters: float = strawberry.field(description="Volume of the tank, in L.")
    rated_power_watts: float = strawberry.field(description="Power that it draws at most for heating, in W.")
    latest_reading: WaterHeaterReading | None = latest_link(WATER_HEATER)
    readings: Connection[WaterHeaterReading] = history_link(WATER_HEATER)
    series: list[WaterHeaterSeries] = series_link(WATER_HEATER, WaterHeaterMetric)
    control_changes: Connection[WaterHeaterControlChange] = link(
        _control_changes, key="id", description="Changes of target temperature and mode, newest first."
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True

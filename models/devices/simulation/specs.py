"""What one simulated water heater is: its nameplate, its household, its true causes of wear, its history."""

from dataclasses import dataclass, field
from datetime import datetime

from models.devices.simulation.wear import Cause, end_of_life
from models.devices.water_heater import HeaterType, WaterHeaterMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who draws the water, and how.

    Attributes:
        people: persons in the household; 0 draws nothing.
        flow_factor: how far they open the tap, 1 for the average household.
        morning_shift_hours: how much later than the average they get up.
        evening_shift_hours: how much later than the average they spend the evening.
        daytime_presence: how much of a working day somebody is at home, 0 to 1.
    """

    people: int = 2
    flow_factor: float = 1.0
    morning_shift_hours: float = 0.0
    evening_shift_hours: float = 0.0
    daytime_presence: float = 0.5


@dataclass(frozen=True, slots=True)
class SparePart:
    """A part that was fitted."""

    name: str
    part_number: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceVisit:
    """Work done on a heater before the simulation starts; the cost is in the currency's minor unit.

    `kind` is one of INSTALLATION, INSPECTION, CLEANING, PART_REPLACEMENT, REPAIR.
    """

    kind: str
    performed_at: datetime
    performed_by: str
    notes: str
    parts: tuple[SparePart, ...] = ()
    cost_minor: int
    cost_currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaterSpec:
    """One simulated water heater. Temperatures are in °C.

    Attributes:
        rated_power_watts: the most that it draws for heating: element, compressor and burner together.
        compressor_watts: the part of the rated power that drives a heat pump; 0 where there is none.
        efficiency: heat into the water per energy drawn by element or burner.
        standing_loss_watts_per_kelvin: what the insulation lets through.
        ambient_temperature: yearly mean of the room in which it stands.
        mains_pressure_bar: pressure of the supply when nothing is drawn.
        causes: its true causes of wear, known only to the simulation: what a diagnosis can be checked against.
        maintenance: its history, oldest first.
    """

    name: str
    serial_number: str
    manufacturer: str
    model: str
    firmware_version: str
    location: str
    installed_at: datetime
    heater_type: HeaterType
    mode: WaterHeaterMode
    target_temperature: float
    min_temperature: float
    max_temperature: float
    capacity_liters: float
    rated_power_watts: float
    compressor_watts: float = 0.0
    efficiency: float = 1.0
    standing_loss_watts_per_kelvin: float = 1.5
    ambient_temperature: float = 19.0
    mains_pressure_bar: float = 3.5
    household: Household = field(default_factory=Household)
    causes: tuple[Cause, ...] = ()
    maintenance: tuple[MaintenanceVisit, ...] = ()


def true_end_of_life(spec: HeaterSpec) -> datetime | None:
    """Return when a heater fails, or would have failed, of its true causes; None for one that does not wear."""
    return end_of_life(spec.causes)

"""What one simulated vending machine is: its nameplate, its slots, its place, its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.devices.simulation.specs import MaintenanceVisit
from models.devices.simulation.vending_sites import Site

MachineType = Literal["SNACK", "COLD_DRINK", "COFFEE", "COMBO"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSpec:
    """One slot and what it holds; money is in the currency's minor unit, stock in units.

    Attributes:
        slot: its label, from A1.
        popularity: how often it is chosen relative to the machine's other slots.
    """

    slot: str
    product_name: str
    sku: str
    category: str
    price_minor: int
    capacity: int
    low_stock_threshold: int
    popularity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VendingSpec:
    """One simulated vending machine. Temperatures are in °C, money is in the currency's minor unit.

    Attributes:
        cash_capacity: what the cash box holds.
        time_zone: IANA name; the people around it live by its clock.
        daily_units: what it sells on the average day while nothing is sold out.
        ambient_temperature: yearly mean of the room in which it stands.
        maintenance: its history, oldest first.
    """

    name: str
    serial_number: str
    manufacturer: str
    model: str
    firmware_version: str
    location: str
    installed_at: datetime
    machine_type: MachineType
    target_cabinet_temperature: float
    currency: str = "EUR"
    cash_capacity: int
    time_zone: str = "Europe/Berlin"
    site: Site = Site.OFFICE
    daily_units: float = 40.0
    ambient_temperature: float = 21.0
    slots: tuple[SlotSpec, ...]
    maintenance: tuple[MaintenanceVisit, ...] = ()

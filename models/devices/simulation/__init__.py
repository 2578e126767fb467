"""Physical simulations of water heaters and vending machines: functions of seed and time, many devices at once."""

from models.devices.simulation.blocks import ReadingBlock
from models.devices.simulation.fleet import generate_fleet
from models.devices.simulation.incidents import Incident, IncidentKind
from models.devices.simulation.retired import RetiredHeater, generate_retired
from models.devices.simulation.simulation import FleetSimulation
from models.devices.simulation.specs import HeaterSpec, Household, MaintenanceVisit, SparePart, true_end_of_life
from models.devices.simulation.surroundings import Surroundings
from models.devices.simulation.vending_blocks import Restocks, Sales, VendingBlock
from models.devices.simulation.vending_fleet import generate_vending_fleet
from models.devices.simulation.vending_incidents import VendingIncident, VendingIncidentKind
from models.devices.simulation.vending_simulation import VendingSimulation
from models.devices.simulation.vending_sites import PAYMENT_METHODS, Site
from models.devices.simulation.vending_specs import SlotSpec, VendingSpec
from models.devices.simulation.wear import Cause, CauseKind

__all__ = [
    "PAYMENT_METHODS",
    "Cause",
    "CauseKind",
    "FleetSimulation",
    "HeaterSpec",
    "Household",
    "Incident",
    "IncidentKind",
    "MaintenanceVisit",
    "ReadingBlock",
    "Restocks",
    "RetiredHeater",
    "Sales",
    "Site",
    "SlotSpec",
    "SparePart",
    "Surroundings",
    "VendingBlock",
    "VendingIncident",
    "VendingIncidentKind",
    "VendingSimulation",
    "VendingSpec",
    "generate_fleet",
    "generate_retired",
    "generate_vending_fleet",
    "true_end_of_life",
]

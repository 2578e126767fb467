"""A physical simulation of a fleet of water heaters: pure functions of seed and time, many heaters at once."""

from models.devices.simulation.blocks import ReadingBlock
from models.devices.simulation.fleet import generate_fleet
from models.devices.simulation.incidents import Incident, IncidentKind
from models.devices.simulation.simulation import FleetSimulation
from models.devices.simulation.specs import HeaterSpec, Household, MaintenanceVisit, SparePart
from models.devices.simulation.wear import Cause, CauseKind

__all__ = [
    "Cause",
    "CauseKind",
    "FleetSimulation",
    "HeaterSpec",
    "Household",
    "Incident",
    "IncidentKind",
    "MaintenanceVisit",
    "ReadingBlock",
    "SparePart",
    "generate_fleet",
]

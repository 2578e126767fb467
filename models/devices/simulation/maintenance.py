"""The history of work on a heater of the demo fleet."""

from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.specs import MaintenanceVisit, SparePart
from models.devices.simulation.wear import Cause, CauseKind

TEAMS = ("Service team North", "Service team South", "Service team Centre")

_ANODE = SparePart("Magnesium anode", "AN-26-400", 1)
_FLANGE_SEAL = SparePart("Flange seal", "SE-110", 1)
# What each of them would undo stands last.
_REPAIRS = (
    ("Relief valve dripped; replaced and tested.", SparePart("Relief valve 7 bar", "RV-07-20", 1), 9_450, None),
    (
        *("Display showed no temperature; sensor replaced.", SparePart("Tank sensor", "TS-10K", 1), 7_800),
        CauseKind.THERMOSTAT_DRIFT,
    ),
    (
        *("Breaker tripped; element and seal replaced.", SparePart("Heating element", "HE-45-2", 1), 21_900),
        CauseKind.ELEMENT_AGEING,
    ),
    ("Check valve hummed; replaced.", SparePart("Check valve", "CV-20", 2), 6_650, None),
)
_REPAIR_SHARE = 0.25


def maintenance_history(
    installed_at: datetime, now: datetime, causes: tuple[Cause, ...], random: np.random.Generator
) -> tuple[MaintenanceVisit, ...]:
    """Make up what has been done to a heater, oldest first.

    What would have undone a cause of wear is not done after that cause's start: scale is not flushed out, a used anode
    not replaced, a leak not found.
    """
    team = TEAMS[random.integers(len(TEAMS))]
    visits = [
        MaintenanceVisit(
            kind="INSTALLATION",
            performed_at=installed_at,
            performed_by="Installation crew",
            notes="Installed, filled, vented and handed over. Set temperature and relief valve checked.",
            cost_minor=int(random.integers(350, 620)) * 100,
        )
    ]
    blocked = {cause.kind: cause.started_at for cause in causes}
    at = installed_at
    for year in range(1, 30):
        at = _working_hour(at + timedelta(days=float(random.uniform(330, 420))), random)
        if at >= now:
            break
        visits.append(_visit(year, at, team, blocked, random))
    return tuple(visits)


def _visit(
    year: int, at: datetime, team: str, blocked: dict[CauseKind, datetime], random: np.random.Generator
) -> MaintenanceVisit:
    """Return the yearly visit: an anode every fourth year, a flush every second, at times a repair, else a look."""
    labour = int(random.integers(65, 110)) * 100

    def may_undo(kind: CauseKind) -> bool:
        return at < blocked.get(kind, at + timedelta(days=1))

    if year % 4 == 0 and may_undo(CauseKind.ANODE_DEPLETION):
        notes = "Anode worn to a third of its weight; replaced with the seal of its flange."
        return _record("PART_REPLACEMENT", at, team, notes, cost_minor=labour + 6_400, parts=(_ANODE, _FLANGE_SEAL))
    if year % 2 == 0 and may_undo(CauseKind.SCALE):
        notes = "Tank flushed, lime removed from the heating surface."
        return _record("CLEANING", at, team, notes, cost_minor=labour + 2_500, parts=(_FLANGE_SEAL,))
    # Healthy and wearing heaters are repaired alike: else the work would tell which is which.
    if random.random() < _REPAIR_SHARE:
        fitting = [repair for repair in _REPAIRS if repair[-1] is None or may_undo(repair[-1])]
        notes, part, price, _ = fitting[random.integers(len(fitting))]
        return _record("REPAIR", at, team, notes, cost_minor=labour + price, parts=(part,))
    notes = "Yearly inspection: connections tight, relief valve moves freely, set temperature confirmed."
    return _record("INSPECTION", at, team, notes, cost_minor=labour)


def _record(
    kind: str, at: datetime, team: str, notes: str, *, cost_minor: int, parts: tuple[SparePart, ...] = ()
) -> MaintenanceVisit:
    return MaintenanceVisit(
        kind=kind, performed_at=at, performed_by=team, notes=notes, cost_minor=cost_minor, parts=parts
    )


def _working_hour(at: datetime, random: np.random.Generator) -> datetime:
    quarter = int(random.integers(4))
    return at.replace(hour=int(random.integers(8, 17)), minute=15 * quarter, second=0, microsecond=0)

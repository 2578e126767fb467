"""The demo fleet: believable vending machines at believable places."""

from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.maintenance import TEAMS
from models.devices.simulation.specs import MaintenanceVisit, SparePart
from models.devices.simulation.vending_products import FRESH_FOOD, GOODS, MODELS, Good, MachineModel
from models.devices.simulation.vending_sites import SITES, Site
from models.devices.simulation.vending_specs import SlotSpec, VendingSpec

SLOTS_PER_ROW = 6

_TYPE_NAMES = {"SNACK": "Snack machine", "COLD_DRINK": "Drinks machine", "COFFEE": "Coffee machine", "COMBO": "Combo"}
_PLACES: dict[Site, tuple[tuple[str, ...], str]] = {
    Site.OFFICE: (("Linden Office Park", "Harbour House", "Mill Street Works", "Tower Quarter"), "Floor"),
    Site.STATION: (("Central Station", "North Station", "Airport Station", "Old Town Station"), "Platform"),
    Site.SCHOOL: (("Technical College", "Lakeside School", "Hillview Grammar School"), "Hall"),
    Site.GYM: (("Ironworks Gym", "Riverside Sports Centre", "Climbing Hall East"), "Entrance"),
    Site.MALL: (("Garden Mall", "Market Arcades", "West Gate Centre"), "Level"),
}
_TIME_ZONES = ("Europe/Berlin", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Helsinki")
_VISITS = (
    ("CLEANING", "Condenser and cabinet cleaned, door seal wiped.", (), 1_500),
    ("INSPECTION", "Vend test of all slots, payment system and door switch checked.", (), 0),
    ("PART_REPLACEMENT", "Slot motor sluggish; replaced.", (SparePart("Slot motor 24 V", "SM-24-1", 1),), 4_900),
    ("REPAIR", "Coins rejected; validator replaced.", (SparePart("Coin validator", "CV-EU-6", 1),), 18_700),
)
_VISIT_SHARES = (0.4, 0.35, 0.15, 0.1)


def generate_vending_fleet(count: int, seed: int, now: datetime) -> list[VendingSpec]:
    """Make up a fleet.

    The same count, seed and instant give the same fleet; a larger count only adds machines. To get a fleet again at a
    later time, hand in the instant at which it was made.

    Args:
        count: the number of machines.
        seed: any whole number from 0.
        now: an aware instant; installation and maintenance lie before it.

    Returns:
        The specifications, with serial numbers from VM-0001; sites and types take turns, so a small fleet has all.
    """
    today = now.replace(minute=0, second=0, microsecond=0)
    return [_machine(index, seed, today) for index in range(count)]


def _machine(index: int, seed: int, now: datetime) -> VendingSpec:
    random = np.random.default_rng([seed, 3, index])
    site = list(Site)[index % len(Site)]
    profile, model = SITES[site], MODELS[index % len(MODELS)]
    installed_at = (now - timedelta(days=int(random.integers(120, 2400)))).replace(hour=9)
    slots = _slots(model, random)
    location = _location(site, index // len(Site))
    return VendingSpec(
        name=f"{_TYPE_NAMES[model.machine_type]}, {location}",
        serial_number=f"VM-{index + 1:04}",
        manufacturer=model.manufacturer,
        model=model.model,
        firmware_version=model.firmware_versions[random.integers(len(model.firmware_versions))],
        location=location,
        installed_at=installed_at,
        machine_type=model.machine_type,
        target_cabinet_temperature=model.target_cabinet_temperature,
        cash_capacity=model.cash_capacity,
        time_zone=_TIME_ZONES[random.integers(len(_TIME_ZONES))],
        site=site,
        daily_units=float(random.uniform(*profile.daily_units)),
        ambient_temperature=float(profile.room_temperature + np.clip(random.normal(0, 0.8), -1.5, 1.5)),
        slots=slots,
        maintenance=_maintenance(installed_at, now, random),
    )


def _location(site: Site, number: int) -> str:
    places, spot = _PLACES[site]
    level, place = divmod(number, len(places))
    return f"{places[place]}, {spot} {level + 1}"


def _slots(model: MachineModel, random: np.random.Generator) -> tuple[SlotSpec, ...]:
    goods: list[Good] = []
    for category, wanted in model.slots.items():
        offered = [good for good in GOODS if good.category == category]
        chosen = random.permutation(len(offered))[:wanted]
        goods += [offered[place] for place in sorted(chosen.tolist())]
    return tuple(_slot(place, good, model, random) for place, good in enumerate(goods))


def _slot(place: int, good: Good, model: MachineModel, random: np.random.Generator) -> SlotSpec:
    row, column = divmod(place, SLOTS_PER_ROW)
    least, most = model.slot_capacity
    # What sells well gets more room; fresh food does not keep, so it gets little.
    room = round(least + (most - least) * min(good.popularity, 2) / 2)
    capacity = 6 if good.category == FRESH_FOOD else room
    return SlotSpec(
        slot=f"{chr(ord('A') + row)}{column + 1}",
        product_name=good.name,
        sku=good.sku,
        category=good.category,
        price_minor=good.price_minor + 10 * int(random.integers(-1, 4)),
        capacity=capacity,
        low_stock_threshold=max(2, round(capacity * 0.25)),
        popularity=good.popularity * float(np.exp(random.normal(0, 0.25))),
    )


def _maintenance(installed_at: datetime, now: datetime, random: np.random.Generator) -> tuple[MaintenanceVisit, ...]:
    team = TEAMS[random.integers(len(TEAMS))]
    visits = [
        MaintenanceVisit(
            kind="INSTALLATION",
            performed_at=installed_at,
            performed_by="Installation crew",
            notes="Set up, levelled, cooled down and filled. Payment system tested with coins and cards.",
            cost_minor=int(random.integers(180, 320)) * 100,
        )
    ]
    at = installed_at
    while (at := (at + timedelta(days=int(random.integers(150, 211)))).replace(hour=8, minute=0)) < now:
        at += timedelta(minutes=15 * int(random.integers(0, 36)))
        kind, notes, parts, cost_minor = _VISITS[random.choice(len(_VISITS), p=_VISIT_SHARES)]
        labour = int(random.integers(45, 80)) * 100
        if at < now:
            visits.append(
                MaintenanceVisit(
                    kind=kind,
                    performed_at=at,
                    performed_by=team,
                    notes=notes,
                    parts=parts,
                    cost_minor=labour + cost_minor,
                )
            )
    return tuple(visits)

"""The demo fleet: believable heaters in believable homes, some of them with something wrong."""

from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.maintenance import maintenance_history
from models.devices.simulation.products import PRODUCTS, Product
from models.devices.simulation.specs import HeaterSpec, Household
from models.devices.simulation.wear import SECONDS_PER_YEAR, Cause, CauseKind, drawn_limit
from models.devices.water_heater import HeaterType, WaterHeaterMode

FLATS_PER_BUILDING = 12
# One device of each group of this size has a cause of wear; the kinds take turns, so a small fleet shows them all.
GROUP_SIZE = 4

_PEOPLE_SHARES = (0.22, 0.36, 0.19, 0.16, 0.07)
_TYPE_SHARES = {
    HeaterType.RESISTIVE: 0.45,
    HeaterType.HEAT_PUMP: 0.15,
    HeaterType.HYBRID: 0.2,
    HeaterType.GAS: 0.2,
}
_MODE_SHARES = (0.7, 0.2, 0.1)
_AWAY_SHARE = 0.03

# Wear goes fast in the demo: what takes years elsewhere takes so many days here, from the onset to the limit.
LIFE_DAYS = (80.0, 200.0)
# How much of that is over when the fleet is made: spread evenly, also over a few heaters, by steps of the golden ratio.
_WORN_SHARES = (0.15, 0.85)
_FIRST_PLACE, _SPREADING_STEP, _WORN_JITTER = 0.5, 0.618, 0.1
_YOUNGEST_DAYS, _YOUNGEST_WORN_DAYS, _OLDEST_DAYS = 60, 1530, 3600


def generate_fleet(count: int, seed: int, now: datetime) -> list[HeaterSpec]:
    """Make up a fleet.

    The same count, seed and instant give the same fleet; a larger count only adds devices. To get a fleet again at a
    later time, hand in the instant at which it was made.

    Args:
        count: the number of devices.
        seed: any whole number from 0.
        now: an aware instant; installation, maintenance and wear lie before it.

    Returns:
        The specifications, with serial numbers from WH-0001.
    """
    today = now.replace(minute=0, second=0, microsecond=0)
    return [_heater(index, seed, today) for index in range(count)]


def _heater(index: int, seed: int, now: datetime) -> HeaterSpec:
    random = np.random.default_rng([seed, 1, index])
    causes = _causes(index, seed, now, random)
    youngest = _YOUNGEST_WORN_DAYS if causes else _YOUNGEST_DAYS
    installed_at = (now - timedelta(days=float(random.uniform(youngest, _OLDEST_DAYS)))).replace(hour=9)
    return made_heater(index, f"WH-{index + 1:04}", installed_at, now, causes, random=random)


def made_heater(
    index: int,
    serial_number: str,
    installed_at: datetime,
    until: datetime,
    causes: tuple[Cause, ...],
    *,
    random: np.random.Generator,
    name: str | None = None,
) -> HeaterSpec:
    """Make up a heater.

    Args:
        index: its place in the fleet, which gives its flat.
        serial_number: unique.
        installed_at: when its life began.
        until: maintenance lies before this instant.
        causes: what is wrong with it.
        random: a generator of its own.
        name: what people call it; after its flat if not given.
    """
    household = _household(random)
    product = _product(household.people, random)
    building, flat = divmod(index, FLATS_PER_BUILDING)
    building_name = _building_name(building)
    return HeaterSpec(
        name=name or f"Water heater {building_name}{flat + 1:02}",
        serial_number=serial_number,
        manufacturer=product.manufacturer,
        model=product.model,
        firmware_version=product.firmware_versions[random.integers(len(product.firmware_versions))],
        location=f"Building {building_name}, Flat {flat + 1}",
        installed_at=installed_at,
        heater_type=product.heater_type,
        mode=_mode(product, random),
        target_temperature=float(random.choice([52, 55, 55, 58, 60])),
        min_temperature=product.min_temperature,
        max_temperature=product.max_temperature,
        capacity_liters=product.capacity_liters,
        rated_power_watts=product.rated_power_watts,
        compressor_watts=product.compressor_watts,
        efficiency=product.efficiency,
        standing_loss_watts_per_kelvin=product.standing_loss_watts_per_kelvin * float(random.uniform(0.9, 1.15)),
        ambient_temperature=float(random.normal(18.5, 1.2)),
        mains_pressure_bar=float(np.clip(random.normal(3.6, 0.3), 2.8, 4.4)),
        household=household,
        causes=causes,
        maintenance=maintenance_history(installed_at, until, causes, random),
    )


def _household(random: np.random.Generator) -> Household:
    return Household(
        people=1 + int(random.choice(len(_PEOPLE_SHARES), p=_PEOPLE_SHARES)),
        flow_factor=float(np.clip(random.normal(1.0, 0.12), 0.75, 1.3)),
        morning_shift_hours=float(np.clip(random.normal(0.0, 0.6), -1.2, 1.5)),
        evening_shift_hours=float(np.clip(random.normal(0.0, 0.5), -1.2, 1.2)),
        daytime_presence=float(random.beta(1.2, 1.2)),
    )


def _product(people: int, random: np.random.Generator) -> Product:
    """Choose the smallest model of a type, drawn by its share, that is sold for so many people."""
    kinds = list(_TYPE_SHARES)
    wanted = kinds[random.choice(len(kinds), p=list(_TYPE_SHARES.values()))]
    fitting = [product for product in PRODUCTS if product.heater_type is wanted and product.people >= people]
    return min(fitting, key=lambda product: product.capacity_liters)


def _mode(product: Product, random: np.random.Generator) -> WaterHeaterMode:
    if random.random() < _AWAY_SHARE:
        return WaterHeaterMode.VACATION
    shares = np.array(_MODE_SHARES[: len(product.modes)])
    return product.modes[random.choice(len(product.modes), p=shares / shares.sum())]


def _causes(index: int, seed: int, now: datetime, random: np.random.Generator) -> tuple[Cause, ...]:
    group, place = divmod(index, GROUP_SIZE)
    if place != np.random.default_rng([seed, 2, group]).integers(GROUP_SIZE):
        return ()
    kinds = list(CauseKind)
    kind = kinds[group % len(kinds)]
    days = float(random.uniform(*LIFE_DAYS))
    least, most = _WORN_SHARES
    worn = least + (most - least) * (
        (_FIRST_PLACE + group * _SPREADING_STEP + _WORN_JITTER * float(random.random())) % 1
    )
    return (lasting(kind, now - timedelta(days=days * worn), days, random),)


def lasting(kind: CauseKind, started_at: datetime, days: float, random: np.random.Generator) -> Cause:
    """Return a cause that reaches its limit after so many days."""
    limit = drawn_limit(kind, random)
    direction = -1 if kind is CauseKind.THERMOSTAT_DRIFT and random.random() < 0.5 else 1
    return Cause(kind, started_at, direction * limit / (days * 86_400) * SECONDS_PER_YEAR, limit)


def _building_name(number: int) -> str:
    """Return A to Z, then AA, AB, ..."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name

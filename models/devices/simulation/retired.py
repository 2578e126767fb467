"""Heaters whose lives are over: the past that a fleet learns from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.fleet import LIFE_DAYS, lasting, made_heater
from models.devices.simulation.specs import HeaterSpec
from models.devices.simulation.wear import CauseKind

# One of so many was replaced before it failed.
PREVENTIVE_EVERY = 8
# Days on which it was watched in good health, and how long ago it ended. Who has seen only the last weeks of
# others takes each device for one that is about to fail, and who has seen all end in one season takes that for wear.
_HEALTHY_DAYS, _ENDED_DAYS_AGO = (90.0, 240.0), (3.0, 120.0)
_WORN_SHARES = (0.45, 0.8)
_AGE_DAYS = (700.0, 4500.0)

_STORIES = {
    CauseKind.SCALE: "Took ever more energy for ever less hot water; the tank was full of lime.",
    CauseKind.ANODE_DEPLETION: "The anode was used up and the tank had rusted through.",
    CauseKind.ELEMENT_AGEING: "No longer got warm; the element had lost half of its power.",
    CauseKind.LEAK: "The tank leaked into the room.",
    CauseKind.THERMOSTAT_DRIFT: "The thermostat could no longer be set.",
}


@dataclass(frozen=True, slots=True)
class RetiredHeater:
    """A heater whose life is over.

    Attributes:
        spec: what it was; its causes tell when it failed, or would have failed.
        watched_since: when its first reading was taken.
        ended_at: when it failed or was replaced.
        cause: of which it failed; None if it was replaced before.
        story: what people wrote about its end.
    """

    spec: HeaterSpec
    watched_since: datetime
    ended_at: datetime
    cause: CauseKind | None
    story: str


def generate_retired(count: int, seed: int, now: datetime) -> list[RetiredHeater]:
    """Make up heaters that have failed of wear, or were replaced in time.

    The causes take turns. Wear goes as fast as that of the living fleet. The same count, seed and instant give the same
    heaters; a larger count only adds some.

    Args:
        count: how many.
        seed: any whole number from 0.
        now: an aware instant; their ends lie some days to months before it.

    Returns:
        Heaters with serial numbers from WH-R001.
    """
    today = now.replace(minute=0, second=0, microsecond=0)
    return [_retired(index, seed, today) for index in range(count)]


def _retired(index: int, seed: int, now: datetime) -> RetiredHeater:
    random = np.random.default_rng([seed, 3, index])
    kinds = list(CauseKind)
    kind = kinds[index % len(kinds)]
    days = float(random.uniform(*LIFE_DAYS))
    is_preventive = index % PREVENTIVE_EVERY == PREVENTIVE_EVERY - 1
    lived = timedelta(days=days * (float(random.uniform(*_WORN_SHARES)) if is_preventive else 1))
    ended_at = now - timedelta(days=float(random.uniform(*_ENDED_DAYS_AGO)))
    started_at = ended_at - lived
    cause = lasting(kind, started_at, days, random)
    installed_at = (started_at - timedelta(days=float(random.uniform(*_AGE_DAYS)))).replace(hour=9)
    spec = made_heater(
        index,
        f"WH-R{index + 1:03}",
        installed_at,
        ended_at,
        (cause,),
        random=random,
        # In a list by name they come after those that run.
        name=f"Water heater R{index + 1:02} (retired)",
    )
    watched_since = started_at - timedelta(days=float(random.uniform(*_HEALTHY_DAYS)))
    if is_preventive:
        return RetiredHeater(spec, watched_since, ended_at, None, "Replaced in time when the flat was modernised.")
    return RetiredHeater(spec, watched_since, ended_at, kind, _STORIES[kind])

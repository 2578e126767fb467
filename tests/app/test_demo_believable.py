"""What models that learnt the demo's past say of its living heaters: healthy and worn ones, beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.demo.past import INTERVAL_SECONDS
from models import migrator
from models.devices import WATER_HEATER
from models.devices.simulation import (
    CauseKind,
    FleetSimulation,
    HeaterSpec,
    ReadingBlock,
    generate_fleet,
    generate_retired,
    true_end_of_life,
)
from models.learning import lifespan, risk
from models.learning.boosting import Explanation
from models.learning.lifespan import Remaining
from models.learning.risk import RiskFactors, Risks
from models.predictions import PredictionKind
from models.reading_hours import HOUR_MICROS, RawReadings, summed
from models.repositories import device_failures
from models.store import Store
from models.types import from_micros, to_micros
from resolvers.predicting.data import days_of, load_fleet
from resolvers.predicting.jobs import Plan, learn
from tests.factories import add_heater, database_settings, event_settings
from tests.lives import add_hours, midnight

NOW = midnight()
LIVING, RETIRED = generate_fleet(40, 7, NOW), generate_retired(30, 7, NOW)
DAY_MICROS = 24 * HOUR_MICROS
# What shows each cause; a used anode shows nothing before the tank leaks.
SHOWN_BY = {
    CauseKind.SCALE: {"energy_ratio", "daily_energy"},
    CauseKind.ELEMENT_AGEING: {"power_share"},
    CauseKind.LEAK: {"least_flow", "pressure"},
    CauseKind.THERMOSTAT_DRIFT: {"temperature"},
}


@dataclass(frozen=True)
class Told:
    """What is told of the living heaters, in their order."""

    lives: Remaining
    why_lives: Explanation
    risks: Risks
    why_risks: RiskFactors


def simulated(specs: Sequence[HeaterSpec], start: Any, end: Any) -> list[ReadingBlock]:
    """Return coarse readings, as the demo is seeded with."""
    simulation = FleetSimulation(specs, 7, start, longest_step_seconds=600)
    return list(simulation.advance(end, INTERVAL_SECONDS))


def days_of_readings(blocks: Sequence[ReadingBlock], ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the days of readings, each as one hour that holds the whole day."""
    device = np.array(ids)[np.concatenate([block.device_index for block in blocks])]
    micros = np.concatenate([block.recorded_at_micros for block in blocks])
    order = np.lexsort((micros, device))
    device, micros = device[order], micros[order]
    names = blocks[0].channels
    values = {name: np.concatenate([block.channels[name] for block in blocks])[order] for name in names}
    hours = sorted(
        {
            (id_, at // HOUR_MICROS * HOUR_MICROS - back)
            for id_, at in zip(device.tolist(), micros.tolist(), strict=True)
            for back in (0, HOUR_MICROS)
        }
    )
    sums = summed(RawReadings(device, micros, values), hours, (), WATER_HEATER.hour_sums)
    keys = np.unique(np.column_stack([sums.device_ids, sums.micros // DAY_MICROS]), axis=0)
    scale = int(keys[:, 1].max()) + 1
    flat = keys[:, 0] * scale + keys[:, 1]
    of_sums = np.searchsorted(flat, sums.device_ids * scale + sums.micros // DAY_MICROS)
    place = np.searchsorted(flat, device * scale + micros // DAY_MICROS)
    columns: dict[str, Any] = {
        name: np.bincount(of_sums, np.nan_to_num(column), len(keys)) for name, column in sums.values.items()
    }
    columns["reading_count"] = np.bincount(place, minlength=len(keys))
    for name in ("temperature", "inlet_temperature", "pressure", "power"):
        known = np.isfinite(values[name])
        count = np.maximum(np.bincount(place[known], minlength=len(keys)), 1)
        mean = np.bincount(place[known], values[name][known], len(keys)) / count
        square = np.bincount(place[known], values[name][known] ** 2, len(keys)) / count
        columns[f"{name}_mean"] = mean
        columns[f"{name}_deviation"] = np.sqrt(np.maximum(square - mean**2, 0))
    columns["flow_rate_minimum"] = np.full(len(keys), np.inf)
    np.fmin.at(columns["flow_rate_minimum"], place, values["flow_rate"])
    whole = np.flatnonzero((columns["reading_count"] > 6) & (keys[:, 1] < to_micros(NOW) // DAY_MICROS))
    plain = {name: column[whole].tolist() for name, column in columns.items()}
    rows = keys[whole].tolist()
    return [
        {"device_id": id_, "hour": from_micros(day * DAY_MICROS)} | {name: plain[name][row] for name in plain}
        for row, (id_, day) in enumerate(rows)
    ]


async def added(store: Store, specs: Sequence[HeaterSpec], **changes: Any) -> list[int]:
    """Store heaters as they are registered."""
    return [
        await add_heater(
            store,
            installed_at=spec.installed_at,
            capacity_liters=spec.capacity_liters,
            rated_power_watts=spec.rated_power_watts,
            heater_type=spec.heater_type.value,
            mode=spec.mode.value,
            **changes,
        )
        for spec in specs
    ]


@pytest.fixture(scope="module")
async def told() -> Told:
    """Train as the server does, with fewer trees, and predict of all living heaters."""
    store = Store(database_settings(), event_settings())
    await store.open()
    try:
        await migrator.upgrade(store)
        ids = await added(store, LIVING)
        blocks = simulated(LIVING, NOW - timedelta(days=240), NOW)
        await add_hours(store, days_of_readings(blocks, ids))
        dead = await added(store, [each.spec for each in RETIRED], status="RETIRED")
        since = np.array([to_micros(each.watched_since) for each in RETIRED])
        until = np.array([to_micros(each.ended_at) for each in RETIRED])
        start, end = from_micros(int(since.min())), from_micros(int(until.max()))
        blocks = simulated([each.spec for each in RETIRED], start, end)
        await add_hours(store, days_of_readings([block.within(since, until) for block in blocks], dead))
        async with store.transaction() as transaction:
            for id_, each in zip(dead, RETIRED, strict=True):
                cause = "PREVENTIVE_REPLACEMENT" if each.cause is None else each.cause.value
                values = {"device_id": id_, "failed_at": each.ended_at, "ends_life": True, "created_at": each.ended_at}
                await device_failures.add(transaction, {**values, "cause": cause})
        fleet = await load_fleet(store, WATER_HEATER.name, until=NOW)
    finally:
        await store.close()
    made = {
        kind: learn(
            Plan(kind=kind, horizon_days=60, min_failures=5, trees=100, max_rows=8000, threads=1),
            fleet,
            lambda _: None,
        )["artefact"]
        for kind in (PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR)
    }
    lives, risks = lifespan.load(made[PredictionKind.LIFESPAN]), risk.load(made[PredictionKind.MULTI_FACTOR])
    seen = (fleet.layout, fleet.histories[: len(LIVING)], np.full(len(LIVING), days_of(NOW)))
    return Told(lives.predict(*seen), lives.explain(*seen), risks.predict(*seen), risks.explain(*seen))


HEALTHY = [place for place, spec in enumerate(LIVING) if not spec.causes]
WORN = [place for place, spec in enumerate(LIVING) if spec.causes]
# Far enough for readings to show it.
PLAIN = [
    place
    for place in WORN
    for cause in LIVING[place].causes
    if cause.kind in SHOWN_BY and abs(cause.level(NOW)) > 0.4 * (cause.limit or np.inf)
]


def test_healthy_heaters_have_a_low_risk_and_long_lives_ahead(told: Told):
    """Their intervals are wide and say so by a modest confidence, which is not none."""
    assert np.quantile(told.risks.probability[HEALTHY], 0.9) < 0.2
    assert np.median(told.risks.probability[HEALTHY]) < 0.1
    value, lower, upper = (each[HEALTHY] for each in (told.lives.value, told.lives.lower, told.lives.upper))
    assert np.median(value) > 365
    assert np.median(lower) > 45
    assert np.all(upper > 3 * np.maximum(lower, 30))
    assert 0.15 < np.median(told.lives.confidence[HEALTHY]) < 0.7


def test_worn_heaters_stand_out(told: Told):
    """More risk and less life than healthy ones have, of which the readings show it."""
    assert len(PLAIN) >= 4
    assert np.median(told.risks.probability[PLAIN]) > 3 * np.median(told.risks.probability[HEALTHY])
    assert np.median(told.lives.value[PLAIN]) < np.median(told.lives.value[HEALTHY]) / 3


def test_intervals_hold_the_truth(told: Told):
    """Nine of ten are meant to."""
    ends = [days_of(end) - days_of(NOW) for place in WORN if (end := true_end_of_life(LIVING[place])) is not None]
    held = (told.lives.lower[WORN] <= ends) & (ends <= told.lives.upper[WORN])
    assert held.mean() >= 0.75


def test_the_true_cause_is_among_the_strongest_factors(told: Told):
    """Of most heaters of which the readings show it, whatever the cause."""
    found = 0
    for place in PLAIN:
        (cause,) = LIVING[place].causes
        named: set[str] = set()
        for names, parts in (
            (told.why_lives.groups, -told.why_lives.contributions[place]),
            (told.why_risks.names, told.why_risks.contributions[place]),
        ):
            named |= {names[index] for index in np.argsort(-parts)[:2]}
        found += bool(named & SHOWN_BY[cause.kind])
    assert found >= 0.75 * len(PLAIN)

"""Lives of simulated heaters: when causes of wear end them, and heaters whose lives are over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.devices.simulation import (
    Cause,
    CauseKind,
    FleetSimulation,
    HeaterSpec,
    ReadingBlock,
    generate_fleet,
    generate_retired,
    true_end_of_life,
)
from models.devices.simulation.wear import LIMIT_DEVIATION, LIMITS, MOST
from models.types import to_micros

NOW = datetime(2026, 3, 10, 10, 30, tzinfo=UTC)
FLEET = generate_fleet(120, 7, NOW)
RETIRED = generate_retired(80, 7, NOW)


def end_of(spec: HeaterSpec) -> datetime:
    """Return the end of a heater's life, which it must have."""
    ends_at = true_end_of_life(spec)
    assert ends_at is not None
    return ends_at


def limit_of(cause: Cause) -> float:
    """Return the limit of a cause, which it must have of its own."""
    assert cause.limit is not None
    return cause.limit


def test_a_cause_ends_a_life_where_it_reaches_its_limit():
    """The first of several causes counts; without wear there is no end."""
    slow = Cause(CauseKind.SCALE, NOW, 10.0)
    fast = Cause(CauseKind.THERMOSTAT_DRIFT, NOW, -80.0, limit=4.0)
    spec = replace(FLEET[0], causes=(slow, fast))
    ends_at = end_of(spec)
    assert ends_at == fast.fails_at
    assert ends_at - NOW == pytest.approx(timedelta(days=365.2425 / 20), abs=timedelta(seconds=1))
    assert fast.level(ends_at) == pytest.approx(-4.0)
    assert true_end_of_life(replace(spec, causes=())) is None
    assert true_end_of_life(replace(spec, causes=(Cause(CauseKind.LEAK, NOW, 0.0),))) is None


@pytest.mark.parametrize("kind", CauseKind)
def test_limits_can_be_reached(kind):
    """A cause does not stop growing before the limit of any heater."""
    assert LIMITS[kind] * (1 + 2 * LIMIT_DEVIATION) <= MOST[kind]


def test_heaters_of_the_living_fleet_that_wear_fail_later():
    """Their ends lie weeks to months ahead, and their limits differ."""
    worn = [spec for spec in FLEET if spec.causes]
    days = [(end_of(spec) - NOW).total_seconds() / 86_400 for spec in worn]
    assert len(worn) == 30
    assert 10 < min(days) < 40
    assert 120 < max(days) < 200
    assert len({limit_of(cause) / LIMITS[cause.kind] for spec in worn for cause in spec.causes}) == 30


def test_retired_heaters_have_failed_of_their_cause():
    """Each one's end is that of its cause; one of eight was replaced before it."""
    for each in RETIRED:
        (cause,) = each.spec.causes
        ends_at = end_of(each.spec)
        if each.cause is None:
            assert ends_at > each.ended_at
            assert 0.3 < abs(cause.level(each.ended_at)) / limit_of(cause) < 0.9
        else:
            assert each.cause is cause.kind
            assert ends_at == pytest.approx(each.ended_at, abs=timedelta(seconds=1))
        assert each.spec.installed_at < each.watched_since < cause.started_at < each.ended_at < NOW
        assert 90 <= (cause.started_at - each.watched_since).days <= 240
        assert 120 < (each.ended_at - each.watched_since).days <= 440
        assert each.spec.name > "Water heater Q"
        assert each.spec.maintenance[-1].performed_at < each.ended_at
    assert sum(each.cause is None for each in RETIRED) == 10
    assert {each.cause for each in RETIRED} == {None, *CauseKind}


def test_the_same_seed_makes_the_same_retired_heaters():
    """A larger count only adds some; another seed makes others."""
    assert generate_retired(5, 7, NOW) == RETIRED[:5]
    assert generate_retired(5, 8, NOW) != RETIRED[:5]
    assert [each.spec.serial_number for each in RETIRED[:2]] == ["WH-R001", "WH-R002"]


def simulated(step: int) -> ReadingBlock:
    """Return two days of hourly readings of some heaters."""
    simulation = FleetSimulation(FLEET[:12], 7, NOW, longest_step_seconds=step)
    (_, first, second) = list(simulation.advance(NOW + timedelta(days=3), 3600))[:3]
    joined = [np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("device_index", "heating")]
    channels = {name: np.concatenate([first.channels[name], second.channels[name]]) for name in first.channels}
    instants = np.concatenate([first.recorded_at_micros, second.recorded_at_micros])
    return ReadingBlock(joined[0], instants, channels, joined[1])


def test_long_steps_tell_nearly_the_same():
    """Hourly means of a simulation in steps of ten minutes are those of one in steps of a minute."""
    fine, coarse = simulated(60), simulated(600)
    for name, tolerance in (("temperature", 0.5), ("pressure", 0.05), ("flow_rate", 0.02), ("energy", 0.03)):
        means = [np.nanmean(block.channels[name]) for block in (fine, coarse)]
        assert means[0] == pytest.approx(means[1], abs=tolerance)
    hottest = [np.nanmax(block.channels["temperature"]) for block in (fine, coarse)]
    assert hottest[1] <= hottest[0] + 1.0


def test_a_block_can_be_cut_to_lives():
    """Each device has its own bounds, both inclusive."""
    block = simulated(600)
    hours = np.unique(block.recorded_at_micros)
    since, until = np.full(12, hours[5]), np.full(12, hours[9])
    until[3] = to_micros(NOW) - 1
    cut = block.within(since, until)
    assert 3 not in cut.device_index
    assert set(cut.recorded_at_micros.tolist()) == set(hours[5:10].tolist())
    assert len(cut.channels["pressure"]) == len(cut.heating) == len(cut)

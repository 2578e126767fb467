"""The detector on simulated devices, whose incidents are known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.devices.simulation import FleetSimulation, IncidentKind, generate_fleet
from models.learning.anomalies import Detector, StepKind

CHANNELS = ("temperature", "inlet_temperature", "pressure", "flow_rate", "power")
START = datetime(2026, 3, 2, tzinfo=UTC)
HISTORY = START + timedelta(days=10)
LIVE = HISTORY + timedelta(hours=3)
DEVICES = 16
MINUTE = 60_000_000


def columns(blocks):
    """Return device, instants and values of simulated blocks."""
    device = np.concatenate([block.device_index for block in blocks])
    at = np.concatenate([block.recorded_at_micros for block in blocks])
    values = np.column_stack([np.concatenate([block.channels[name] for block in blocks]) for name in CHANNELS])
    return device, at, values


@pytest.fixture(scope="module")
def judged():
    """Return the true incidents, and the steps in ten days by the minute and in three hours by five seconds."""
    simulation = FleetSimulation(generate_fleet(DEVICES, 11, START), 11, START)
    history, live = (columns(list(simulation.advance(until, seconds))) for until, seconds in ((HISTORY, 60), (LIVE, 5)))
    detector = Detector(CHANNELS)
    states = detector.load([None] * DEVICES)
    past, present = detector.score(states, *history), detector.score(states, *live)
    return simulation.incidents(START, LIVE), past.steps, present.steps


def micros(at):
    """Return microseconds since 1970."""
    return int(at.timestamp() * 1e6)


def test_pressure_spikes_are_found(judged):
    """After two days of learning every spike is found within minutes, and pressure is its main channel."""
    incidents, past, _ = judged
    spikes = [one for one in incidents if one.kind is IncidentKind.PRESSURE_SPIKE]
    spikes = [one for one in spikes if START + timedelta(days=2) < one.started_at < HISTORY]
    assert spikes
    for spike in spikes:
        begin = micros(spike.started_at)
        found = [
            step
            for step in past
            if step.device == spike.device_index and 0 <= step.peak_at_micros - begin < 10 * MINUTE
        ]
        assert found
        assert found[0].channel == "pressure"


def test_false_alarms_are_rare(judged):
    """Devices without an incident open one less than every third day, at the pace of a live feed too."""
    incidents, past, present = judged
    spans = [
        (one.device_index, micros(one.started_at) - MINUTE, micros(one.ended_at) + 60 * MINUTE) for one in incidents
    ]

    def false(steps):
        opened = [step for step in steps if step.kind is StepKind.OPENED]
        return [
            step
            for step in opened
            if not any(step.device == who and first <= step.began_at_micros <= last for who, first, last in spans)
        ]

    assert len(false(past)) / DEVICES / 9 < 0.34
    assert len(false(present)) <= DEVICES / 8

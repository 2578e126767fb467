"""Faults that are put into good readings, and the comparison of two answers at the same rate of false alarms."""

import numpy as np
import pytest

from models.learning.residuals.backtest import compare
from models.learning.residuals.faults import FaultKind, Readings, with_fault
from tests.coupled import CHANNELS, coupled

HOUR = 3_600_000_000
END = 20_010 * 24 * HOUR


def readings(values):
    """Return readings of each quarter of an hour up to the end."""
    step = HOUR // 4
    return Readings(END - step * np.arange(len(values), 0, -1), values)


def test_faults_are_of_one_channel_and_within_their_hours():
    """All kinds and channels come up; what is outside of a fault stays as it was; the same number is the same fault."""
    given = readings(coupled(1, 5)[0])
    seen = set()
    for number in range(60):
        found = with_fault(given, END, number)
        assert found is not None
        fault, values = found
        inside = (given.micros >= fault.start_micros) & (given.micros < fault.end_micros)
        differs = values != given.values
        assert differs[inside, fault.column].any()
        assert not differs[~inside].any()
        assert not np.delete(differs, fault.column, axis=1).any()
        assert END - 24 * HOUR <= fault.start_micros < fault.end_micros <= END
        assert 3 * HOUR <= fault.end_micros - fault.start_micros <= 12 * HOUR
        seen.add((fault.kind, fault.column))
        again = with_fault(given, END, number)
        assert again is not None
        assert again[0] == fault
    assert {kind for kind, _ in seen} == set(FaultKind)
    assert {column for _, column in seen} == set(range(len(CHANNELS)))


def test_what_does_not_change_is_no_fault():
    """A channel that rests cannot freeze; where nothing moves or nothing is known there is no fault at all."""
    values = np.full((480, 2), 3.0)
    assert with_fault(readings(values), END, 0) is None
    assert with_fault(readings(values * np.nan), END, 0) is None
    assert with_fault(Readings(np.empty(0, np.int64), np.empty((0, 2))), END, 0) is None
    values[:, 0] = np.tile(np.arange(12.0), 40)
    for number in range(10):
        found = with_fault(readings(values), END, number)
        assert found is not None
        assert found[0].column == 0


@pytest.fixture
def days():
    """Scores of 200 good days and 100 with a fault of 20 devices: 5 % of the good ones are strange to the detector."""
    random = np.random.default_rng(3)
    is_faulty = np.arange(300) >= 200
    detector, model = random.normal(size=(2, 300))
    units = np.arange(300) % 20
    return detector, model, is_faulty, units


def test_what_finds_more_is_better_beyond_noise(days):
    """A model that knows half of the faults, which the detector does not, adds these."""
    detector, model, is_faulty, units = days
    model[200:250] += 10
    detector[275:] += 10
    found = compare(detector, model, is_faulty, units)
    assert found is not None
    assert found.is_better
    assert 0.22 <= found.detector <= 0.4
    assert 0.47 <= found.model <= 0.6
    assert found.together > 0.7
    assert (found.faults, found.good_days, found.devices) == (100, 200, 20)


def test_what_finds_nothing_more_is_not_better(days):
    """Noise beside the detector finds less at the same rate of false alarms; what agrees with it adds nothing."""
    detector, model, is_faulty, units = days
    detector[200:260] += 10
    noisy, same = compare(detector, model, is_faulty, units), compare(detector, detector * 2, is_faulty, units)
    assert noisy is not None
    assert same is not None
    assert not noisy.is_better
    assert not same.is_better
    assert same.together == pytest.approx(same.detector)
    silent = compare(detector, np.full(300, np.nan), is_faulty, units)
    assert silent is not None
    assert not silent.is_better


def test_gains_of_one_device_are_noise(days):
    """Faults of one device hang together: many of them are no proof."""
    detector, model, is_faulty, units = days
    units[200:] = np.where(np.arange(100) < 30, 0, np.arange(100) % 20)
    model[200:230] += 10
    one = compare(detector, model, is_faulty, units)
    assert one is not None
    assert one.margin > 0.2


@pytest.mark.parametrize("kept", [slice(0, 210), slice(190, 300), slice(0, 0)])
def test_too_few_days_to_compare(days, kept):
    """Few faults, few good days, none at all: nothing can be said."""
    assert compare(*(each[kept] for each in days)) is None

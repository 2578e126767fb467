"""Scores of the detector of anomalies: what they depend on, and what they do not."""

import numpy as np
import pytest

from models.learning.anomalies import Detector, Tuning

SECOND = 1_000_000
HOUR = 3600 * SECOND
START = 1_767_225_600 * SECOND
QUICK = Tuning(warm_up_hours=0.5)
CHANNELS = ("level", "season", "switch", "silent")


def readings(interval_seconds, count=900, devices=4, seed=1):
    """Return device, instants and values of irregular readings with gaps, a daily season and some incidents."""
    random = np.random.default_rng(seed)
    steps = random.integers(interval_seconds // 2, interval_seconds * 3 // 2 + 1, (devices, count))
    at = START + np.cumsum(np.maximum(steps, 1), axis=1) * SECOND
    values = random.normal(size=(devices, count, 4))
    values[:, :, 1] += 5 * np.sin(at / (24 * HOUR) * 2 * np.pi)
    values[:, :, 2] = 3 * (values[:, :, 2] > 1)
    values[random.random(values.shape) < 0.1] = np.nan
    values[1:, :, 3] = np.nan
    for device in range(devices):
        for first in random.integers(300, count, 3):
            values[device, first : first + random.integers(1, 60), 0] += 15
    return np.repeat(np.arange(devices), count), at.ravel(), values.reshape(-1, 4)


def in_calls(detector, device, at, values, size):
    """Score by time in calls of a size, each with states from bytes; return scores, open rows, and steps by row."""
    hot, cold = [None] * (device.max() + 1), [None] * (device.max() + 1)
    score, is_open, steps = np.full(len(device), np.nan), np.zeros(len(device), bool), []
    order = np.argsort(at, kind="stable")
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        states = detector.load(hot)
        needed = detector.needs_cold(states, device[rows], at[rows])
        states.give_cold(needed, [cold[index] for index in needed])
        scored = detector.score(states, device[rows], at[rows], values[rows])
        score[rows], is_open[rows] = scored.score, scored.is_open
        steps += [described(step, rows[step.row]) for step in scored.steps]
        for index, blob in zip(np.unique(device[rows]), states.dump_hot(np.unique(device[rows])), strict=True):
            hot[index] = blob
        for index, blob in zip(states.changed_cold, states.dump_cold(states.changed_cold), strict=True):
            cold[index] = blob
    return score, is_open, sorted(steps)


def described(step, row):
    """Return all of a step but its row in the call."""
    names = ("began_at_micros", "ended_at_micros", "channel", "channels", "score", "observed", "expected", "spread")
    return int(row), step.device, step.kind.value, step.evidence.value, *(getattr(step, name) for name in names)


@pytest.mark.parametrize("interval_seconds", [5, 60, 300, 5000])
def test_calls_do_not_matter(interval_seconds):
    """The same readings in one call, in small ones and one by one give exactly the same, through bytes each time."""
    detector = Detector(CHANNELS, QUICK)
    device, at, values = readings(interval_seconds)
    if interval_seconds == 5:
        device, at, values = readings(5, count=2500, devices=2)
    whole = detector.score(detector.load([None] * 4), device, at, values)
    steps = sorted(described(step, step.row) for step in whole.steps)
    assert steps
    for size in (1, 83) if interval_seconds == 300 else (83, 1000):
        score, is_open, in_parts = in_calls(detector, device, at, values, size)
        np.testing.assert_array_equal(score, whole.score)
        np.testing.assert_array_equal(is_open, whole.is_open)
        assert in_parts == steps


def test_units_do_not_matter():
    """Other units, turned around too, give the same scores and incidents."""
    detector = Detector(CHANNELS, QUICK)
    device, at, values = readings(60)
    plain = detector.score(detector.load([None] * 4), device, at, values)
    factor, offset = np.array([-3.0, 0.001, 1e3, 2.0]), np.array([1e4, 5.0, -7.0, 0.0])
    other = detector.score(detector.load([None] * 4), device, at, values * factor + offset)
    np.testing.assert_allclose(other.score, plain.score, atol=1e-9)
    np.testing.assert_array_equal(other.is_open, plain.is_open)
    for before, after in zip(plain.steps, other.steps, strict=True):
        channel = CHANNELS.index(before.channel)
        assert (after.kind, after.row, after.channel) == (before.kind, before.row, before.channel)
        if before.evidence.value != "NOISE":
            assert after.observed == pytest.approx(before.observed * factor[channel] + offset[channel])
        assert after.spread == pytest.approx(before.spread * abs(factor[channel]))


def test_devices_do_not_matter_to_each_other():
    """A device among others gets the scores that it would get alone."""
    detector = Detector(CHANNELS, QUICK)
    device, at, values = readings(60)
    together = detector.score(detector.load([None] * 4), device, at, values).score
    own = device == 2
    alone = detector.score(detector.load([None]), np.zeros(own.sum(), np.int64), at[own], values[own]).score
    np.testing.assert_array_equal(together[own], alone)


def test_scores_are_in_range():
    """Scores lie in [0, 1) whatever comes: gaps, constants, huge values, infinities and channels that never report."""
    detector = Detector(CHANNELS, QUICK)
    device, at, values = readings(60)
    values[::50, 0], values[7::50, 1], values[11::50, 1], values[:, 2] = 1e90, np.inf, -1e300, 5.0
    values[700:, 2] += 1e-9 * np.arange(len(values) - 700)
    score = detector.score(detector.load([None] * 4), device, at, values).score
    assert np.isfinite(score).all()
    assert score.min() >= 0
    assert score.max() < 1


def test_warm_up():
    """Nothing is said before enough readings and enough time, and at once where the warm-up is declared over."""
    detector = Detector(["level"])
    at = START + 60 * SECOND * np.arange(1000)
    values = np.random.default_rng(2).normal(size=(1000, 1))
    values[900:] += 50
    zeros = np.zeros(1000, np.int64)
    assert not detector.score(detector.load([None]), zeros, at, values).score.any()
    states = detector.load([None])
    detector.score(states, zeros[:900], at[:900], values[:900])
    states.end_warm_up()
    scored = detector.score(states, zeros[900:], at[900:], values[900:])
    assert scored.is_open[0]
    assert scored.steps[0].row == 0


def test_readings_that_are_not_newer_are_ignored():
    """What comes again, or late, has no score and changes nothing; order within a call does not matter."""
    detector = Detector(CHANNELS, QUICK)
    device, at, values = readings(60, count=400)
    shuffled = np.random.default_rng(3).permutation(len(device))
    states, others = detector.load([None] * 4), detector.load([None] * 4)
    straight = detector.score(states, device, at, values)
    mixed = detector.score(others, device[shuffled], at[shuffled], values[shuffled])
    np.testing.assert_array_equal(mixed.score, straight.score[shuffled])
    before = states.dump_hot(np.arange(4))
    again = detector.score(states, device, at, values * 9)
    assert np.isnan(again.score).all()
    assert not again.steps
    assert states.dump_hot(np.arange(4)) == before
    twice = detector.score(detector.load([None]), np.zeros(2, np.int64), at[[0, 0]], values[:2])
    assert np.isnan(twice.score).tolist() == [False, True]


def test_states_of_another_version_start_anew():
    """Bytes of another length, other channels or another tuning are those of a new device; the size is small."""
    detector = Detector(["a", "b", "c", "d", "e", "f"])
    values = np.random.default_rng(4).normal(size=(64, 6))
    at = START + 60 * SECOND * np.arange(64)
    states = detector.load([None])
    detector.score(states, np.zeros(64, np.int64), at, values)
    (blob,) = states.dump_hot(np.array([0]))
    assert len(blob) < 1400
    new = detector.load([None]).dump_hot(np.array([0]))
    assert detector.load([blob]).dump_hot(np.array([0])) == [blob] != new
    assert detector.load([blob[:-1]]).dump_hot(np.array([0])) == new
    renamed = Detector(["f", "e", "d", "c", "b", "a"])
    assert renamed.load([blob]).dump_hot(np.array([0])) == renamed.load([None]).dump_hot(np.array([0]))
    retuned = Detector(detector.channels, Tuning(margin=2))
    assert retuned.load([blob]).dump_hot(np.array([0])) == retuned.load([None]).dump_hot(np.array([0]))


def test_profile_is_needed_at_the_turn_of_the_hour_only():
    """Within an hour no profile is asked for, nor for new devices; the turn changes it."""
    detector = Detector(["level"])
    states = detector.load([None, None])
    minutes = START + 60 * SECOND * np.arange(1, 60)
    rows = np.zeros(59, np.int64)
    assert not len(detector.needs_cold(states, rows, minutes))
    detector.score(states, rows, minutes, np.ones((59, 1)))
    assert states.changed_cold.tolist() == [0]
    again = detector.load(states.dump_hot(np.arange(2)))
    assert not len(detector.needs_cold(again, np.array([0, 1]), minutes[-1:].repeat(2) + 1))
    later = np.array([START + HOUR])
    assert detector.needs_cold(again, np.array([0]), later).tolist() == [0]
    detector.score(again, np.array([0]), later, np.ones((1, 1)))
    assert again.changed_cold.tolist() == [0]


@pytest.mark.parametrize("channels", [(), tuple(str(number) for number in range(65))])
def test_number_of_channels(channels):
    """A detector has 1 to 64 channels, and takes values of as many."""
    with pytest.raises(ValueError, match="1 to 64 channels"):
        Detector(channels)
    detector = Detector(["level"])
    with pytest.raises(ValueError, match="1 columns"):
        detector.score(detector.load([None]), np.zeros(1, np.int64), np.ones(1, np.int64), np.ones((1, 2)))

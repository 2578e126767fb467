"""Incidents of the detector of anomalies: when they open, what they say, and when they are over."""

import numpy as np
import pytest

from models.learning.anomalies import Detector, Evidence, StepKind, Tuning, severity_of, worth_telling
from models.severity import Severity

MINUTE = 60_000_000
START = 1_767_225_600_000_000
DAY = 1440


def quiet(days=4, channels=2, seed=5):
    """Return instants and values of noise by the minute."""
    count = days * DAY
    return START + MINUTE * np.arange(count), np.random.default_rng(seed).normal(size=(count, channels))


def steps_of(at, values, channels=("first", "second"), tuning=None):
    """Return what a detector says of one device."""
    detector = Detector(channels[: values.shape[1]], tuning)
    return detector.score(detector.load([None]), np.zeros(len(at), np.int64), at, values)


def test_one_incident_is_one():
    """What lasts opens once, rises, and closes after a calm; the closing has all of it."""
    at, values = quiet()
    values[5000:5040, 1] += np.concatenate([np.full(20, 12.0), np.full(20, 60.0)])
    scored = steps_of(at, values)
    kinds = [step.kind for step in scored.steps]
    assert kinds[0] is StepKind.OPENED
    assert set(kinds[1:-1]) == {StepKind.RAISED}
    assert kinds[-1] is StepKind.CLOSED
    opened, closed = scored.steps[0], scored.steps[-1]
    assert opened.row == 5000
    assert {step.began_at_micros for step in scored.steps} == {int(at[5000])}
    assert (closed.channel, closed.channels) == ("second", ("second",))
    assert closed.score > opened.score
    assert opened.observed == pytest.approx(12, abs=4)
    assert 12 < closed.observed < 65
    assert closed.expected == pytest.approx(0, abs=0.2)
    assert closed.spread == pytest.approx(1, abs=0.1)
    assert at[5039] <= closed.ended_at_micros < at[closed.row]
    assert closed.severity is Severity.CRITICAL
    assert scored.is_open[5000 : closed.row].all()
    assert scored.is_open.sum() == closed.row - 5000


def test_noise_is_quiet():
    """Without an incident none opens in three days after the warm-up, whatever the number of channels."""
    at, values = quiet(channels=8)
    assert not steps_of(at, values, tuple("abcdefgh")).steps


@pytest.mark.parametrize(
    ("change", "evidences"),
    [
        (lambda values: values + 20, {Evidence.HIGH, Evidence.JUMP}),
        (lambda values: values - 20, {Evidence.LOW, Evidence.JUMP}),
        (lambda values: values + 3.5, {Evidence.SHIFT, Evidence.JOINT}),
        (lambda values: values * 3.2, {Evidence.NOISE, Evidence.HIGH, Evidence.LOW, Evidence.JUMP}),
    ],
)
def test_evidence(change, evidences):
    """Each kind of strangeness is recognised as such."""
    at, values = quiet(channels=1)
    values[5000:5060] = change(values[5000:5060])
    steps = steps_of(at, values).steps
    assert steps
    assert steps[0].evidence in evidences


def test_season():
    """What is usual at noon is strange at midnight, once some days are known."""
    at, values = quiet(days=9, channels=1)
    hour = (at // (60 * MINUTE)) % 24
    values[:, 0] = 0.2 * values[:, 0] + 10 * ((hour >= 8) & (hour < 20))
    night = 8 * DAY + 120
    values[night : night + 30] += 10
    steps = steps_of(at, values).steps
    assert [step.row for step in steps if step.kind is StepKind.OPENED] == [night]
    assert steps[-1].evidence is Evidence.SEASON
    assert steps[-1].expected == pytest.approx(0, abs=0.5)


def test_several_channels_together():
    """Channels that are each off by little are strange together; all that take part are named."""
    at, values = quiet(channels=8)
    values[5000:5060] += 2.2
    steps = steps_of(at, values, tuple("abcdefgh")).steps
    assert steps[0].kind is StepKind.OPENED
    assert steps[-1].evidence in (Evidence.JOINT, Evidence.SHIFT)


def test_baseline_does_not_learn_from_alarms():
    """After a long incident the usual value is what it was, and another one like it is as strange."""
    at, values = quiet(days=6, channels=1)
    values[5000:5400] += 30
    values[7000:7010] += 60
    steps = [step for step in steps_of(at, values).steps if step.kind is StepKind.CLOSED]
    assert len(steps) == 2
    assert steps[1].expected == pytest.approx(0, abs=0.2)
    assert steps[1].spread == pytest.approx(1, abs=0.1)


def test_new_level_is_adopted():
    """What stays is the new normal after half a day: the incident closes, and the level is no anomaly any more."""
    at, values = quiet(days=9, channels=1)
    values[5000:] += 30
    values[12000:12010] += 30
    steps = steps_of(at, values).steps
    closed = next(step for step in steps if step.kind is StepKind.CLOSED)
    assert closed.is_adopted
    assert at[closed.row] - at[5000] < 13 * 60 * MINUTE
    after = [step for step in steps if step.row > closed.row]
    assert [step.kind for step in after if step.kind is not StepKind.RAISED] == [StepKind.OPENED, StepKind.CLOSED]
    assert after[0].row == 12000
    assert after[-1].expected == pytest.approx(30, abs=0.3)


def test_echo_is_no_incident():
    """Soon after an incident a like one is told of no more, a much stranger one is."""
    at, values = quiet(channels=1)
    values[5000:5005] += 20
    values[5060:5065] += 20
    values[5120:5125] += 90
    opened = [step.row for step in steps_of(at, values).steps if step.kind is StepKind.OPENED]
    assert opened == [5000, 5120]


def test_what_recurs_becomes_usual():
    """A burst every few hours is told of some times, then no more."""
    at, values = quiet(days=12, channels=1)
    for first in range(2 * DAY, len(at), 200):
        values[first : first + 5] += 40
    opened = [step.row for step in steps_of(at, values).steps if step.kind is StepKind.OPENED]
    assert 1 <= len(opened) <= 8
    assert max(opened) < 6 * DAY


def test_pace_may_change():
    """Readings every five seconds after some every minute cause no alarm by themselves."""
    random = np.random.default_rng(6)
    slow, fast = START + MINUTE * np.arange(5 * DAY), START + MINUTE * 5 * DAY + MINUTE // 12 * np.arange(1, 12 * 720)
    level = np.convolve(random.normal(size=60 * 5 * DAY // 5 + 12 * 720 + 60), np.ones(60) / 8, "valid")
    at = np.concatenate([slow, fast])
    values = level[((at - START) // (MINUTE // 12))][:, None]
    assert len([step for step in steps_of(at, values).steps if step.kind is StepKind.OPENED]) <= 1


def test_severity():
    """Severity rises with the score, and has its least value at the threshold."""
    severities = [severity_of(score) for score in (0.5, 0.59, 0.6, 0.7, 0.85, 0.999)]
    order = list(Severity)
    assert [order.index(severity) for severity in severities] == [0, 0, 1, 2, 3, 3]


def test_worth_telling():
    """Of the scores of a device those are told that are much higher than what was told before, less so with time."""
    told = worth_telling(np.array([0.3, 0.31, np.nan, 0.6, 0.61] + [0.0] * 600 + [0.6]), Tuning())
    assert np.flatnonzero(told).tolist() == [0, 3, 605]

"""Drift of a feature as its values come: the same verdicts, soon, with a memory that does not grow."""

import numpy as np
import pytest

from models.learning.drift import Kind, Watch, sketch_of


@pytest.fixture
def rng():
    """Return a generator of numbers."""
    return np.random.default_rng(6)


@pytest.fixture
def watch(rng):
    """Return a watch over a feature that was normal in training."""
    return Watch(sketch_of(rng.standard_normal(2000)))


def rows_until_drift(watch, values):
    """Return after how many rows drift is found, or None."""
    for row in range(0, len(values), 25):
        if watch.update(values[row : row + 25]).drifted:
            return row + 25
    return None


def test_nothing_is_known_before_the_first_rows(watch, rng):
    """The first verdict needs 50 rows."""
    assert watch.finding.kind is Kind.UNKNOWN
    assert watch.update(rng.standard_normal(30)).kind is Kind.UNKNOWN
    assert watch.update(rng.standard_normal(30)).kind is Kind.STABLE


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (lambda values: values + 1, 200),
        (lambda values: values + 0.5, 500),
        (lambda values: values * np.sqrt(1.5), 400),
        (lambda values: values + np.linspace(0, 1, len(values)), 600),
        (lambda values: values * 1.8 + 32, 50),
        (lambda values: np.full(len(values), 0.1), 50),
    ],
)
def test_changes_are_found_within_some_rows(watch, rng, change, rows):
    """A change after quiet rows is found within the rows that its size needs."""
    assert rows_until_drift(watch, rng.standard_normal(1000)) is None
    assert rows_until_drift(watch, change(rng.standard_normal(600))) <= rows


def test_any_cut_gives_the_same_verdict(rng):
    """One row at a time, or all at once: the verdict over the same rows is the same."""
    sketch = sketch_of(rng.standard_normal(2000))
    values = np.where(rng.random(425) < 0.1, np.nan, rng.standard_normal(425))
    whole, single = Watch(sketch), Watch(sketch)
    expected = whole.update(values)
    for value in values:
        single.update(np.array([value]))
    found = single.finding
    assert (found.kind, found.statistic) == (expected.kind, expected.statistic)
    assert found.value == pytest.approx(expected.value, rel=1e-6)


def test_memory_does_not_grow(watch, rng):
    """A feature takes less than a kilobyte, after many rows too."""
    before = watch.nbytes
    watch.update(rng.standard_normal(20000))
    assert watch.nbytes == before < 1000


def test_drift_ends_when_the_values_are_back(watch, rng):
    """Once the windows hold none of the moved values, the verdict is stable again."""
    watch.update(rng.standard_normal(800))
    assert watch.update(rng.standard_normal(200) + 1).drifted
    assert not watch.update(rng.standard_normal(900)).drifted


def test_missing_and_stuck_sensors_are_named(watch, rng):
    """A sensor that falls silent is missing, one that repeats itself stuck, and constant in the end."""
    watch.update(rng.standard_normal(400))
    assert watch.update(np.full(50, np.nan)).kind is Kind.MISSING
    watch.update(rng.standard_normal(800))
    assert watch.update(np.full(50, 0.2)).kind is Kind.STUCK
    assert watch.update(np.full(800, 0.2)).kind is Kind.CONSTANT


def test_silence_is_stale(rng):
    """Without any row, only the clock tells that a feature has stopped."""
    seconds = np.arange(2000, dtype=np.float64) * 60.0
    watch = Watch(sketch_of(rng.standard_normal(2000), seconds))
    watch.update(rng.standard_normal(100), seconds[:100] + 120000)
    assert watch.look(seconds[99] + 120000 + 60).kind is Kind.STABLE
    assert watch.look(seconds[99] + 120000 + 600).kind is Kind.STALE


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, count: rng.standard_normal(count),
        lambda rng, count: np.exp(rng.standard_normal(count)),
        lambda rng, count: rng.poisson(0.5, count).astype(float),
        lambda rng, count: (rng.random(count) < 0.01).astype(float),
        lambda rng, count: np.round(rng.standard_normal(count), 1),
    ],
)
def test_false_alarms_are_rare_whatever_the_distribution(rng, draw):
    """Normal, skewed, counted, rare and rounded values raise at most a few alarms in 50,000 rows."""
    alarms = 0
    for _ in range(5):
        watch, was = Watch(sketch_of(draw(rng, 2000))), False
        for _ in range(200):
            found = watch.update(draw(rng, 50)).drifted
            alarms += found and not was
            was = found
    assert alarms <= 5

"""A window against the training window: drift of every sort, poor data by name, no verdict on too little."""

import json

import numpy as np
import pytest

from models.learning.drift import Kind, Sketch, SketchProblem, Statistic, compare, persistent, sketch_of, unknown
from models.severity import Severity

HOUR = 3600.0


@pytest.fixture
def rng():
    """Return a generator of numbers."""
    return np.random.default_rng(11)


@pytest.fixture
def trained(rng):
    """Return the sketch of 2,000 independent normal values."""
    return sketch_of(rng.standard_normal(2000))


def autocorrelated(rng, count, correlation):
    """Return values of deviation 1 that resemble those before them."""
    values = np.zeros(count)
    for row in range(1, count):
        values[row] = correlation * values[row - 1] + np.sqrt(1 - correlation**2) * rng.standard_normal()
    return values


def test_same_distribution_is_stable(trained, rng):
    """Later values of the same distribution are no drift, at any size of the window."""
    assert {compare(trained, rng.standard_normal(count)).kind for count in (30, 100, 400, 3000)} == {Kind.STABLE}


@pytest.mark.parametrize(
    ("changed", "statistic"),
    [
        (lambda values: values + 0.5, Statistic.LEVEL),
        (lambda values: values - 0.5, Statistic.LEVEL),
        (lambda values: values * 1.5, Statistic.SPREAD),
        (lambda values: values * 0.6, Statistic.SPREAD),
        (np.sign, Statistic.SHAPE),
    ],
)
def test_changed_distribution_is_drift(trained, rng, changed, statistic):
    """A moved level, a changed spread and another shape are drift, each told by the statistic that shows it."""
    found = compare(trained, changed(rng.standard_normal(300)))
    assert (found.kind, found.statistic, found.drifted) == (Kind.DRIFT, statistic, True)
    assert found.sample_count == 300
    assert found.reason


def test_value_and_threshold_agree_with_the_verdict(trained, rng):
    """A value is beyond its threshold if and only if the window has drifted."""
    for shift in np.linspace(-0.6, 0.6, 25):
        found = compare(trained, rng.standard_normal(200) + shift)
        if found.statistic is Statistic.LEVEL:
            assert (abs(found.value) > abs(found.threshold)) == found.drifted


def test_severity_grows_with_the_change_not_with_the_rows(trained, rng):
    """More rows make a small shift certain, not bad."""
    many = compare(trained, rng.standard_normal(20000) + 0.3)
    large = compare(trained, rng.standard_normal(200) + 1.5)
    assert (many.severity, large.severity) == (Severity.LOW, Severity.HIGH)


def test_threshold_knows_the_sample_size_and_the_autocorrelation(rng):
    """Fewer rows, and rows that resemble one another, have to move further."""
    loose = sketch_of(autocorrelated(rng, 2000, 0.9))
    tight = sketch_of(rng.standard_normal(2000))
    values = rng.standard_normal(400)
    found = {
        name: compare(sketch, values[:count] + 3)
        for name, sketch, count in (("few", tight, 50), ("many", tight, 400), ("alike", loose, 400))
    }
    assert found["many"].threshold < found["few"].threshold < found["alike"].threshold


def test_daily_course_is_no_drift(rng):
    """Half a day of values is compared with that half of the training's days, where their instants are known."""
    seconds = np.arange(2000, dtype=np.float64) * (HOUR / 4)
    values = 2 * np.sin(2 * np.pi * seconds / (24 * HOUR)) + rng.standard_normal(2000)
    later = slice(1960, 2000)
    sketch = sketch_of(values[:1900], seconds[:1900])
    assert compare(sketch, values[later], seconds[later]).kind is Kind.STABLE
    assert compare(sketch, values[later] + 1.5, seconds[later]).kind is Kind.DRIFT


def test_unit_does_not_matter(rng):
    """The same data in another unit give the same verdict."""
    values = np.exp(rng.standard_normal(2300))
    values[2000:] *= 1.5
    plain = compare(sketch_of(values[:2000]), values[2000:])
    other = compare(sketch_of(values[:2000] * 1.8 + 32), values[2000:] * 1.8 + 32)
    assert plain.kind is other.kind
    assert plain.value == pytest.approx(other.value, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.full(60, 0.3), Kind.CONSTANT),
        (np.concatenate([np.random.default_rng(3).standard_normal(60), np.full(20, 0.3)]), Kind.STUCK),
        (np.where(np.arange(200) % 5 == 0, np.nan, np.random.default_rng(3).standard_normal(200)), Kind.MISSING),
        (np.full(200, np.nan), Kind.MISSING),
        (np.random.default_rng(3).standard_normal(60) * 1.8 + 32, Kind.OUT_OF_RANGE),
    ],
)
def test_poor_data_have_names_of_their_own(trained, values, kind):
    """A constant, stuck, missing or absurd input is not called drift of the world."""
    found = compare(trained, values)
    assert (found.kind, found.is_data_quality, found.drifted) == (kind, True, True)


def test_stale_after_a_gap_that_training_never_had(rng):
    """Values that have stopped coming are stale, from twice the longest gap of the training on."""
    seconds = np.arange(2000, dtype=np.float64) * 60.0
    sketch = sketch_of(rng.standard_normal(2000), seconds)
    later = seconds[-1] + 60 + np.arange(100) * 60.0
    values = rng.standard_normal(100)
    assert compare(sketch, values, later, now=later[-1] + 100).kind is Kind.STABLE
    assert compare(sketch, values, later, now=later[-1] + 130).kind is Kind.STALE


def test_too_little_is_unknown_and_says_why(trained, rng):
    """Few values, or a training window of few, give no verdict."""
    few = compare(trained, rng.standard_normal(20))
    untrained = compare(sketch_of(rng.standard_normal(50)), rng.standard_normal(200))
    assert (few.kind, untrained.kind) == (Kind.UNKNOWN, Kind.UNKNOWN)
    assert "20 values" in few.reason
    assert "50 values" in untrained.reason
    assert compare(sketch_of(np.zeros(0)), rng.standard_normal(200)).kind is Kind.UNKNOWN


def test_a_constant_that_begins_to_vary_is_drift(rng):
    """What had one value in training may keep it, and drifts with the first few others."""
    sketch = sketch_of(np.full(2000, 0.0035))
    assert compare(sketch, np.full(200, 0.0035)).kind is Kind.STABLE
    found = compare(sketch, np.concatenate([np.full(150, 0.0035), rng.random(50)]))
    assert (found.kind, found.statistic) == (Kind.DRIFT, Statistic.CHANGED_SHARE)


def test_sketch_survives_json(rng):
    """A sketch that was stored as text gives the same verdict."""
    seconds = np.arange(2000, dtype=np.float64) * HOUR
    values = np.where(rng.random(2000) < 0.05, np.nan, np.sin(seconds / HOUR / 24) + rng.standard_normal(2000))
    sketch = sketch_of(values, seconds)
    again = Sketch.from_json(json.loads(json.dumps(sketch.to_json())))
    later = rng.standard_normal(300) + 0.2
    assert compare(again, later).value == pytest.approx(compare(sketch, later).value, rel=1e-3)
    assert again.to_json() == sketch.to_json()


@pytest.mark.parametrize("stored", [{}, {"rows": 3}, {"edges": "x"}])
def test_other_json_is_no_sketch(stored):
    """What is not a sketch is refused in a sentence."""
    with pytest.raises(SketchProblem, match="train the model again"):
        Sketch.from_json(stored)


def test_instants_have_to_be_as_many_as_values(trained):
    """Instants that do not match the values are refused."""
    with pytest.raises(SketchProblem, match="finite instants"):
        sketch_of(np.zeros(3), np.zeros(2))
    with pytest.raises(SketchProblem, match="finite instants"):
        compare(trained, np.zeros(3), np.array([1.0, 2.0, np.nan]))


def test_two_of_three_windows_persist(trained, rng):
    """One window beyond its threshold is not yet persistent, and windows without a verdict do not count."""
    calm, moved = compare(trained, rng.standard_normal(200)), compare(trained, rng.standard_normal(200) + 2)
    none = unknown(3, "too few")
    assert not persistent([calm, calm, moved])
    assert persistent([moved, calm, none, moved])
    assert not persistent([])

"""Risk of failure by a rule that is known: whether it is found, explained and named, whatever the units."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.boosting import ArtefactError, NothingToLearn
from models.learning.features import ChannelMismatch, History, Layout
from models.learning.risk import (
    BOOSTING,
    Interaction,
    Kind,
    Level,
    Levels,
    RiskCase,
    load,
    looks_at,
    outcomes,
    pr_auc,
    roc_auc,
    train,
)

QUICK = replace(BOOSTING, trees=60, learning_rate=0.1)
LAYOUT = Layout(("speed", "torque", "inside", "outside"), attributes=("type=A",))


def machines(rows=2500, seed=0, scale=(1.0, 1.0, 1.0, 1.0), shift=0.0) -> list[RiskCase]:
    """Return single readings that fail above a power, or where inside and outside are too near each other."""
    random = np.random.default_rng(seed)
    speed, torque = random.uniform(20, 60, rows), random.uniform(10, 40, rows)
    outside = random.normal(300, 4, rows)
    inside = outside + random.normal(10, 1.2, rows)
    fails = (speed * torque > 1900) | (inside - outside < 8)
    values = np.column_stack([speed, torque, inside, outside]) * scale + [0, 0, shift, shift]
    kind = random.integers(0, 2, rows).astype(float)
    return [
        RiskCase(
            History(times=np.zeros(1), values=values[row : row + 1], attributes=kind[row : row + 1]),
            np.ones(1) if fails[row] else np.empty(0),
            1.0,
        )
        for row in range(rows)
    ]


@pytest.fixture(scope="module")
def trained():
    """Return a training on such readings."""
    return train(LAYOUT, machines(), 1.0, boosting=QUICK)


def test_rules_are_found_whatever_the_units(trained):
    """The power and the difference are derived by themselves, in °C and other scales too."""
    names = {each.name(LAYOUT.channels) for each in trained.model.interactions}
    assert {"speed * torque", "inside - outside"} <= names
    other = Layout(("c1", "c2", "c3", "c4"), attributes=("k",))
    scaled = train(other, machines(scale=(0.1, 8.85, 1.0, 1.0), shift=-273.15), 1.0, boosting=QUICK)
    assert {"c1 * c2", "c3 - c4"} <= {each.name(other.channels) for each in scaled.model.interactions}
    assert scaled.metrics["pr_auc"] == pytest.approx(trained.metrics["pr_auc"], abs=0.05)


def test_channels_of_different_units_get_a_weight():
    """Where one temperature is in °F and the other in K, the difference has the ratio of the units."""
    found = train(LAYOUT, machines(scale=(1.0, 1.0, 1.8, 1.0)), 1.0, boosting=QUICK).model.interactions
    weights = [each.weight for each in found if each.kind is Kind.DIFFERENCE and {each.left, each.right} == {2, 3}]
    assert weights == [pytest.approx(1.8, rel=0.08)]


def test_probabilities_levels_and_confidence(trained):
    """New machines are ranked nearly perfectly, with levels by probability."""
    new = machines(1000, seed=1)
    truths = np.array([float(len(case.failures)) for case in new])
    found = trained.model.predict(LAYOUT, [case.history for case in new])
    assert pr_auc(truths, found.probability) > 0.9
    assert abs(found.probability.mean() - truths.mean()) < 0.03
    assert found.levels[int(found.probability.argmax())] is Level.CRITICAL
    assert found.levels[int(found.probability.argmin())] is Level.LOW
    assert 0.8 < found.confidence.mean() <= 1


def test_factors_add_up_and_name_the_rule(trained):
    """Base and contributions are the probability; a failure by power has the power as its strongest factor."""
    history = History(times=np.zeros(1), values=np.array([[58.0, 39.0, 311.0, 300.0]]), attributes=np.zeros(1))
    found = trained.model.predict(LAYOUT, [history])
    why = trained.model.explain(LAYOUT, [history])
    np.testing.assert_allclose(why.base + why.contributions.sum(axis=1), found.probability, atol=1e-9)
    strongest = int(why.contributions[0].argmax())
    assert why.names[strongest] == "speed * torque"
    assert why.channels[strongest] == ("speed", "torque")
    assert why.values[0, strongest] == pytest.approx(58 * 39)
    assert why.typical[strongest] < 1500
    assert why.weights.sum() == pytest.approx(1)
    assert np.abs(why.scores[0]).sum() == pytest.approx(1)


def test_risk_artefact_comes_back(trained):
    """A loaded model gives the same risks and factors; a spoilt one is refused."""
    histories = [case.history for case in machines(20, seed=2)]
    again = load(trained.text)
    one, two = trained.model.predict(LAYOUT, histories), again.predict(LAYOUT, histories)
    np.testing.assert_allclose(one.probability, two.probability, rtol=1e-12)
    assert again.explain(LAYOUT, histories).names == trained.model.explain(LAYOUT, histories).names
    with pytest.raises(ArtefactError):
        load(trained.text[:-9])
    with pytest.raises(ChannelMismatch):
        again.predict(Layout(("speed",)), histories)


def test_errors_before_failures_are_learnt_from_logs():
    """Failures a day after an error are foreseen from the log of errors alone; the past knows nothing of them."""
    random = np.random.default_rng(3)
    layout = Layout(events=("error", "maintenance"))
    cases = []
    for _ in range(20):
        errors = np.sort(random.uniform(0, 200, 12))
        history = History(events=(errors, np.sort(random.uniform(0, 200, 5))), started=0.0)
        cases.append(RiskCase(history, errors + 1.0, 200.0))
    found = train(layout, cases, 1.0, boosting=QUICK)
    assert found.metrics["pr_auc"] > 5 * found.metrics["base_rate"]
    unit = History(events=(np.array([50.0]), np.empty(0)), started=0.0)
    risks = found.model.predict(layout, [unit.until(49.0), unit], np.array([49.0, 50.2])).probability
    assert risks[1] > 0.5 > 3 * risks[0]


def test_outcomes_and_looks():
    """A failure counts after the instant and up to the horizon; unknown outcomes are left out."""
    case = RiskCase(History(started=0.0), np.array([10.0]), observed_until=20.0)
    np.testing.assert_array_equal(outcomes(case, np.array([4.0, 5.0, 9.9, 10.0]), 5.0), [0, 1, 1, 0])
    (looks,) = looks_at([case], 4.0, 1000)
    assert (looks[0], looks[-1]) == (0, 16)
    assert len(looks_at([case], 4.0, 5)[0]) <= 5
    assert looks_at([RiskCase(History())], 1.0, 10)[0].size == 0


def test_training_without_failures_is_refused():
    """No positive case and no history are named."""
    quiet = [replace(case, failures=np.empty(0)) for case in machines(100)]
    with pytest.raises(NothingToLearn, match="no positive case"):
        train(LAYOUT, quiet, 1.0)
    with pytest.raises(NothingToLearn, match="Too little history"):
        train(Layout(), [RiskCase(History())], 1.0)


def test_unknown_machine_has_no_risk(trained):
    """Where nothing is known there is no number."""
    found = trained.model.predict(LAYOUT, [History(values=np.empty((0, 4)), attributes=np.array([np.nan]))])
    assert np.isnan(found.probability[0])
    assert found.levels == (None,)


def test_levels_of_probabilities():
    """Each level begins at its probability."""
    levels = Levels(0.1, 0.3, 0.6)
    assert [levels.of(p) for p in (0.05, 0.1, 0.3, 0.6)] == [Level.LOW, Level.MEDIUM, Level.HIGH, Level.CRITICAL]


def test_areas_of_known_rankings():
    """Perfect, useless and hand-reckoned rankings have their known areas."""
    truths = np.array([0.0, 1.0, 0.0, 1.0])
    assert roc_auc(truths, np.array([0.1, 0.9, 0.2, 0.8])) == 1
    assert pr_auc(truths, np.array([0.1, 0.9, 0.2, 0.8])) == 1
    assert roc_auc(truths, np.ones(4)) == 0.5
    assert pr_auc(truths, np.ones(4)) == 0.5
    assert pr_auc(truths, np.array([0.9, 0.8, 0.1, 0.2])) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert np.isnan(pr_auc(np.zeros(3), np.ones(3)))
    assert np.isnan(roc_auc(np.zeros(3), np.ones(3)))


def test_derived_quantities_know_missing_channels():
    """A missing channel and a division by zero give no number."""
    levels = np.array([[4.0, 2.0], [np.nan, 2.0], [4.0, 0.0]])
    np.testing.assert_array_equal(Interaction(0, 1, Kind.RATIO).of(levels), [2, np.nan, np.nan])
    np.testing.assert_array_equal(Interaction(0, 1, Kind.SUM, 2.0).of(levels), [8, np.nan, 4])
    assert Interaction(0, 1, Kind.DIFFERENCE, 1.8).name(("in", "out")) == "in - 1.8 out"

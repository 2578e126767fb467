"""Remaining life of units that wear at their own pace, and of fleets in which few or none have failed."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.boosting import ArtefactError, Boosting, NothingToLearn
from models.learning.features import ChannelMismatch, History, HistoryProblem, Layout
from models.learning.lifespan import Life, Method, Reason, fit_survival, load, train, train_by_age

LAYOUT = Layout(("wear", "idle", "dead"))
QUICK = Boosting(trees=60, learning_rate=0.1, rows_in_leaf=10)


def life(pace, seed, *, seen=1.0) -> Life:
    """Return a unit that fails when its wear reaches 1; its first `seen` share is known."""
    random = np.random.default_rng(seed)
    end = 1 / pace
    times = np.arange(0.0, end, 1.0)
    wear = (pace * times) ** 2 + random.normal(size=len(times)) * 0.02
    values = np.column_stack([wear * 7 - 3, random.normal(size=len(times)), np.full(len(times), 4.0)])
    whole = History(times=times, values=values)
    return Life(whole, failed_at=end) if seen == 1.0 else Life(whole.until(seen * end))


def fleet(count=30, seed=0, *, running=0) -> list[Life]:
    """Return units of paces that differ threefold, the last ones still running."""
    paces = 1 / np.random.default_rng(seed).uniform(60, 180, count)
    return [
        life(pace, place, seen=1.0 if place < count - running else 0.6) for place, pace in enumerate(paces.tolist())
    ]


@pytest.fixture(scope="module")
def trained():
    """Return a training on units that failed and some that still run."""
    return train(LAYOUT, fleet(40, running=8), boosting=QUICK)


def test_remaining_life_of_new_units(trained):
    """New units are predicted far better than by age, within intervals that hold, with reasons that add up."""
    truths = np.array([0.2, 0.5, 0.8] * 30)
    ends = np.repeat(np.random.default_rng(5).uniform(70, 170, 30), 3)
    units = [life(1 / end, 900 + n, seen=seen).history for n, (end, seen) in enumerate(zip(ends, truths, strict=True))]
    left = np.array([end - unit.end for end, unit in zip(ends, units, strict=True)])
    found = trained.model.predict(LAYOUT, units)
    assert np.abs(found.value - left).mean() < 15
    held = np.mean((left >= found.lower) & (left <= found.upper))
    assert 0.8 < held <= 1
    assert set(found.methods) == {Method.REGRESSION}
    near = truths == 0.8
    assert found.confidence[near].mean() > found.confidence[~near].mean()
    why = trained.model.explain(LAYOUT, units)
    np.testing.assert_allclose(why.base + why.contributions.sum(axis=1), found.value, atol=1e-8)
    weight = dict(zip(why.groups, np.abs(why.contributions).mean(axis=0).tolist(), strict=True))
    assert weight["wear"] > 3 * weight["idle"]
    assert "dead" not in weight


def test_metrics_and_window(trained):
    """Errors are out-of-fold and beat age alone; the window is the time that was learnt from."""
    metrics = trained.metrics
    assert metrics["rmse"] < metrics["rmse_by_age"]
    assert 0.8 < metrics["interval_coverage"] < 1
    assert (metrics["units"], metrics["failures"]) == (40, 32)
    assert trained.window[0] == 0
    assert 100 < trained.window[1] <= 180
    assert len(trained.feature_names) == 19


def test_artefact_comes_back(trained):
    """A loaded model predicts the same; a spoilt text is refused."""
    units = [unit.history for unit in fleet(4, seed=3)]
    one, two = trained.model.predict(LAYOUT, units), load(trained.text, threads=2).predict(LAYOUT, units)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-12)
    with pytest.raises(ArtefactError, match="checksum"):
        load(trained.text.replace('"coverage":0.9', '"coverage":0.5'))


def test_units_without_readings_are_told_by_age(trained):
    """A unit in service without readings gets the fleet's estimate and says so; an unknown one gets a reason."""
    silent = History(values=np.empty((0, 3)), started=0.0)
    unknown = History(values=np.empty((0, 3)))
    read = life(0.01, 1, seen=0.5).history
    found = trained.model.predict(LAYOUT, [silent, read, unknown], np.array([50.0, 50.0, 50.0]))
    assert found.methods == (Method.WEIBULL, Method.REGRESSION, None)
    assert found.reasons == (None, None, Reason.NO_HISTORY)
    assert found.lower[0] < found.value[0] < found.upper[0]
    assert np.isnan(found.value[2])
    why = trained.model.explain(LAYOUT, [silent, read, unknown], np.array([50.0, 50.0, 50.0]))
    sums = why.base + why.contributions.sum(axis=1)
    np.testing.assert_allclose(sums[:2], found.value[:2], atol=1e-8)


def test_doubtful_histories_lower_the_confidence(trained):
    """Missing channels and a change of unit in mid-history are seen, and cost confidence."""
    unit = life(0.01, 2, seen=0.7).history
    blank, changed = unit.values.copy(), unit.values.copy()
    blank[:, 0] = np.nan
    changed[40:, 0] = changed[40:, 0] * 1.8 + 320
    histories = [unit, replace(unit, values=blank), replace(unit, values=changed)]
    found = trained.model.predict(LAYOUT, histories)
    assert found.missing[1] > 0.3 > found.missing[0]
    assert found.outside[2] > 0.3 > found.outside[0]
    assert found.confidence[0] > max(found.confidence[1], found.confidence[2])


def test_cap_and_running_units_count():
    """With a cap nothing longer is told, and units that still run are learnt from."""
    capped = train(LAYOUT, fleet(20), cap=50.0, boosting=QUICK)
    found = capped.model.predict(LAYOUT, [life(0.01, 3, seen=0.1).history])
    assert found.upper[0] <= 50
    with_running = train(LAYOUT, fleet(30, running=10), boosting=QUICK)
    assert with_running.metrics["rows"] > train(LAYOUT, fleet(30)[:20], boosting=QUICK).metrics["rows"]


def test_refuses_what_cannot_be_learnt():
    """Too few failures, hardly any readings and other channels are named."""
    with pytest.raises(NothingToLearn, match="0 units with readings have failed, 5 are needed"):
        train(LAYOUT, fleet(6, running=6))
    short = [Life(unit.history.until(1.0), failed_at=2.0) for unit in fleet(6)]
    with pytest.raises(NothingToLearn, match="Too little history: 12 readings of 6 units"):
        train(LAYOUT, short)
    with pytest.raises(NothingToLearn, match="no age"):
        train_by_age(LAYOUT, [Life(History(values=np.empty((0, 3))))])
    model = train_by_age(LAYOUT, fleet(6)).model
    with pytest.raises(ChannelMismatch, match="wear, idle, dead; given are none"):
        model.predict(Layout(), [])
    with pytest.raises(HistoryProblem, match="1 channels instead of 3"):
        model.predict(LAYOUT, [History(times=np.zeros(1), values=np.zeros((1, 1)))])


def test_survival_recovers_a_weibull_from_censored_ages():
    """Shape and scale come back although half of the units still run; the interval follows the age."""
    random = np.random.default_rng(0)
    lives, limits = 100 * random.weibull(3.0, 3000), random.uniform(40, 160, 3000)
    found = fit_survival(np.minimum(lives, limits), lives <= limits)
    assert found.shape == pytest.approx(3, rel=0.05)
    assert found.scale == pytest.approx(100, rel=0.03)
    old = lives > 80
    assert np.mean(lives[old] - 80 < found.remaining(np.array([80.0]), 0.9)[0]) == pytest.approx(0.9, abs=0.03)


def test_fleet_without_failures_is_told_by_age():
    """With no failure the shape is assumed, the method says so, and older units have less left."""
    model = load(train_by_age(LAYOUT, fleet(6, running=6)).text)
    young, old = (History(values=np.empty((0, 3)), started=started) for started in (90.0, 0.0))
    found = model.predict(LAYOUT, [young, old], np.array([100.0, 100.0]))
    assert found.methods == (Method.WEIBAYES, Method.WEIBAYES)
    assert found.value[0] > found.value[1] > 0
    assert found.confidence.max() < 0.6
    why = model.explain(LAYOUT, [young, old], np.array([100.0, 100.0]))
    np.testing.assert_allclose(why.base + why.contributions[:, 0], found.value)

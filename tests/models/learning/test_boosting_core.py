"""Boosted models: intervals that hold, probabilities that come true, contributions that add up, text that is safe."""

import json

import numpy as np
import pytest

from models.learning.boosting import (
    ArtefactError,
    Boosting,
    Classifier,
    NothingToLearn,
    Regressor,
    Table,
    Trees,
    fit_bands,
    fit_classifier,
    fit_regressor,
    fit_sigmoid,
    folds_of,
    seal,
    unseal,
)

QUICK = Boosting(trees=60, learning_rate=0.1, leaves=7, rows_in_leaf=10, feature_share=1.0)
NAMES = ("a.level", "a.change", "b.level", "noise.level", "constant.level")


def table(rows=1500, *, binary=False, seed=0) -> Table:
    """Return rows of 50 units whose target follows a and b, with missing values and a constant feature."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 5))
    features[:, 4] = 7.0
    signal = 10 + 2 * features[:, 0] + features[:, 1] * (features[:, 2] > 0)
    features[random.random(rows) < 0.05, 3] = np.nan
    noisy = signal + random.normal(size=rows)
    targets = (noisy > 12).astype(float) if binary else noisy
    return Table(features=features, names=NAMES, targets=targets, units=random.integers(0, 50, rows))


@pytest.fixture(scope="module")
def regressor():
    """Return a trained regression."""
    return fit_regressor(table(), boosting=QUICK)[0]


@pytest.fixture(scope="module")
def classifier():
    """Return a trained classification."""
    return fit_classifier(table(binary=True), boosting=QUICK)[0]


def test_interval_holds_on_new_cases(regressor):
    """About nine in ten new truths lie within the interval, which is far narrower than the spread of the truths."""
    new = table(seed=1)
    value, lower, upper = regressor.predict(new.features)
    held = np.mean((new.targets >= lower) & (new.targets <= upper))
    assert 0.86 < held < 0.97
    assert np.all((lower <= value) & (value <= upper))
    assert np.mean(upper - lower) < 0.7 * np.ptp(np.quantile(new.targets, [0.05, 0.95]))


def test_probability_comes_true(classifier):
    """In each third of the predictions the mean probability is about the rate of cases."""
    new = table(seed=1, binary=True)
    probability = classifier.probability(new.features)
    for rows in np.array_split(np.argsort(probability), 3):
        assert probability[rows].mean() == pytest.approx(new.targets[rows].mean(), abs=0.06)


@pytest.mark.parametrize("name", ["regressor", "classifier"])
def test_contributions_add_up(name, request):
    """Base and contributions are the prediction, in its own unit, and the noise matters least."""
    model = request.getfixturevalue(name)
    features = table(seed=2).features
    found = model.explain(features)
    predicted = model.predict(features)[0] if isinstance(model, Regressor) else model.probability(features)
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), predicted, atol=1e-9)
    weight = dict(zip(found.groups, np.abs(found.contributions).mean(axis=0).tolist(), strict=True))
    assert set(weight) == {"a", "b", "noise"}
    assert weight["a"] > weight["b"] > weight["noise"]


def test_stored_models_predict_the_same(regressor, classifier):
    """What comes back from JSON predicts the same numbers."""
    features = table(seed=3).features
    again = Regressor.from_json(json.loads(json.dumps(regressor.to_json())))
    np.testing.assert_array_equal(again.predict(features), regressor.predict(features))
    other = Classifier.from_json(json.loads(json.dumps(classifier.to_json())))
    np.testing.assert_array_equal(other.probability(features), classifier.probability(features))


def test_same_seed_same_model_with_any_threads():
    """Training twice gives the same predictions, with one thread and with two."""
    features = table(seed=3).features
    one, two = (
        fit_regressor(table(600), boosting=Boosting(trees=20, threads=threads))[0].predict(features)[0]
        for threads in (1, 2)
    )
    np.testing.assert_allclose(one, two, rtol=1e-9)


def test_progress_rises_to_one_and_may_stop():
    """The share done rises to 1, and an exception of the listener ends the training."""
    seen: list[float] = []
    fit_regressor(table(400), boosting=Boosting(trees=5), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_regressor(table(400), boosting=Boosting(trees=5), progress=stop)


def test_doubts_see_missing_and_unseen_values(regressor):
    """Missing features and a change of unit show; ordinary cases raise hardly a doubt."""
    ordinary = table(seed=4).features[:50]
    missing, outside = regressor.doubts(ordinary)
    assert missing.max() < 0.2
    assert outside.max() < 0.2
    blank, changed = ordinary.copy(), ordinary * 1.8 + 32
    blank[:, :3] = np.nan
    assert regressor.doubts(blank)[0].min() > 0.5
    assert regressor.doubts(changed)[1].min() > 0.5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tree\nversion=v4", "not readable as JSON"),
        ("[1]", "no JSON object"),
        (seal("other/1", {"a": 1}), "'thing/1' is needed"),
        (seal("thing/1", {"a": 1}).replace('"a":1', '"a":2'), "checksum"),
        (seal("thing/1", {"a": 1})[:-4], "not readable"),
        ('{"kind":"thing/1"}', "checksum"),
    ],
)
def test_spoilt_artefacts_are_named(text, named):
    """Text that was cut, changed or is of another kind is refused before LightGBM sees it."""
    with pytest.raises(ArtefactError, match=named):
        unseal("thing/1", text)


def test_trees_that_lightgbm_does_not_know_are_named(regressor):
    """Trees of no known form are refused."""
    with pytest.raises(ArtefactError, match="LightGBM"):
        Trees.from_json(regressor.trees.to_json() | {"trees": "no trees"}, 1)


def test_too_little_is_refused():
    """One unit, no varying feature, and one outcome only cannot be learnt from."""
    ones = table(100)
    alone = Table(features=ones.features, names=NAMES, targets=ones.targets, units=np.zeros(100, np.int64))
    with pytest.raises(NothingToLearn, match="two units"):
        fit_regressor(alone)
    flat = Table(features=np.ones((100, 5)), names=NAMES, targets=ones.targets, units=ones.units)
    with pytest.raises(NothingToLearn, match="No feature varies"):
        fit_regressor(flat)
    for outcome, named in ((0.0, "no positive case"), (1.0, "no negative case")):
        same = Table(features=ones.features, names=NAMES, targets=np.full(100, outcome), units=ones.units)
        with pytest.raises(NothingToLearn, match=named):
            fit_classifier(same)


def test_units_are_never_divided():
    """All rows of a unit are in one fold, and the folds have like targets."""
    units = np.repeat(np.arange(40), 5)
    targets = np.repeat(np.arange(40) % 4 == 0, 5).astype(float)
    fold = folds_of(units, targets, 5, 1)
    assert all(len(set(fold[units == unit].tolist())) == 1 for unit in range(40))
    assert [targets[fold == part].sum() for part in range(5)] == [10] * 5


def test_bands_follow_the_predicted_value():
    """Where errors grow with the prediction, so does the interval; a limit of the truths costs no width."""
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 100, 5000)
    truths = np.minimum(predicted + random.normal(size=5000) * predicted / 10, 100)
    bands = fit_bands(predicted, truths, np.arange(5000))
    lower, upper = bands.around(np.array([10.0, 50.0, 100.0]))
    assert (upper - lower)[0] < (upper - lower)[1] / 3
    assert 100 - lower[2] < 20


def test_sigmoid_undoes_overconfidence():
    """Log-odds that are three times too large are calibrated; useless ones give the base rate."""
    random = np.random.default_rng(0)
    truth = random.normal(size=4000)
    cases = (random.random(4000) < 1 / (1 + np.exp(-truth))).astype(float)
    assert fit_sigmoid(3 * truth, cases).slope == pytest.approx(1 / 3, abs=0.04)
    useless = fit_sigmoid(-truth, cases).probability(truth)
    assert np.ptp(useless) == 0
    assert useless[0] == pytest.approx(cases.mean(), abs=0.01)

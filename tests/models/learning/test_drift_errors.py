"""Concept drift from errors, and errors expected before outcomes arrive."""

import json

import numpy as np
import pytest

from models.learning.drift import (
    ErrorReference,
    ErrorWatch,
    Kind,
    SketchProblem,
    WidthErrors,
    compare,
    compare_errors,
    error_reference,
    expected_mae,
    expected_of_probabilities,
    fit_width_errors,
    sketch_of,
)
from models.severity import Severity


@pytest.fixture
def rng():
    """Return a generator of numbers."""
    return np.random.default_rng(23)


def wrong(rng, count, share):
    """Return 1 for each class that was wrong."""
    return (rng.random(count) < share).astype(np.float64)


def test_more_errors_are_concept_drift(rng):
    """A model that is wrong twice as often as when it was tested is found, with both rates."""
    reference = error_reference(wrong(rng, 1000, 0.1))
    found = compare_errors(reference, wrong(rng, 300, 0.25))
    assert (found.kind, found.severity) == (Kind.CONCEPT_DRIFT, Severity.CRITICAL)
    assert found.value > found.threshold > reference.mean
    assert compare_errors(reference, wrong(rng, 300, 0.1)).kind is Kind.STABLE


def test_fewer_errors_are_no_drift(rng):
    """A model that has become better is left alone."""
    assert compare_errors(error_reference(wrong(rng, 1000, 0.3)), np.zeros(400)).kind is Kind.STABLE


def test_single_wild_errors_are_no_drift(rng):
    """One absurd outcome does not condemn a regression."""
    reference = error_reference(np.abs(rng.standard_normal(1000)))
    errors = np.abs(rng.standard_normal(200))
    errors[50] = 1e6
    assert compare_errors(reference, errors).kind is Kind.STABLE
    assert compare_errors(reference, errors * 1.6).kind is Kind.CONCEPT_DRIFT


def test_a_model_that_never_erred_may_err_once(rng):
    """Errors after a faultless test are drift only when they come again and again."""
    reference = error_reference(np.zeros(500))
    assert compare_errors(reference, wrong(rng, 100, 0.0)).kind is Kind.STABLE
    assert compare_errors(reference, np.where(np.arange(100) == 5, 1.0, 0.0)).kind is Kind.STABLE
    assert compare_errors(reference, wrong(rng, 100, 0.2)).kind is Kind.CONCEPT_DRIFT


def test_too_few_outcomes_are_unknown_and_say_why(rng):
    """Neither few outcomes nor few tested cases give a verdict."""
    assert "30 are needed" in compare_errors(error_reference(np.ones(200)), np.ones(10)).reason
    assert compare_errors(error_reference(np.ones(20)), np.ones(100)).kind is Kind.UNKNOWN
    assert ErrorWatch(error_reference(np.zeros(0))).update(np.ones(100)).kind is Kind.UNKNOWN


def test_errors_are_watched_as_they_come(rng):
    """A concept that changes is found soon, and few alarms come before it does."""
    delays: list[int] = []
    false_alarms = 0
    for _ in range(10):
        watch = ErrorWatch(error_reference(wrong(rng, 1000, 0.1)))
        for _ in range(100):
            false_alarms += watch.update(wrong(rng, 25, 0.1)).drifted
        delays.append(next(rows for rows in range(25, 2000, 25) if watch.update(wrong(rng, 25, 0.25)).drifted))
    assert false_alarms <= 25
    assert np.median(delays) <= 150
    assert max(delays) <= 400


def test_watch_of_errors_keeps_little(rng):
    """The memory of a watch does not grow."""
    watch = ErrorWatch(error_reference(wrong(rng, 1000, 0.1)))
    before = watch.nbytes
    watch.update(wrong(rng, 10000, 0.1))
    assert watch.nbytes == before < 1000


def test_references_survive_json(rng):
    """References that were stored as text give the same verdicts; other JSON is refused in a sentence."""
    for errors in (wrong(rng, 500, 0.2), np.zeros(500)):
        reference = error_reference(errors)
        again = ErrorReference.from_json(json.loads(json.dumps(reference.to_json())))
        later = wrong(rng, 200, 0.3)
        assert compare_errors(again, later) == compare_errors(reference, later)
    with pytest.raises(SketchProblem, match="train the model again"):
        ErrorReference.from_json({"count": 3})
    with pytest.raises(SketchProblem, match="train the model again"):
        WidthErrors.from_json({"widths": [1]})


def test_expected_metrics_of_calibrated_probabilities_come_true(rng):
    """What calibrated probabilities promise is what outcomes later show, within the interval."""
    probabilities = rng.beta(0.6, 2.0, 20000)
    truths = rng.random(20000) < probabilities
    called = probabilities >= 0.5
    found = expected_of_probabilities(probabilities)
    order = np.argsort(-probabilities)
    precisions = np.cumsum(truths[order]) / np.arange(1, 20001)
    true = {
        "ACCURACY": np.mean(called == truths),
        "PRECISION": np.mean(truths[called]),
        "RECALL": np.mean(called[truths]),
        "AVERAGE_PRECISION": precisions[truths[order]].mean(),
        "BRIER": np.mean((probabilities - truths) ** 2),
    }
    assert all(estimate.is_valid for estimate in found.values())
    for metric, value in true.items():
        assert found[metric].value == pytest.approx(value, abs=0.02)
    assert found["ACCURACY"].lower < found["ACCURACY"].value < found["ACCURACY"].upper


def test_expected_error_follows_the_width_of_intervals(rng):
    """Wider intervals, of which calibration knows the errors, promise larger errors."""
    spread = rng.uniform(1, 5, 5000)
    by_width = fit_width_errors(3.3 * spread, spread * rng.standard_normal(5000))
    by_width = WidthErrors.from_json(json.loads(json.dumps(by_width.to_json())))
    later = rng.uniform(3, 5, 2000)
    found = expected_mae(by_width, 3.3 * later)
    assert found.is_valid
    assert found.lower < found.value < found.upper
    assert found.value == pytest.approx(np.mean(later) * np.sqrt(2 / np.pi), rel=0.05)
    assert expected_mae(by_width, np.full(50, 33.0)).value == pytest.approx(10 * np.sqrt(2 / np.pi), rel=0.15)


def test_estimates_are_invalid_while_inputs_drift(rng):
    """An estimate rests on inputs that are as in training; where one is not, it says which."""
    sketch = sketch_of(rng.standard_normal(2000))
    findings = {"temperature": compare(sketch, rng.standard_normal(200) + 2), "flow": compare(sketch, np.zeros(0))}
    found = expected_of_probabilities(rng.random(200), findings=findings)["ACCURACY"]
    assert not found.is_valid
    assert "temperature" in found.reason
    unsure = expected_of_probabilities(rng.random(200), findings={"flow": findings["flow"]})["ACCURACY"]
    assert "flow" in unsure.reason


def test_too_few_predictions_give_no_valid_estimate(rng):
    """A handful of predictions says nothing, and no positive case leaves precision undefined."""
    assert "30 are needed" in expected_of_probabilities(rng.random(10))["ACCURACY"].reason
    none_called = expected_of_probabilities(np.full(100, 0.1))["PRECISION"]
    assert not none_called.is_valid
    with pytest.raises(SketchProblem, match="30 are needed"):
        fit_width_errors(np.ones(5), np.ones(5))
    empty = expected_mae(fit_width_errors(np.ones(50), np.ones(50)), np.zeros(0))
    assert (empty.sample_count, empty.is_valid) == (0, False)

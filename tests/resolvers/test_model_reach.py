"""What of a model's inputs and errors says something of it: not what only grows, nor what lies beyond its reach."""

import numpy as np
import pytest

from models.learning.backtest import Backtest
from models.learning.reference import Served, reference_of
from models.repositories.prediction_models import as_json
from models.store import Store
from resolvers.monitoring.comparing import compare_unit_errors
from resolvers.monitoring.comparing import reference_of as read
from tests.monitoring import ModelLab

NAMES = ("heat.level", "anomaly.count", "age.time")
TRAINED = {"mae": 10.0, "interval_width": 40.0}


def backtest(rows: int = 1000, units: int = 40) -> Backtest:
    """Return independent rows with three features."""
    random = np.random.default_rng(1)
    predicted = random.normal(1000, 50, rows)
    return Backtest(
        features=random.standard_normal((rows, len(NAMES))),
        units=np.arange(rows) % units,
        instants=(np.arange(rows) // units).astype(np.float64),
        truths=predicted + random.normal(0, 1, rows),
        known=np.ones(rows, np.bool_),
        predicted=predicted,
    )


async def test_what_grows_with_time_is_no_drift(store: Store):
    """Counts and ages leave the training's range by themselves; what else moves is found."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    reference = as_json(reference_of(backtest(), NAMES))
    model = await lab.add_model(feature_names=as_json(NAMES), reference=reference)
    moved = lab.random.standard_normal((40, len(NAMES))) + 1.5
    await lab.predict(model, features=moved)
    await lab.next_day()
    await lab.evaluate()
    assert await lab.drift() == {"heat.level": "DRIFT", "prediction": "STABLE"}


@pytest.mark.parametrize(("reach", "low", "high"), [(None, 10.0, 10.0), (1000.0, 3.0, 8.0), (500.0, 0.0, 0.0)])
async def test_estimates_go_as_far_as_readings_tell(store: Store, reach: float | None, low: float, high: float):
    """The part of an interval that lies beyond the reach rests on ages, and widens no estimate."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    model = await lab.add_model(metrics=as_json(TRAINED if reach is None else TRAINED | {"reach": reach}))
    await lab.predict(model)
    await lab.next_day()
    await lab.evaluate()
    assert low <= round((await lab.metrics())["estimated_mae"], 6) <= high


def test_errors_beyond_the_reach_are_none():
    """Who was said to last for ten years, and failed after half of one, was well beyond 60 days all the same."""
    stored = as_json(reference_of(backtest(), NAMES))
    reference = read({"reference": stored, "feature_names": as_json(NAMES), "version": 1, "name": "any"})
    assert reference is not None
    assert reference.error is not None
    rows = [{"device_id": number, "value": 3650.0, "outcome": 180.0, "is_lower_bound": False} for number in range(60)]
    assert compare_unit_errors(reference.error, rows).drifted
    assert not compare_unit_errors(reference.error, rows, 60.0).drifted


def test_a_reference_has_the_rows_that_would_have_been_served():
    """Its features and predictions are those of all days, its errors those of the days whose truth is known."""
    known = backtest()
    random = np.random.default_rng(2)
    served = Served(
        features=random.normal(3, 1, (1600, len(NAMES))),
        units=np.arange(1600) % 80,
        instants=(np.arange(1600) // 80).astype(np.float64),
        predicted=random.standard_normal(1600),
    )
    plain, made = reference_of(known, NAMES), reference_of(known, NAMES, served)
    assert (made["rows"], made["units"], plain["rows"], plain["units"]) == (1600, 80, 1000, 40)
    assert made["features"]["heat.level"]["mean"] == pytest.approx(3, abs=0.1)
    assert made["prediction"]["mean"] == pytest.approx(0, abs=0.1)
    assert made["error"] == plain["error"]

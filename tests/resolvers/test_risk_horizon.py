"""How far ahead a risk is learnt, by how long those that go on were watched."""

import numpy as np
import pytest

from models.learning.features import History, Layout
from models.predictions import PredictionKind
from resolvers.predicting.fleet import FleetHistories
from resolvers.predicting.jobs import Plan, horizon, learn


def fleet_of(failed: int, living: int, *, watched: int) -> FleetHistories:
    """Return devices that failed after 40 days of growing wear, and others that were watched for some days."""
    histories: list[History] = []
    for place in range(failed + living):
        days = 40 if place < failed else watched
        wear = np.arange(days) if place < failed else np.zeros(days)
        values = (wear + np.random.default_rng(place).normal(0, 0.1, days))[:, None]
        times = np.arange(1.0, days + 1) + (0 if place < failed else 40 - watched)
        histories.append(History(times=times, values=values, settings=np.empty((days, 0)), started=-500.0))
    ended = np.where(np.arange(failed + living) < failed, 40.5, np.nan)
    return FleetHistories(
        layout=Layout(channels=("wear",)),
        device_ids=list(range(failed + living)),
        histories=histories,
        ends=np.where(np.isfinite(ended), ended, 40.0),
        ended=ended,
        failures=[np.array([end]) if np.isfinite(end) else np.empty(0) for end in ended.tolist()],
        until=41.0,
    )


PLAN = Plan(
    kind=PredictionKind.MULTI_FACTOR, horizon_days=20, min_failures=5, trees=10, max_rows=1000, threads=1, present=None
)


@pytest.mark.parametrize(
    ("living", "watched", "expected"), [(6, 40, 20.0), (6, 11, 5.0), (6, 1, 1.0), (0, 40, 20.0)], ids=str
)
def test_the_horizon_is_one_that_survivors_were_watched_for(living: int, watched: int, expected: float):
    """As planned where it can be known that one did not fail; half of the longest time where it cannot."""
    assert horizon(PLAN, fleet_of(8, living, watched=watched)) == expected


def test_a_training_tells_its_horizon_and_its_survivors():
    """The version says how far it looks and was meant to, and how many that go on it has learnt from."""
    for watched, found in ((40, 20.0), (11, 5.0)):
        made = learn(PLAN, fleet_of(8, 6, watched=watched), lambda _: None)
        assert made["parameters"]["horizon_days"] == found
        assert made["parameters"]["planned_horizon_days"] == 20
        assert made["metrics"]["survivors"] == 6

"""Remaining lives of very different length, learnt on a logarithmic scale."""

import numpy as np
import pytest

from models.learning.boosting import Boosting
from models.learning.features import History, Layout
from models.learning.lifespan import Life, load, train

LAYOUT = Layout(channels=("wear", "noise"))
SMALL = Boosting(trees=60, learning_rate=0.1)


def mixed_fleet(count: int = 40, days: int = 60) -> list[Life]:
    """Return units of which every other one fails, after 25 days of wear; the others are years from their end."""
    random = np.random.default_rng(5)
    lives: list[Life] = []
    for unit in range(count):
        fails = unit % 2 == 0
        wear = np.clip(np.arange(days) - days + 25, 0, None) * fails + random.normal(0, 0.5, days)
        values = np.column_stack([wear, random.normal(0, 1, days)])
        history = History(
            times=np.arange(days, dtype=np.float64), values=values, settings=np.empty((days, 0)), started=-1500.0
        )
        lives.append(Life(history, failed_at=float(days) if fails else float("nan")))
    return lives


def late_error(lives: list[Life], *, is_logarithmic: bool) -> float:
    """Return the mean error of predictions in the last ten days of units that were not learnt from."""
    found = train(LAYOUT, lives, boosting=SMALL, is_logarithmic=is_logarithmic).backtest
    assert found is not None
    late = found.known & (found.truths <= 10)
    return float(np.abs(found.predicted - found.truths)[late].mean())


@pytest.mark.parametrize("is_logarithmic", [False, True])
def test_those_about_to_fail_are_not_drowned_by_those_with_years_to_go(is_logarithmic: bool):
    """What readings tell ends where it is not known of those that go on, so their years do not weigh."""
    assert late_error(mixed_fleet(), is_logarithmic=is_logarithmic) < 1.5


def test_predictions_intervals_and_factors_are_in_days():
    """Also after the way through the artefact: the scale is a matter of the training."""
    lives = mixed_fleet()
    trained = train(LAYOUT, lives, boosting=SMALL, is_logarithmic=True)
    histories = [life.history for life in lives]
    for model in (trained.model, load(trained.text)):
        found = model.predict(LAYOUT, histories)
        assert np.all((found.lower >= 0) & (found.lower <= found.value) & (found.value <= found.upper))
        assert 3 * found.value[::2].max() < found.value[1::2].min()
        told = model.explain(LAYOUT, histories)
        np.testing.assert_allclose(told.base + told.contributions.sum(axis=1), found.value, rtol=1e-9)
    assert trained.metrics["interval_coverage"] == pytest.approx(0.9, abs=0.1)

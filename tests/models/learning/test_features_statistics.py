"""Features of a history: what they say, and that training and serving see the same."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.learning import blocks
from models.learning.features import (
    ChannelMismatch,
    Features,
    History,
    HistoryProblem,
    Layout,
    check_same,
    fit_features,
)

LAYOUT = Layout(("t.in", "p"), ("load",), ("maintenance", "error"), ("model=A",))


def history(seed=1, rows=60) -> History:
    """Return a unit with uneven times, gaps, an always missing stretch, and events."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.2, 2.0, rows)) + 100
    values = random.normal(size=(rows, 2)) + np.linspace(0, 3, rows)[:, None]
    values[random.random((rows, 2)) < 0.1] = np.nan
    values[:7, 1] = np.nan
    return History(
        times=times,
        values=values,
        settings=random.choice([0.0, 10.0, 20.0], (rows, 1)),
        events=(np.sort(random.uniform(90, times[-1], 5)), np.empty(0)),
        attributes=np.array([1.0]),
        started=95.0,
    )


def fitted() -> Features:
    """Return features learnt from three such units."""
    return fit_features(LAYOUT, [history(seed) for seed in (1, 2, 3)])


def test_serving_sees_what_training_saw():
    """Features of all instants at once equal those of each instant alone, from a history that ends there."""
    features, unit = fitted(), history(4)
    instants = np.sort(np.concatenate([unit.times[::7], unit.times[3:9] + 0.05, [unit.times[0]]]))
    together = features.rows(unit, instants)
    alone = np.concatenate([features.present([unit.until(t)], np.array([t])) for t in instants.tolist()])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert np.isfinite(together).mean() > 0.7


def test_features_come_back_from_text():
    """What is stored as JSON gives the same features."""
    features, unit = fitted(), history(4)
    again = Features.from_json(json.loads(json.dumps(features.to_json())))
    np.testing.assert_array_equal(features.rows(unit, unit.times), again.rows(unit, unit.times))
    assert again.names == features.names


def test_statistics_of_an_even_ramp():
    """A channel that rises evenly has its slope, its change since the beginning and its age."""
    times = np.arange(200.0)
    unit = History(times=times, values=3 * times[:, None] + 5)
    features = fit_features(Layout(("x",)), [unit])
    row = dict(zip(features.names, features.rows(unit, np.array([199.0]))[0].tolist(), strict=True))
    spread = features.regimes.spread[0, 0]
    assert row["x.slope"] * spread == pytest.approx(3)
    assert 580 < row["x.level"] < 602
    assert 550 < row["x.change"] * spread < 597
    assert row["x.mean_change"] < row["x.drift"] < row["x.change"]
    assert row["age.time"] == 199


def test_settings_are_taken_out():
    """A channel that follows only its settings has no level, whether settings are few regimes or a continuum."""
    random = np.random.default_rng(0)
    for settings in (random.choice(np.arange(6) * 7.0, (2000, 1)), random.uniform(0, 40, (2000, 1))):
        values = 100 + 20 * settings + random.normal(size=(2000, 1))
        unit = History(times=np.arange(2000.0), values=values, settings=settings)
        rows = fit_features(Layout(("x",), ("load",)), [unit]).rows(unit, np.arange(1000.0, 1999.0, 50))
        assert np.abs(rows[:, :3]).max() < 1


def test_units_of_measurement_do_not_matter():
    """Changes and deviations are the same for a channel in °F as for it in °C, and after a shift of all times."""
    unit = history(5)
    other = replace(
        unit,
        times=unit.times + 5000,
        values=unit.values * 1.8 + 32,
        events=tuple(times + 5000 for times in unit.events),
        started=unit.started + 5000,
    )
    one = fit_features(LAYOUT, [unit]).rows(unit, unit.times)
    two = fit_features(LAYOUT, [other]).rows(other, other.times)
    np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6, equal_nan=True)


def test_events_are_counted_until_the_instant():
    """Time since the last event, and counts of both windows, know nothing of what comes later."""
    unit = History(events=(np.array([10.0, 20.0, 29.0, 50.0]),), started=0.0)
    features = fit_features(Layout(events=("error",)), [unit])
    rows = features.rows(unit, np.array([5.0, 29.0, 30.0]))
    since, recent, count, rate = rows[:, 1:].T
    np.testing.assert_array_equal(since, [np.nan, 0, 1])
    np.testing.assert_array_equal(recent, [0, 1, 1])
    np.testing.assert_array_equal(count, [0, 2, 2])
    assert rate[2] == pytest.approx(3 / 30)


def test_nothing_known_is_no_number():
    """A unit without readings, and a channel that is always missing, have missing features and no warning."""
    features = fitted()
    empty = History(events=(np.empty(0), np.empty(0)), attributes=np.array([np.nan]))
    assert not np.isfinite(features.present([empty], np.array([3.0]))[:, :13]).any()
    unit = replace(history(6), values=np.column_stack([history(6).values[:, 0], np.full(60, np.nan)]))
    rows = features.rows(unit, unit.times)
    names = np.array([name.startswith("p.") for name in features.names])
    assert not np.isfinite(rows[:, names]).any()
    assert np.isfinite(rows[:, ~names]).any(axis=0).sum() >= 10


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"times": np.array([2.0, 1.0]), "values": np.zeros((2, 1))}, "ascend"),
        ({"times": np.array([1.0, 2.0]), "values": np.zeros((3, 1))}, "do not fit times"),
        ({"times": np.array([1.0, np.nan]), "values": np.zeros((2, 1))}, "finite"),
        ({"events": (np.array([3.0, 1.0]),)}, "events"),
    ],
)
def test_contradictory_histories_are_refused(change, named):
    """One sentence says what contradicts what."""
    with pytest.raises(HistoryProblem, match=named):
        History(**change)


def test_other_channels_are_refused():
    """A history with too few columns, and a layout with other names, are named."""
    with pytest.raises(HistoryProblem, match="1 channels instead of 2"):
        fitted().present([replace(history(), values=history().values[:, :1])], np.array([120.0]))
    with pytest.raises(ChannelMismatch, match=r"trained on the channels t\.in, p; given are p"):
        check_same(LAYOUT, replace(LAYOUT, channels=("p",)))


@pytest.mark.parametrize("most_together", [2**20, 500])
def test_units_side_by_side_are_as_each_alone(monkeypatch, most_together):
    """Units of very different length, or without readings, are told alike in one block, in several and one by one."""
    monkeypatch.setattr(blocks, "_MOST_TOGETHER", most_together)
    features = fitted()
    silent = replace(history(9), times=np.empty(0), values=np.empty((0, 0)), settings=np.empty((0, 0)))
    units = [history(1), history(2, rows=900), silent, history(3, rows=7), history(4), *([history(5)] * 3)]
    instants = np.array([unit.times[-1] + 3 if len(unit.times) else 140.0 for unit in units])
    alone = [features.rows(unit, instants[place : place + 1]) for place, unit in enumerate(units)]
    np.testing.assert_allclose(
        features.present(units, instants), np.concatenate(alone), rtol=1e-12, atol=1e-12, equal_nan=True
    )
    assert features.present([], np.empty(0)).shape == (0, len(features.names))

"""Channels that are compared with each other: what fits, what does not, and what nothing can be said of."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.boosting import ArtefactError, NothingToLearn
from models.learning.features import ChannelMismatch
from models.learning.residuals import Looks, Pace, StepLayout, check_same, joined, load, look_at, see, train
from models.learning.residuals.looks import feature_names, features_of
from tests.coupled import CHANNELS, coupled, without_heating

PACE = Pace(baseline=240)
LAYOUT = StepLayout(
    channels=CHANNELS,
    units=("°C", "°C", "bar", "L/min", "W"),
    inputs=tuple(f"{channel}.mean" for channel in CHANNELS),
    pace=PACE,
)
POWER, INLET = CHANNELS.index("power"), CHANNELS.index("inlet_temperature")
DEVICES, DAYS = 8, 16
FIRST = 20_000 * 24


def looks_of(values, days=10, layout=LAYOUT):
    """Return looks at the last days of (devices, hours, channels) values, and whose they are."""
    ends = [FIRST + values.shape[1] - 24 * day for day in range(days)]
    parts = [look_at(layout, each, FIRST, ends) for each in values]
    return joined(layout, parts), np.repeat(np.arange(len(values)), days)


@pytest.fixture(scope="module")
def values():
    """Hours of devices whose channels go together, but for the inlet temperature, which follows nothing."""
    return coupled(DEVICES, DAYS, per_hour=1)


@pytest.fixture(scope="module")
def trained(values):
    """What is learnt of them."""
    return train(LAYOUT, *looks_of(values))


@pytest.fixture(scope="module")
def unseen():
    """Hours of devices that were not learnt from."""
    return coupled(30, DAYS, seed=2, per_hour=1)


def test_channels_that_follow_others_are_learnt(trained):
    """Of a channel that follows nothing it is said so, and it is not judged."""
    explained = trained.explained
    assert min(explained[name] for name in ("power", "temperature", "flow_rate")) > 0.5
    assert explained["inlet_temperature"] < 0.1
    assert "inlet_temperature" not in trained.model.trees
    assert np.isnan(trained.out_of_fold.residuals[:, :, INLET]).all()


def test_good_days_of_unseen_devices_rarely_alarm(trained, unseen):
    """About 2 % of them, by the conformal rule; their chance is spread evenly."""
    looks, _ = looks_of(unseen)
    judged = trained.model.judge(looks)
    assert (judged.greatest >= 1).mean() < 0.06
    limits = trained.model.limits
    chance = limits.chance(judged.greatest * limits.alarm)
    assert 0.35 < chance.mean() < 0.65
    assert np.all((judged.score >= 0.5) == (judged.greatest >= 1))


def test_power_without_heating_is_found(trained, unseen):
    """Six hours in which water is drawn and nothing heated are mostly found: power is what does not fit."""
    found = []
    for each in unseen:
        broken = without_heating(each, 6)
        judged = trained.model.judge(look_at(LAYOUT, broken, FIRST, [FIRST + len(broken)]))
        found.append(bool(judged.greatest[0] >= 1))
        if found[-1]:
            _, step, column = np.unravel_index(np.nanargmax(judged.extents), judged.extents.shape)
            assert CHANNELS[column] == "power"
            assert step >= 18
    assert np.mean(found) > 0.6


def test_level_and_unit_of_a_device_do_not_matter(trained, unseen):
    """Another set-point and power in kW give the same judgement: each device is seen on its own scale."""
    looks, _ = looks_of(unseen[:3])
    factor = np.ones(len(CHANNELS))
    factor[POWER] = 0.001
    shift = np.array([7.0, 0, 0, 0, 0])
    other = Looks(looks.newest * factor + shift, looks.baseline * factor + shift, looks.start)
    assert np.allclose(
        trained.model.judge(looks).residuals, trained.model.judge(other).residuals, atol=1e-9, equal_nan=True
    )


def test_a_look_is_the_same_among_others_and_after_storing(trained, unseen):
    """In a batch or alone, by the model or by its text."""
    looks, _ = looks_of(unseen[:4])
    stored = load(trained.model.to_text())
    together = trained.model.judge(looks).extents
    alone = np.concatenate([stored.judge(looks.at([place])).extents for place in range(len(looks))])
    assert np.array_equal(together, alone, equal_nan=True)


def test_missing_and_constant_channels(trained, unseen):
    """They are not judged; the others are, by what is left."""
    values = unseen[:2].copy()
    values[0, :, POWER] = np.nan
    values[1, :, POWER] = 1234.0
    judged = trained.model.judge(looks_of(values, days=1)[0])
    assert np.isnan(judged.extents[:, :, POWER]).all()
    assert np.isfinite(judged.extents[:, :, CHANNELS.index("flow_rate")]).any(axis=1).all()
    assert np.isnan(judged.seen.scale[:, POWER]).all()


def test_a_device_of_which_nothing_is_known(trained, unseen):
    """Without steps, or with too few before the newest day, there is no answer."""
    short = np.full_like(unseen[:2], np.nan)
    short[1, -60:] = unseen[1, -60:]
    judged = trained.model.judge(looks_of(short, days=1)[0])
    assert np.isnan(judged.greatest).all()
    assert np.isnan(judged.score).all()
    assert len(trained.model.judge(looks_of(short, days=0)[0]).greatest) == 0


def test_a_channel_that_changes_its_unit_is_left_out(trained, unseen):
    """From bar to psi in the middle of the baseline: nothing tells which is right."""
    values = unseen[:1].copy()
    values[:, -5 * 24 :, CHANNELS.index("pressure")] *= 14.5038
    judged = trained.model.judge(looks_of(values, days=1)[0])
    assert judged.seen.changed[0].tolist() == [name == "pressure" for name in CHANNELS]
    assert np.isnan(judged.extents[:, :, CHANNELS.index("pressure")]).all()
    assert np.isfinite(judged.greatest).all()


def test_unseen_days_are_judged_without_their_device(trained, values):
    """What the backtest asks for gives exactly the residuals that the training was calibrated on."""
    looks, units = looks_of(values)
    again = trained.judge_unseen(looks, units)
    assert np.array_equal(again.residuals, trained.out_of_fold.residuals, equal_nan=True)
    assert not np.allclose(again.residuals, trained.model.judge(looks).residuals, equal_nan=True)


def test_a_channel_is_told_by_the_others_alone():
    """But for its own level of a day before; nothing of the judged hour itself."""
    names = np.array(feature_names(LAYOUT))[features_of(LAYOUT, "power")]
    assert [name for name in names if name.startswith("power.")] == ["power.level_before"]
    assert "flow_rate.level_before" not in names
    assert {"flow_rate.mean", "flow_rate.before_1", "time_of_day.sine"} <= set(names.tolist())


def test_features_look_back_only(values):
    """What comes after a step changes nothing of it, and what is long past only the level."""
    looks, _ = looks_of(values[:1], days=1)
    later = looks.newest.copy()
    later[:, -1] += 5
    one, two = see(LAYOUT, looks), see(LAYOUT, replace_newest(looks, later))
    assert np.array_equal(one.features[:, :-1], two.features[:, :-1], equal_nan=True)
    assert not np.array_equal(one.features[:, -1], two.features[:, -1], equal_nan=True)


def replace_newest(looks, newest):
    """Return looks with other newest steps."""
    return replace(looks, newest=newest)


@pytest.mark.parametrize(
    ("devices", "days", "told"),
    [(0, 10, "0 days of 0 devices"), (4, 10, "40 days of 4 devices"), (1, 60, "of 1 devices")],
)
def test_too_little_history(devices, days, told):
    """The refusal says how much there is and how much is needed."""
    values = coupled(devices, 80, per_hour=1) if devices else np.empty((0, 24, len(CHANNELS)))
    with pytest.raises(NothingToLearn, match=told):
        train(LAYOUT, *looks_of(values, days))


def test_channels_that_have_nothing_to_do_with_each_other():
    """Noise is no model; nor is a single channel that varies."""
    random = np.random.default_rng(1)
    noise = random.normal(size=(6, 500, len(CHANNELS)))
    with pytest.raises(NothingToLearn, match="No channel follows the others"):
        train(LAYOUT, *looks_of(noise))
    noise[:, :, 1:] = 3.0
    with pytest.raises(NothingToLearn, match=r"at least 2 vary and are known; here 1 of 5 do \(temperature\)"):
        train(LAYOUT, *looks_of(noise))


def test_artefacts_that_cannot_be_used(trained):
    """Cut off, of another kind, without a part: one sentence each; other channels are named."""
    text = trained.model.to_text()
    for broken in (text[:-20], "{}", text.replace('"alarm"', '"alert"')):
        with pytest.raises(ArtefactError):
            load(broken)
    other = replace(LAYOUT, channels=("current", *CHANNELS[1:]))
    with pytest.raises(ChannelMismatch, match="trained on the channels temperature"):
        check_same(LAYOUT, other)
    with pytest.raises(ChannelMismatch, match="other spans of time"):
        check_same(LAYOUT, replace(LAYOUT, pace=Pace(baseline=99)))
    check_same(load(text).layout, LAYOUT)

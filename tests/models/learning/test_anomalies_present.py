"""The present state of devices, read from the detector's memory alone."""

import numpy as np
import pytest

from models.learning.anomalies import THRESHOLD, Detector
from models.learning.anomalies.present import present

CHANNELS = ("temperature", "pressure", "power")
MINUTE = 60_000_000
START = 1_700_000_000_000_000


def remembered(detector: Detector, values: np.ndarray) -> tuple[bytes, float]:
    """Return the memory of a device after (n, channels) readings, one a minute, and the last score."""
    states = detector.load([None])
    at = START + MINUTE * np.arange(len(values))
    scored = detector.score(states, np.zeros(len(values), np.int64), at, values)
    return states.dump_hot(np.arange(1))[0], float(scored.score[-1])


def test_present_is_what_the_detector_said_last():
    """The score is that of the newest reading, and the channel that is strange is told apart."""
    detector, random = Detector(CHANNELS), np.random.default_rng(3)
    values = random.normal(50, 1, (3000, 3))
    values[-10:, 1] += 12
    blob, last = remembered(detector, values)
    calm, _ = remembered(detector, values[:-10])
    found = present(detector, [blob, None, calm])
    assert found.score[0] == pytest.approx(last, rel=0.02)
    assert found.channel_scores[0].argmax() == 1
    assert found.channel_scores[0, 1] > THRESHOLD > found.channel_scores[0, 0]
    assert found.observed[0].tolist() == values[-1].tolist()
    assert found.expected[0] == pytest.approx([50, 50, 50], abs=1)
    assert found.is_known.tolist() == [True, False, True]
    assert found.score[2] < THRESHOLD
    assert found.newest_micros[0] == START + MINUTE * 2999


def test_looking_changes_nothing():
    """The memory that was handed in is as it was, and a second look says the same."""
    detector = Detector(CHANNELS)
    blob, _ = remembered(detector, np.random.default_rng(4).normal(50, 1, (3000, 3)))
    kept = bytes(blob)
    first, second = present(detector, [blob]), present(detector, [blob])
    assert blob == kept
    assert first.score.tolist() == second.score.tolist()


def test_no_devices_and_missing_channels():
    """Nothing in, nothing out; a channel that never came has no value and no score."""
    detector = Detector(CHANNELS)
    assert len(present(detector, []).score) == 0
    values = np.random.default_rng(5).normal(50, 1, (3000, 3))
    values[:, 2] = np.nan
    found = present(detector, [remembered(detector, values)[0]])
    assert found.channel_scores[0, 2] == 0
    assert np.isnan(found.observed[0, 2])
    assert np.isnan(found.expected[0, 2])

"""How strange a device is at present, read from the detector's memory of it alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.anomalies.detector import Detector
from models.learning.anomalies.states import NEVER
from models.learning.anomalies.tuning import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """The present state of d devices with c channels.

    Attributes:
        newest_micros: (d,) microseconds since 1970 of the newest reading; meaningless where it is not known.
        is_known: (d,) whether the device has had a reading.
        is_warm: (d,) whether the detector has seen enough of it to score.
        is_open: (d,) whether an incident goes on.
        score: (d,) of all channels together, in [0, 1), alarming from 0.5; 0 while it is not warm.
        channel_scores: (d, c) the same of each channel alone; 0 for one that is not known.
        observed: (d, c) the newest value of each channel, NaN where it has none.
        expected: (d, c) its usual value, NaN where it is not known.
        readings: (d,) how many readings what it knows rests on, the old ones counting for less.
    """

    newest_micros: IntArray
    is_known: BoolArray
    is_warm: BoolArray
    is_open: BoolArray
    score: FloatArray
    channel_scores: FloatArray
    observed: FloatArray
    expected: FloatArray
    readings: FloatArray


def present(detector: Detector, blobs: Sequence[bytes | None]) -> Present:
    """Return the present state of devices.

    The newest values are scored as if they came once more right after themselves, all together and channel by channel,
    on copies of the states. So a jump between two readings, which is over as soon as it has happened, is not seen.

    Args:
        detector: of the kind of the devices.
        blobs: (d,) of each what `States.dump_hot` gave; None for one that was never seen.
    """
    channels = len(detector.channels)
    # One copy for all channels together, and one for each channel.
    states = detector.load([blob for blob in blobs for _ in range(channels + 1)])
    hot = states.hot[:: channels + 1].copy()
    is_known = hot["newest"] != NEVER
    values = np.repeat(hot["previous"], channels + 1, axis=0).reshape(len(hot), channels + 1, channels)
    values[:, 1:][:, ~np.eye(channels, dtype=np.bool_)] = np.nan
    device = np.flatnonzero(np.repeat(is_known, channels + 1))
    scores = np.zeros(len(states))
    if len(device):
        at = np.repeat(hot["newest"], channels + 1)[device] + 1
        found = detector.score(states, device, at, values.reshape(-1, channels)[device]).score
        scores[device] = np.nan_to_num(found)
    scores = scores.reshape(len(hot), channels + 1)
    return Present(
        newest_micros=hot["newest"],
        is_known=is_known,
        is_warm=hot["is_warm"],
        is_open=hot["is_open"],
        score=scores[:, 0],
        channel_scores=scores[:, 1:],
        observed=hot["previous"].copy(),
        expected=np.where(hot["weight"] > 0, hot["mean"], np.nan),
        readings=hot["weight"].max(axis=1),
    )

"""How far means of windows stray without drift, when rows that follow one another resemble each other."""

from dataclasses import dataclass

import numpy as np

from models.learning.drift.scores import FloatArray

# Rows of windows whose noise is measured; between them it is interpolated.
SCALES = (50, 100, 200, 400, 800)
# So many windows have to lie side by side in the training window for their variance to be measured.
_FEWEST_WINDOWS = 8
_MOST_CORRELATION = 0.98
_LEAST_CORRELATION = 0.05
_SURE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How the mean of a standardised quantity strays.

    Attributes:
        skewness: of single rows.
        effects: (scales,) variance of the mean of so many rows, relative to independent rows: rows divided by it are
            the effective number.
        long_effect: the same of the whole training window.
    """

    skewness: float
    effects: FloatArray
    long_effect: float


def correlation_of(rows: FloatArray) -> float:
    """Return the correlation of (n,) neighbours, corrected for its bias in a finite series; 0 if it is negligible.

    Source: Kendall, Note on bias in the estimation of autocorrelation (1954), Biometrika 41.
    """
    first, second = rows[:-1], rows[1:]
    both = np.isfinite(first) & np.isfinite(second)
    count = int(both.sum())
    if count < 3:
        return 0.0
    off = rows - np.nanmean(rows)
    squares = float(np.nanmean(off**2))
    if squares <= 0:
        return 0.0
    found = float(np.mean(off[:-1][both] * off[1:][both])) / squares
    found += (1 + 3 * found) / count
    negligible = max(_LEAST_CORRELATION, _SURE / np.sqrt(count))
    return float(np.clip(found, -0.5, _MOST_CORRELATION)) if abs(found) > negligible else 0.0


def measure_noise(rows: FloatArray) -> Noise:
    """Measure the noise of (n,) standardised rows, NaN where missing, in the order of time.

    The variance of window means is that of an autoregression of first order, known well from its one correlation;
    where overlapping windows of the training stray clearly more than that, what they do counts instead.

    Source: for the autoregression Wilks, Statistical Methods in the Atmospheric Sciences, section 5.2.4; for the
    overlapping windows Meketon and Schmeiser, Overlapping batch means: something for nothing?
    (1984), Proceedings of the Winter Simulation Conference.
    """
    known = rows[np.isfinite(rows)]
    correlation = max(correlation_of(rows), 0.0)
    effects: list[float] = []
    long_effect = autoregressive_effect(correlation, len(rows))
    excess = 1.0
    for scale in SCALES:
        expected = autoregressive_effect(correlation, scale)
        windows = len(known) / scale
        if windows >= _FEWEST_WINDOWS:
            measured = _measured(known, scale)
            doubt = 1 + _SURE * np.sqrt(2 / (1.3 * windows))
            excess = measured / expected if measured > expected * doubt else max(excess, 1.0)
        effects.append(max(expected * excess, effects[-1] if effects else 0.0))
    return Noise(_skewness(known), np.array(effects), max(long_effect, effects[-1]))


def autoregressive_effect(correlation: float, count: int) -> float:
    """Return the variance of the mean of `count` rows of an autoregression, relative to independent rows."""
    if correlation <= 0 or count < 2:
        return 1.0
    ends = 2 * correlation * (1 - correlation**count) / (count * (1 - correlation) ** 2)
    return (1 + correlation) / (1 - correlation) - ends


def _measured(known: FloatArray, scale: int) -> float:
    sums = np.concatenate([[0.0], np.cumsum(known - known.mean())])
    means = (sums[scale:] - sums[:-scale]) / scale
    variance = float(known.var())
    return float(np.mean(means**2)) * scale / variance / (1 - scale / len(known)) if variance > 0 else 1.0


def _skewness(known: FloatArray) -> float:
    deviation = float(known.std()) if len(known) else 0.0
    if deviation <= 0:
        return 0.0
    cubes: FloatArray = ((known - known.mean()) / deviation) ** 3
    return float(cubes.mean())

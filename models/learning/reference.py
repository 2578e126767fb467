"""How the features and the predictions of a training were distributed: what later ones are compared with.

A sketch holds tenths of the known values by their quantiles, which is what the population stability index and
Kolmogorov-Smirnov's distance need, and what a check of means needs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.learning.backtest import Backtest
from models.learning.features import FloatArray

BINS = 10
_DIGITS = 6


def reference_of(backtest: Backtest, names: Sequence[str]) -> dict[str, Any]:
    """Return as JSON values the sketches of the features, by name, and of the out-of-fold predictions.

    Returns:
        "rows" and "units" that were learnt from, "features" (by name) and "prediction" as `sketch_of` makes them.
    """
    return {
        "rows": len(backtest.predicted),
        "units": len(np.unique(backtest.units)),
        "features": {name: sketch_of(column) for name, column in zip(names, backtest.features.T, strict=True)},
        "prediction": sketch_of(backtest.predicted),
    }


def sketch_of(values: FloatArray) -> dict[str, Any]:
    """Return the distribution of (n,) values, NaN where one is missing, as JSON values.

    Returns:
        count: of the known values; missing: share of n that is not known.
        mean, deviation, minimum, maximum: of the known values, None without any.
        edges: ascending, distinct inner quantiles, at most nine.
        shares: of the known values within the bins that the edges make, one more than edges; a value that equals an
            edge belongs to the bin above it.
    """
    known = values[np.isfinite(values)]
    missing = 1 - len(known) / len(values) if len(values) else 0.0
    if not len(known):
        empty: dict[str, Any] = dict.fromkeys(("mean", "deviation", "minimum", "maximum"))
        return {"count": 0, "missing": missing, **empty, "edges": [], "shares": []}
    edges = np.unique(_rounded(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    moments = _rounded(np.array([known.mean(), known.std(), known.min(), known.max()])).tolist()
    return {
        "count": len(known),
        "missing": round(missing, _DIGITS),
        **dict(zip(("mean", "deviation", "minimum", "maximum"), moments, strict=True)),
        "edges": edges.tolist(),
        "shares": np.round(counts / len(known), _DIGITS).tolist(),
    }


def _rounded(values: FloatArray) -> FloatArray:
    """Return values to six significant digits: the sketch is stored as text."""
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values.tolist()], np.float64)

"""How far predictions were from what came of them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_BINS = 10


def errors_of_values(
    values: FloatArray, lower: FloatArray, upper: FloatArray, truths: FloatArray, is_bound: BoolArray
) -> Mapping[str, float]:
    """Return mae, rmse, bias and interval_coverage of predicted values; those that nothing is known of are left out.

    What is known only to be no less than a bound has an error where the bound lies above the value, and that error is
    taken for as small as it can be. It lies outside its interval where the bound lies above that.

    Args:
        values: (n,) predicted.
        lower: (n,) lower ends of the intervals, NaN without one.
        upper: (n,) upper ends.
        truths: (n,) what came, or a lower bound of it.
        is_bound: (n,) whether it is only a bound.
    """
    found: dict[str, float] = {}
    telling = ~is_bound | (truths > values)
    if telling.any():
        errors = values[telling] - truths[telling]
        found |= {
            "mae": float(np.abs(errors).mean()),
            "rmse": float(np.sqrt(np.mean(errors**2))),
            "bias": float(errors.mean()),
        }
    decided = np.isfinite(lower) & np.isfinite(upper) & (~is_bound | (truths > upper))
    if decided.any():
        held = ~is_bound & (truths >= lower) & (truths <= upper)
        found["interval_coverage"] = float(held[decided].mean())
    return found


def errors_of_probabilities(probabilities: FloatArray, truths: FloatArray) -> Mapping[str, float]:
    """Return brier and calibration_error of (n,) probabilities against (n,) outcomes, 1 or 0; n is at least 1.

    Source: Brier, Verification of forecasts expressed in terms of probability (1950), Monthly Weather Review 78;
    Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (2015), AAAI, with
    tenths of the range as bins.
    """
    bins = np.minimum((probabilities * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, truths - probabilities, _BINS)
    return {
        "brier": float(np.mean((probabilities - truths) ** 2)),
        "calibration_error": float(np.abs(gaps).sum() / len(truths)),
    }


def design_effect(rows: int, units: int) -> float:
    """Return by how much the variance of a mean grows because rows of a unit resemble each other: as if they were one.

    Source: Kish, Survey Sampling (1965), section 5.4, with rows of a unit that are perfectly correlated.
    """
    return max(rows / max(units, 1), 1.0)

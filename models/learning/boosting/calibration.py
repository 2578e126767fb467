"""Probabilities from log-odds, so that of all cases with 10 % a tenth comes true."""

from dataclasses import dataclass

import numpy as np

from models.learning.boosting.table import FloatArray

_STEPS = 50
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Probability = 1 / (1 + exp(-(slope * raw + offset))); the slope is positive, so the order stays.

    Attributes:
        slope: of the raw log-odds.
        offset: added to them.
    """

    slope: float
    offset: float

    def probability(self, raw: FloatArray) -> FloatArray:
        """Return (n,) probabilities of (n,) raw log-odds."""
        return logistic(self.slope * raw + self.offset)


def logistic(log_odds: FloatArray) -> FloatArray:
    """Return (n,) probabilities of (n,) log-odds."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -700.0, 700.0)))


def fit_sigmoid(raw: FloatArray, truths: FloatArray) -> Sigmoid:
    """Fit to out-of-fold log-odds by Newton's steps, with targets drawn in from 0 and 1.

    Args:
        raw: (n,) log-odds of cases that the predicting model had not seen.
        truths: (n,) 0 or 1.

    Source: Platt, Probabilistic outputs for support vector machines (1999), section 2.2, and Lin, Lin and Weng,
    A note on Platt's probabilistic outputs (2007), Machine Learning 68, for the step's safeguard.
    """
    positives = float(truths.sum())
    negatives = len(truths) - positives
    targets = np.where(truths > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([raw, np.ones(len(raw))])
    fitted = np.array([1.0, 0.0])
    loss = _loss(design @ fitted, targets)
    for _ in range(_STEPS):
        expected = logistic(design @ fitted)
        gradient = design.T @ (expected - targets)
        curvature = (design * (expected * (1 - expected))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (after := _loss(design @ (fitted - size * step), targets)) > loss and size > _TOLERANCE:
            size /= 2
        fitted = fitted - size * step
        if loss - after < _TOLERANCE:
            break
        loss = after
    slope, offset = fitted.tolist()
    # Where unseen cases are ordered no better than by chance, only the base rate is known.
    return Sigmoid(slope, offset) if slope > 0 else Sigmoid(0.0, float(np.log((positives + 1) / (negatives + 1))))


def _loss(log_odds: FloatArray, targets: FloatArray) -> float:
    return float(np.sum(np.logaddexp(0.0, log_odds) - targets * log_odds))

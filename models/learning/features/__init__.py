"""What is known of a unit, and the features that models read from it."""

from models.learning.features.history import (
    ChannelMismatch,
    FloatArray,
    History,
    HistoryProblem,
    IntArray,
    Layout,
    check_layout,
    check_same,
)
from models.learning.features.regimes import Regimes, fit_regimes
from models.learning.features.statistics import AGE, Features, Scales, fit_features, scales_of

__all__ = [
    "AGE",
    "ChannelMismatch",
    "Features",
    "FloatArray",
    "History",
    "HistoryProblem",
    "IntArray",
    "Layout",
    "Regimes",
    "Scales",
    "check_layout",
    "check_same",
    "fit_features",
    "fit_regimes",
    "scales_of",
]

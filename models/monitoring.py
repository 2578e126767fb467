"""The words for how well models do."""

from enum import Enum, StrEnum


class HealthStatus(Enum):
    """How well a model is, or one thing about it."""

    HEALTHY = "HEALTHY"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"
    """There is too little to say anything; the reason says what is missing."""


class MetricName(StrEnum):
    """What the server measures of a model over a window; others may report metrics of any name."""

    VOLUME = "volume"
    """Predictions that were made."""
    MISSING_SHARE = "missing_share"
    """Mean share of features without a value."""
    LATENCY_MS = "latency_ms"
    """Mean time of making a prediction, with those that were made together."""
    LATENCY_P95_MS = "latency_p95_ms"
    """Its 95th percentile."""
    INTERVAL_WIDTH = "interval_width"
    """Mean width of the intervals, in the unit of the value."""
    CONFIDENCE = "confidence"
    """Mean confidence."""
    PREDICTION_MEAN = "prediction_mean"
    """Mean value."""
    MAE = "mae"
    """Mean absolute error, in the unit of the value."""
    RMSE = "rmse"
    """Root of the mean squared error."""
    BIAS = "bias"
    """Mean of predicted less true value: positive where too much is predicted."""
    INTERVAL_COVERAGE = "interval_coverage"
    """Share of outcomes within their intervals."""
    BRIER = "brier"
    """Mean squared distance between probability and outcome."""
    CALIBRATION_ERROR = "calibration_error"
    """Mean distance between predicted and observed share, over tenths of the predictions."""
    PRECISION = "precision"
    """Share of judged anomalies that were true alarms."""
    RECALL = "recall"
    """Share of failures with an anomaly before them."""
    ESTIMATED_MAE = "estimated_mae"
    """What the mean absolute error should be, by the widths of the intervals."""
    ESTIMATED_BRIER = "estimated_brier"
    """What the Brier score should be, by the probabilities themselves."""


PREDICTION_FEATURE = "prediction"
"""The name under which the distribution of predictions stands among those of the features."""
ERROR_FEATURE = "error"
"""The name under which the stream of errors stands among the features."""
INPUT_PREFIX = "input:"
"""Before the names of what devices read in a day, among those of the features that models make of it."""
EXTERNAL = "EXTERNAL"
"""The method of models that run elsewhere, of which only metrics are reported."""

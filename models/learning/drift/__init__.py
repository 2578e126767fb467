"""Drift of inputs, predictions and errors against the training window.

sketch = sketch_of(values, seconds)                  # kept with the model's version: sketch.to_json()
finding = compare(sketch, later, later_seconds)      # one window at once
watch = Watch(sketch); finding = watch.update(rows)  # or as they come, with a memory that does not grow
"""

from models.learning.drift.compare import compare
from models.learning.drift.courses import compare_days
from models.learning.drift.errors import ErrorReference, ErrorWatch, compare_errors, error_reference
from models.learning.drift.estimates import (
    Estimate,
    WidthErrors,
    expected_mae,
    expected_of_probabilities,
    fit_width_errors,
)
from models.learning.drift.findings import DATA_QUALITY, Finding, Kind, Statistic, persistent, unknown
from models.learning.drift.sketch import Sketch, SketchProblem, sketch_of
from models.learning.drift.stream import Watch

__all__ = [
    "DATA_QUALITY",
    "ErrorReference",
    "ErrorWatch",
    "Estimate",
    "Finding",
    "Kind",
    "Sketch",
    "SketchProblem",
    "Statistic",
    "Watch",
    "WidthErrors",
    "compare",
    "compare_days",
    "compare_errors",
    "error_reference",
    "expected_mae",
    "expected_of_probabilities",
    "fit_width_errors",
    "persistent",
    "sketch_of",
    "unknown",
]

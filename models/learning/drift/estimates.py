"""How well a model does before outcomes arrive, from what it says of its own certainty.

An estimate holds as long as the probabilities and intervals are calibrated, which drift of the inputs or of what
follows from them ends: it is then marked invalid, never corrected.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.learning.drift.findings import Finding, Kind
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import SketchProblem

FEWEST_PREDICTIONS = 30
_Z = 1.6448536
_FEWEST_IN_BIN = 20
_MOST_BINS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated metric.

    Attributes:
        metric: ACCURACY, PRECISION, RECALL, AVERAGE_PRECISION, BRIER or MAE.
        value: NaN where it is not defined.
        lower: lower end of the 90 % interval of what the cases' chance alone leaves open; NaN where not known.
        upper: upper end.
        sample_count: predictions it was made from.
        is_valid: whether it may be relied on.
        reason: why not; empty where it may.
    """

    metric: str
    value: float
    lower: float
    upper: float
    sample_count: int
    is_valid: bool
    reason: str


def expected_of_probabilities(
    probabilities: FloatArray, threshold: float = 0.5, findings: Mapping[str, Finding] | None = None
) -> dict[str, Estimate]:
    """Return the metrics to expect of (n,) calibrated probabilities of a class, NaN left out, by name.

    Args:
        probabilities: in [0, 1].
        threshold: from which a case is called positive.
        findings: newest verdict on each input and on the prediction, by name; drift of any makes the estimates invalid.

    Source: confidence-based performance estimation (CBPE), documentation of NannyML; Białek et al., Estimating
    post-deployment model performance under covariate shift without ground truth (2024), arXiv 2401.08348.
    """
    known = np.clip(probabilities[np.isfinite(probabilities)], 0.0, 1.0)
    called = known >= threshold
    right = np.where(called, known, 1 - known)
    hits, cases, calls = float(known[called].sum()), float(known.sum()), int(called.sum())
    noise = float(np.sum(known[called] * (1 - known[called])))
    doubt = known * (1 - known)
    count = max(len(known), 1)
    found = (
        _with_interval("ACCURACY", float(right.sum()) / count, math.sqrt(float(doubt.sum())) / count),
        _with_interval("PRECISION", _over(hits, calls), _over(math.sqrt(noise), calls)),
        _with_interval("RECALL", _over(hits, cases), _recall_error(known, called)),
        _with_interval("AVERAGE_PRECISION", _average_precision(known), math.nan),
        _with_interval("BRIER", float(doubt.sum()) / count, math.nan),
    )
    return {estimate.metric: _judged(estimate, len(known), findings) for estimate in found}


@dataclass(frozen=True, slots=True, eq=False)
class WidthErrors:
    """How large errors are by the width of the interval.

    Attributes:
        widths: (b,) ascending mean widths of the bins.
        maes: (b,) mean absolute errors, not falling.
        deviations: (b,) standard deviations of the absolute errors.
    """

    widths: FloatArray
    maes: FloatArray
    deviations: FloatArray

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name).tolist() for name in ("widths", "maes", "deviations")}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "WidthErrors":
        """Return what `to_json` wrote.

        Raises:
            SketchProblem: it is something else.
        """
        try:
            return cls(*(np.array(stored[name], np.float64) for name in ("widths", "maes", "deviations")))
        except (KeyError, TypeError, ValueError) as problem:
            raise SketchProblem(f"these are no errors by width: {problem!r}; train the model again") from problem


def fit_width_errors(widths: FloatArray, errors: FloatArray) -> WidthErrors:
    """Return the absolute error to expect by the width of the interval.

    Args:
        widths: (n,) of intervals about out-of-fold predictions.
        errors: (n,) truth minus prediction.

    Raises:
        SketchProblem: there are fewer than 30 rows where both are known.

    Source: direct loss estimation (DLE), documentation of NannyML, here with the width as the only input; neighbouring
    bins are pooled until none falls: Barlow et al., Statistical inference under order restrictions (1972).
    """
    both = np.isfinite(widths) & np.isfinite(errors)
    if both.sum() < FEWEST_PREDICTIONS:
        raise SketchProblem(f"{int(both.sum())} errors with intervals are known; {FEWEST_PREDICTIONS} are needed")
    order = np.argsort(widths[both], kind="stable")
    sorted_widths, sizes = widths[both][order], np.abs(errors[both])[order]
    count = int(np.clip(len(sizes) // _FEWEST_IN_BIN, 1, _MOST_BINS))
    parts = [part.tolist() for part in np.array_split(np.arange(len(sizes)), count)]
    pooled: list[list[int]] = []
    for part in parts:
        pooled.append(part)
        while len(pooled) > 1 and sizes[pooled[-2]].mean() >= sizes[pooled[-1]].mean():
            last = pooled.pop()
            pooled[-1] = pooled[-1] + last
    bins = [(sorted_widths[rows].mean(), sizes[rows].mean(), sizes[rows].std()) for rows in pooled]
    return WidthErrors(*np.array(bins, np.float64).T)


def expected_mae(
    errors_by_width: WidthErrors, widths: FloatArray, findings: Mapping[str, Finding] | None = None
) -> Estimate:
    """Return the mean absolute error to expect of predictions with intervals of (n,) widths, NaN left out.

    Beyond the bins the error grows as the width does.

    Args:
        errors_by_width: as of `fit_width_errors`.
        widths: in the unit of the prediction.
        findings: as of `expected_of_probabilities`.
    """
    known = widths[np.isfinite(widths)]
    centres = errors_by_width.widths
    beyond = known / np.clip(known, centres[0], centres[-1]) if len(known) and centres[0] > 0 else np.ones(len(known))
    maes = np.interp(known, centres, errors_by_width.maes) * beyond
    deviations = np.interp(known, centres, errors_by_width.deviations) * beyond
    count = max(len(known), 1)
    error = math.sqrt(float(np.sum(deviations**2))) / count
    return _judged(_with_interval("MAE", float(maes.sum()) / count, error, most=math.inf), len(known), findings)


def _with_interval(metric: str, value: float, error: float, most: float = 1.0) -> Estimate:
    lower, upper = max(value - _Z * error, 0.0), min(value + _Z * error, most)
    return Estimate(metric, value, lower if error >= 0 else math.nan, upper if error >= 0 else math.nan, 0, True, "")


def _judged(estimate: Estimate, count: int, findings: Mapping[str, Finding] | None) -> Estimate:
    """Return the estimate with what it rests on, invalid on too little or on inputs unlike those of the training."""
    drifted = [name for name, finding in (findings or {}).items() if finding.drifted]
    unknown = [name for name, finding in (findings or {}).items() if finding.kind is Kind.UNKNOWN]
    reason = ""
    if count < FEWEST_PREDICTIONS:
        reason = f"{count} predictions; {FEWEST_PREDICTIONS} are needed"
    elif drifted:
        reason = f"not as in training, so that certainty is no longer calibrated: {', '.join(sorted(drifted))}"
    elif unknown:
        reason = f"it is not known whether inputs drift: {', '.join(sorted(unknown))}"
    elif not math.isfinite(estimate.value):
        reason = "no case is called positive, or none is expected"
    return replace(estimate, sample_count=count, is_valid=not reason, reason=reason)


def _over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _recall_error(known: FloatArray, called: "np.ndarray[Any, np.dtype[np.bool_]]") -> float:
    """Return the standard error of hits over cases, by the first terms of its expansion."""
    doubt = known * (1 - known)
    hits, misses = float(known[called].sum()), float(known[~called].sum())
    cases = hits + misses
    if not cases:
        return math.nan
    return math.sqrt(misses**2 * float(doubt[called].sum()) + hits**2 * float(doubt[~called].sum())) / cases**2


def _average_precision(known: FloatArray) -> float:
    """Return the area below precision over recall that is to be expected of (n,) probabilities, in falling order."""
    falling = np.sort(known)[::-1]
    cases = float(falling.sum())
    if not cases:
        return math.nan
    # A case at a rank is a hit itself; those before it count by their probabilities.
    before = np.cumsum(falling) - falling
    return float(np.sum(falling * (before + 1) / np.arange(1, len(falling) + 1))) / cases

"""Concept drift: a model that errs more than it did on cases it had not seen, as outcomes arrive.

Inputs may stay as they are while what follows from them changes; only the errors tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.drift.findings import Finding, Kind, Statistic, severity_of_size, unknown
from models.learning.drift.judging import FEWEST_KNOWN, limit_of, mean_test, rare_test
from models.learning.drift.noise import Noise, measure_noise
from models.learning.drift.ring import Ring
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import FEWEST_VALUES, SketchProblem
from models.learning.drift.stream import RELIEF

_ROW, _ERROR = range(2)
# A single error counts for no more than this multiple of the 99 % quantile.
_MOST = 2.0
_HIGH_QUANTILE = 0.99
# Errors of classes are so noisy that a model may err by a quarter more for long before that is certain.
_MOST_CHANCE = 0.001
_WINDOWS = (50, 100, 200, 400, 800, 1600, 3200)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorReference:
    """How a model errs without drift.

    Attributes:
        count: errors it was made from.
        mean: of them, each limited to `most`, in the unit of the errors.
        deviation: standard deviation of the same; 0 if all were equal.
        most: what a single error counts for at most.
        noise: of the limited errors, standardised.
    """

    count: int
    mean: float
    deviation: float
    most: float
    noise: Noise

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        noise = [self.noise.skewness, self.noise.long_effect, *self.noise.effects.tolist()]
        own = {"count": self.count, "mean": self.mean, "deviation": self.deviation}
        return {**own, "most": self.most if np.isfinite(self.most) else None, "noise": noise}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ErrorReference":
        """Return what `to_json` wrote.

        Raises:
            SketchProblem: it is something else.
        """
        try:
            count, mean, deviation, most = (stored[name] for name in ("count", "mean", "deviation", "most"))
            skewness, long_effect, *effects = map(float, stored["noise"])
            noise = Noise(skewness, np.array(effects), long_effect)
            return cls(int(count), float(mean), float(deviation), np.inf if most is None else float(most), noise)
        except (KeyError, TypeError, ValueError) as problem:
            raise SketchProblem(f"this is no reference of errors: {problem!r}; train the model again") from problem


def error_reference(errors: FloatArray) -> ErrorReference:
    """Return how a model errs without drift.

    Args:
        errors: (n,) out-of-fold or backtested errors, never those of the rows that the model was fitted to: absolute
            errors, or 0 and 1 where a class was right or wrong. In the order of time; NaN where missing.
    """
    known = errors[np.isfinite(errors)]
    high = float(np.quantile(known, _HIGH_QUANTILE)) * _MOST if len(known) else 0.0
    most = max(high, float(known.max()) if high == 0 and len(known) else high)
    # Where all errors are 0, any size of one is news.
    limited = np.minimum(known, most) if most > 0 else known
    mean, deviation = (float(limited.mean()), float(limited.std())) if len(known) else (0.0, 0.0)
    standardised = (limited - mean) / deviation if deviation > 0 else limited * 0.0
    return ErrorReference(len(known), mean, deviation, most if most > 0 else np.inf, measure_noise(standardised))


def compare_errors(reference: ErrorReference, errors: FloatArray) -> Finding:
    """Return whether (n,) later errors, NaN where missing, are greater than those of the reference."""
    known = errors[np.isfinite(errors)]
    return _verdict(reference, _rows(reference, known).sum(axis=0), 0.0)


class ErrorWatch:
    """Looks at the newest 50 to 3,200 errors, whenever another 25 have come; see `Watch`."""

    def __init__(self, reference: ErrorReference) -> None:
        """Begin without errors."""
        self.reference = reference
        self._ring = Ring(2, (_ERROR,), _WINDOWS)
        self._finding = unknown(0, f"no outcomes yet; {FEWEST_KNOWN} are needed")

    @property
    def finding(self) -> Finding:
        """The newest verdict."""
        return self._finding

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers that are kept, without the reference."""
        return self._ring.nbytes

    def update(self, errors: FloatArray) -> Finding:
        """Take in (n,) further errors, NaN where missing, and return the verdict up to the last full block."""
        known = errors[np.isfinite(errors)]
        if len(known) and self._ring.add(_rows(self.reference, known)):
            relief = RELIEF if self._finding.drifted else 0.0
            verdicts = [_verdict(self.reference, sums, relief) for sums in self._ring.windows()]
            drifted = (verdict for verdict in reversed(verdicts) if verdict.drifted)
            self._finding = next(drifted, verdicts[-1] if verdicts else self._finding)
        return self._finding


def _rows(reference: ErrorReference, known: FloatArray) -> FloatArray:
    if reference.deviation == 0:
        return np.column_stack([np.ones(len(known)), known > reference.mean]).astype(np.float64)
    return np.column_stack([np.ones(len(known)), np.minimum(known, reference.most)])


def _verdict(reference: ErrorReference, sums: FloatArray, relief: float) -> Finding:
    count, total = sums.tolist()
    if reference.count < FEWEST_VALUES:
        return unknown(int(count), f"the model was tested on {reference.count} outcomes; {FEWEST_VALUES} are needed")
    if count < FEWEST_KNOWN:
        return unknown(int(count), f"{int(count)} outcomes have arrived; {FEWEST_KNOWN} are needed")
    limit = limit_of(count, _MOST_CHANCE) - relief
    if reference.deviation == 0:
        test = rare_test(Statistic.ERROR, total, count, 0.0, reference.count)
    else:
        standardised = (total / count - reference.mean) / reference.deviation
        plain = mean_test(Statistic.ERROR, standardised, count, reference.noise, reference.count)
        test = plain.scaled(reference.mean, reference.deviation)
    threshold = test.value_at(limit)
    if test.score <= limit:
        return Finding(Kind.STABLE, Statistic.ERROR, test.value, threshold, False, None, int(count), "as when tested")
    growth = test.value / max(reference.mean, test.error) - 1
    tested = f"when the model was tested it was {reference.mean:.4g}"
    reason = f"the error is {test.value:.4g} over {count:.0f} outcomes; {tested}"
    severity = severity_of_size(Statistic.ERROR, growth)
    return Finding(Kind.CONCEPT_DRIFT, Statistic.ERROR, test.value, threshold, True, severity, int(count), reason)

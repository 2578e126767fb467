"""What is kept of a feature's training window: enough to judge any later window of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.drift.noise import SCALES, Noise, measure_noise
from models.learning.drift.rows import BINS, FIRST_BIN, KNOWN, Ruler, fit_ruler, measure
from models.learning.drift.scores import FloatArray, Scores
from models.learning.drift.season import fit_season

FEWEST_VALUES = 100
_DIGITS = 6
_HOP_SHARE = 4


class SketchProblem(ValueError):
    """Values or JSON that no sketch can be made of; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """The distribution of a feature, or of the prediction, in training.

    Attributes:
        rows: rows of the training window.
        count: of them with a value.
        mean: of the known values, NaN without any; likewise those that follow.
        deviation: standard deviation.
        ruler: what later values are measured by.
        shares: (bins,) of the values between the ruler's edges.
        level: noise of the scores.
        spread: noise of the squares.
        index_rows: (scales,) mean stability index of windows of so many rows (`SCALES`) without drift, times the rows.
        index_variation: standard deviation of that index over its mean.
        gaps: noise of whether a row lacks its value; rows without one may come in bursts.
        changed: share of the values that differ from the lowest knot's; matters where that is (nearly) the only value.
        longest_repeat: most equal values in a row.
        repeated: share of the values that equal the one before.
        longest_gap: longest time between values, in seconds; NaN where the instants are not known.
    """

    rows: int
    count: int
    mean: float
    deviation: float
    ruler: Ruler
    shares: FloatArray
    level: Noise
    spread: Noise
    index_rows: FloatArray
    index_variation: float
    gaps: Noise
    changed: float
    longest_repeat: int
    repeated: float
    longest_gap: float

    @property
    def missing(self) -> float:
        """Share of the rows without a value."""
        return 1 - self.count / self.rows if self.rows else 0.0

    @property
    def is_usable(self) -> bool:
        """Whether there were enough values to compare with."""
        return self.count >= FEWEST_VALUES

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, of six significant digits."""
        ruler = self.ruler
        return {
            "rows": self.rows,
            "count": self.count,
            "missing": _short(self.missing),
            "mean": _short(self.mean),
            "deviation": _short(self.deviation),
            "minimum": _short(ruler.minimum),
            "maximum": _short(ruler.maximum),
            "edges": _all_short(ruler.edges),
            "shares": _all_short(self.shares),
            "season": _all_short(ruler.season),
            "knots": _all_short(ruler.scores.values),
            "scores": _all_short(ruler.scores.scores),
            "centre": [_short(ruler.scores.centre), _short(ruler.scores.deviation)],
            "correlation": _short(ruler.correlation),
            "squares": [_short(ruler.square_mean), _short(ruler.square_slope), _short(ruler.square_deviation)],
            "level": _noise_json(self.level),
            "spread": _noise_json(self.spread),
            "index": [*_all_short(self.index_rows), _short(self.index_variation)],
            "gaps": _noise_json(self.gaps),
            "changed": _short(self.changed),
            "longest_repeat": self.longest_repeat,
            "repeated": _short(self.repeated),
            "longest_gap": _short(self.longest_gap),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Sketch":
        """Return what `to_json` wrote.

        Raises:
            SketchProblem: it is something else.
        """
        try:
            return _read(stored)
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise SketchProblem(f"this is no sketch of a feature: {problem!r}; train the model again") from problem


def sketch_of(values: FloatArray, seconds: FloatArray | None = None) -> Sketch:
    """Make the sketch of a training window.

    Args:
        values: (n,) in the order in which later values will come, best that of time; NaN or infinite where missing.
        seconds: (n,) their instants since 1970, in any order: the rows are put in order of time by them. Without them
            no daily course is taken out.

    Raises:
        SketchProblem: the instants are not as many as the values, or not finite.
    """
    if seconds is not None:
        if seconds.shape != values.shape or not np.isfinite(seconds).all():
            raise SketchProblem(f"{len(values)} values need as many finite instants, not {len(seconds)}")
        order = np.argsort(seconds, kind="stable")
        values, seconds = values[order], seconds[order]
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[np.isfinite(values)]
    season = fit_season(values, seconds) if seconds is not None and len(known) else np.zeros(0)
    ruler = fit_ruler(values, seconds, season)
    rows, _ = measure(ruler, values, seconds, float("nan"))
    scores = ruler.scores.of(ruler.less_season(values, seconds))
    shares = rows[:, FIRST_BIN:].sum(axis=0)[: len(ruler.edges) + 1] / max(len(known), 1)
    index_rows, variation = _index(rows, shares)
    return Sketch(
        rows=len(values),
        count=len(known),
        mean=float(known.mean()) if len(known) else float("nan"),
        deviation=float(known.std()) if len(known) else float("nan"),
        ruler=ruler,
        shares=shares,
        level=measure_noise(scores),
        spread=measure_noise(ruler.squares(scores, float("nan"))),
        index_rows=index_rows,
        index_variation=variation,
        gaps=measure_noise(_standardised(1 - rows[:, KNOWN])),
        changed=np.count_nonzero(known != ruler.scores.values[0]) / max(len(known), 1),
        longest_repeat=longest_repeat(known),
        repeated=np.count_nonzero(known[1:] == known[:-1]) / max(len(known) - 1, 1),
        longest_gap=_longest_gap(values, seconds),
    )


def index_of(counts: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the (…) population stability index of (…, bins) counts against (bins,) shares.

    Half a value is added to each count, so that an empty bin is no infinity.

    Source: Yurdakul and Naranjo, Statistical properties of the population stability index (2020), Journal of Risk
    Model Validation 14.
    """
    bins = len(shares)
    part = (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * bins)
    expected = np.maximum(shares, 1e-4)
    return ((part - expected) * np.log(part / expected)).sum(axis=-1)


def longest_repeat(known: FloatArray) -> int:
    """Return the length of the longest run of equal values among (n,)."""
    if not len(known):
        return 0
    ends = np.flatnonzero(np.concatenate([known[1:] != known[:-1], [True]]))
    return int(np.diff(np.concatenate([[-1], ends])).max())


def _index(rows: FloatArray, shares: FloatArray) -> tuple[FloatArray, float]:
    """Return the mean index of windows, times their rows, and its variation.

    A window is a part of the training, so it strays less from it than a later one will: by (1 - s) / (1 + s) with s its
    share of the rows.
    """
    sums = np.concatenate([np.zeros((1, len(shares))), np.cumsum(rows[:, FIRST_BIN : FIRST_BIN + len(shares)], axis=0)])
    found: list[float] = []
    variations: list[float] = []
    for scale in SCALES:
        share = scale / max(len(rows), 1)
        if share <= 1 / _HOP_SHARE:
            starts = np.arange(0, len(rows) - scale + 1, max(scale // _HOP_SHARE, 1))
            windows = sums[starts + scale] - sums[starts]
            indices = index_of(windows[windows.sum(axis=1) > 0], shares)
            if not len(indices):
                # Nothing is known of the feature in any window.
                found.append(BINS - 1.0)
                continue
            found.append(float(indices.mean()) * scale * (1 + share) / (1 - share))
            if share <= 1 / 8:
                variations.append(float(indices.std()) / float(indices.mean()))
        else:
            found.append(found[-1] if found else BINS - 1.0)
    least = float(np.sqrt(2 / max(len(shares) - 1, 1)))
    return np.maximum.accumulate(np.array(found)), max([least, *variations])


def _standardised(rows: FloatArray) -> FloatArray:
    deviation = float(rows.std()) if len(rows) else 0.0
    return (rows - rows.mean()) / deviation if deviation > 0 else np.zeros(len(rows))


def _longest_gap(values: FloatArray, seconds: FloatArray | None) -> float:
    if seconds is None or np.isfinite(values).sum() < 2:
        return float("nan")
    return float(np.diff(seconds[np.isfinite(values)]).max())


def _short(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None


def _all_short(values: FloatArray) -> list[float | None]:
    return [_short(value) for value in values.tolist()]


def _noise_json(noise: Noise) -> list[float | None]:
    return [_short(noise.skewness), _short(noise.long_effect), *_all_short(noise.effects)]


def _noise(stored: list[float]) -> Noise:
    return Noise(float(stored[0]), np.array(stored[2:], np.float64), float(stored[1]))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _read(stored: Mapping[str, Any]) -> Sketch:
    knots, scores, season, edges, shares, index = (
        np.array(stored[name], np.float64) for name in ("knots", "scores", "season", "edges", "shares", "index")
    )
    centre, deviation = stored["centre"]
    square_mean, square_slope, square_deviation = stored["squares"]
    ruler = Ruler(
        edges=edges,
        season=season,
        scores=Scores(knots, scores, float(centre), float(deviation)),
        correlation=float(stored["correlation"]),
        square_mean=float(square_mean),
        square_slope=float(square_slope),
        square_deviation=float("inf") if square_deviation is None else float(square_deviation),
        minimum=_number(stored["minimum"]),
        maximum=_number(stored["maximum"]),
    )
    return Sketch(
        rows=int(stored["rows"]),
        count=int(stored["count"]),
        mean=_number(stored["mean"]),
        deviation=_number(stored["deviation"]),
        ruler=ruler,
        shares=shares,
        level=_noise(stored["level"]),
        spread=_noise(stored["spread"]),
        index_rows=index[:-1],
        index_variation=float(index[-1]),
        gaps=_noise(stored["gaps"]),
        changed=float(stored["changed"]),
        longest_repeat=int(stored["longest_repeat"]),
        repeated=float(stored["repeated"]),
        longest_gap=_number(stored["longest_gap"]),
    )

"""What each row adds to the statistics of a window: numbers whose sums are all that a window is judged by."""

from dataclasses import dataclass, replace

import numpy as np

from models.learning.drift.noise import correlation_of
from models.learning.drift.scores import FloatArray, IntArray, Scores, fit_scores
from models.learning.drift.season import season_at

BINS = 10
# Columns of the sums.
ROWS, KNOWN, LEVEL, SQUARES, SPREAD, OUTSIDE, CHANGED = range(7)
FIRST_BIN = 7
WIDTH = FIRST_BIN + BINS
_MOST_SQUARE = 25.0
_LEAST_SQUARE_DEVIATION = 1e-3
# Beyond the training's extremes by so much of their distance is out of range.
_MARGIN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """What values are measured by.

    Attributes:
        edges: (b,) ascending, distinct inner tenths of the values less the season.
        season: (24,) what is added at each hour of the day; empty without a daily course.
        scores: from values, less the season, to normal scores.
        correlation: of neighbouring scores.
        square_mean: mean square of what neighbours do not explain of the scores.
        square_slope: how much larger these squares are where the score is larger by 1: not 0 where scores are skewed,
            as of counts.
        square_deviation: standard deviation of what is left of the squares; infinite where nothing is, as of a switch.
        minimum: smallest value of the training window.
        maximum: greatest.
    """

    edges: FloatArray
    season: FloatArray
    scores: Scores
    correlation: float
    square_mean: float
    square_slope: float
    square_deviation: float
    minimum: float
    maximum: float

    def squares(self, scores: FloatArray, before: float) -> FloatArray:
        """Return (n,) squares of what neighbours do not explain of (n,) scores, less what the scores explain of them.

        NaN where a score or its neighbour is missing; mean 0 and deviation 1 over the training window.

        Args:
            scores: in the order of time.
            before: the score before the first; NaN if there is none.
        """
        previous = np.concatenate([[before], scores[:-1]])
        left = (scores - self.correlation * previous) if self.correlation else scores
        squares = np.minimum(left**2 / (1 - self.correlation**2), _MOST_SQUARE)
        return (squares - self.square_mean - self.square_slope * scores) / self.square_deviation

    def bins(self, values: FloatArray) -> IntArray:
        """Return the bin of each of (n,) known values, less the season."""
        return np.searchsorted(self.edges, values, side="right")

    def less_season(self, values: FloatArray, seconds: FloatArray | None) -> FloatArray:
        """Return (n,) values without what the hour of the day adds to them."""
        return values - season_at(self.season, seconds) if len(self.season) and seconds is not None else values


def measure(ruler: Ruler, values: FloatArray, seconds: FloatArray | None, before: float) -> tuple[FloatArray, float]:
    """Return what each row adds to the sums, (n, WIDTH), and the last score.

    Args:
        ruler: what to measure by.
        values: (n,) in the order of time, NaN where missing.
        seconds: (n,) their instants, since 1970; None if not known, then the season is not taken out.
        before: the score before the first row; NaN if there is none.
    """
    known = np.isfinite(values)
    left = ruler.less_season(np.where(known, values, np.nan), seconds)
    scores = ruler.scores.of(left)
    squares = ruler.squares(scores, before)
    reach = _MARGIN * (ruler.maximum - ruler.minimum)
    rows = np.zeros((len(values), WIDTH))
    rows[:, ROWS] = 1.0
    rows[:, KNOWN] = known
    rows[:, LEVEL] = np.where(known, scores, 0.0)
    rows[:, SQUARES] = np.isfinite(squares)
    rows[:, SPREAD] = np.where(np.isfinite(squares), squares, 0.0)
    rows[:, OUTSIDE] = known & ((values < ruler.minimum - reach) | (values > ruler.maximum + reach))
    rows[:, CHANGED] = known & (left != ruler.scores.values[0])
    places = np.flatnonzero(known)
    rows[places, FIRST_BIN + ruler.bins(left[places])] = 1.0
    return rows, float(scores[-1]) if len(scores) else before


def fit_ruler(values: FloatArray, seconds: FloatArray | None, season: FloatArray) -> Ruler:
    """Return the ruler of (n,) values of a training window, in the order of time, NaN where missing."""
    plain = Ruler(np.zeros(0), season, Scores(np.zeros(1), np.zeros(1), 0.0, 0.0), 0.0, 0.0, 0.0, 1.0, np.nan, np.nan)
    left = plain.less_season(values, seconds)
    known = left[np.isfinite(left)]
    if not len(known):
        return plain
    fitted = replace(
        plain,
        edges=np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])),
        scores=fit_scores(known),
        minimum=float(np.nanmin(values)),
        maximum=float(np.nanmax(values)),
    )
    scores = fitted.scores.of(left)
    fitted = replace(fitted, correlation=correlation_of(scores))
    return _with_squares(fitted, scores)


def _with_squares(ruler: Ruler, scores: FloatArray) -> Ruler:
    """Return the ruler with the mean, slope and deviation of the squares; a deviation of 0 for those of two values."""
    squares = ruler.squares(scores, float("nan"))
    both = np.isfinite(squares)
    if ruler.scores.is_constant or both.sum() < 2:
        return replace(ruler, square_deviation=np.inf)
    slope = float(np.mean(squares[both] * scores[both]) / np.mean(scores[both] ** 2))
    left = squares[both] - slope * scores[both]
    deviation = float(left.std())
    is_free = deviation > _LEAST_SQUARE_DEVIATION
    return replace(
        ruler, square_mean=float(left.mean()), square_slope=slope, square_deviation=deviation if is_free else np.inf
    )

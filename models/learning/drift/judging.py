"""How far the sums of a window are from what the training window leads one to expect."""

import math
from dataclasses import dataclass, replace

import numpy as np

from models.learning.drift.findings import Statistic
from models.learning.drift.noise import SCALES, Noise
from models.learning.drift.rows import BINS, CHANGED, FIRST_BIN, KNOWN, LEVEL, OUTSIDE, ROWS, SPREAD, SQUARES
from models.learning.drift.scores import FloatArray, normal_quantile
from models.learning.drift.sketch import Sketch, index_of

# Values that a verdict needs.
FEWEST_KNOWN = 30
_LOG_SCALES = np.log(np.array(SCALES, np.float64))
# Chance of each statistic to either side to exceed its limit in a window, over the square of the window's rows. Long
# windows overlap more, and they are what small changes need; large ones are found in short windows at any limit. Of all
# windows together about half a false alarm in 10,000 rows is left.
_CHANCE_A_SQUARE = 2e-9
_MOST_CHANCE = 4e-4
# The index shows what neither level nor spread does; how it strays is known least well.
_SHAPE_MARGIN = 1.5
_LEAST_SKEWNESS = 1e-4
# A value that training never saw may still come in so many of its rows ("rule of three").
_UNSEEN = 3
_FEWEST_EVENTS = 3
LEAST_OUTSIDE_SHARE = 0.02


def limit_of(rows: float, most_chance: float = _MOST_CHANCE) -> float:
    """Return the normal score beyond which a window of so many rows is no chance."""
    return -normal_quantile(min(_CHANCE_A_SQUARE * rows**2, most_chance))


@dataclass(frozen=True, slots=True)
class Test:
    """A statistic of a window with what is expected of it.

    Attributes:
        statistic: which one.
        value: of the window.
        expected: without drift.
        error: standard deviation without drift.
        skewness: without drift; it is spread as a gamma distribution.
        freedom: effective number of rows that the error is known from.
        margin: added to the limit.
    """

    statistic: Statistic
    value: float
    expected: float
    error: float
    skewness: float
    freedom: float = math.inf
    margin: float = 0.0

    @property
    def score(self) -> float:
        """The value on the scale of a standard normal distribution, less the margin.

        Source: Wilson and Hilferty, The distribution of chi-square (1931), Proceedings of the National Academy of
        Sciences 17; for Student's t Wallace, Bounds on normal approximations (1959), Annals of Mathematical
        Statistics 30.
        """
        shape = 4 / max(abs(self.skewness), _LEAST_SKEWNESS) ** 2
        sign = -1.0 if self.skewness < 0 else 1.0
        ratio = max(1 + sign * (self.value - self.expected) / self.error / math.sqrt(shape), 0.0)
        score = sign * 3 * math.sqrt(shape) * (math.cbrt(ratio) - 1 + 1 / (9 * shape))
        if math.isfinite(self.freedom):
            score = math.copysign(math.sqrt(self.freedom * math.log1p(score**2 / self.freedom)), score)
        return score - min(max(score, -self.margin), self.margin)

    def value_at(self, score: float) -> float:
        """Return the value that has this score: where the threshold is."""
        score += math.copysign(self.margin, score)
        if math.isfinite(self.freedom):
            score = math.copysign(math.sqrt(self.freedom * math.expm1(score**2 / self.freedom)), score)
        shape = 4 / max(abs(self.skewness), _LEAST_SKEWNESS) ** 2
        sign = -1.0 if self.skewness < 0 else 1.0
        root = max(1 - 1 / (9 * shape) + sign * score / (3 * math.sqrt(shape)), 0.0)
        return self.expected + sign * self.error * math.sqrt(shape) * (root**3 - 1)

    def scaled(self, centre: float, unit: float) -> "Test":
        """Return the same test in another unit: centre + unit * value."""
        return replace(
            self, value=centre + unit * self.value, expected=centre + unit * self.expected, error=unit * self.error
        )


def tests_of(sketch: Sketch, sums: FloatArray) -> list[Test]:
    """Return what is to be tested of the (WIDTH,) sums of a window with at least one value."""
    known, squares = float(sums[KNOWN]), float(sums[SQUARES])
    if sketch.ruler.scores.is_constant:
        return [rare_test(Statistic.CHANGED_SHARE, sums[CHANGED], known, sketch.changed, sketch.count)]
    level = sums[LEVEL] / known
    tests = [mean_test(Statistic.LEVEL, level, known, sketch.level, sketch.count)]
    # Of values with few levels the bins show all there is, and squares are hardly spread as a gamma distribution.
    has_levels = len(sketch.shares) < BINS or not np.isfinite(sketch.ruler.square_deviation)
    if squares >= FEWEST_KNOWN and not has_levels:
        # A level that has moved is no wider spread.
        own = (1 - sketch.ruler.correlation) / (1 + sketch.ruler.correlation) / sketch.ruler.square_deviation
        moved = own * (level**2 - _effect(sketch.level, known) / known)
        tests.append(_spread(sketch, sums[SPREAD] / squares - moved, squares))
    if len(sketch.shares) > 1:
        tests.append(_shape(sketch, sums[FIRST_BIN : FIRST_BIN + len(sketch.shares)], known))
    return tests


def missing_test(sketch: Sketch, sums: FloatArray) -> Test:
    """Return the test of the share of rows without a value."""
    rows, share = float(sums[ROWS]), sketch.missing
    value = 1 - float(sums[KNOWN]) / rows
    if share * sketch.rows <= _UNSEEN:
        return rare_test(Statistic.MISSING_SHARE, value * rows, rows, share, sketch.rows)
    # A few long gaps say little of how many there usually are: a standard error more is still as in training.
    share += math.sqrt(share * (1 - share) * sketch.gaps.long_effect / sketch.rows)
    unit = math.sqrt(max(share * (1 - share), 0.0))
    if unit == 0:
        return Test(Statistic.MISSING_SHARE, value, share, 1.0, 0.0)
    return mean_test(Statistic.MISSING_SHARE, (value - share) / unit, rows, sketch.gaps, sketch.rows).scaled(
        share, unit
    )


def outside_test(sums: FloatArray) -> bool:
    """Return whether more values are far beyond the training's than single wild readings explain."""
    return bool(sums[OUTSIDE] >= max(_FEWEST_EVENTS, LEAST_OUTSIDE_SHARE * sums[KNOWN]))


def _effect(noise: Noise, count: float) -> float:
    return float(np.interp(math.log(count), _LOG_SCALES, noise.effects))


def mean_test(statistic: Statistic, value: float, count: float, noise: Noise, trained: int) -> Test:
    """Return the test of a mean of standardised rows; the training's own mean is uncertain too."""
    own = _effect(noise, count) / count
    error = math.sqrt(own + noise.long_effect / trained)
    return Test(statistic, float(value), 0.0, error, noise.skewness * math.sqrt(own), trained / noise.long_effect)


def _spread(sketch: Sketch, value: float, count: float) -> Test:
    """Return the test of the mean square, as a multiple of the training's."""
    test = mean_test(Statistic.SPREAD, value, count, sketch.spread, sketch.count)
    unit = sketch.ruler.square_deviation / sketch.ruler.square_mean
    return test.scaled(1.0, unit)


def _shape(sketch: Sketch, counts: FloatArray, known: float) -> Test:
    usual = float(np.interp(math.log(known), _LOG_SCALES, sketch.index_rows)) / known
    variation = sketch.index_variation
    value = float(index_of(counts, sketch.shares))
    return Test(Statistic.SHAPE, value, usual, usual * variation, 2 * variation, margin=_SHAPE_MARGIN)


def rare_test(statistic: Statistic, events: float, known: float, share: float, trained: int) -> Test:
    """Return the test of a share that is (nearly) 0 in training, by Poisson's law."""
    expected = share + _UNSEEN / trained
    error = math.sqrt(expected / known)
    return Test(statistic, float(events / known), expected, error, 1 / math.sqrt(expected * known))

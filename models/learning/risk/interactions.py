"""Quantities derived from two channels, chosen because failures depend on them beyond each channel alone.

A sum, difference, product or ratio can carry a rule (power is torque times speed) that trees approximate only with many
splits, and that no explanation by single channels can name. Which pairs, is asked of the training data, so that
names and units of channels do not matter: a difference is tried in the given units and with the ratio that fits best.

Source: Lou, Caruana, Gehrke and Hooker, Accurate intelligible models with pairwise interactions (2013), KDD, for
ranking pairs by what they explain of an additive model's residual; Friedman, Greedy function approximation (2001),
Annals of Statistics 29(5), for the steps by which that model is fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np

from models.learning.boosting.calibration import logistic
from models.learning.features import FloatArray, IntArray

MOST_INTERACTIONS = 8
_MOST_CHANNELS = 16
_MOST_NEGATIVES = 6000
_ANGLES = 12
_REFINEMENTS = 4
# Bins are finer at the ends: what breaks a machine is rare.
_EDGES = np.array([0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
_QUANTILES = np.unique(np.concatenate([_EDGES, 1 - _EDGES]))
_RIDGE = 1.0
_ROUNDS = 6
_SHRINKAGE = 0.5
# The gain of bins that tell nothing is about half their number; of some hundreds of such candidates few reach this.
_FEWEST_GAIN = 20.0
# A fitted weight must gain by so much more than the same pair without one, which is easier to explain.
_PLAIN_IS_AS_GOOD = 0.8


class Kind(StrEnum):
    """How two channels are joined."""

    DIFFERENCE = "-"
    SUM = "+"
    PRODUCT = "*"
    RATIO = "/"


@dataclass(frozen=True, slots=True)
class Interaction:
    """A derived quantity.

    Attributes:
        left: column of the first channel.
        right: column of the second channel.
        kind: how they are joined.
        weight: factor of the second channel in a difference or sum; 1 where both have one unit.
    """

    left: int
    right: int
    kind: Kind
    weight: float = 1.0

    def of(self, levels: FloatArray) -> FloatArray:
        """Return (n,) values from (n, c) levels of the channels; NaN where one is missing."""
        left, right = levels[:, self.left], levels[:, self.right]
        match self.kind:
            case Kind.DIFFERENCE:
                return left - self.weight * right
            case Kind.SUM:
                return left + self.weight * right
            case Kind.PRODUCT:
                return left * right
            case Kind.RATIO:
                return np.divide(left, right, out=np.full(len(left), np.nan), where=np.abs(right) > 1e-12)

    def pairs_with(self, other: "Interaction") -> bool:
        """Return whether both join the same two channels."""
        return {self.left, self.right} == {other.left, other.right}

    def name(self, channels: Sequence[str]) -> str:
        """Return how it is called, as 'torque * speed' or 'inside - 1.8 outside'."""
        factor = "" if self.kind in (Kind.PRODUCT, Kind.RATIO) or self.weight == 1 else f"{self.weight:.3g} "
        return f"{channels[self.left]} {self.kind} {factor}{channels[self.right]}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"left": self.left, "right": self.right, "kind": str(self.kind), "weight": self.weight}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Interaction":
        """Return what `to_json` wrote."""
        return cls(stored["left"], stored["right"], Kind(stored["kind"]), stored["weight"])


def find_interactions(levels: FloatArray, targets: FloatArray, seed: int) -> tuple[Interaction, ...]:
    """Return the derived quantities worth having, the most telling first; none where nothing is gained.

    Args:
        levels: (n, c) levels of the channels.
        targets: (n,) 0 or 1.
        seed: of the sample of negative cases.
    """
    screen = _Screen.begin(levels, targets, seed)
    candidates = screen.candidates()
    chosen: list[Interaction] = []
    while candidates and len(chosen) < MOST_INTERACTIONS:
        gains = np.array([screen.gain(place) for _, place in candidates])
        top = int(np.argmax(gains))
        if gains[top] < _FEWEST_GAIN:
            break
        found, place = screen.settled(candidates[top][0], candidates, gains)
        chosen.append(found)
        screen.learn(place)
        candidates = [each for each in candidates if not each[0].pairs_with(found)]
    return tuple(chosen)


class _Screen:
    """An additive model of the log-odds in bins, and what a further quantity would add to it."""

    def __init__(self, levels: FloatArray, targets: FloatArray) -> None:
        self.levels = levels
        self.targets = targets
        rate = float(targets.mean())
        self.log_odds = np.full(len(targets), np.log(rate / (1 - rate)))
        self.known: list[IntArray] = []

    @classmethod
    def begin(cls, levels: FloatArray, targets: FloatArray, seed: int) -> "_Screen":
        """Sample the negative cases, and fit each channel alone."""
        negative = np.flatnonzero(targets == 0)
        random = np.random.default_rng(seed)
        kept = random.choice(negative, min(len(negative), _MOST_NEGATIVES), replace=False)
        rows = np.sort(np.concatenate([np.flatnonzero(targets > 0), kept]))
        screen = cls(levels[rows], targets[rows])
        for column in range(levels.shape[1]):
            screen.learn(_bins(screen.levels[:, column]))
        return screen

    def learn(self, place: IntArray) -> None:
        """Add a quantity's bins to the model, and fit all of it anew, round by round."""
        self.known.append(place)
        for _ in range(_ROUNDS):
            for bins in self.known:
                slope, curvature = self._sums(bins)
                self.log_odds = self.log_odds + _SHRINKAGE * (slope / (curvature + _RIDGE))[bins]

    def gain(self, place: IntArray) -> float:
        """Return by how much a quantity's bins would better the log-likelihood, to second order."""
        slope, curvature = self._sums(place)
        return float(np.sum(slope**2 / (curvature + _RIDGE)) / 2)

    def candidates(self) -> list[tuple[Interaction, IntArray]]:
        """Return the quantities to try of each pair of varying channels, with their bins."""
        spread = [_spread(self.levels[:, column]) for column in range(self.levels.shape[1])]
        varying = [column for column, deviation in enumerate(spread) if deviation > 0]
        if len(varying) > _MOST_CHANNELS:
            alone = _Screen(self.levels, self.targets)
            varying.sort(key=lambda column: -alone.gain(_bins(self.levels[:, column])))
            varying = sorted(varying[:_MOST_CHANNELS])
        tried: list[Interaction] = []
        for left, right in combinations(varying, 2):
            tried += [Interaction(left, right, kind) for kind in Kind if kind is not Kind.SUM]
            tried.append(Interaction(right, left, Kind.RATIO))
            ratio = spread[left] / spread[right]
            for angle in (np.arange(_ANGLES) + 0.5) * np.pi / _ANGLES:
                # Not so near to one channel alone that it only sharpens that channel's bins.
                weight = float(np.tan(angle - np.pi / 2)) * ratio
                kind = Kind.SUM if weight > 0 else Kind.DIFFERENCE
                if 0.2 < abs(weight) / ratio < 5:
                    tried.append(Interaction(left, right, kind, abs(weight)))
        return [(candidate, _bins(candidate.of(self.levels))) for candidate in tried]

    def settled(
        self, found: Interaction, candidates: Sequence[tuple[Interaction, IntArray]], gains: FloatArray
    ) -> tuple[Interaction, IntArray]:
        """Return the pair's plain form where it gains about as much, else the weight that gains most nearby."""
        plain = [
            (float(gain), candidate, place)
            for (candidate, place), gain in zip(candidates, gains, strict=True)
            if candidate.weight == 1 and candidate.pairs_with(found)
        ]
        gain, candidate, place = max(plain, key=lambda each: each[0])
        if gain >= _PLAIN_IS_AS_GOOD * gains.max():
            return candidate, place
        return self._sharpened(found)

    def _sharpened(self, found: Interaction) -> tuple[Interaction, IntArray]:
        best, place, step = found, _bins(found.of(self.levels)), 1.2
        gain = self.gain(place)
        for _ in range(_REFINEMENTS):
            for weight in (best.weight / step, best.weight * step):
                tried = Interaction(found.left, found.right, found.kind, weight)
                bins = _bins(tried.of(self.levels))
                if (better := self.gain(bins)) > gain:
                    best, place, gain = tried, bins, better
            step = float(np.sqrt(step))
        return best, place

    def _sums(self, place: IntArray) -> tuple[FloatArray, FloatArray]:
        expected = logistic(self.log_odds)
        count = len(_QUANTILES) + 2
        slope = np.bincount(place, self.targets - expected, count)
        curvature = np.bincount(place, expected * (1 - expected), count)
        return slope.astype(np.float64), curvature.astype(np.float64)


def _spread(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else 0.0


def _bins(values: FloatArray) -> IntArray:
    """Return (n,) bins by quantiles; the missing values are one bin of their own."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.int64)
    edges = np.quantile(values[known], _QUANTILES)
    return np.where(known, np.searchsorted(edges, values, side="right") + 1, 0)

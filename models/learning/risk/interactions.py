"""Quantities derived from two channels: a sum, difference, product or ratio that a rule may rest on.

Power is torque times speed: trees approximate such a rule only with many splits, and no explanation by single channels
can name it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np

from models.learning.features import FloatArray

_ANGLES = 12
_MOST_LOPSIDED = 5.0


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

    @property
    def is_plain(self) -> bool:
        """Whether no weight was fitted."""
        return self.weight == 1

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
        factor = "" if self.is_plain else f"{self.weight:.3g} "
        return f"{channels[self.left]} {self.kind} {factor}{channels[self.right]}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"left": self.left, "right": self.right, "kind": str(self.kind), "weight": self.weight}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Interaction":
        """Return what `to_json` wrote."""
        return cls(stored["left"], stored["right"], Kind(stored["kind"]), stored["weight"])


def every_interaction(spread: Mapping[int, float]) -> Iterator[Interaction]:
    """Yield what may be derived of each pair of channels.

    A difference is tried in the given units, and with weights of all proportions, since units may differ.

    Args:
        spread: standard deviation of each channel to join, by column.
    """
    for left, right in combinations(sorted(spread), 2):
        yield Interaction(left, right, Kind.DIFFERENCE)
        yield Interaction(left, right, Kind.PRODUCT)
        yield Interaction(left, right, Kind.RATIO)
        yield Interaction(right, left, Kind.RATIO)
        ratio = spread[left] / spread[right]
        for angle in (np.arange(_ANGLES) + 0.5) * np.pi / _ANGLES:
            slope = float(np.tan(angle - np.pi / 2))
            # What is nearly one channel alone is no interaction.
            if 1 / _MOST_LOPSIDED < abs(slope) < _MOST_LOPSIDED:
                yield Interaction(left, right, Kind.SUM if slope > 0 else Kind.DIFFERENCE, abs(slope) * ratio)

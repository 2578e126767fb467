"""What is told about a stored prediction beyond the prediction itself."""

from functools import cached_property
from typing import Any

from models.predicted import Explained
from models.statements import Row
from resolvers.predicting.recommendations import recommended


class Told:
    """Factors and recommendations of a prediction, as rows of the graph.

    Each part is made when it is first asked for, and kept: a stored prediction never changes.

    Attributes:
        explained: the prediction taken apart; None where the model that made it can no longer be read.
    """

    def __init__(self, row: Row, explained: Explained | None) -> None:
        self._row = row
        self.explained = explained

    @property
    def baseline(self) -> float | None:
        """What would be predicted without knowing the device."""
        return None if self.explained is None else self.explained.baseline

    @cached_property
    def factors(self) -> list[dict[str, Any]] | None:
        """What each thing adds to the prediction."""
        if self.explained is None:
            return None
        device_kind = self._row["device_kind"]
        return [
            {
                "device_kind": device_kind,
                "name": factor.name,
                "value": factor.value,
                "unit": factor.unit,
                "contribution": factor.contribution,
            }
            for factor in self.explained.factors
        ]

    @cached_property
    def risk_factors(self) -> list[dict[str, Any]]:
        """The factors of a risk by sort."""
        factors = () if self.explained is None else self.explained.risk_factors
        return [{name: getattr(factor, name) for name in factor.__slots__} for factor in factors]

    @cached_property
    def recommendations(self) -> list[dict[str, Any]]:
        """What to do about the prediction."""
        return [
            {
                "action": each.action.value,
                "urgency": each.urgency.value,
                "reason": each.reason,
                "due_by": each.due_by,
            }
            for each in recommended(self._row, self.explained)
        ]

"""Whether the factors of a predicted failure are its true cause, where the causes are recorded.

Which channels a cause's rule involves is not read from names: the same pipeline is trained to predict each recorded
cause alone, and what that model rests on when the cause is present is the rule's. The channels of its strongest factor
are the rule's own quantity; those of all factors that matter are the rule's channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.evaluation.state_files import States
from models.learning.boosting import Boosting, NothingToLearn
from models.learning.features import FloatArray
from models.learning.risk import BOOSTING, RiskCase, RiskFactors, train

HORIZON = 1.0
_FAILED_AT = np.array([HORIZON])
_NEVER: FloatArray = np.empty(0)
# Less than this share of a cause's evidence is chance, or a channel that goes along with one of the rule.
_MATTERS = 0.1
_TOP = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """What a recorded cause rests on.

    Attributes:
        cause: its column.
        quantity: the channels of its strongest factor: one, or the two of a derived quantity.
        channels: the channels of all factors that matter to it.
    """

    cause: str
    quantity: frozenset[str]
    channels: frozenset[str]


@dataclass(slots=True)
class Attribution:
    """How often explanations named the true cause.

    Attributes:
        failures: predicted failures with a recorded cause that was looked at.
        top: of how many the strongest factor rests on the rule's channels only.
        top_two: of how many one of the two strongest does.
        top_quantity: of how many the strongest factor is the rule's own quantity.
        top_two_quantity: of how many one of the two strongest is.
    """

    failures: int = 0
    top: int = 0
    top_two: int = 0
    top_quantity: int = 0
    top_two_quantity: int = 0

    def add(self, present: Sequence[Rule], strongest: Sequence[frozenset[str]]) -> None:
        """Count one failure.

        Args:
            present: rules of its true causes.
            strongest: channels of its strongest factors, the strongest first.
        """
        of_rule = [any(channels <= rule.channels for rule in present) for channels in strongest]
        of_quantity = [any(channels == rule.quantity for rule in present) for channels in strongest]
        self.failures += 1
        self.top += of_rule[0]
        self.top_two += any(of_rule)
        self.top_quantity += of_quantity[0]
        self.top_two_quantity += any(of_quantity)


def cases_of(states: States, outcome: FloatArray) -> list[RiskCase]:
    """Return the states as units that fail within the horizon, or not."""
    return [
        RiskCase(history, _FAILED_AT if failed else _NEVER, HORIZON)
        for history, failed in zip(states.histories, outcome.tolist(), strict=True)
    ]


def learn_rules(states: States, boosting: Boosting = BOOSTING) -> list[Rule]:
    """Return the rules of all causes that occur often enough to be learnt."""
    rules: list[Rule] = []
    for place, cause in enumerate(states.cause_names):
        present = states.causes[:, place]
        try:
            model = train(states.layout, cases_of(states, present), HORIZON, boosting=boosting).model
        except NothingToLearn:
            continue
        histories = [states.histories[row] for row in np.flatnonzero(present)]
        rules.append(_rule(cause, model.explain(states.layout, histories)))
    return rules


def strongest_factors(factors: RiskFactors, row: int) -> list[frozenset[str]]:
    """Return the channels of the two factors that raise a risk most."""
    order: list[int] = np.argsort(-factors.contributions[row], kind="stable")[:_TOP].tolist()
    return [frozenset(factors.channels[place]) for place in order]


def _rule(cause: str, factors: RiskFactors) -> Rule:
    evidence = np.maximum(factors.contributions, 0.0).mean(axis=0)
    shares = evidence / max(float(evidence.sum()), 1e-12)
    mattering: list[int] = np.flatnonzero(shares >= _MATTERS).tolist()
    channels = [factors.channels[place] for place in mattering]
    strongest = factors.channels[int(shares.argmax())]
    involved = {name for group in (strongest, *channels) for name in group}
    return Rule(cause, frozenset(strongest), frozenset(involved))

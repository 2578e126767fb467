"""The factors of a risk by sort, in words: readings, anomalies, usage, age, maintenance, environment, design."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from models.devices import DeviceKind
from models.learning.features import AGE
from models.learning.risk import RiskFactors
from models.predicted import RiskFactor
from resolvers.predicting.data import ANOMALY, FAILURE, layout_of
from resolvers.predicting.words import label_of, unit_of

_USAGE = frozenset({"daily_liters", "daily_energy", "open_minutes"})
_ENVIRONMENT = frozenset({"inlet_temperature"})
_MOST_TOLD = 3
_WORTH_TELLING = 0.02


class Sort(Enum):
    """What a factor is about."""

    READINGS = "READINGS"
    ANOMALIES = "ANOMALIES"
    USAGE = "USAGE"
    AGE = "AGE"
    MAINTENANCE = "MAINTENANCE"
    ENVIRONMENT = "ENVIRONMENT"
    DESIGN = "DESIGN"


def risk_factors(kind: DeviceKind, found: RiskFactors, place: int) -> tuple[RiskFactor, ...]:
    """Return the factors of one risk by sort, the largest score first."""
    members: dict[Sort, list[int]] = {}
    for index, channels in enumerate(found.channels):
        members.setdefault(_sort_of(kind, channels[0]), []).append(index)
    told = [_of_sort(kind, found, place, sort, mine) for sort, mine in members.items()]
    return tuple(sorted(told, key=lambda factor: -abs(factor.score)))


def by_age(details: Mapping[str, Any], probability: float) -> RiskFactor:
    """Return the one factor of a risk that was told by the age alone."""
    age, horizon = details["age_days"], details["horizon_days"]
    explanation = (
        f"Of devices {age:.0f} d old, {probability:.1%} fail within {horizon:.0f} d, by the lives of the fleet; "
        "nothing else was looked at."
    )
    return RiskFactor(Sort.AGE.value, 1.0, 1.0, explanation, age, "d")


def _sort_of(kind: DeviceKind, name: str) -> Sort:
    layout = layout_of(kind)
    if name == AGE:
        return Sort.AGE
    if name in {ANOMALY, FAILURE}:
        return Sort.ANOMALIES
    if name in layout.events:
        return Sort.MAINTENANCE
    if name in layout.attributes:
        return Sort.DESIGN
    if name in _USAGE:
        return Sort.USAGE
    return Sort.ENVIRONMENT if name in _ENVIRONMENT else Sort.READINGS


def _of_sort(kind: DeviceKind, found: RiskFactors, place: int, sort: Sort, members: list[int]) -> RiskFactor:
    ordered = sorted(members, key=lambda index: -abs(found.contributions[place, index]))
    strongest = ordered[0]
    value = float(found.values[place, strongest])
    told = [
        _sentence(kind, found, place, index, unit_of(kind, found.channels[index][0]))
        for index in ordered[:_MOST_TOLD]
        if abs(found.scores[place, index]) >= _WORTH_TELLING
    ]
    return RiskFactor(
        name=sort.value,
        weight=float(found.weights[members].sum()),
        score=float(found.scores[place, members].sum()),
        explanation=_sentences(told) if told else "Nothing of this sort moves the risk.",
        value=value if np.isfinite(value) else None,
        unit=unit_of(kind, found.channels[strongest][0]) if len(found.channels[strongest]) == 1 else "",
    )


def _sentences(told: list[str]) -> str:
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


def _sentence(kind: DeviceKind, found: RiskFactors, place: int, index: int, unit: str) -> str:
    channels = found.channels[index]
    label = " and ".join(label_of(kind, name) for name in channels)
    value, typical = float(found.values[place, index]), float(found.typical[index])
    contribution = float(found.contributions[place, index])
    unit = unit if len(channels) == 1 else ""
    known = f" of {value:.4g} {unit}".rstrip() if np.isfinite(value) else ", which is not known,"
    usual = f" ({typical:.4g} is usual)" if np.isfinite(typical) and np.isfinite(value) else ""
    moves = "raises" if contribution > 0 else "lowers"
    return f"{label}{known}{usual} {moves} the risk by {abs(contribution):.1%}"

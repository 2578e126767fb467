"""What makes a device's history less reliable than it looks, in words, and what is done about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.devices import DeviceKind
from models.learning.features import History
from models.learning.unit_changes import UnitChange
from resolvers.predicting.data import instant_of, resting_on

# Days without data after which half of the confidence is gone.
_HALF_SURE_DAYS = 30.0
_FRESH_DAYS = 3.0
_WORTH_TELLING = 0.05
# What a device tells in one wrong unit it may tell in others, by less than can be seen.
LEFT_OF_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Examined:
    """A history without the channels that cannot be relied on.

    Attributes:
        history: the channels are NaN throughout.
        doubts: one sentence for each of them.
        factor: what is left of the confidence.
    """

    history: History
    doubts: tuple[str, ...]
    factor: float = 1.0


def examined(kind: DeviceKind, history: History, changes: Sequence[UnitChange]) -> Examined:
    """Return a history with what was left out of it, in words."""
    if not changes:
        return Examined(history, ())
    told = tuple(_told(kind, history, change) for change in changes)
    return Examined(history, told, LEFT_OF_CONFIDENCE)


def _told(kind: DeviceKind, history: History, change: UnitChange) -> str:
    channels, day = kind.learnt.channels, instant_of(float(history.times[change.row]) - 1).date().isoformat()
    step = f"from {change.before:.4g} to {change.after:.4g} on {day}, as from {change.units}"
    others = [channels[place].label for place in resting_on(kind, change.column) if place != change.column]
    also = f", and so is the {' and the '.join(others)}" if others else ""
    return f"The {channels[change.column].label} went {step}; it is left out{also}."


def staleness(days_until: float, now_days: float) -> tuple[float, tuple[str, ...]]:
    """Return the factor of the confidence that old data leave, and a sentence where it is below 1.

    Args:
        days_until: instant of the newest data, in days.
        now_days: the present, in days.
    """
    silent = now_days - days_until
    if silent <= _FRESH_DAYS:
        return 1.0, ()
    return 2.0 ** (-(silent - _FRESH_DAYS) / _HALF_SURE_DAYS), (f"There are no data of the last {silent:.0f} days.",)


def of_features(missing: float, outside: float) -> Sequence[str]:
    """Return sentences about what a model uses that is missing, or beyond what it has seen."""
    told: list[str] = []
    if missing > _WORTH_TELLING:
        told.append(f"{missing:.0%} of what the model goes by is missing.")
    if outside > _WORTH_TELLING:
        told.append(f"{outside:.0%} of what the model goes by is beyond what it has seen in training.")
    return told

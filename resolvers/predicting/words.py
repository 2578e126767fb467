"""What people call the factors of a prediction, and in which unit their values are."""

from models.devices import DeviceKind
from models.learning.features import AGE
from resolvers.predicting.data import layout_of


def unit_of(kind: DeviceKind, name: str) -> str:
    """Return the unit of a factor's value: of a channel or attribute its own, of age days, of events a number."""
    if name == AGE:
        return "d"
    if name in kind.learnt.numbers:
        return kind.learnt.numbers[name][1]
    channel = kind.learnt.by_name.get(name)
    return "" if channel is None else channel.unit


def label_of(kind: DeviceKind, name: str) -> str:
    """Return what people call a factor."""
    if name in kind.learnt.by_name:
        return kind.learnt.by_name[name].label
    if name in kind.learnt.numbers:
        return kind.learnt.numbers[name][0]
    words = name.replace("_", " ")
    return f"{words} in the past" if name in layout_of(kind).events else words


def quantity(value: float | None, unit: str) -> str:
    """Return a value with its unit, as "5.2 bar"."""
    return "an unknown value" if value is None else f"{value:.4g} {unit}".rstrip()

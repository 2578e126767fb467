"""What models learn from the days of a kind of device: described by the kind, made for many devices at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from models.charts import FloatArray

Values = Mapping[str, FloatArray]
Compute = Callable[[Values, Values], FloatArray]

_DAY_SECONDS = 86_400.0
# With less of a day seen, its sum is too uncertain to stand for the day.
_LEAST_SHARE_OF_DAY = 0.5


@dataclass(frozen=True, slots=True)
class LearntChannel:
    """One number of each day of a device.

    Attributes:
        name: unique within the kind; features are named after it.
        label: what people call it, as "lowest pressure of the day".
        unit: of the number, "" for a ratio.
        needs: columns of the kind's table of hours, taken by the day.
        of: from (n,) columns and (n,) details of the rows' devices to (n,) numbers; NaN where unknown.
        details: numeric columns of the kind's detail table that it needs; they do not change during a device's life.
    """

    name: str
    label: str
    unit: str
    needs: tuple[str, ...]
    of: Compute
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learnt:
    """What models learn from.

    Attributes:
        channels: numbers of each day.
        numbers: columns of the detail table that say what a device is, and never change; with label and unit.
        categories: such columns with a word each, and the words; each word becomes an attribute, 1 or 0.
        only_watched: numbers of each day that are not learnt, as they tell the season, but whose breaks matter.
    """

    channels: tuple[LearntChannel, ...]
    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    only_watched: tuple[LearntChannel, ...] = ()
    by_name: Mapping[str, LearntChannel] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {channel.name: channel for channel in self.channels})

    @property
    def watched(self) -> tuple[LearntChannel, ...]:
        """The numbers of each day that are watched for breaks: what is learnt, and what is watched only."""
        return (*self.channels, *self.only_watched)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table of hours that all channels need together."""
        return tuple(dict.fromkeys(name for channel in self.channels for name in channel.needs))

    @property
    def details(self) -> frozenset[str]:
        """The columns of the detail table that are needed."""
        named = {name for channel in self.watched for name in channel.details}
        return frozenset(named | set(self.numbers) | set(self.categories))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of what does not change: numbers, then words."""
        words = (
            attribute_name(column, word) for column, allowed in sorted(self.categories.items()) for word in allowed
        )
        return (*sorted(self.numbers), *words)


def attribute_name(column: str, word: str) -> str:
    """Return the name of the attribute that is 1 where a column holds a word."""
    return f"{column}_{word.lower()}"


def plain(column: str, label: str, unit: str, name: str | None = None) -> LearntChannel:
    """Return the channel that is a column of the day as it stands."""
    return LearntChannel(name or column, label, unit, (column,), lambda days, _: days[column])


def per_day(name: str, label: str, unit: str, total: str, seconds: str) -> LearntChannel:
    """Return the channel that is a sum over the day, raised to 24 hours where a part of it was not seen."""

    def of(days: Values, _details: Values) -> FloatArray:
        return over(days[total] * _DAY_SECONDS, enough(days[seconds]))

    return LearntChannel(name, label, unit, (total, seconds), of)


def enough(seconds: FloatArray) -> FloatArray:
    """Return (n,) seconds of the day that were seen, NaN where they are too few to stand for the day."""
    return np.where(seconds >= _LEAST_SHARE_OF_DAY * _DAY_SECONDS, seconds, np.nan)


def over(amount: FloatArray, by: FloatArray) -> FloatArray:
    """Return (n,) quotients, NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore"):
        return np.divide(amount, by, out=np.full(np.shape(amount), np.nan), where=by > 0)

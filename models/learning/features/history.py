"""What is known of one unit: its readings, operating settings, events and fixed attributes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class HistoryProblem(ValueError):
    """A history that contradicts itself or its layout; the message says how."""


class ChannelMismatch(ValueError):
    """Histories whose columns are not those that the model was trained on; the message names them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a fleet's histories mean; any number of any names, without units.

    Attributes:
        channels: names of what is measured.
        settings: names of the operating conditions that channels are compared under.
        events: names of what happens at instants: maintenance, errors, anomalies, failures.
        attributes: names of what does not change, categories being one attribute for each value.
    """

    channels: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, list[str]]:
        """Return it as JSON values."""
        return {
            "channels": list(self.channels),
            "settings": list(self.settings),
            "events": list(self.events),
            "attributes": list(self.attributes),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Sequence[str]]) -> "Layout":
        """Return what `to_json` wrote."""
        return cls(*(tuple(stored[name]) for name in ("channels", "settings", "events", "attributes")))


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """One unit's past; the time's unit and origin are the caller's, the same for a whole fleet.

    Attributes:
        times: (n,) ascending instants of the readings; none at all is allowed.
        values: (n, channels) readings; NaN or infinite where one is missing.
        settings: (n, settings) operating conditions; NaN where one is missing.
        events: one array of ascending instants for each of the layout's events.
        attributes: (attributes,) fixed values; NaN where one is not known.
        started: when the unit came into service; NaN where that is not known, and then it is the first reading.

    Raises:
        HistoryProblem: shapes do not fit together, or times do not ascend.
    """

    times: FloatArray = field(default_factory=_nothing)
    values: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    settings: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    events: tuple[FloatArray, ...] = ()
    attributes: FloatArray = field(default_factory=_nothing)
    started: float = float("nan")

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.values.ndim != 2 or len(self.values) != len(self.times):
            raise HistoryProblem(f"values of shape {self.values.shape} do not fit times of shape {self.times.shape}.")
        if self.settings.size and len(self.settings) != len(self.times):
            raise HistoryProblem(f"settings of shape {self.settings.shape} do not fit {len(self.times)} times.")
        for what, times in (("times", self.times), *(("events", times) for times in self.events)):
            if len(times) and (not np.isfinite(times).all() or (times[1:] < times[:-1]).any()):
                raise HistoryProblem(f"{what} of a history must be finite and ascend.")

    @property
    def start(self) -> float:
        """When its life begins: in service, else the first reading or event; NaN where nothing is known."""
        if math.isfinite(self.started):
            return self.started
        if len(self.times):
            return float(self.times[0])
        return min((float(times[0]) for times in self.events if len(times)), default=float("nan"))

    @property
    def end(self) -> float:
        """The newest instant that it knows; NaN where it knows none."""
        return max((float(times[-1]) for times in (self.times, *self.events) if len(times)), default=self.started)

    def until(self, instant: float) -> "History":
        """Return what was known at an instant: what happened at it belongs to it."""
        count = int(np.searchsorted(self.times, instant, side="right"))
        return History(
            times=self.times[:count],
            values=self.values[:count],
            settings=self.settings[:count],
            events=tuple(times[: int(np.searchsorted(times, instant, side="right"))] for times in self.events),
            attributes=self.attributes,
            started=self.started,
        )


def check_layout(layout: Layout, histories: Sequence[History]) -> None:
    """Check that histories have as many columns as the layout names.

    Raises:
        HistoryProblem: the first one that has not is named by its place.
    """
    expected = tuple(len(names) for names in (layout.channels, layout.settings, layout.events, layout.attributes))
    for place, history in enumerate(histories):
        found = (_width(history.values), _width(history.settings), len(history.events), len(history.attributes))
        if found == expected:
            continue
        # Without readings a matrix need not know how wide it would be.
        wrong = [
            f"{seen} {name} instead of {wanted}"
            for name, seen, wanted in zip(
                ("channels", "settings", "events", "attributes"), found, expected, strict=True
            )
            if seen not in (wanted, None)
        ]
        if wrong:
            raise HistoryProblem(f"History {place} has {', '.join(wrong)}.")


def check_same(trained: Layout, given: Layout) -> None:
    """Check that histories have the columns that a model was trained on.

    Raises:
        ChannelMismatch: they have not.
    """
    for what in ("channels", "settings", "events", "attributes"):
        wanted, found = getattr(trained, what), getattr(given, what)
        if wanted != found:
            raise ChannelMismatch(
                f"The model was trained on the {what} {', '.join(wanted) or 'none'}; "
                f"given are {', '.join(found) or 'none'}."
            )


def _width(matrix: FloatArray) -> int | None:
    return matrix.shape[1] if len(matrix) else None

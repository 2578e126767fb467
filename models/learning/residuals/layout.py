"""What the steps of a kind of device consist of, and which of them are looked at together."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from models.learning.boosting.explanation import group_of, groups_of
from models.learning.features import ChannelMismatch

MEAN, DEVIATION = "mean", "deviation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many steps are looked at; the defaults are those of hours.

    Attributes:
        judged: newest steps, which are judged together.
        baseline: steps before these, by which a device's own level and range are told.
        fewest: known steps of the baseline without which a channel is not judged.
        lags: single steps before each judged one ...
        means: ... and spans of such steps, as (first, end), whose means are looked at.
        own: the span before a judged step of which the channel's own mean is looked at: its level of before, long
            enough ago not to hold what goes on.
        windows: runs of steps over which residuals are averaged: what is off by little shows in the long ones.
        period: steps of a day; 0 where time has no such course.
    """

    judged: int = 24
    baseline: int = 672
    fewest: int = 48
    lags: tuple[int, ...] = (1, 2)
    means: tuple[tuple[int, int], ...] = ((3, 6), (6, 24))
    own: tuple[int, int] = (24, 48)
    windows: tuple[int, ...] = (1, 3, 8)
    period: int = 24

    @property
    def lead(self) -> int:
        """Steps before the judged ones that their features look back on."""
        return max(*self.lags, *(end for _, end in self.means), self.own[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLayout:
    """The columns of steps.

    Attributes:
        channels: that are judged, each by the others.
        units: (channels,) symbols of the catalogue; "" where changes of unit are not looked for.
        inputs: (inputs,) names as channel.statistic; each channel has one of the statistic `mean`. Statistics of one
            channel are in its unit, that of the mean first; `deviation` has no level. What is no channel is looked at,
            and not judged.
        pace: how many steps are looked at.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    inputs: tuple[str, ...]
    pace: Pace = field(default_factory=Pace)

    @property
    def targets(self) -> list[int]:
        """The places of the channels' means among the inputs."""
        return [self.inputs.index(f"{channel}.{MEAN}") for channel in self.channels]

    @property
    def groups(self) -> tuple[str, ...]:
        """What the inputs are statistics of: the channels, and what is no channel."""
        return groups_of(self.inputs)

    @property
    def leading(self) -> list[int]:
        """The place of the first input of each group, by which its level and range are told."""
        owners = [group_of(name) for name in self.inputs]
        return [owners.index(group) for group in self.groups]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "StepLayout":
        """Return what `to_json` wrote."""
        told = cast("dict[str, Any]", _tuples(stored["pace"]))
        names = {name: tuple(stored[name]) for name in ("channels", "units", "inputs")}
        return cls(**names, pace=Pace(**told))


def _tuples(stored: Any) -> Any:
    """Return JSON values with tuples in the place of lists."""
    if isinstance(stored, dict):
        return {name: _tuples(value) for name, value in cast("dict[str, Any]", stored).items()}
    return tuple(map(_tuples, cast("list[Any]", stored))) if isinstance(stored, list) else stored


def check_same(trained: StepLayout, given: StepLayout) -> None:
    """Check that steps have the columns that a model was trained on.

    Raises:
        ChannelMismatch: they have not.
    """
    for what in ("channels", "units", "inputs"):
        wanted, found = getattr(trained, what), getattr(given, what)
        if wanted != found:
            raise ChannelMismatch(
                f"The model was trained on the {what} {', '.join(wanted) or 'none'}; "
                f"given are {', '.join(found) or 'none'}."
            )
    if trained.pace != given.pace:
        raise ChannelMismatch("The model was trained on other spans of time than are looked at now.")

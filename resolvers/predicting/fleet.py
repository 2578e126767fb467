"""What is known of some devices, in arrays; time is in days since 1970, UTC."""

from dataclasses import dataclass, field
from datetime import datetime

from models.charts import FloatArray
from models.learning.features import History, Layout
from models.learning.lifespan import Life
from models.learning.risk import RiskCase
from models.learning.unit_changes import UnitChange
from models.types import from_micros, to_micros

MICROS_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class FleetHistories:
    """What is known of d devices at an instant.

    Attributes:
        layout: what the histories' columns mean.
        device_ids: of those that exist, in the order that was asked for.
        histories: (d,) up to the instant, or to the end of a life. A channel that seems to have changed its unit is NaN
            throughout, in training and in serving: which of the two is right cannot be told.
        ends: (d,) until when each is known to have run.
        ended: (d,) when the failure happened that ended its life; NaN for those that live, or that were replaced before
            they failed.
        failures: (d,) ascending instants of all failures, that which ended the life among them.
        until: the instant.
        days: (d,) how many days have a number in any channel, those left out among them.
        unit_changes: (d,) why channels were left out of each; empty where nobody asks.
    """

    layout: Layout
    device_ids: list[int]
    histories: list[History]
    ends: FloatArray
    ended: FloatArray
    failures: list[FloatArray]
    until: float
    days: list[int] = field(default_factory=list[int])
    unit_changes: list[list[UnitChange]] = field(default_factory=list[list[UnitChange]])

    def lives(self) -> list[Life]:
        """Return what remaining life is learnt from."""
        return [
            Life(history, failed_at=ended, observed_until=end)
            for history, ended, end in zip(self.histories, self.ended.tolist(), self.ends.tolist(), strict=True)
        ]

    def cases(self) -> list[RiskCase]:
        """Return what the risk of failure is learnt from."""
        return [
            RiskCase(history, failures, observed_until=end)
            for history, failures, end in zip(self.histories, self.failures, self.ends.tolist(), strict=True)
        ]


def days_of(at: datetime) -> float:
    """Return an instant in days since 1970."""
    return to_micros(at) / MICROS_PER_DAY


def instant_of(days: float) -> datetime:
    """Return the instant of days since 1970."""
    return from_micros(round(days * MICROS_PER_DAY))

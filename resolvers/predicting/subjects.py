"""What predictors look at: devices of one kind at one instant, with what was loaded of them for all predictors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from models.devices import DeviceKind
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from models.statements import Row
from resolvers.predicting.data import FleetHistories
from resolvers.predicting.doubts import Examined
from resolvers.predicting.registry import LoadedModel

if TYPE_CHECKING:
    from resolvers.context import Services

Outcomes = list[Found | Absent]
Looked = tuple[Examined, Absent | None]
"""What a model may look at of a device, or why that is too little."""
Compute = Callable[[], Outcomes]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Devices of one kind at one instant.

    Attributes:
        kind: of the devices.
        rows: (d,) all columns of each.
        now: the instant.
        models: what is in production for the kind.
        histories: of these devices; None where no predictor needs them.
        examined: what was found out of their histories, by device; shared by the predictors.
    """

    kind: DeviceKind
    rows: Sequence[Row]
    now: datetime
    models: Mapping[PredictionKind, LoadedModel]
    histories: FleetHistories | None = None
    examined: dict[int, Looked] = field(default_factory=dict[int, Looked])

    @property
    def ids(self) -> list[int]:
        """The ids of the devices."""
        return [row["id"] for row in self.rows]

    @property
    def known_histories(self) -> FleetHistories:
        """The histories, where a predictor has said that it needs them."""
        return cast("FleetHistories", self.histories)

    def places(self) -> dict[int, int]:
        """Return the place of each device in the histories."""
        return {id_: place for place, id_ in enumerate(self.known_histories.device_ids)}

    def lacking(self, kind: PredictionKind) -> Absent:
        """Return the reason that there is no model."""
        message = f"No model of {kind.value} is in production for a {self.kind.label}; train one, and promote it."
        return Absent(AbsentReason.NO_MODEL, message)

    def no_model(self, kind: PredictionKind) -> Absent | None:
        """Return why no model can be used for a kind of prediction; None if one can."""
        model = self.models.get(kind)
        if model is None:
            return self.lacking(kind)
        if model.problem is not None:
            return Absent(AbsentReason.MODEL_UNFIT, model.problem)
        return None


class Predictor(Protocol):
    """Predicts one kind of thing for many devices at once."""

    needs_histories: bool

    async def prepare(self, services: "Services", subjects: Subjects) -> Compute:
        """Load what is needed beyond the subjects, in a constant number of statements.

        Returns:
            What computes an outcome for each device; it is called in a thread, and touches nothing but what was loaded.
        """
        ...


def same_for_all(subjects: Subjects, absent: Absent) -> Compute:
    """Return a computation that gives every device the same reason."""
    return lambda: [absent] * len(subjects.rows)

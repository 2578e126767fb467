"""What of a version drifts and goes on drifting: findings of single windows taken together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.learning.drift import DATA_QUALITY, Kind
from models.monitoring import ERROR_FEATURE, INPUT_PREFIX, PREDICTION_FEATURE
from models.statements import Row
from settings.prediction_types import MonitoringSettings

_POOR = frozenset(kind.value for kind in DATA_QUALITY)


@dataclass(frozen=True, slots=True)
class Drifting:
    """What the newest windows say together.

    Attributes:
        judged: features of which something can be said.
        moved: the newest finding of each feature whose distribution has changed.
        poor: the same of each whose data are poor.
        inputs: inputs of which something can be said.
        broken: the newest finding of each input that has left its course.
        prediction: the newest finding of the predictions, None without one.
        prediction_persists: it goes on.
        error: the newest finding of the errors.
        error_persists: it goes on.
        sample_count: values of the newest window.
        unknown: why nothing can be said, in the words of the newest window; None where something can.
    """

    judged: int
    moved: Sequence[Row]
    poor: Sequence[Row]
    inputs: int
    broken: Sequence[Row]
    prediction: Row | None
    prediction_persists: bool
    error: Row | None
    error_persists: bool
    sample_count: int
    unknown: str | None

    @property
    def persists(self) -> bool:
        """Whether the version sees another world than at its training, so that it does not know its own certainty."""
        return bool(self.moved or self.poor or self.broken or self.prediction_persists or self.error_persists)


def together(rows: Sequence[Row], settings: MonitoringSettings) -> Drifting:
    """Take the findings of a version together.

    Args:
        rows: of windows that do not overlap, oldest first.
        settings: in how many of how many windows drift counts.
    """
    by_feature: dict[str, list[Row]] = {}
    for row in rows:
        by_feature.setdefault(row["feature"], []).append(row)
    prediction, error = (by_feature.pop(name, []) for name in (PREDICTION_FEATURE, ERROR_FEATURE))
    inputs = {name: by_feature.pop(name) for name in list(by_feature) if name.startswith(INPUT_PREFIX)}
    persistent, broken = (
        [found for each in those.values() if (found := _persistent(each, settings)) is not None]
        for those in (by_feature, inputs)
    )
    newest = [each[-1] for each in by_feature.values()]
    return Drifting(
        judged=_count_judged(by_feature),
        moved=[row for row in persistent if row["finding"] not in _POOR],
        poor=[row for row in persistent if row["finding"] in _POOR],
        inputs=_count_judged(inputs),
        broken=broken,
        prediction=_newest(prediction),
        prediction_persists=_persistent(prediction, settings) is not None,
        error=_newest(error),
        error_persists=_persistent(error, settings) is not None,
        sample_count=max((row["sample_count"] for row in newest), default=0),
        unknown=_unknown(by_feature),
    )


def _persistent(rows: Sequence[Row], settings: MonitoringSettings) -> Row | None:
    """Return the newest finding of drift, if there was drift in enough of the newest windows that said something."""
    drifted = [row for row in _judged(rows)[-settings.drift_windows_of :] if row["drifted"]]
    return drifted[-1] if len(drifted) >= settings.drift_windows_needed else None


def _count_judged(by_feature: Mapping[str, Sequence[Row]]) -> int:
    return sum(any(_is_judged(row) for row in rows) for rows in by_feature.values())


def _judged(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if _is_judged(row)]


def _is_judged(row: Row) -> bool:
    return row["finding"] != Kind.UNKNOWN.value


def _newest(rows: Sequence[Row]) -> Row | None:
    judged = _judged(rows)
    return judged[-1] if judged else None


def _unknown(by_feature: Mapping[str, Sequence[Row]]) -> str | None:
    if not by_feature or any(_is_judged(row) for rows in by_feature.values() for row in rows):
        return None
    message: str = next(iter(by_feature.values()))[-1]["message"]
    return message

"""Why predictions are what they are: from what was stored with them, by the version that made them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import orjson

from models.charts import FloatArray
from models.devices import KINDS, DeviceKind
from models.learning.features import AGE
from models.learning.lifespan import LifespanModel, Method
from models.learning.lifespan.factors import factors as lifespan_factors
from models.learning.risk import RiskModel
from models.learning.risk.model import shown_values
from models.predicted import Explained, Factor
from models.predictions import PredictionKind
from models.repositories import predictions
from models.statements import Row
from resolvers.predicting.jobs import RISK_METHOD
from resolvers.predicting.registry import LoadedModel
from resolvers.predicting.risk_words import by_age, risk_factors
from resolvers.predicting.told import Told
from resolvers.predicting.words import unit_of

if TYPE_CHECKING:
    from resolvers.context import Services

# What has less than this share of all contributions is told as one.
_LEAST_SHARE = 0.01
OTHER = "other"
# Each takes a few kilobytes.
_MOST_KEPT = 2000
# What recommendations cite beside factors.
_CITED = ("least_flow.level", "age.time", "part_replacement.since")
_PARTS_OF_DAY = (("night", 0, 6), ("morning", 6, 12), ("afternoon", 12, 18), ("evening", 18, 24))


class Explaining:
    """Takes predictions apart; what it told lately it knows, since a stored prediction never changes."""

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._kept: OrderedDict[int, Told] = OrderedDict()

    async def told(self, services: "Services", rows: Sequence[Row]) -> list[Told]:
        """Return what is told of predictions.

        Args:
            services: of the process.
            rows: stored predictions, with the columns of `NEEDED`; those of one model are one batch.
        """
        known = {row["id"]: self._kept[row["id"]] for row in rows if row["id"] in self._kept}
        missing = [row for row in rows if row["id"] not in known]
        for row, explained in zip(missing, await _made(services, missing), strict=True):
            known[row["id"]] = told = Told(row, explained)
            # A lost model may be found again.
            if explained is not None:
                self._kept[row["id"]] = told
        for row in rows:
            if row["id"] in self._kept:
                self._kept.move_to_end(row["id"])
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return [known[row["id"]] for row in rows]


async def _made(services: "Services", rows: Sequence[Row]) -> list[Explained | None]:
    if not rows:
        return []
    learnt = [row for row in rows if _is_learnt(row)]
    features = await predictions.features_of(services.store, [row["id"] for row in learnt]) if learnt else {}
    models = {
        model_id: await services.models.version(services.store, model_id)
        for model_id in dict.fromkeys(row["model_id"] for row in learnt)
    }
    return await asyncio.to_thread(_explained, rows, features, models)


NEEDED = (
    *("id", "device_id", "device_kind", "kind", "model_id", "method", "predicted_at"),
    *("confidence", "value", "lower", "upper", "details"),
)


def _is_learnt(row: Row) -> bool:
    return row["kind"] == PredictionKind.LIFESPAN.value or row["method"] == RISK_METHOD


def _explained(
    rows: Sequence[Row], features: Mapping[int, Sequence[float | None]], models: Mapping[int, LoadedModel]
) -> list[Explained | None]:
    found: dict[int, Explained] = {}
    by_model: dict[int, list[Row]] = {}
    for row in rows:
        if _is_learnt(row):
            if row["id"] in features:
                by_model.setdefault(row["model_id"], []).append(row)
        else:
            found[row["id"]] = _BY_KIND[row["kind"]](row)
    for model_id, mine in by_model.items():
        model = models[model_id].model
        if model is None:
            continue
        values = np.array([features[row["id"]] for row in mine], np.float64)
        kind = KINDS[mine[0]["device_kind"]]
        if isinstance(model, RiskModel):
            parts = _of_risk(kind, model, values)
        else:
            parts = _of_life(kind, cast("LifespanModel", model), mine, values)
        found |= {row["id"]: part for row, part in zip(mine, parts, strict=True)}
    return [found.get(row["id"]) for row in rows]


def _of_life(kind: DeviceKind, model: LifespanModel, rows: Sequence[Row], values: FloatArray) -> list[Explained]:
    by_readings = np.array([row["method"] == Method.REGRESSION.value for row in rows], np.bool_)
    taken = lifespan_factors(model, values, by_readings)
    shown = shown_values(model.feature_names, taken, values)
    return [
        Explained(
            float(taken.base[place]),
            _factors(kind, taken.groups, shown[place], taken.contributions[place]),
            known=_known(model.feature_names, values[place]),
        )
        for place in range(len(rows))
    ]


def _of_risk(kind: DeviceKind, model: RiskModel, values: FloatArray) -> list[Explained]:
    taken = model.factors(values)
    return [
        Explained(
            float(taken.base[place]),
            _factors(kind, taken.names, taken.values[place], taken.contributions[place]),
            risk_factors(kind, taken, place),
            _known(model.feature_names, values[place]),
        )
        for place in range(len(values))
    ]


def _factors(
    kind: DeviceKind, names: Sequence[str], values: FloatArray, contributions: FloatArray
) -> tuple[Factor, ...]:
    """Return the factors that matter, the largest first, and what all others add together."""
    least = float(np.abs(contributions).sum()) * _LEAST_SHARE
    told = [
        Factor(name, value if np.isfinite(value) else None, unit_of(kind, name), contribution)
        for name, value, contribution in zip(names, values.tolist(), contributions.tolist(), strict=True)
        if abs(contribution) > least
    ]
    told.sort(key=lambda factor: -abs(factor.contribution))
    left = float(contributions[np.abs(contributions) <= least].sum())
    return (*told, Factor(OTHER, None, "", left)) if left else tuple(told)


def _known(names: Sequence[str], values: FloatArray) -> dict[str, float]:
    told = {name: float(values[names.index(name)]) for name in _CITED if name in names}
    return {name: value for name, value in told.items() if np.isfinite(value)}


def _of_anomaly(row: Row) -> Explained:
    """Divide the score among the channels by how strange each is alone."""
    details = orjson.loads(row["details"])
    kind, channels = KINDS[row["device_kind"]], details["channels"]
    scores = [each["score"] for each in channels]
    going_on = next((each for each in details["findings"] if each["is_present"]), None)
    if going_on is not None and not sum(scores):
        scores = [float(each["name"] == going_on["metric"]) for each in channels]
    total = sum(scores)
    told = [
        Factor(each["name"], each["observed"], kind.by_name[each["name"]].unit, row["value"] * score / total)
        for each, score in zip(channels, scores, strict=True)
        if score > 0
    ]
    return Explained(0.0, tuple(sorted(told, key=lambda factor: -factor.contribution)))


def _of_usage(row: Row) -> Explained:
    """Divide the daily average among the parts of the day by the profile."""
    details = orjson.loads(row["details"])
    profile = details["hourly_profile"]
    if not profile or not sum(profile):
        return Explained(row["value"], ())
    total = sum(profile)
    told = [
        Factor(name, part, details["unit"], row["value"] * part / total)
        for name, start, end in _PARTS_OF_DAY
        if (part := sum(profile[start:end])) > 0
    ]
    return Explained(0.0, tuple(sorted(told, key=lambda factor: -factor.contribution)))


def _of_age(row: Row) -> Explained:
    """Tell the risk of a new device apart from what the age adds."""
    details = orjson.loads(row["details"])
    start: float = details["new_probability"]
    added = row["value"] - start
    told = Factor(AGE, details["age_days"], "d", added)
    return Explained(
        start, (told,) if added else (), (by_age(details, row["value"]),), {"age.time": details["age_days"]}
    )


_BY_KIND: Mapping[str, Callable[[Row], Explained]] = {
    PredictionKind.ANOMALY.value: _of_anomaly,
    PredictionKind.USAGE_PATTERNS.value: _of_usage,
    PredictionKind.MULTI_FACTOR.value: _of_age,
}

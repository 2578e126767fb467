"""A training as a job: arrays and numbers in, texts and numbers out, so that another process can do it."""

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import orjson

from models.charts import FloatArray
from models.learning import lifespan, risk
from models.learning.boosting import ArtefactError, Boosting
from models.learning.features import ChannelMismatch, History, Layout
from models.learning.lifespan import Method, TrainedLifespan
from models.learning.reference import Served, reference_of
from models.learning.risk import TrainedRisk
from models.predictions import PredictionKind
from resolvers.predicting import residual_training
from resolvers.predicting.comparison import compare
from resolvers.predicting.fleet import FleetHistories
from resolvers.predicting.fleet_hours import FleetHours, arrays_of, of_arrays

RISK_METHOD = "BOOSTED_TREES"
_SHORTEST_HORIZON_DAYS = 1.0
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Present:
    """The version in production, for a comparison.

    Attributes:
        artefact: of it; empty for a method that is not trained.
        since: the newest instant that it learnt from, in days since 1970.
    """

    id: int
    artefact: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How is trained.

    Attributes:
        kind: what is to be predicted; LIFESPAN, MULTI_FACTOR or ANOMALY.
        horizon_days: how far ahead a failure counts for the risk.
        min_failures: with fewer ends of lives, remaining life is learnt from ages.
        trees: of the model.
        max_rows: days of devices at most.
        threads: of LightGBM.
        present: the version in production, None if there is none.
    """

    kind: PredictionKind
    horizon_days: float
    min_failures: int
    trees: int
    max_rows: int
    threads: int
    present: Present | None = None


Fleet: TypeAlias = FleetHistories | FleetHours
"""What is learnt from: of ANOMALY hours, else days."""


def learn(plan: Plan, fleet: Fleet, progress: Progress) -> dict[str, Any]:
    """Train and return as JSON values what the registry stores of it.

    Args:
        plan: how.
        fleet: to learn from.
        progress: told the share that is done.

    Raises:
        NothingToLearn: there is too little to learn from.
        HistoryProblem: a history contradicts itself.
    """
    if isinstance(fleet, FleetHours):
        return residual_training.learn(
            fleet,
            trees=plan.trees,
            max_rows=plan.max_rows,
            threads=plan.threads,
            present=plan.present and (plan.present.id, plan.present.artefact),
            progress=progress,
        )
    return _learn_histories(plan, fleet, progress)


def _learn_histories(plan: Plan, fleet: FleetHistories, progress: Progress) -> dict[str, Any]:
    plan, asked = replace(plan, horizon_days=horizon(plan, fleet)), plan
    boosting = replace(_boosting(plan.kind), trees=plan.trees, threads=plan.threads)
    trained: TrainedLifespan | TrainedRisk
    if plan.kind is PredictionKind.LIFESPAN:
        trained, method = _lifespan(plan, fleet, boosting, progress)
    else:
        trained = risk.train(
            *(fleet.layout, fleet.cases(), plan.horizon_days),
            boosting=boosting,
            most_rows=plan.max_rows,
            progress=progress,
            # The kind of device describes the quantities that physics makes of its channels.
            derives=False,
        )
        method = RISK_METHOD
    metrics: dict[str, Any] = dict(trained.metrics)
    backtest = trained.backtest
    reference = None
    if backtest is not None:
        reference = reference_of(backtest, trained.feature_names, _served(plan, fleet, trained.model))
    compared = None if backtest is None else _compared(plan, fleet, trained)
    if compared is not None:
        metrics["comparison"] = compared
    return {
        "artefact": trained.text,
        "method": method,
        "feature_names": list(trained.feature_names),
        "parameters": {**asdict(boosting), "max_rows": plan.max_rows, **_own_parameters(plan, asked)},
        "metrics": metrics,
        "window": list(trained.window),
        "sample_count": len(fleet.histories) if backtest is None else len(backtest.predicted),
        "reference": reference,
    }


def _lifespan(plan: Plan, fleet: FleetHistories, boosting: Boosting, progress: Progress) -> tuple[TrainedLifespan, str]:
    lives = fleet.lives()
    failures = sum(life.failed and len(life.history.times) > 0 for life in lives)
    if failures >= plan.min_failures:
        # Those that are about to fail and those that have years to go are learnt from together.
        trained = lifespan.train(
            *(fleet.layout, lives),
            boosting=boosting,
            most_rows=plan.max_rows,
            progress=progress,
            is_logarithmic=True,
        )
        return trained, Method.REGRESSION.value
    trained = lifespan.train_by_age(fleet.layout, lives)
    return trained, (Method.WEIBAYES if trained.model.survival.shape_is_assumed else Method.WEIBULL).value


def _boosting(kind: PredictionKind) -> Boosting:
    return risk.BOOSTING if kind is PredictionKind.MULTI_FACTOR else Boosting()


def horizon(plan: Plan, fleet: FleetHistories) -> float:
    """Return how far ahead a failure counts: shorter than planned where no device that goes on was watched so long.

    Its outcome would not be known, and only those that were about to fail would be learnt from.
    """
    going_on = [case for case in fleet.cases() if not len(case.failures) and len(case.history.times)]
    longest = max((case.end - float(case.history.times[0]) for case in going_on), default=np.inf)
    return plan.horizon_days if longest > plan.horizon_days else max(longest / 2, _SHORTEST_HORIZON_DAYS)


def _own_parameters(plan: Plan, asked: Plan) -> dict[str, float]:
    if plan.kind is PredictionKind.MULTI_FACTOR:
        return {"horizon_days": plan.horizon_days, "planned_horizon_days": asked.horizon_days}
    return {"min_failures": plan.min_failures}


def _served(plan: Plan, fleet: FleetHistories, model: lifespan.LifespanModel | risk.RiskModel) -> Served:
    """Return what the version would have been asked on each day of each device, thinned out evenly."""
    stride = max(sum(len(history.times) for history in fleet.histories) // plan.max_rows, 1)
    cuts = [history.times[::-1][::stride][::-1] for history in fleet.histories]
    units = np.repeat(np.arange(len(cuts)), [len(times) for times in cuts])
    instants = _joined(cuts)
    found = model.predict(fleet.layout, [fleet.histories[unit] for unit in units.tolist()], instants)
    predicted = found.probability if isinstance(found, risk.Risks) else found.value
    return Served(found.features, units, instants, predicted)


def _compared(plan: Plan, fleet: FleetHistories, trained: TrainedLifespan | TrainedRisk) -> dict[str, Any] | None:
    if plan.present is None or trained.backtest is None:
        return None
    load: Any = lifespan.load if plan.kind is PredictionKind.LIFESPAN else risk.load
    try:
        present = load(plan.present.artefact, threads=plan.threads)
        reach = trained.metrics.get("reach", np.inf)
        found = compare(plan.kind, fleet, trained.backtest, present, plan.present.since, reach)
    except (ArtefactError, ChannelMismatch):
        # It cannot predict any more, so nothing is worse.
        return None
    return None if found is None else {"present_id": plan.present.id, **found}


def packed(plan: Plan, fleet: Fleet) -> bytes:
    """Return a job as bytes that `unpacked` gives back; plain arrays and JSON, nothing that could be executed."""
    head, arrays = arrays_of(fleet) if isinstance(fleet, FleetHours) else _arrays_of(fleet)
    arrays["head"] = np.frombuffer(orjson.dumps({"plan": asdict(plan), **head}), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _arrays_of(fleet: FleetHistories) -> tuple[dict[str, Any], dict[str, Any]]:
    events = [instants for history in fleet.histories for instants in history.events]
    width = len(fleet.layout.channels)
    arrays: dict[str, Any] = {
        "times": _joined([history.times for history in fleet.histories]),
        "time_counts": _counts([history.times for history in fleet.histories]),
        "values": np.concatenate([np.empty((0, width)), *(history.values for history in fleet.histories)]),
        "events": _joined(events),
        "event_counts": _counts(events),
        "attributes": np.array([history.attributes for history in fleet.histories], np.float64),
        "started": np.array([history.started for history in fleet.histories], np.float64),
        "device_ids": np.array(fleet.device_ids, np.int64),
        "ends": fleet.ends,
        "ended": fleet.ended,
        "failures": _joined(fleet.failures),
        "failure_counts": _counts(fleet.failures),
    }
    return {"layout": fleet.layout.to_json(), "until": fleet.until}, arrays


def unpacked(job: bytes) -> tuple[Plan, Fleet]:
    """Return the job that `packed` made bytes of."""
    with np.load(io.BytesIO(job), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    head = orjson.loads(arrays["head"].tobytes())
    plan = _plan(head["plan"])
    is_of_hours = plan.kind is PredictionKind.ANOMALY
    return plan, of_arrays(head, arrays) if is_of_hours else _histories_of(head, arrays)


def _histories_of(head: dict[str, Any], arrays: dict[str, Any]) -> FleetHistories:
    layout = Layout.from_json(head["layout"])
    times = _parts(arrays["times"], arrays["time_counts"])
    values = _parts(arrays["values"], arrays["time_counts"])
    events = _parts(arrays["events"], arrays["event_counts"])
    kinds = len(layout.events)
    histories = [
        History(
            times=times[place],
            values=values[place],
            settings=np.empty((len(times[place]), 0)),
            events=tuple(events[place * kinds : (place + 1) * kinds]),
            attributes=arrays["attributes"][place],
            started=float(arrays["started"][place]),
        )
        for place in range(len(times))
    ]
    return FleetHistories(
        layout=layout,
        device_ids=arrays["device_ids"].tolist(),
        histories=histories,
        ends=arrays["ends"],
        ended=arrays["ended"],
        failures=_parts(arrays["failures"], arrays["failure_counts"]),
        until=head["until"],
    )


def _plan(told: dict[str, Any]) -> Plan:
    present = told["present"]
    told = {**told, "kind": PredictionKind(told["kind"]), "present": present and Present(**present)}
    return Plan(**told)


def _joined(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *parts])


def _counts(parts: Sequence[FloatArray]) -> Any:
    return np.array([len(part) for part in parts], np.int64)


def _parts(joined: FloatArray, counts: Any) -> list[FloatArray]:
    borders = np.cumsum(counts)
    return np.split(joined, borders[:-1]) if len(counts) else []

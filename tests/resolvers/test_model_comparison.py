"""How versions are compared: on rows that neither has seen, else by what each made of its own."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning import lifespan
from models.learning.backtest import Backtest
from models.learning.features import History, Layout
from models.learning.lifespan import Life, train_by_age
from resolvers.predicting.comparison import CROSS_VALIDATION, NEW_DATA, between, compare
from resolvers.predicting.fleet import FleetHistories
from resolvers.predicting.jobs import Plan, Present, learn, packed, unpacked
from tests.versions import LIFESPAN, RISK

LAYOUT = Layout(channels=("wear",), events=("repair",), attributes=("size",))


def fleet_of(count: int, days: int = 40) -> FleetHistories:
    """Return units of which every other one fails at its end, after its wear has grown for 20 days."""
    random = np.random.default_rng(3)
    histories, ended = [], np.full(count, np.nan)
    for unit in range(count):
        fails = unit % 2 == 0
        wear = np.clip(np.arange(days) - days + 20, 0, None) * fails + random.normal(0, 0.5, days)
        histories.append(
            History(
                times=np.arange(days, dtype=np.float64),
                values=wear[:, None],
                settings=np.empty((days, 0)),
                events=(np.array([5.0, 30.5]),),
                attributes=np.array([unit]),
                started=-100.0 * unit,
            )
        )
        ended[unit] = days if fails else np.nan
    return FleetHistories(
        layout=LAYOUT,
        device_ids=list(range(1, count + 1)),
        histories=histories,
        ends=np.full(count, float(days)),
        ended=ended,
        failures=[np.array([end]) if np.isfinite(end) else np.empty(0) for end in ended.tolist()],
        until=float(days),
    )


def plan_of(kind, **changes) -> Plan:
    """Return a plan of a small training."""
    values = {"horizon_days": 10, "min_failures": 5, "trees": 8, "max_rows": 1000, "threads": 1, **changes}
    return Plan(kind=kind, **values)


def backtest_of(fleet: FleetHistories, *, error: float) -> Backtest:
    """Return a backtest whose predictions miss the remaining lives of failed units by so many days."""
    units = np.repeat(np.arange(len(fleet.histories)), 40)
    instants = np.concatenate([history.times for history in fleet.histories])
    truths = np.nan_to_num(fleet.ended[units] - instants, nan=500.0)
    known = np.isfinite(fleet.ended[units])
    features = np.zeros((len(units), 1))
    return Backtest(
        features=features, units=units, instants=instants, truths=truths, known=known, predicted=truths + error
    )


def test_both_versions_are_scored_on_the_same_new_rows():
    """Only days after the end of the older training count, and only where the truth is known."""
    fleet = fleet_of(8)
    present = train_by_age(fleet.layout, fleet.lives()).model
    found = compare(LIFESPAN, fleet, backtest_of(fleet, error=3.0), present, since=29.0)
    assert found is not None
    assert (found["measure"], found["rows"], found["devices"]) == ("mae", 4 * 10, 4)
    assert found["candidate"] == pytest.approx(3.0)
    ages = np.concatenate([np.arange(30.0, 40.0) - fleet.histories[unit].start for unit in range(0, 8, 2)])
    left = np.tile(40.0 - np.arange(30.0, 40.0), 4)
    assert found["present"] == pytest.approx(np.abs(present.survival.remaining(ages, 0.5) - left).mean())


def test_too_few_new_rows_tell_nothing():
    """Less than 20 rows, or rows of less than three devices, or hardly any failure, are left to cross-validation."""
    fleet = fleet_of(8)
    present = train_by_age(fleet.layout, fleet.lives()).model
    assert compare(LIFESPAN, fleet, backtest_of(fleet, error=3.0), present, since=35.0) is None
    assert compare(LIFESPAN, fleet_of(4), backtest_of(fleet_of(4), error=3.0), present, since=9.0) is None
    rows = backtest_of(fleet, error=0.0)
    never = replace(rows, truths=np.zeros(len(rows.truths)), known=np.ones(len(rows.known), np.bool_))
    assert compare(RISK, fleet, never, present, since=9.0) is None


@pytest.mark.parametrize(
    ("kind", "present", "candidate", "is_worse"),
    [
        (LIFESPAN, {"mae": 20.0}, {"mae": 20.0}, False),
        (LIFESPAN, {"mae": 20.0}, {"mae": 20.1}, True),
        (LIFESPAN, {"mae": 20.0}, {}, True),
        (LIFESPAN, {"mae": None}, {"mae": 20.0}, False),
        (LIFESPAN, {}, {}, False),
        (RISK, {"pr_auc": 0.5}, {"pr_auc": 0.6}, False),
        (RISK, {"pr_auc": 0.5}, {"pr_auc": 0.4}, True),
    ],
)
def test_the_measure_of_each_kind_decides(kind, present, candidate, is_worse):
    """Less error of remaining life, more area of risk; what cannot be measured loses against what can."""
    found = between(kind, candidate, present, present_id=1)
    assert (found.is_worse, found.basis) == (is_worse, CROSS_VALIDATION)


def test_a_comparison_with_another_version_does_not_count():
    """The present version may have changed since the candidate's training."""
    made = {"present_id": 1, "measure": "mae", "candidate": 5.0, "present": 6.0, "rows": 30, "devices": 3}
    metrics = {"mae": 9.0, "comparison": made}
    assert between(LIFESPAN, metrics, {"mae": 8.0}, present_id=1).basis == NEW_DATA
    assert not between(LIFESPAN, metrics, {"mae": 8.0}, present_id=1).is_worse
    assert between(LIFESPAN, metrics, {"mae": 8.0}, present_id=2).is_worse


@pytest.mark.parametrize("kind", [LIFESPAN, RISK])
def test_a_job_is_the_same_after_its_way_through_a_pipe(kind):
    """What another process learns of a job is what this one would have."""
    fleet, plan = fleet_of(12), plan_of(kind)
    again, copy = unpacked(packed(plan, fleet))
    assert isinstance(copy, FleetHistories)
    assert again == plan
    assert copy.layout == fleet.layout
    shares: list[float] = []
    made, expected = learn(again, copy, shares.append), learn(plan, fleet, lambda _: None)
    assert made == expected
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    # Also the days are served whose truth is not known yet.
    assert made["reference"]["features"]["wear.level"]["count"] == made["reference"]["rows"] >= made["sample_count"]
    assert len(made["feature_names"]) == len(made["reference"]["features"])


def test_an_empty_fleet_passes_through_the_pipe():
    """It is for the training to say that there is nothing to learn."""
    empty = replace(fleet_of(2), histories=[], device_ids=[], failures=[], ends=np.empty(0), ended=np.empty(0))
    _, copy = unpacked(packed(plan_of(LIFESPAN), empty))
    assert isinstance(copy, FleetHistories)
    assert copy.histories == []


def test_a_candidate_is_compared_with_the_version_in_production():
    """The job carries the present artefact; one that cannot be read any more is no obstacle."""
    fleet = fleet_of(12)
    text = train_by_age(fleet.layout, fleet.lives()).text
    made = learn(plan_of(LIFESPAN, present=Present(7, text, 20.0)), fleet, lambda _: None)
    assert made["metrics"]["comparison"]["present_id"] == 7
    assert made["method"] == "REGRESSION"
    for broken in ("{", train_by_age(Layout(channels=("other",)), [Life(History(started=0.0), 9.0)]).text):
        made = learn(plan_of(LIFESPAN, present=Present(7, broken, 20.0)), fleet, lambda _: None)
        assert "comparison" not in made["metrics"]


def test_with_few_failures_remaining_life_is_learnt_from_ages():
    """The version says so by its method, and has no backtest to take a reference from."""
    made = learn(plan_of(LIFESPAN, min_failures=50), fleet_of(12), lambda _: None)
    assert (made["method"], made["reference"], made["sample_count"]) == ("WEIBULL", None, 12)
    assert lifespan.load(made["artefact"]).regressor is None

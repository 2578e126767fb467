"""What is recommended: by rules that cite their values, and nothing where all is well."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from models.predicted import Action, Explained, Factor, Urgency
from resolvers.predicting.recommendations import recommended
from tests.factories import MIDDAY


def prediction(kind: str, value: float, details: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a stored prediction of a water heater."""
    return {
        "id": 1,
        "device_id": 1,
        "device_kind": "WATER_HEATER",
        "kind": kind,
        "predicted_at": MIDDAY,
        "value": value,
        "lower": None,
        "upper": None,
        "details": orjson.dumps({"doubts": [], **(details or {})}).decode(),
        **changes,
    }


def life(value: float, lower: float, upper: float) -> dict[str, Any]:
    """Return a prediction of remaining life."""
    return prediction("LIFESPAN", value, lower=lower, upper=upper)


def test_long_life_needs_nothing():
    """Nothing is recommended for a device that lasts and has nothing against it."""
    explained = Explained(1500.0, (Factor("energy_ratio", 1.0, "", 20.0),), known={"age.time": 100.0})
    assert recommended(life(1520, 1200, 1800), explained) == []


@pytest.mark.parametrize(
    ("lower", "upper", "action", "urgency", "due_in"),
    [
        (80, 150, Action.PLAN_REPLACEMENT, Urgency.SOON, 80),
        (10, 90, Action.PLAN_REPLACEMENT, Urgency.NOW, 10),
        (20, 400, Action.INSPECT, Urgency.SOON, 20),
    ],
    ids=["narrow", "near", "wide"],
)
def test_short_life(lower: float, upper: float, action: Action, urgency: Urgency, due_in: int):
    """A short life with a narrow interval is planned for before its earlier end; a wide one asks for an inspection."""
    (told,) = recommended(life(100, lower, upper), None)
    assert (told.action, told.urgency, told.due_by) == (action, urgency, MIDDAY + timedelta(days=due_in))
    assert f"100 days are expected to remain, {lower} to {upper}" in told.reason


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("energy_ratio", Action.DESCALE),
        ("power_share", Action.CHECK_HEATING),
        ("pressure", Action.CHECK_PRESSURE),
        ("temperature", Action.CHECK_THERMOSTAT),
    ],
)
def test_factors_that_take_life(name: str, action: Action):
    """What takes more than a twentieth of the usual life is to be looked at; the reason cites value and days."""
    explained = Explained(1000.0, (Factor(name, 1.75, "", -300.0), Factor("daily_liters", 1.0, "L", -200.0)))
    (told,) = recommended(life(700, 500, 900), explained)
    assert (told.action, told.urgency) == (action, Urgency.SOON)
    assert "1.75" in told.reason
    assert "300 days" in told.reason
    assert recommended(life(960, 700, 1200), Explained(1000.0, (Factor(name, 1.1, "", -40.0),))) == []


def test_leak_and_anode():
    """Water that never stops is to be looked at now; an old anode with the next plans."""
    known = {"least_flow.level": 0.2, "age.time": 1500.0}
    leak, anode = recommended(life(2000, 1500, 2500), Explained(2000.0, (), known=known))
    assert (leak.action, leak.urgency) == (Action.CHECK_FOR_LEAKS, Urgency.NOW)
    assert "0.2 L/min" in leak.reason
    assert (anode.action, anode.urgency) == (Action.INSPECT_ANODE, Urgency.PLAN)
    assert "1500 days old" in anode.reason
    replaced = {"age.time": 1500.0, "part_replacement.since": 100.0}
    assert recommended(life(2000, 1500, 2500), Explained(2000.0, (), known=replaced)) == []


@pytest.mark.parametrize(("level", "count"), [("LOW", 0), ("MEDIUM", 0), ("HIGH", 1), ("CRITICAL", 1)], ids=str)
def test_high_risk_is_inspected(level: str, count: int):
    """A high risk asks for an inspection within the horizon; a low one for nothing."""
    row = prediction("MULTI_FACTOR", 0.4, {"level": level, "horizon_days": 30.0})
    found = recommended(row, None)
    assert [each.action for each in found] == [Action.INSPECT] * count
    assert all(each.due_by is not None and each.due_by < MIDDAY + timedelta(days=30) for each in found)


def finding(**changes: Any) -> dict[str, Any]:
    """Return something strange that goes on."""
    told = {"metric": "pressure", "pattern": "HIGH", "severity": "HIGH", "score": 0.8, "is_present": True}
    return told | {"observed": 6.5, "expected": 3.0} | changes


@pytest.mark.parametrize(
    ("changes", "action", "urgency"),
    [
        ({}, Action.CHECK_PRESSURE, Urgency.NOW),
        ({"severity": "MEDIUM"}, Action.CHECK_PRESSURE, Urgency.SOON),
        ({"metric": "flow_rate"}, Action.CHECK_FOR_LEAKS, Urgency.NOW),
        ({"metric": "flow_rate", "observed": 1.0}, Action.INSPECT, Urgency.NOW),
        ({"pattern": "NOISE"}, Action.CHECK_SENSOR, Urgency.NOW),
        ({"observed": None, "expected": None}, Action.CHECK_PRESSURE, Urgency.NOW),
    ],
)
def test_findings(changes: dict[str, Any], action: Action, urgency: Urgency):
    """What is strange now is to be looked at, as urgently as it is bad; what is over is not."""
    row = prediction("ANOMALY", 0.8, {"findings": [finding(**changes), finding(is_present=False, metric="power")]})
    (told,) = recommended(row, None)
    assert (told.action, told.urgency) == (action, urgency)


def test_savings_and_water_that_never_rests():
    """Savings are told with their kWh; water in every hour of the week with its litres."""
    saving = {"kind": "SET_POINT", "description": "Lower the target.", "annual_savings_kwh": 120.4}
    details = {"optimizations": [saving], "hour_of_week": [5.0] * 168, "basis": "METERED_LITERS"}
    leak, target = recommended(prediction("USAGE_PATTERNS", 100.0, details), None)
    assert (leak.action, target.action) == (Action.CHECK_FOR_LEAKS, Action.LOWER_TARGET)
    assert "120 kWh" in target.reason
    assert "5.0 L" in leak.reason
    quiet = {**details, "optimizations": [], "hour_of_week": [0.0, *[5.0] * 167]}
    assert recommended(prediction("USAGE_PATTERNS", 100.0, quiet), None) == []

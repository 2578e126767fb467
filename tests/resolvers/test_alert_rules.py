"""Rules of single devices: what they change, what they may not, and what is inherited."""

from typing import Any

import pytest

from models.errors import BadUserInput, NotFound
from models.principal import Principal, Role
from models.statements import Row
from models.store import Store
from resolvers import alert_rules
from tests.alerting import QUICK, AlertLab, second
from tests.factories import add_heater
from tests.graph import Graph
from tests.shops import open_machine

HOT = "OVER_TEMPERATURE"


@pytest.fixture
def lab(store: Store) -> AlertLab:
    """A server that alerts at once."""
    return AlertLab(store, **QUICK)


async def rules_of(lab: AlertLab, *devices: int) -> list[dict[str, Row]]:
    """Return the rules in force of devices, by kind of alert."""
    found = await alert_rules.by_devices(lab.scope(), devices, None)
    return [{row["kind"]: row for row in rows} for rows in found]


async def test_without_its_own_rules_a_device_has_those_of_the_settings(graph: Graph):
    """Each kind of alert that the device can raise has one; thresholds are in the unit of their channel."""
    lab = AlertLab(graph.services.store)
    heater = await add_heater(lab.store)
    await open_machine(graph, targetCabinetTemperature=3, cashCapacity={"amount": "500.00", "currency": "EUR"})
    of_heater, of_machine, of_nobody = await rules_of(lab, heater, heater + 1, heater + 2)
    common = {"OFFLINE", "ANOMALY", "MAINTENANCE_DUE"}
    assert set(of_heater) == {HOT, "HIGH_PRESSURE", "LOW_PRESSURE", *common}
    assert set(of_machine) == {HOT, "CASH_FULL", "LOW_STOCK", *common}
    assert of_nobody == {}
    assert of_heater[HOT] == {
        "device_id": heater,
        "kind": HOT,
        "metric": "temperature",
        "unit": "°C",
        "is_above": True,
        "is_enabled": True,
        "high_threshold": 80.0,
        "critical_threshold": 90.0,
        "hold_seconds": 120,
        "recover_seconds": 300,
        "own": dict.fromkeys(alert_rules.OWN),
        "updated_at": None,
        "updated_by": None,
    }
    thresholds = [(of_machine[kind]["high_threshold"], of_machine[kind]["critical_threshold"]) for kind in of_machine]
    assert thresholds == [(8, 13), (40_000, 50_000), (None, None), (None, None), (None, None), (180, None)]
    assert (of_machine["MAINTENANCE_DUE"]["unit"], of_machine["OFFLINE"]["is_above"]) == ("d", None)


async def test_a_rule_of_a_device_is_its_own_and_what_it_leaves_out_is_inherited(lab: AlertLab):
    """Other devices keep the settings; what is set later leaves what was set before."""
    heater, other = await add_heater(lab.store), await add_heater(lab.store)
    kim = lab.scope(Principal("kim", Role.OPERATOR))
    await alert_rules.put(kim, heater, HOT, {"high_threshold": 60.0})
    rule = await alert_rules.put(kim, heater, HOT, {"hold_seconds": 30.0, "critical_threshold": None})
    assert (rule["high_threshold"], rule["critical_threshold"], rule["hold_seconds"]) == (60.0, 90.0, 30.0)
    assert rule["own"] == {**dict.fromkeys(alert_rules.OWN), "high_threshold": 60.0, "hold_seconds": 30.0}
    assert (rule["updated_at"], rule["updated_by"]) == (second(0), "kim")
    await lab.read([heater, other] * 2, [0, 0, 30, 30], temperature=[65.0, 82.0, 65.0, 82.0])
    rows = {row["device_id"]: row for row in await lab.alerts()}
    assert (rows[heater]["raised_at"], rows[heater]["threshold"]) == (second(30), 60.0)
    assert rows[other]["raised_at"] == second(0)
    assert (await alert_rules.reset(kim, heater, HOT))["own"] == dict.fromkeys(alert_rules.OWN)
    assert (await rules_of(lab, heater))[0][HOT]["updated_by"] is None


async def test_a_rule_can_be_laxer_than_the_settings(lab: AlertLab):
    """A device that may be hotter raises nothing where others do."""
    heater = await add_heater(lab.store)
    await alert_rules.put(lab.scope(), heater, HOT, {"high_threshold": 95.0, "critical_threshold": 99.0})
    await lab.read(heater, [0], temperature=[92.0])
    assert await lab.alerts() == []


async def test_a_rule_that_is_switched_off_ends_its_alert_and_raises_none(lab: AlertLab):
    """The alert is resolved by whoever switched it off; switched on again, the next reading counts."""
    heater, kim = await add_heater(lab.store), lab.scope(Principal("kim", Role.OPERATOR))
    await lab.read(heater, [0], temperature=[82.0])
    await alert_rules.put(kim, heater, HOT, {"is_enabled": False})
    (row,) = await lab.alerts()
    assert (row["state"], row["resolved_by"]) == ("RESOLVED", "kim")
    assert row["resolve_comment"] == "The rule was switched off."
    assert await lab.phases(heater) == {}
    await lab.read(heater, [60], temperature=[95.0])
    assert await lab.standing() == {}
    await alert_rules.put(kim, heater, HOT, {"is_enabled": None})
    await lab.read(heater, [120], temperature=[95.0])
    assert await lab.standing() == {(heater, HOT): "CRITICAL"}
    assert await lab.words() == ["RAISED", "RESOLVED", "RAISED"]


async def test_days_between_maintenance_are_a_rule_too(lab: AlertLab):
    """A device of its own interval is due by it."""
    heater, other = await add_heater(lab.store), await add_heater(lab.store)
    await alert_rules.put(lab.scope(), heater, "MAINTENANCE_DUE", {"high_threshold": 30.0})
    async with lab.store.transaction() as transaction:
        lab.clock.forward(days=10_000)
        await lab.alerting.maintenance(transaction, [heater])
    assert await lab.standing() == {(heater, "MAINTENANCE_DUE"): "MEDIUM"}
    assert (await lab.alerts())[0]["threshold"] == 30.0
    assert (await rules_of(lab, other))[0]["MAINTENANCE_DUE"]["high_threshold"] == 365


@pytest.mark.parametrize(
    ("kind", "given", "path", "sentence"),
    [
        ("CASH_FULL", {}, "kind", "A water heater has no alerts of kind CASH_FULL; it has OVER_TEMPERATURE, "),
        (HOT, {"high_threshold": 121.0}, "highThreshold", "'highThreshold' must be from -20 to 120 °C, not 121"),
        (HOT, {"critical_threshold": float("nan")}, "criticalThreshold", "must be from -20 to 120 °C, not nan"),
        (HOT, {"high_threshold": 91.0}, "highThreshold", "The critical threshold, 90 °C, must not be less than"),
        (HOT, {"critical_threshold": 79.0}, "criticalThreshold", "which is 80 °C; what is not given here is inherited"),
        ("LOW_PRESSURE", {"critical_threshold": 1.5}, "criticalThreshold", "must not be more than the high one"),
        (HOT, {"hold_seconds": -1.0}, "holdSeconds", "'holdSeconds' must be from 0 to "),
        (HOT, {"recover_seconds": 1e9}, "recoverSeconds", "'recoverSeconds' must be from 0 to "),
        ("OFFLINE", {"high_threshold": 1.0}, "highThreshold", "This kind of alert has no 'highThreshold'"),
        ("MAINTENANCE_DUE", {"critical_threshold": 1.0}, "criticalThreshold", "has no 'criticalThreshold'"),
        ("MAINTENANCE_DUE", {"high_threshold": 0.5}, "highThreshold", "must be from 1 to 36525 d"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(
    lab: AlertLab, kind: str, given: dict[str, Any], path: str, sentence: str
):
    """The message says which value is wrong and what is allowed, and nothing is stored."""
    heater = await add_heater(lab.store)
    with pytest.raises(BadUserInput) as refused:
        await alert_rules.put(lab.scope(), heater, kind, given)
    assert sentence in refused.value.message
    assert refused.value.input_path == ("input", path)
    rules = (await rules_of(lab, heater))[0].values()
    assert all(rule["own"] == dict.fromkeys(alert_rules.OWN) for rule in rules)


async def test_a_device_that_does_not_exist_is_not_found(lab: AlertLab):
    """Neither can be done to it."""
    with pytest.raises(NotFound):
        await alert_rules.put(lab.scope(), 99, HOT, {})
    with pytest.raises(NotFound):
        await alert_rules.reset(lab.scope(), 99, HOT)

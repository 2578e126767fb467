"""Rules in the graph: what the settings say, what is a device's own, and back again."""

from typing import Any

import pytest

from models.principal import Principal, Role
from tests.counting import Statements
from tests.factories import add_heater
from tests.findings import alert_id
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph
from tests.shops import open_machine

RULES = """query ($id: ID!) { device(id: $id) { alertRules { device { id }
  kind metric unit isAbove isEnabled highThreshold criticalThreshold holdSeconds recoverSeconds
  own { isEnabled highThreshold criticalThreshold holdSeconds recoverSeconds updatedBy }
} } }"""
SET = """mutation ($input: SetAlertRuleInput!) { setAlertRule(input: $input) { alertRule { kind device { name }
  isEnabled highThreshold criticalThreshold holdSeconds own { highThreshold holdSeconds updatedBy }
} } }"""
RESET = """mutation ($input: ResetAlertRuleInput!) { resetAlertRule(input: $input) { alertRule {
  isEnabled highThreshold own { highThreshold }
} } }"""


async def rules(graph: Graph, device: str) -> dict[str, dict[str, Any]]:
    """Return the rules of a device by kind."""
    found = (await graph.data(RULES, id=device))["device"]["alertRules"]
    return {rule["kind"]: rule for rule in found}


async def test_each_kind_of_device_has_its_rules(graph: Graph):
    """The settings of the kind, with metric, unit and side of each threshold, and nothing of the device's own."""
    heater = heater_id((await add_fleet(graph, 1))[0])
    of_heater, of_machine = await rules(graph, heater), await rules(graph, await open_machine(graph))
    assert {"OVER_TEMPERATURE", "HIGH_PRESSURE", "LOW_PRESSURE", "OFFLINE", "ANOMALY"} <= of_heater.keys()
    assert {"LOW_STOCK", "CASH_FULL", "OFFLINE", "ANOMALY"} <= of_machine.keys()
    assert all(rule["own"] is None and rule["isEnabled"] for rule in of_heater.values())
    pressure = of_heater["LOW_PRESSURE"]
    assert (pressure["metric"], pressure["unit"], pressure["isAbove"]) == ("PRESSURE", "bar", False)
    assert of_heater["HIGH_PRESSURE"]["highThreshold"] < of_heater["HIGH_PRESSURE"]["criticalThreshold"]
    offline = of_heater["OFFLINE"]
    assert (offline["metric"], offline["unit"], offline["highThreshold"]) == (None, "", None)
    assert offline["device"] == {"id": heater}


async def test_a_rule_is_set_and_reset(graph: Graph):
    """What is given is the device's own, what is left out stays, what is null is back to the settings."""
    graph.principal = Principal("Ada", Role.OPERATOR)
    heater = heater_id((await add_fleet(graph, 1))[0])
    before = (await rules(graph, heater))["HIGH_PRESSURE"]
    about = {"deviceId": heater, "kind": "HIGH_PRESSURE"}
    made = (await graph.data(SET, input={**about, "highThreshold": 5, "criticalThreshold": 9.5}))["setAlertRule"]
    assert made["alertRule"] == {
        "kind": "HIGH_PRESSURE",
        "device": {"name": "Heater 000"},
        "isEnabled": True,
        "highThreshold": 5.0,
        "criticalThreshold": 9.5,
        "holdSeconds": before["holdSeconds"],
        "own": {"highThreshold": 5.0, "holdSeconds": None, "updatedBy": "Ada"},
    }
    await graph.data(SET, input={**about, "holdSeconds": 7, "criticalThreshold": None})
    changed = (await rules(graph, heater))["HIGH_PRESSURE"]
    assert (changed["highThreshold"], changed["holdSeconds"]) == (5.0, 7.0)
    assert changed["criticalThreshold"] == before["criticalThreshold"]
    reset = (await graph.data(RESET, input=about))["resetAlertRule"]["alertRule"]
    assert reset == {"isEnabled": True, "highThreshold": before["highThreshold"], "own": None}
    assert (await rules(graph, heater))["HIGH_PRESSURE"] == before


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"kind": "LOW_STOCK", "isEnabled": False}, ["input", "kind"]),
        ({"kind": "HIGH_PRESSURE", "highThreshold": 1000}, ["input", "highThreshold"]),
        ({"kind": "HIGH_PRESSURE", "holdSeconds": -1}, ["input", "holdSeconds"]),
        ({"kind": "OFFLINE", "criticalThreshold": 5}, ["input", "criticalThreshold"]),
    ],
)
async def test_rules_that_cannot_be(graph: Graph, given: dict[str, Any], path: list[str]):
    """A kind of alert that the device has not, values beyond all bounds, thresholds where there are none."""
    heater = heater_id((await add_fleet(graph, 1))[0])
    error = await graph.error(SET, input={"deviceId": heater, **given})
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", path)
    assert all(rule["own"] is None for rule in (await rules(graph, heater)).values())


async def test_who_may_set_which_rules(graph: Graph):
    """Devices that are not there, ids of other things, callers without the right."""
    about = {"kind": "OFFLINE"}
    for mutation in (SET, RESET):
        for device, code in ((heater_id(77), "NOT_FOUND"), (alert_id(1), "BAD_USER_INPUT")):
            error = await graph.error(mutation, input={"deviceId": device, **about})
            assert error["extensions"]["code"] == code
    graph.principal = Principal("wallboard", Role.VIEWER)
    error = await graph.error(SET, input={"deviceId": heater_id(77), **about})
    assert error["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_rules_take_as_many_statements_for_many_devices(graph: Graph, statements: Statements, way: str):
    """However many devices there are, their rules cost the same statements."""
    await open_machine(graph)
    text = "{ devices(first: 100) { nodes { alertRules { kind isEnabled own { updatedAt } device { name } } } } }"
    counts: list[int] = []
    for size in (1, 49):
        for _ in range(size):
            await add_heater(graph.services.store)
        statements.clear()
        body = await graph._by(getattr(graph, way), text, {})
        assert "errors" not in body
        counts.append(statements.count_asked())
    assert counts[0] == counts[1] > 0

"""Alerts from readings: raised once, escalated, resolved; by thresholds of the settings and of the device."""

import pytest

from models.devices import KINDS
from models.readings import ReadingBatch
from models.store import Store
from resolvers import alerts, devices
from resolvers.alerting.rules import default_rules
from tests import factories
from tests.alerting import QUICK, AlertLab, second
from tests.factories import add_heater
from tests.graph import Graph
from tests.shops import open_machine

HOT, VERY_HOT, FINE = 82.0, 95.0, 50.0


@pytest.fixture
def lab(store: Store) -> AlertLab:
    """A server that alerts at once."""
    return AlertLab(store, **QUICK)


async def test_a_hot_heater_raises_one_alert_that_is_resolved_when_it_cools(lab: AlertLab):
    """The alert says what is wrong by how much, and is the same as long as it lasts."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], temperature=[FINE])
    assert await lab.alerts() == []
    await lab.read(heater, [60], temperature=[HOT])
    await lab.read(heater, [120], temperature=[HOT + 1])
    (row,) = await lab.alerts()
    assert {name: row[name] for name in ("device_id", "device_kind", "kind", "severity", "state")} == {
        "device_id": heater,
        "device_kind": "WATER_HEATER",
        "kind": "OVER_TEMPERATURE",
        "severity": "HIGH",
        "state": "OPEN",
    }
    assert row["message"] == "Temperature of the water in the tank is 82 °C; 80 °C or more is HIGH."
    assert (row["metric"], row["value"], row["threshold"]) == ("temperature", 82.0, 80.0)
    assert (row["raised_at"], row["deduplication_key"]) == (second(60), f"device:{heater}:OVER_TEMPERATURE")
    await lab.read(heater, [180], temperature=[FINE])
    (row,) = await lab.alerts()
    assert (row["state"], row["resolved_at"], row["resolved_by"]) == ("RESOLVED", second(180), None)
    assert await lab.phases(heater) == {}
    assert await lab.words() == ["RAISED", "RESOLVED"]


async def test_a_worse_threshold_escalates_the_same_alert(lab: AlertLab):
    """Severity rises and does not fall; events and history tell of each change as it was."""
    heater = await add_heater(lab.store)
    for place, value in enumerate([HOT, VERY_HOT, HOT, FINE]):
        await lab.read(heater, [60 * place], temperature=[value])
    (row,) = await lab.alerts()
    assert (row["severity"], row["value"], row["threshold"]) == ("CRITICAL", 95.0, 90.0)
    told = [(change, each["severity"], each["state"]) for change, each in await lab.told()]
    assert told == [
        ("RAISED", "HIGH", "OPEN"),
        ("ESCALATED", "CRITICAL", "OPEN"),
        ("RESOLVED", "CRITICAL", "RESOLVED"),
    ]
    history = [(each["state"], each["severity"], each["changed_by"]) for each in await lab.history(row["id"])]
    assert history == [("OPEN", "HIGH", None), ("OPEN", "CRITICAL", None), ("RESOLVED", "CRITICAL", None)]


async def test_it_must_hold_and_be_gone_for_as_long_as_the_settings_say(store: Store):
    """Pending, firing, recovering, at rest: by the instants of the readings, whatever the server's clock shows."""
    lab, heater = AlertLab(store), await add_heater(store)
    seen = []
    for at, value in [(0, HOT), (119, HOT), (120, HOT), (130, FINE), (200, HOT), (210, FINE), (509, FINE), (510, FINE)]:
        lab.clock.forward(hours=1)
        await lab.read(heater, [at], temperature=[value])
        seen.append((await lab.phases(heater)).get("OVER_TEMPERATURE"))
    assert seen == ["PENDING", "PENDING", "FIRING", "RECOVERING", "FIRING", "RECOVERING", "RECOVERING", None]
    (row,) = await lab.alerts()
    assert (row["raised_at"], row["resolved_at"]) == (second(120), second(510))


async def test_late_readings_do_not_count(lab: AlertLab):
    """What is older than the newest reading says nothing about now, neither alone nor within a batch."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [100], temperature=[FINE])
    await lab.read(heater, [50, 40], temperature=[HOT, VERY_HOT])
    await lab.read(heater, [100], temperature=[HOT])
    assert await lab.alerts() == []
    await lab.read(heater, [130, 120, 110], temperature=[FINE, HOT, FINE])
    assert await lab.words() == ["RAISED", "RESOLVED"]


async def test_a_long_history_in_one_batch_is_the_same_as_reading_by_reading(lab: AlertLab):
    """Three incidents of one device are three alerts, each with its own instants."""
    heater, other = await add_heater(lab.store), await add_heater(lab.store)
    values = [FINE, HOT, VERY_HOT, FINE, HOT, FINE, FINE, VERY_HOT]
    seconds = list(range(0, 480, 60))
    await lab.read(heater, seconds, temperature=values)
    for at, value in zip(seconds, values, strict=True):
        await lab.read(other, [at], temperature=[value])
    rows = await lab.alerts()
    about = [
        [(row["raised_at"], row["resolved_at"], row["severity"]) for row in rows if row["device_id"] == device]
        for device in (heater, other)
    ]
    assert about[0] == about[1]
    assert about[0] == [
        (second(60), second(180), "CRITICAL"),
        (second(240), second(300), "HIGH"),
        (second(420), None, "CRITICAL"),
    ]


async def test_both_sides_of_pressure_alert(lab: AlertLab):
    """Too much and too little are two kinds; a reading without the channel says nothing of either."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], pressure=[7.0])
    await lab.read(heater, [60], temperature=[FINE])
    assert await lab.standing() == {(heater, "HIGH_PRESSURE"): "HIGH"}
    await lab.read(heater, [120, 180, 240], pressure=[0.4, None, 0.3], temperature=[FINE] * 3)
    assert await lab.standing() == {(heater, "LOW_PRESSURE"): "CRITICAL"}
    low = (await lab.alerts())[-1]
    assert low["message"] == "Pressure in the tank is 0.4 bar; 0.5 bar or less is CRITICAL."


async def test_a_cabinet_is_compared_with_its_own_target_and_cash_with_its_own_box(graph: Graph):
    """Machines with other targets and boxes have other thresholds, though the settings are the same."""
    lab = AlertLab(graph.services.store, vending_machine_alerts={"over_temperature_hold_seconds": 0})
    small = {"amount": "100.00", "currency": "EUR"}
    for number, target in enumerate((4, 14)):
        await open_machine(graph, f"VM-{number}", targetCabinetTemperature=target, cashCapacity=small)
    await open_machine(graph, "VM-2", targetCabinetTemperature=14)
    await lab.read([1, 2, 3], [0, 0, 0], cabinet_temperature=[10.0, 10.0, 24.5], cash_level=[9_999, 10_000, 10_000])
    assert await lab.standing() == {
        (1, "OVER_TEMPERATURE"): "HIGH",
        (2, "CASH_FULL"): "CRITICAL",
        (3, "OVER_TEMPERATURE"): "CRITICAL",
    }


async def test_quiet_readings_cost_no_statement(lab: AlertLab, graph: Graph, statements: list[str]):
    """Where nothing is wrong and nothing is remembered, heaters take no statement of alerting, machines one."""
    heaters = [await add_heater(lab.store) for _ in range(3)]
    await open_machine(graph)
    await lab.read(heaters, [0] * 3, temperature=[FINE] * 3, pressure=[3.0] * 3)
    statements.clear()
    await lab.read(heaters, [60] * 3, temperature=[FINE] * 3, pressure=[3.0] * 3)
    heater_statements = [sql for sql in statements if "alert_" in sql or "FROM water_heaters" in sql]
    statements.clear()
    await lab.read(4, [60], cabinet_temperature=[4.0])
    # What is remembered of devices is read in one statement for the detector and alerting.
    assert [sql for sql in heater_statements if "anomaly_detectors" not in sql] == []
    assert len([sql for sql in statements if "target_cabinet_temperature" in sql]) == 1


async def test_the_number_of_statements_does_not_depend_on_the_number_of_alerts(lab: AlertLab, statements: list[str]):
    """Thirty devices that overheat together are raised, and resolved, by as many statements as one."""
    heaters = [await add_heater(lab.store) for _ in range(31)]
    await lab.read(heaters, [0] * 31, temperature=[FINE] * 31)
    counts = []
    for group in (heaters[:1], heaters[1:]):
        for at, value in ((60, HOT), (120, FINE)):
            statements.clear()
            await lab.read(group, [at] * len(group), temperature=[value] * len(group))
            counts.append(len(set(statements)))
    assert counts[:2] == counts[2:]
    assert len(await lab.alerts()) == 31


async def test_an_alert_that_a_person_resolved_stays_away_while_its_condition_lasts(lab: AlertLab):
    """It comes back when it gets worse, or was gone and begins anew."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], temperature=[HOT])
    await alerts.resolve(lab.scope(), 1, "it is being descaled")
    await lab.read(heater, [60], temperature=[HOT])
    assert await lab.standing() == {}
    await lab.read(heater, [120], temperature=[VERY_HOT])
    assert await lab.standing() == {(heater, "OVER_TEMPERATURE"): "CRITICAL"}
    await alerts.resolve(lab.scope(), 2, None)
    await lab.read(heater, [180, 240], temperature=[FINE, HOT])
    assert await lab.standing() == {(heater, "OVER_TEMPERATURE"): "HIGH"}
    assert await lab.words() == ["RAISED", "RESOLVED"] * 2 + ["RAISED"]


async def test_maintenance_raises_nothing_and_ends_what_is_gone(store: Store):
    """While somebody works on a device it may be as hot as they like; afterwards it counts anew."""
    lab, heater, other = AlertLab(store), await add_heater(store), await add_heater(store)
    await lab.read([heater, other], [0, 0], temperature=[HOT, HOT])
    await lab.read(other, [120], temperature=[HOT])
    for device in (heater, other):
        await devices.set_maintenance(lab.scope(), device, active=True, version=None)
    await lab.read([heater, other], [180, 180], temperature=[VERY_HOT, VERY_HOT])
    assert await lab.phases(heater) == {}
    assert await lab.standing() == {(other, "OVER_TEMPERATURE"): "HIGH"}
    await lab.read([other, other], [240, 540], temperature=[FINE, FINE])
    assert await lab.standing() == {}
    await devices.set_maintenance(lab.scope(), heater, active=False, version=None)
    await lab.read([heater, heater], [600, 720], temperature=[HOT, HOT])
    assert await lab.standing() == {(heater, "OVER_TEMPERATURE"): "HIGH"}


async def test_a_device_that_is_deleted_takes_its_alerts_along(lab: AlertLab):
    """Alerts, their history, conditions and rules go with the device."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], temperature=[HOT])
    await devices.delete(lab.scope(), heater, None)
    assert await lab.alerts() == []
    assert await lab.history(1) == []
    assert await lab.phases(heater) == {}


async def test_a_clock_that_is_ahead_raises_no_alert_in_the_future(lab: AlertLab):
    """The alert is raised now at the latest, though the reading says it is later."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [200], temperature=[FINE])
    batch = ReadingBatch("WATER_HEATER", [heater], [second(300)], {"temperature": [HOT]})
    lab.clock.time = second(210)
    await lab.services.ingest.record(batch)
    (row,) = await lab.alerts()
    assert row["raised_at"] == second(210)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_a_kind_can_alert_about_has_its_settings_and_its_channel(kind):
    """Each alert that a kind describes finds a channel that can be charted, thresholds and timing."""
    rules = default_rules(factories.settings(), kind)
    assert set(rules) == set(kind.alert_kinds)
    for alert in kind.threshold_alerts:
        assert kind.by_name[alert.channel] in kind.metrics
        high, critical = rules[alert.kind].high, rules[alert.kind].critical
        assert high is not None
        assert critical is not None
        assert critical > high if alert.is_above else critical < high

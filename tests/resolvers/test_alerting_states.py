"""Alerts from what is so rather than from readings: slots, silence, maintenance, anomalies."""

from datetime import datetime, timedelta

import pytest

from app.workers import SilenceWatching
from models.alerts import AlertKind
from models.clock import now
from models.severity import Severity
from models.store import Store
from resolvers import maintenance
from resolvers.alerting import Observation
from resolvers.maintenance import MaintenanceKind, NewRecord
from tests.alerting import QUICK, AlertLab, second
from tests.factories import MIDDAY, add_heater
from tests.graph import Graph
from tests.shops import fill, open_machine, sale, sell

RESTOCK = "mutation ($input: RestockInput!) { restock(input: $input) { products { quantity } } }"
CLEAR = "mutation ($input: ClearSlotInput!) { clearSlot(input: $input) { product { id } } }"


@pytest.fixture
def lab(store: Store) -> AlertLab:
    """A server that alerts at once; of its database, the graph of the same test is another server."""
    return AlertLab(store, **QUICK)


async def test_one_alert_tells_of_all_low_slots_of_a_machine(graph: Graph, lab: AlertLab):
    """Low is HIGH, sold out is CRITICAL, and the message follows; filling the slots resolves it."""
    machine = await open_machine(graph)
    for slot in ("A1", "B2"):
        await fill(graph, machine, slot, lowStockThreshold=4)
    await sell(graph, sale(machine, "t1", now(), quantity=6))
    await sell(graph, sale(machine, "t2", now(), quantity=4))
    await sell(graph, sale(machine, "t3", now(), slot="B2", quantity=7))
    await sell(graph, sale(machine, "t4", now(), slot="B2", quantity=1))
    (row,) = await lab.alerts()
    assert (row["kind"], row["severity"], row["state"]) == ("LOW_STOCK", "CRITICAL", "OPEN")
    assert row["message"] == "Sold out: A1 Product A1. Low: B2 Product B2."
    loads = [{"slot": slot, "quantity": 20, "mode": "SET"} for slot in ("A1", "B2")]
    await graph.data(RESTOCK, input={"machineId": machine, "loads": loads})
    assert await lab.standing() == {}
    assert await lab.words() == ["RAISED", "ESCALATED", "UPDATED", "RESOLVED"]


async def test_configuring_and_clearing_slots_count_too(graph: Graph, lab: AlertLab):
    """A slot that is configured empty is sold out; a slot that is cleared is nobody's concern."""
    machine = await open_machine(graph)
    await fill(graph, machine, quantity=0)
    assert await lab.standing() == {(1, "LOW_STOCK"): "CRITICAL"}
    await graph.data(CLEAR, input={"machineId": machine, "slot": "A1"})
    assert await lab.standing() == {}


async def test_a_sale_that_changes_nothing_of_it_costs_no_statement_of_alerting(
    graph: Graph, store: Store, statements: list[str]
):
    """Only the sale that makes a product low, or sells it out, is looked at."""
    assert store is graph.services.store
    machine = await open_machine(graph)
    await fill(graph, machine, lowStockThreshold=4)
    counts = []
    for number, quantity in enumerate((1, 5, 1)):
        statements.clear()
        await sell(graph, sale(machine, f"t{number}", now(), quantity=quantity))
        counts.append(len([sql for sql in statements if "alert" in sql]))
    assert counts[0] == counts[2] == 0
    assert counts[1] > 0


async def test_a_silent_device_is_alerted_of_until_it_is_heard(store: Store):
    """OFFLINE holds for a while before it fires; the next reading ends it."""
    lab = AlertLab(store, alerts={"offline_recover_seconds": 0})
    heater = await add_heater(store)
    await lab.read(heater, [0], temperature=[50.0])
    lab.clock.forward(seconds=301)
    watching = SilenceWatching(store, lab.alerting, lab.services.settings.devices, lab.clock)
    assert await watching.check() == [heater]
    assert (await lab.phases(heater), await lab.alerts()) == ({"OFFLINE": "PENDING"}, [])
    lab.clock.forward(seconds=300)
    await elapse(lab, heater)
    (row,) = await lab.alerts()
    assert (row["severity"], row["raised_at"]) == ("HIGH", second(601))
    assert row["message"] == "Nothing has been heard of it since 2024-07-15 12:00:00 UTC."
    await lab.read(heater, [700], temperature=[50.0])
    assert await lab.standing() == {}


async def test_readings_of_the_silence_itself_do_not_end_it(lab: AlertLab):
    """A device that sends what it kept while it was cut off is not back before its readings are of now."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], temperature=[50.0])
    lab.clock.forward(seconds=1000)
    await SilenceWatching(lab.store, lab.alerting, lab.services.settings.devices, lab.clock).check()
    await lab.read(heater, [100], temperature=[50.0])
    assert await lab.standing() == {(heater, "OFFLINE"): "HIGH"}
    await lab.read(heater, [900], temperature=[50.0])
    assert await lab.standing() == {}


async def test_maintenance_that_is_due_is_alerted_of_until_it_is_done(lab: AlertLab):
    """The interval counts from the last work, else from the installation, else from the registration."""
    long_ago = MIDDAY - timedelta(days=400)
    installed = await add_heater(lab.store, installed_at=long_ago, created_at=MIDDAY)
    registered = await add_heater(lab.store, created_at=long_ago)
    young = await add_heater(lab.store, installed_at=MIDDAY - timedelta(days=364), created_at=long_ago)
    await record(lab, registered, MIDDAY - timedelta(days=390))
    assert await lab.alerts() == []
    await look(lab, installed, registered, young)
    assert await lab.standing() == {
        (installed, "MAINTENANCE_DUE"): "MEDIUM",
        (registered, "MAINTENANCE_DUE"): "MEDIUM",
    }
    assert "365 days" in (await lab.alerts())[0]["message"]
    await record(lab, installed, MIDDAY - timedelta(days=380))
    assert len(await lab.standing()) == 2
    await record(lab, installed, MIDDAY - timedelta(days=1))
    assert await lab.standing() == {(registered, "MAINTENANCE_DUE"): "MEDIUM"}


async def test_anomalies_alert_from_a_severity_on(lab: AlertLab):
    """Less severe ones raise nothing; one that becomes worse escalates, and its end resolves the alert."""
    heater = await add_heater(lab.store)
    for at, severity in enumerate([Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL, None]):
        await observe(lab, Observation(heater, AlertKind.ANOMALY, second(at), severity, "strange", "pressure", 9.0))
    (row,) = await lab.alerts()
    assert (row["message"], row["metric"], row["value"], row["severity"]) == ("strange", "pressure", 9.0, "CRITICAL")
    assert await lab.words() == ["RAISED", "ESCALATED", "RESOLVED"]


async def test_what_a_device_cannot_alert_about_and_devices_that_are_gone_are_passed_over(lab: AlertLab):
    """A heater has no stock, and nobody alerts about a device that was removed meanwhile."""
    heater = await add_heater(lab.store)
    await observe(
        lab,
        Observation(heater, AlertKind.LOW_STOCK, MIDDAY, Severity.HIGH, "low"),
        Observation(heater + 1, AlertKind.OFFLINE, MIDDAY, Severity.HIGH, "silent"),
    )
    assert await lab.alerts() == []


async def observe(lab: AlertLab, *observations: Observation) -> None:
    """Hand in what was found, in a transaction of its own."""
    async with lab.store.transaction() as transaction:
        await lab.alerting.observe(transaction, observations)


async def elapse(lab: AlertLab, *ids: int) -> None:
    """Let time move the conditions of devices."""
    async with lab.store.transaction() as transaction:
        await lab.alerting.elapse(transaction, ids)


async def look(lab: AlertLab, *ids: int) -> None:
    """Look whether maintenance of devices is due."""
    async with lab.store.transaction() as transaction:
        await lab.alerting.maintenance(transaction, ids)


async def record(lab: AlertLab, device: int, at: datetime) -> None:
    """Record maintenance of a device."""
    await maintenance.record(lab.scope(), NewRecord(device, MaintenanceKind.INSPECTION, at))

"""What people do with alerts: acknowledged, resolved, counted, with who and when and why."""

import asyncio

import pytest

from models.alerts import AlertKind
from models.errors import BadUserInput, Conflict, NotFound
from models.principal import Principal, Role
from models.severity import Severity
from models.store import Store
from resolvers import alerts
from resolvers.alerting import Observation
from tests.alerting import QUICK, AlertLab, second
from tests.factories import MIDDAY, add_heater

KIM, LEE = Principal("kim", Role.OPERATOR), Principal("lee", Role.OPERATOR)


@pytest.fixture
async def lab(store: Store) -> AlertLab:
    """A server with one heater that has one alert."""
    made = AlertLab(store, **QUICK)
    await made.read(await add_heater(store), [0], temperature=[82.0])
    return made


async def test_an_alert_goes_from_open_by_way_of_acknowledged_to_resolved(lab: AlertLab):
    """Each step keeps who, when and the comment, in the alert, its history and the log of events."""
    lab.clock.forward(minutes=1)
    row = await alerts.acknowledge(lab.scope(KIM), 1, " on my way ")
    assert (row["state"], row["acknowledged_at"], row["acknowledged_by"]) == ("ACKNOWLEDGED", second(60), "kim")
    assert row["acknowledge_comment"] == "on my way"
    lab.clock.forward(minutes=1)
    row = await alerts.resolve(lab.scope(LEE), 1, None)
    assert (row["state"], row["resolved_at"], row["resolved_by"]) == ("RESOLVED", second(120), "lee")
    assert (row["resolve_comment"], row["acknowledged_by"]) == (None, "kim")
    (history,) = await alerts.changes(lab.scope(), [1], None)
    assert [(each["state"], each["changed_by"], each["comment"], each["changed_at"]) for each in history] == [
        ("OPEN", None, None, second(0)),
        ("ACKNOWLEDGED", "kim", "on my way", second(60)),
        ("RESOLVED", "lee", None, second(120)),
    ]
    told = await lab.told()
    assert [change for change, _ in told] == ["RAISED", "ACKNOWLEDGED", "RESOLVED"]
    assert dict(told[-1][1]) == dict(row)


async def test_an_acknowledged_alert_that_gets_worse_stays_acknowledged(lab: AlertLab):
    """Its severity rises; whoever takes care of it still does, and its end resolves it."""
    await alerts.acknowledge(lab.scope(KIM), 1, None)
    await lab.read(1, [60], temperature=[95.0])
    (row,) = await lab.alerts()
    assert (row["state"], row["severity"]) == ("ACKNOWLEDGED", "CRITICAL")
    await lab.read(1, [120], temperature=[50.0])
    (row,) = await lab.alerts()
    assert (row["state"], row["resolved_by"]) == ("RESOLVED", None)


async def test_a_step_that_was_taken_already_is_a_conflict_that_tells_of_it(lab: AlertLab):
    """The message says how the alert stands, who brought it there, and when."""
    await alerts.acknowledge(lab.scope(KIM), 1, None)
    with pytest.raises(Conflict) as again:
        await alerts.acknowledge(lab.scope(LEE), 1, None)
    assert again.value.message == "The alert is ACKNOWLEDGED already: acknowledged at 2024-07-15T12:00:00+00:00 by kim."
    await lab.read(1, [60], temperature=[50.0])
    for step in (alerts.acknowledge, alerts.resolve):
        with pytest.raises(Conflict, match="by the server, because its cause was gone") as over:
            await step(lab.scope(LEE), 1, None)
        assert over.value.details == {"state": "RESOLVED"}
    assert await lab.words() == ["RAISED", "ACKNOWLEDGED", "RESOLVED"]


async def test_of_many_who_resolve_at_once_one_does(lab: AlertLab):
    """The others are told by whom."""
    results = await asyncio.gather(
        *(alerts.resolve(lab.scope(who), 1, None) for who in (KIM, LEE) * 3), return_exceptions=True
    )
    assert len([each for each in results if isinstance(each, Conflict)]) == 5
    assert await lab.words() == ["RAISED", "RESOLVED"]


async def test_an_alert_that_does_not_exist_is_not_found(lab: AlertLab):
    """Neither can be done to it."""
    for step in (alerts.acknowledge, alerts.resolve):
        with pytest.raises(NotFound, match="There is no alert with id 99"):
            await step(lab.scope(), 99, None)


async def test_a_comment_is_a_text_of_some_length(lab: AlertLab):
    """What is too long is refused, and nothing happens."""
    with pytest.raises(BadUserInput, match="'comment' may have 4000 characters"):
        await alerts.resolve(lab.scope(), 1, "x" * 4001)
    assert await lab.words() == ["RAISED"]


async def test_unresolved_alerts_are_counted_by_severity(lab: AlertLab):
    """All severities have a count, of the fleet and of each device; what is resolved does not count."""
    other = await add_heater(lab.store)
    found = [
        Observation(other, AlertKind.OFFLINE, MIDDAY, Severity.HIGH, "silent"),
        Observation(other, AlertKind.ANOMALY, MIDDAY, Severity.CRITICAL, "strange"),
        Observation(other, AlertKind.MAINTENANCE_DUE, MIDDAY, Severity.MEDIUM, "due"),
    ]
    async with lab.store.transaction() as transaction:
        await lab.alerting.observe(transaction, found)
    due = next(row["id"] for row in await lab.alerts() if row["kind"] == "MAINTENANCE_DUE")
    await alerts.resolve(lab.scope(), due, None)
    await alerts.acknowledge(lab.scope(), 1, None)
    (fleet,) = await alerts.counts_by_severity(lab.scope(), [None], None)
    devices = await alerts.device_counts_by_severity(lab.scope(), [other, 99, 1], None)
    counts = [{row["severity"]: row["count"] for row in rows} for rows in (fleet, *devices)]
    assert list(counts[0]) == ["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    assert [list(each.values()) for each in counts] == [[0, 0, 2, 1], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 1, 0]]

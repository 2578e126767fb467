"""Changes of water heaters: who is first wins, and what the controls were is recorded."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from models.devices.water_heater import WaterHeaterMode
from models.errors import Conflict
from models.principal import Principal, Role
from resolvers import water_heaters
from tests.factories import add_heater
from tests.fleets import heater_id, register
from tests.graph import Graph

HISTORY = """query ($id: ID!, $first: Int, $after: String) { waterHeater(id: $id) {
  controlChanges(first: $first, after: $after) {
    totalCount
    pageInfo { endCursor hasNextPage }
    nodes { changedAt changedBy oldTargetTemperature newTargetTemperature oldMode newMode }
  }
} }"""
TARGET = "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { id } } }"
UPDATE = "mutation ($input: UpdateWaterHeaterInput!) { updateWaterHeater(input: $input) { waterHeater { version } } }"


async def test_of_two_updates_of_one_version_one_wins(graph: Graph):
    """The other is a conflict, whatever the database; nothing of it is stored."""
    device = await add_heater(graph.services.store)
    for version in range(1, 6):
        names = [f"{writer} {version}" for writer in ("a", "b", "c")]
        results = await asyncio.gather(
            *(water_heaters.update(graph.scope(), device, version, {"name": name}) for name in names),
            return_exceptions=True,
        )
        won = [place for place, result in enumerate(results) if not isinstance(result, BaseException)]
        assert len(won) == 1
        assert all(isinstance(result, Conflict) for place, result in enumerate(results) if place not in won)
        rows = await graph.services.store.run("SELECT name, version FROM devices")
        assert list(rows[0]) == [names[won[0]], version + 1]


async def test_updates_without_a_version_all_apply(graph: Graph):
    """Who names no version wants the change as things are; each counts."""
    device = await add_heater(graph.services.store)
    targets = [40.0 + place for place in range(5)]
    await asyncio.gather(
        *(water_heaters.update(graph.scope(), device, None, {"target_temperature": target}) for target in targets)
    )
    history = (await graph.data(HISTORY, id=heater_id(device)))["waterHeater"]["controlChanges"]
    assert history["totalCount"] == 5
    assert {each["newTargetTemperature"] for each in history["nodes"]} == set(targets)
    assert (await graph.services.store.run("SELECT version FROM devices"))[0][0] == 6


async def test_control_changes_tell_old_new_and_who(graph: Graph):
    """Newest first; the pair that did not change is null, and a change of nothing is none."""
    graph.principal = Principal("ada", Role.OPERATOR)
    device = await register(graph)
    await graph.data(TARGET, input={"id": device, "targetTemperature": 60})
    await graph.data(TARGET, input={"id": device, "targetTemperature": 60})
    graph.principal = Principal("grace", Role.OPERATOR)
    await graph.data(UPDATE, input={"id": device, "version": 3, "mode": "OFF", "targetTemperature": 45, "name": "x"})
    await graph.data(UPDATE, input={"id": device, "version": 4, "location": "Attic"})
    history = (await graph.data(HISTORY, id=device))["waterHeater"]["controlChanges"]
    assert history["totalCount"] == 2
    for node in history["nodes"]:
        assert node.pop("changedAt")
    assert history["nodes"] == [
        {
            "changedBy": "grace",
            "oldTargetTemperature": 60.0,
            "newTargetTemperature": 45.0,
            "oldMode": "ECO",
            "newMode": "OFF",
        },
        {
            "changedBy": "ada",
            "oldTargetTemperature": 55.0,
            "newTargetTemperature": 60.0,
            "oldMode": None,
            "newMode": None,
        },
    ]


async def test_control_changes_are_paged(graph: Graph):
    """Changes of one instant keep their order from page to page."""
    still = graph.services.clock()
    graph.services = dataclasses.replace(graph.services, clock=lambda: still)
    device = await register(graph)
    for target in range(40, 47):
        await graph.data(TARGET, input={"id": device, "targetTemperature": target})
    seen: list[float] = []
    after = None
    while True:
        page = (await graph.data(HISTORY, id=device, first=2, after=after))["waterHeater"]["controlChanges"]
        seen += [node["newTargetTemperature"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [46, 45, 44, 43, 42, 41, 40]


async def test_a_change_is_refused_after_the_devices_kind_rules(graph: Graph):
    """A refused change raises before anything is written, also of what was right in it."""
    device = await add_heater(graph.services.store, heater_type="GAS", mode="GAS")
    given = {"name": "New", "mode": WaterHeaterMode.HEAT_PUMP}
    with pytest.raises(Exception, match="GAS heater has no mode HEAT_PUMP; it has OFF, ECO, VACATION, GAS"):
        await water_heaters.update(graph.scope(), device, None, given)
    rows = await graph.services.store.run("SELECT name, version FROM devices")
    assert rows[0][0] != "New"
    assert rows[0][1] == 1


async def test_changed_at_is_the_clocks(graph: Graph):
    """The time of a change is that of the server's clock."""
    instant = graph.services.clock().replace(microsecond=0) - timedelta(days=1)
    graph.services = dataclasses.replace(graph.services, clock=lambda: instant)
    device = await register(graph)
    await graph.data(TARGET, input={"id": device, "targetTemperature": 50})
    (node,) = (await graph.data(HISTORY, id=device))["waterHeater"]["controlChanges"]["nodes"]
    assert node["changedAt"] == instant.isoformat()

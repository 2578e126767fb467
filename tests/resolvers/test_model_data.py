"""What models learn from: what the database knew at an instant, and nothing that came later."""

import math
from datetime import timedelta

import numpy as np
import pytest

from models.devices import KINDS, WATER_HEATER
from models.devices.vending_machine import VendingMachineType
from models.devices.water_heater import HeaterType
from models.failures import PREVENTIVE_REPLACEMENT
from models.learning.features import fit_features
from models.repositories import maintenance_records
from models.store import Store
from resolvers.predicting.data import days_of, instant_of, layout_of, load_fleet, load_histories
from tests.factories import add_heater
from tests.findings import add_anomaly
from tests.lifetimes import TODAY, add_days, add_failure, add_lives

DAY = timedelta(days=1)


async def add_work(store: Store, device_id: int, at, kind="CLEANING"):
    """Store a maintenance record."""
    values = {"device_id": device_id, "kind": kind, "performed_at": at, "created_at": at}
    async with store.transaction() as transaction:
        await maintenance_records.add(transaction, values, [])


async def eventful_fleet(store: Store) -> list[int]:
    """Store heaters to which something of every kind has happened."""
    ids = await add_lives(store, failed=2, living=3)
    for place, device_id in enumerate(ids):
        for days in (50, 33.3, 20, 7.5, 1):
            at = TODAY - (days + place / 3) * DAY
            await add_work(store, device_id, at, ("CLEANING", "REPAIR", "INSTALLATION")[place % 3])
            await add_anomaly(store, device_id, detected_at=at + 0.2 * DAY)
        await add_failure(store, device_id, TODAY - (40 + place) * DAY)
    return ids


async def test_nothing_of_the_future_is_known(store: Store):
    """Features of data loaded at an instant are those of a training that looks at that instant, for every device."""
    ids = await eventful_fleet(store)
    whole = await load_histories(store, WATER_HEATER, ids, until=TODAY)
    features = fit_features(whole.layout, whole.histories)
    for at in (TODAY, TODAY - 0.4 * DAY, TODAY - 7.4 * DAY, TODAY - 31 * DAY, TODAY - 33.2 * DAY, TODAY - 59 * DAY):
        then = await load_histories(store, WATER_HEATER, ids, until=at)
        moment = np.array([days_of(at)])
        for now_known, then_known in zip(whole.histories, then.histories, strict=True):
            # Sums of other lengths round otherwise.
            np.testing.assert_allclose(
                features.rows(now_known, moment), features.rows(then_known, moment), rtol=1e-9, atol=1e-9
            )
        assert (then.ends <= moment).all()
        assert all((instants <= moment).all() for instants in then.failures)
        assert not (then.ended > moment).any()


async def test_the_day_that_goes_on_is_not_yet_a_reading(store: Store):
    """A day is known when it has ended, and stands at that instant."""
    device = await add_heater(store)
    await add_days(store, device, TODAY - 2 * DAY, temperature_mean=[50.0, 60.0])
    for at, expected in (
        (TODAY, [50.0, 60.0]),
        (TODAY - timedelta(seconds=1), [50.0]),
        (TODAY - DAY, [50.0]),
        (TODAY - 1.1 * DAY, []),
    ):
        (history,) = (await load_histories(store, WATER_HEATER, [device], until=at)).histories
        assert history.values[:, 0].tolist() == expected
        assert [instant_of(time) for time in history.times] == [TODAY - DAY, TODAY][: len(expected)]


async def test_numbers_of_a_day_are_those_that_the_kind_describes(store: Store):
    """Sums are raised to 24 hours, quotients compare with the nameplate, what is unknown is NaN."""
    device = await add_heater(store, capacity_liters=200, rated_power_watts=3000, heater_type="HYBRID")
    columns = {
        "temperature_mean": [55.0, None, 55.0],
        "inlet_temperature_mean": [10.0, 10.0, 10.0],
        "liters": [60.0, 60.0, 60.0],
        "liters_seconds": [43_200.0, 43_200.0, 40_000.0],
        "kwh": [8.0, 8.0, 8.0],
        # 2,400 W for 4 hours, none, 2,400 W for 6 hours.
        "power_mean": [400.0, 0.0, 600.0],
        "power_deviation": [math.sqrt(2400**2 / 6 - 400**2), 0.0, math.sqrt(2400**2 / 4 - 600**2)],
        "flow_rate_minimum": [0.1, None, 0.0],
    }
    await add_days(store, device, TODAY - 3 * DAY, **columns)
    fleet = await load_histories(store, WATER_HEATER, [device], until=TODAY)
    (history,) = fleet.histories
    days = {name: history.values[:, place] for place, name in enumerate(fleet.layout.channels)}
    np.testing.assert_allclose(days["daily_liters"], [120, 120, np.nan])
    np.testing.assert_allclose(days["power_share"], [0.8, np.nan, 0.8])
    np.testing.assert_allclose(days["least_flow"], [0.1, np.nan, 0])
    needed = 120 * 45 * 4186 / 3.6e6 + (16.66 + 8.33 * 200**0.4) / 45 * 35 * 24 / 1000
    np.testing.assert_allclose(days["energy_ratio"], [8 / needed, np.nan, np.nan])
    told = dict(zip(fleet.layout.attributes, history.attributes.tolist(), strict=True))
    assert told["capacity_liters"] == 200
    assert [told[f"heater_type_{each.value.lower()}"] for each in HeaterType] == [0, 0, 1, 0]


async def test_lives_end_where_people_say_so(store: Store):
    """A failure that ends a life is one; a preventive replacement ends it without; others are events."""
    failed, replaced, living, bare = [await add_heater(store, created_at=TODAY - 9 * DAY) for _ in range(4)]
    for device in (failed, replaced, living):
        await add_days(store, device, TODAY - 6 * DAY, temperature_mean=[50.0] * 6)
        await add_failure(store, device, TODAY - 4 * DAY)
    await add_failure(store, failed, TODAY - 2.5 * DAY, ends_life=True)
    await add_failure(store, replaced, TODAY - 2 * DAY, ends_life=True, cause=PREVENTIVE_REPLACEMENT)
    fleet = await load_histories(store, WATER_HEATER, [bare, failed, replaced, living, 99_999], until=TODAY)
    assert fleet.device_ids == [bare, failed, replaced, living]
    today = days_of(TODAY)
    np.testing.assert_array_equal(fleet.ended - today, [np.nan, -2.5, np.nan, np.nan])
    np.testing.assert_array_equal(fleet.ends - today, [0, -2.5, -2, 0])
    assert [len(history.times) for history in fleet.histories] == [0, 3, 4, 6]
    assert [(instants - today).tolist() for instants in fleet.failures] == [[], [-4, -2.5], [-4], [-4]]
    assert [life.failed for life in fleet.lives()] == [False, True, False, False]
    assert [case.end - today for case in fleet.cases()] == [0, -2.5, -2, 0]
    event = fleet.layout.events.index("failure")
    assert [len(history.events[event]) for history in fleet.histories] == [0, 1, 1, 1]
    assert [history.start - today for history in fleet.histories] == [-9, -9, -9, -9]


async def test_loading_takes_as_many_statements_for_many_devices(store: Store, statements: list[str]):
    """A whole fleet costs what one device costs."""
    counts: list[int] = []
    for _ in range(2):
        await add_lives(store, failed=1, living=2, days=10)
        ids = (await load_fleet(store, WATER_HEATER.name, until=TODAY)).device_ids
        statements.clear()
        await load_histories(store, WATER_HEATER, ids, until=TODAY)
        counts.append(len(statements))
    assert counts == [5, 5]


async def test_a_fleet_without_devices_is_empty(store: Store):
    """There is nothing to learn from, and that is no error here."""
    for kind in KINDS.values():
        fleet = await load_fleet(store, kind.name, until=TODAY)
        assert fleet.histories == []
        assert fleet.layout == layout_of(kind)


@pytest.mark.parametrize(("kind", "words"), [("WATER_HEATER", HeaterType), ("VENDING_MACHINE", VendingMachineType)])
def test_categories_are_all_words_of_their_enums(kind: str, words):
    """A new type of device must not be a device without a type to models."""
    (found,) = KINDS[kind].learnt.categories.values()
    assert found == tuple(each.value for each in words)


def test_every_kind_describes_columns_that_there_are():
    """What models learn from stands in the tables of hours and of details."""
    for kind in KINDS.values():
        assert set(kind.learnt.columns) <= set(kind.hour_table.columns.keys())
        assert kind.learnt.details <= set(kind.detail_table.model_fields)
        names = [*kind.learnt.by_name, *layout_of(kind).events, *kind.learnt.attributes]
        assert len(names) == len(set(names))
        assert not any("." in name for name in names)

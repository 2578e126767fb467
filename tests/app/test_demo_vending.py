"""The vending machines of the demo fleet: seeded with sales and visits, completed, and alive."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.demo import LiveFleet, open_fleet, seed
from models.principal import Principal, Role
from models.repositories import device_changes, devices, histories, products, sales
from models.repositories.maintenance_records import RECORDS
from models.repositories.products import SLOT_CHANGES
from models.repositories.sales import SALES
from resolvers import products as assortments
from resolvers.context import Scope
from tests.app.running import SetClock, services_over

SMALL = {
    "simulator": {
        "device_count": 1,
        "vending_machine_count": 3,
        "history_days": 4,
        "sales_history_days": 4,
        "interval_seconds": 60,
    },
    "ingest": {"max_batch_size": 1000},
}
# Some sites are closed at the weekend; the tests must not depend on the day on which they run.
WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
SERIALS = ["VM-0001", "VM-0002", "VM-0003"]
OPERATOR = Principal("somebody", Role.OPERATOR)


async def ids_of(store) -> list[int]:
    """Return the ids of the machines."""
    return [row["id"] for row in await devices.by_serial_numbers(store, SERIALS) if row is not None]


async def state_of(store, ids) -> tuple[Any, ...]:
    """Return what would change if something were done twice: sales, changes of slots, stock."""
    stock = [(row["id"], row["quantity"]) for rows in await products.by_devices(store, ids) for row in rows]
    counts = [await histories.count_by_devices(store, history, ids) for history in (SALES, SLOT_CHANGES, RECORDS)]
    return (stock, *counts)


async def living(services) -> LiveFleet:
    """Return the fleet that exists."""
    fleet = await open_fleet(services)
    assert fleet is not None
    return fleet


async def test_seeded_machines_have_sold_and_been_restocked(store):
    """Each slot has lost what was sold and gained what was loaded since it was put in; nothing was oversold."""
    services = services_over(store, SetClock(WEDNESDAY), **SMALL)
    added = await seed(services)
    ids = await ids_of(store)
    assert (added.device_count, len(ids)) == (4, 3)
    (_, sold, changes, records) = await state_of(store, ids)
    assert sum(sold) == added.sale_count > 100
    assert min(changes) > 5
    assert min(records) >= 1
    rows = await store.run("SELECT sum(oversold_quantity), count(*) FROM vending_machine_sales")
    assert tuple(rows[0]) == (0, added.sale_count)
    restocked = await store.run("SELECT count(*) FROM vending_machine_slot_changes WHERE kind = 'RESTOCKED'")
    assert restocked[0][0] > 0
    for row in (row for mine in await products.by_devices(store, ids) for row in mine):
        assert 0 <= row["quantity"] <= row["capacity"]
        assert row["configured_at"] <= WEDNESDAY - timedelta(days=3.9)


async def test_seeding_machines_again_changes_nothing(store):
    """Not a sale, not a unit; an hour later only the sales of that hour are added."""
    clock = SetClock(WEDNESDAY)
    services = services_over(store, clock, **SMALL)
    await seed(services)
    before = await state_of(store, await ids_of(store))
    again = await seed(services)
    assert (again.device_count, again.reading_count, again.sale_count) == (0, 0, 0)
    assert await state_of(store, await ids_of(store)) == before
    clock.forward(hours=9)
    later = await seed(services)
    after = await state_of(store, await ids_of(store))
    assert later.sale_count > 0
    assert sum(after[1]) == sum(before[1]) + later.sale_count


async def test_living_machines_sell_what_the_database_holds_at_its_prices(store):
    """After a new price and an emptied machine: sales of others at the new price, none of the empty machine."""
    clock = SetClock(WEDNESDAY)
    services = services_over(store, clock, **SMALL)
    await seed(services)
    ids = await ids_of(store)
    fleet = await living(services)
    assert len(fleet) == 4
    await fleet.catch_up()
    async with store.transaction() as transaction:
        rows = [row for mine in await products.by_devices(transaction, ids) for row in mine]
        for row in rows:
            await products.change(transaction, row["id"], {"price_minor": 777})
        await products.set_quantities(transaction, {row["id"]: 0 for row in rows if row["device_id"] == ids[0]})
    (before, *_), began = await state_of(store, ids), clock.time
    clock.forward(hours=5)
    await fleet.step()
    found = await store.run("SELECT device_id, unit_price_minor FROM vending_machine_sales ORDER BY id DESC LIMIT 3")
    assert {row[1] for row in found} == {777}
    sold = await sales.units_since(store, ids, began)
    assert sum(sold[ids[1]][2]) > 0
    after = dict((await state_of(store, ids))[0])
    visits = await store.run("SELECT count(*) FROM vending_machine_slot_changes WHERE kind = 'RESTOCKED'")
    assert visits[0][0] > 0
    assert set(after) == {product for product, _ in before}


async def test_a_restart_goes_on_with_stock_and_cash(store):
    """A fleet that is opened again stores nothing twice, and has the stock of the database."""
    clock = SetClock(WEDNESDAY)
    services = services_over(store, clock, **SMALL)
    await seed(services)
    await (await living(services)).catch_up()
    before = await state_of(store, await ids_of(store))
    fleet = await living(services)
    assert await fleet.catch_up() == 0
    assert await state_of(store, await ids_of(store)) == before
    clock.forward(hours=4)
    assert await fleet.step() > 0
    oversold = await store.run("SELECT count(*) FROM vending_machine_sales WHERE oversold_quantity > 0")
    assert oversold[0][0] == 0


async def test_a_cleared_slot_and_a_deleted_machine_stop_nobody(store):
    """The rest of the fleet goes on selling."""
    clock = SetClock(WEDNESDAY)
    services = services_over(store, clock, **SMALL)
    await seed(services)
    ids = await ids_of(store)
    fleet = await living(services)
    (mine,) = await products.by_devices(store, [ids[1]])
    await assortments.clear(Scope(services, OPERATOR), ids[1], mine[0]["slot"])
    async with store.transaction() as transaction:
        await device_changes.remove(transaction, ids[0])
    clock.forward(days=2)
    assert await fleet.step() > 0
    sold = await sales.units_since(store, ids, clock.time - timedelta(days=2))
    assert ids[0] not in sold
    assert mine[0]["id"] not in sold[ids[1]][0]
    assert sum(sold[ids[2]][2]) > 0

"""Simulated time of vending machines becomes stored sales, restocks and readings."""

import asyncio
import logging
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from app.demo.fleet import SIMULATOR
from app.demo.history import BATCH_SIZE
from app.demo.vending_fleet import DemoMachine
from app.progress import Progress, silent
from models.devices.simulation import Restocks, Sales, SlotSpec, VendingBlock, VendingSimulation
from models.devices.vending_machine import VENDING_MACHINE
from models.errors import BadUserInput, NotFound
from models.money import from_minor
from models.repositories import products, readings
from models.sales import NewSale
from models.types import from_micros
from resolvers import products as assortments
from resolvers import sales
from resolvers.context import Scope, Services

logger = logging.getLogger("iotsphere.simulator")

_FOLLOWED = frozenset({"slot", "quantity", "capacity", "price_minor"})


class VendingHistory:
    """Vending machines whose simulated life is stored through the use cases that clients use.

    Args:
        machines: at least one.
        simulation: of these machines, in their order.

    Attributes:
        interval_seconds: between the readings of a history.
        sale_count: sales that it has stored.
    """

    interval_seconds = 300

    def __init__(self, services: Services, machines: Sequence[DemoMachine], simulation: VendingSimulation) -> None:
        self._services = services
        self._machines = machines
        self._simulation = simulation
        self.sale_count = 0

    @classmethod
    async def begun(cls, services: Services, machines: Sequence[DemoMachine], start: datetime) -> Self:
        """Return the history of machines from an instant on, with the stock, the prices and the cash of the database.

        Slots that a machine never had are put in as of that instant.
        """
        specs, seed = [machine.spec for machine in machines], services.settings.simulator.seed
        history = cls(services, machines, await asyncio.to_thread(VendingSimulation, specs, seed, start))
        await history._equip(start)
        await history.obey()
        await history._recall_cash()
        return history

    def __len__(self) -> int:
        return len(self._machines)

    @property
    def now(self) -> datetime:
        """The instant up to which the machines have run."""
        return self._simulation.now

    async def obey(self) -> None:
        """Take over stock, capacities and prices from the database: what people did, and what clients sold."""
        present = await products.by_devices(self._services.store, self._ids(), _FOLLOWED)
        for index, (machine, rows) in enumerate(zip(self._machines, present, strict=True)):
            by_slot = {row["slot"]: row for row in rows}
            for place, slot in enumerate(machine.spec.slots):
                row = by_slot.get(slot.slot)
                # A slot that was cleared sells nothing and is not filled.
                self._simulation.set_capacity(index, place, 0 if row is None else row["capacity"])
                self._simulation.set_quantity(index, place, 0 if row is None else row["quantity"])
                if row is not None:
                    self._simulation.set_price(index, place, row["price_minor"])

    async def advance(self, until: datetime, interval_seconds: float, progress: Progress = silent) -> int:
        """Go on to an instant, one reading of each machine per interval; return how many readings were new.

        Raises:
            Unavailable: the database cannot be reached; begin anew from what it holds.
        """
        start, accepted = self.now, 0
        blocks = self._simulation.advance(until, interval_seconds)
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            await self._trade(block)
            # Readings come last: where a history is taken up again, what is before the last one is complete.
            for batch in block.batches(self._ids(), self._batch_size()):
                accepted += (await self._services.ingest.record(batch)).accepted_count
            progress("sales", (self.now - start) / (until - start))
        return accepted

    async def _equip(self, at: datetime) -> None:
        known = {(row["device_id"], row["slot"]) for row in await products.ever_in(self._services.store, self._ids())}
        scope = self._scope_at(at)
        for index, machine in enumerate(self._machines):
            quantities = self._simulation.quantities(index)
            for slot, quantity in zip(machine.spec.slots, quantities, strict=True):
                if (machine.device_id, slot.slot) not in known:
                    setting = _setting(slot, quantity, machine.spec.currency)
                    await assortments.configure(scope, machine.device_id, setting)

    async def _recall_cash(self) -> None:
        ids = self._ids()
        levels = await readings.newest_values(self._services.store, VENDING_MACHINE.name, ids, "cash_level")
        for index, device_id in enumerate(ids):
            level = levels.get(device_id)
            if level is not None:
                self._simulation.set_cash_level(index, round(level))

    async def _trade(self, block: VendingBlock) -> None:
        """Store sales and restocks in the order in which they happened."""
        sold = self._sales(block.sales)
        instants = [sale.sold_at for sale in sold]
        place = 0
        for at, index, loads in _visits(block.restocks, self._machines):
            until = bisect_left(instants, at)
            await self._sell(sold[place:until])
            place = until
            await self._restock(self._machines[index].device_id, loads, block.restocks.restocked_by, at)
        await self._sell(sold[place:])

    def _sales(self, block: Sales) -> list[NewSale]:
        payments = block.payment_methods
        return [self._sale(block, row, payments[row]) for row in range(len(block))]

    def _sale(self, block: Sales, row: int, payment_method: str) -> NewSale:
        machine = self._machines[int(block.machine_index[row])]
        currency = machine.spec.currency
        return NewSale(
            device_id=machine.device_id,
            transaction_id=block.transaction_ids[row],
            slot=machine.spec.slots[int(block.slot_index[row])].slot,
            quantity=int(block.units[row]),
            unit_price=(from_minor(int(block.unit_price_minor[row]), currency), currency),
            payment_method=payment_method,
            sold_at=from_micros(int(block.sold_at_micros[row])),
        )

    async def _sell(self, sold: Sequence[NewSale]) -> None:
        size = self._batch_size()
        scope = Scope(self._services, SIMULATOR)
        for start in range(0, len(sold), size):
            self.sale_count += (await sales.record(scope, sold[start : start + size])).accepted_count

    async def _restock(self, device_id: int, loads: Sequence[assortments.Load], who: str, at: datetime) -> None:
        try:
            await assortments.restock(self._scope_at(at), device_id, loads, who)
        except (NotFound, BadUserInput) as problem:
            # Somebody has deleted the machine or changed the slot since the simulation looked.
            logger.info("device %d was not restocked: %s", device_id, problem.message)

    def _scope_at(self, instant: datetime) -> Scope:
        """Return a scope in which it is that instant, for what is dated by the clock."""
        return Scope(replace(self._services, clock=lambda: instant), SIMULATOR)

    def _ids(self) -> list[int]:
        return [machine.device_id for machine in self._machines]

    def _batch_size(self) -> int:
        return min(BATCH_SIZE, self._services.settings.ingest.max_batch_size)


def _setting(slot: SlotSpec, quantity: int, currency: str) -> assortments.SlotSetting:
    return assortments.SlotSetting(
        slot=slot.slot,
        name=slot.product_name,
        sku=slot.sku,
        category=slot.category,
        price=(from_minor(slot.price_minor, currency), currency),
        capacity=slot.capacity,
        quantity=quantity,
        low_stock_threshold=slot.low_stock_threshold,
    )


def _visits(restocks: Restocks, machines: Sequence[DemoMachine]) -> list[tuple[datetime, int, list[assortments.Load]]]:
    """Return the visits by time: when, which machine, and what its slots were filled to."""
    visits: dict[tuple[int, int], list[assortments.Load]] = {}
    for row in range(len(restocks)):
        index, place = int(restocks.machine_index[row]), int(restocks.slot_index[row])
        slot, after = machines[index].spec.slots[place].slot, int(restocks.quantity_after[row])
        load = assortments.Load(None, slot, after, assortments.RestockMode.SET)
        visits.setdefault((int(restocks.restocked_at_micros[row]), index), []).append(load)
    return [(from_micros(at), index, visits[at, index]) for at, index in sorted(visits)]

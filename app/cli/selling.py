"""From the batches of a file to stored sales."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.cli.ingesting import COMMAND_LINE, BytesRead
from app.files import FileReport, RejectedRow
from app.files.problems import shown
from app.files.sales import SaleBatch, SaleRow, SalesFile
from models.devices.vending_machine import VENDING_MACHINE, VendingMachineType
from models.errors import BadUserInput
from models.repositories import devices, products
from models.repositories import sales as stored_sales
from models.sales import NewSale
from models.statements import Row
from resolvers import products as assortments
from resolvers import sales, vending_machines
from resolvers.context import Scope, Services
from resolvers.sale_checks import problem_of

NEW_CAPACITY = 10

# What a machine is taken to be of which only the serial number is known.
_UNKNOWN_MACHINE: dict[str, Any] = {"machine_type": VendingMachineType.OTHER, "target_cabinet_temperature": 5.0}


@dataclass(frozen=True, slots=True)
class Creation:
    """Registers what is missing.

    Attributes:
        currency: of machines, as EUR.
        timezone: of machines, an IANA name.
    """

    currency: str
    timezone: str


class SalesIngestion:
    """Stores the sales of files.

    A row that is stored already changes nothing, neither the sales nor the slots. With a `creation`, machines, slots
    and products that are missing are made. The file tells what was in a slot: where it names another product than the
    one that is there, that one takes its place at the time of the sale, if the slot is empty.
    """

    def __init__(self, services: Services, creation: Creation | None, currency: str | None = None) -> None:
        self._services = services
        self._scope = Scope(services, COMMAND_LINE)
        self._creation = creation
        self._currency = currency
        self._machines: dict[str, tuple[int, str]] = {}
        self._assortments: dict[int, list[Row]] = {}
        self.created: list[str] = []

    async def store(self, file: SalesFile, report: FileReport, bytes_read: BytesRead) -> None:
        """Store what can be stored of an open file; the report has everything up to a failure, too.

        Raises:
            FileProblem: the file breaks off; the rows before that place are stored.
            Unavailable: the database cannot be reached; running the command again goes on.
        """
        batch = await asyncio.to_thread(next, file, None)
        while batch is not None:
            await self._store(batch, report)
            bytes_read(batch.bytes_read)
            batch = await asyncio.to_thread(next, file, None)

    async def _store(self, batch: SaleBatch, report: FileReport) -> None:
        await self._find({row.serial_number for row in batch.rows})
        rejected = list(batch.rejected)
        known: list[SaleRow] = []
        for row in batch.rows:
            if row.serial_number in self._machines:
                known.append(row)
            else:
                text = f"there is no vending machine with serial number {shown(row.serial_number)}"
                rejected.append(RejectedRow(row.line_number, "UNKNOWN_DEVICE", text))
        report.count(0, 0, rejected, batch.place)
        there = await self._stored(known)
        pending: list[tuple[int, NewSale]] = []
        for row in known:
            sale = self._sale(row)
            key = (sale.device_id, sale.transaction_id, sale.line)
            problem = None
            if key not in there:
                there.add(key)
                problem = problem_of(sale, self._services.settings.ingest, self._services.clock())
                if problem is None and not self._is_there(sale, row):
                    # What was sold before was sold of what was in the slot before.
                    await self._record(pending, report, batch.place)
                    pending = []
                    problem = await self._put_in(sale, row)
            if problem is None:
                pending.append((row.line_number, sale))
            else:
                report.count(0, 0, [RejectedRow(row.line_number, *problem)], batch.place)
        await self._record(pending, report, batch.place)

    async def _record(self, pending: Sequence[tuple[int, NewSale]], report: FileReport, place: str) -> None:
        if not pending:
            return
        verdict = await sales.record(self._scope, [sale for _, sale in pending])
        refused = [RejectedRow(pending[each.index][0], each.code, each.message) for each in verdict.rejected]
        report.count(verdict.accepted_count, verdict.duplicate_count, refused, place)

    async def _stored(self, rows: Sequence[SaleRow]) -> set[tuple[int, str, int]]:
        keys = list(dict.fromkeys((self._machines[row.serial_number][0], row.transaction_id) for row in rows))
        found = await stored_sales.of_transactions(self._services.store, keys) if keys else []
        return {(row["device_id"], row["transaction_id"], row["line"]) for row in found}

    def _sale(self, row: SaleRow) -> NewSale:
        device_id, currency = self._machines[row.serial_number]
        return NewSale(
            device_id=device_id,
            transaction_id=row.transaction_id,
            line=row.line,
            slot=row.slot or self._slot_of(device_id, row.product),
            quantity=row.quantity,
            unit_price=None if row.unit_price is None else (row.unit_price, self._currency or currency),
            payment_method=row.payment_method,
            sold_at=row.sold_at,
        )

    def _slot_of(self, device_id: int, product: str) -> str:
        """Return the slot in which a product is or was; a name for one where it never was in any."""
        rows = self._assortments[device_id]
        mine = [row for row in rows if _is_named(row, product)]
        if mine:
            return str(next((row for row in mine if row["removed_at"] is None), mine[-1])["slot"])
        name = product[: assortments.SLOT_LENGTH].strip()
        taken = {row["slot"] for row in rows}
        number = 2
        while name in taken:
            name, number = f"{product[: assortments.SLOT_LENGTH - 5].strip()} {number}", number + 1
        return name

    def _is_there(self, sale: NewSale, row: SaleRow) -> bool:
        there = _in_slot(self._assortments[sale.device_id], sale)
        return there is not None and (not row.product or _is_named(there, row.product))

    async def _put_in(self, sale: NewSale, row: SaleRow) -> tuple[str, str] | None:
        """Put the product of a row into its slot as of the sale, or return why that cannot be."""
        rows = self._assortments[sale.device_id]
        slot = sale.slot or ""
        there = _in_slot(rows, sale)
        if self._creation is None:
            return _not_there(row, there, slot)
        present = next((each for each in rows if each["slot"] == slot and each["removed_at"] is None), None)
        if present is not None and (present["quantity"] > 0 or sale.sold_at < present["configured_at"]):
            return _not_there(row, present, slot)
        if row.unit_price is None:
            return "NO_PRICE", f"has no price with which {shown(row.product or slot)} could be put into slot '{slot}'"
        setting = assortments.SlotSetting(
            slot=slot,
            name=row.product or f"Slot {slot}",
            sku=None,
            category=row.category or None,
            price=(row.unit_price, self._currency or self._machines[row.serial_number][1]),
            capacity=NEW_CAPACITY,
            quantity=0,
            low_stock_threshold=None,
        )
        try:
            await self._configure(sale.device_id, setting, sale.sold_at)
        except BadUserInput as error:
            return "INVALID_PRODUCT", error.message
        return None

    async def _configure(self, device_id: int, setting: assortments.SlotSetting, at: datetime) -> None:
        store = self._services.store
        then = Scope(replace(self._services, clock=lambda: at), COMMAND_LINE)
        product = await assortments.configure(then, device_id, setting)
        async with store.transaction() as transaction:
            # There since then, but of no known quantity: what a file tells must not be taken out of the stock.
            await products.set_counted(transaction, [product["id"]], self._services.clock())
        self._assortments[device_id] = await products.ever_in(store, [device_id])

    async def _find(self, serial_numbers: Iterable[str]) -> None:
        fresh = sorted(set(serial_numbers) - self._machines.keys())
        columns = frozenset({"serial_number", "kind", "currency"})
        rows = await devices.by_serial_numbers(self._services.store, fresh, columns)
        for serial_number, row in zip(fresh, rows, strict=True):
            machine = row
            if machine is None and self._creation is not None:
                machine = await self._create(serial_number, self._creation)
            if machine is not None and machine["kind"] == VENDING_MACHINE.name:
                self._machines[serial_number] = (machine["id"], machine["currency"])
                self._assortments[machine["id"]] = await products.ever_in(self._services.store, [machine["id"]])

    async def _create(self, serial_number: str, creation: Creation) -> Row:
        given = {"name": serial_number, "serial_number": serial_number, **_UNKNOWN_MACHINE}
        place = {"currency": creation.currency, "time_zone": creation.timezone}
        self.created.append(serial_number)
        return await vending_machines.create(self._scope, given | place)


def _is_named(product: Mapping[str, Any], name: str) -> bool:
    return name.casefold() in (product["name"].casefold(), (product["sku"] or "").casefold())


def _in_slot(rows: Sequence[Row], sale: NewSale) -> Row | None:
    """Return what was in the slot when it was sold, or else what is there now; as recording the sale will find it."""
    mine = [row for row in rows if row["slot"] == sale.slot]
    then = [
        row
        for row in mine
        if row["configured_at"] <= sale.sold_at and (row["removed_at"] is None or sale.sold_at < row["removed_at"])
    ]
    found = then or [row for row in mine if row["removed_at"] is None]
    return found[-1] if found else None


def _not_there(row: SaleRow, there: Row | None, slot: str) -> tuple[str, str]:
    if there is not None:
        return "OTHER_PRODUCT", f"sells {shown(row.product)} from slot '{slot}', which held {shown(there['name'])}"
    if row.slot:
        return "UNKNOWN_SLOT", f"the machine has no product in slot '{slot[:20]}'; --create puts it there"
    return "UNKNOWN_PRODUCT", f"the machine has no product {shown(row.product)}; --create puts it into a slot"

"""Sales from files: loaded once, with the slots and products of their time; bad rows told by line."""

from collections import Counter
from csv import DictReader
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.cli.selling import Creation, SalesIngestion
from app.files import FileOptions, FileProblem, FileReport
from app.files.sales import SalesFile
from models.devices.vending_machine import VendingMachineType
from models.principal import Principal, Role
from models.repositories import products
from resolvers import products as assortments
from resolvers import vending_machines
from resolvers.context import Scope
from tests.app.running import ROOT, services_over

REAL = ROOT.parent / "shared" / "data" / "vending"
OPERATOR = Principal("somebody", Role.OPERATOR)
LARGE = {"ingest": {"max_batch_size": 10_000}}
THREE_MACHINES = {
    "serial_number": "Device ID",
    "product": "Product",
    "category": "Category",
    "transaction_id": "Transaction",
    "sold_at": "TransDate",
    "payment_method": "Type",
    "slot": "RCoil",
    "unit_price": "RPrice",
    "quantity": "RQty",
}
COFFEE = {"sold_at": "datetime", "product": "coffee_name", "payment_method": "cash_type", "unit_price": "money"}
EUROS, DOLLARS = Creation("EUR", "UTC"), Creation("USD", "America/New_York")


def real_file(name):
    """Return the path of recorded sales; skips the test where they are not at hand."""
    path = REAL / name
    if not path.is_file():
        pytest.skip(f"{name} is not at hand")
    return path


async def load(services, path, creation=None, **options) -> FileReport:
    """Load a file and return the report."""
    report = FileReport()
    with SalesFile(path, FileOptions(**options), 1000) as file:
        await SalesIngestion(services, creation).store(file, report, lambda _read: None)
    return report


async def load_text(services, tmp_path, text, creation: Creation | None = EUROS, **options) -> FileReport:
    """Load a CSV file with this text."""
    path = tmp_path / "sales.csv"
    path.write_text(text)
    return await load(services, path, creation, **options)


def counts(report) -> tuple[int, int, int]:
    """Return accepted, duplicate, rejected."""
    return report.accepted_count, report.duplicate_count, report.rejected_count


async def sold(store) -> list[Any]:
    """Return what is stored, by time: slot, product, units, price, payment, transaction, line."""
    return await store.run(
        "SELECT p.slot, p.name, s.quantity, s.unit_price_minor, s.payment_method, s.transaction_id, s.line, "
        "s.oversold_quantity FROM vending_machine_sales s JOIN vending_machine_products p ON p.id = s.product_id "
        "ORDER BY s.sold_at, s.id"
    )


async def machine(services, serial="VM-1") -> int:
    """Register a machine and return its id."""
    given = {
        "name": serial,
        "serial_number": serial,
        "machine_type": VendingMachineType.SNACK,
        "target_cabinet_temperature": 5.0,
        "currency": "EUR",
        "time_zone": "UTC",
    }
    return (await vending_machines.create(Scope(services, OPERATOR), given))["id"]


async def put(services, device_id, slot, name, quantity) -> Any:
    """Put a product into a slot and return it."""
    setting = assortments.SlotSetting(slot, name, None, None, (Decimal(2), "EUR"), 10, quantity, None)
    return await assortments.configure(Scope(services, OPERATOR), device_id, setting)


async def test_eight_months_of_three_machines_load_whole_and_once(store):
    """Every sale is one of the product that the file names, though slots changed hands 200 times."""
    path, services = real_file("sales_3_machines.csv"), services_over(store, **LARGE)
    options = {"mapping": THREE_MACHINES, "timezone": "America/New_York"}
    assert counts(await load(services, path, DOLLARS, **options)) == (3847, 0, 0)
    stored = await sold(store)
    with path.open() as file:
        wanted = Counter(row["Product"].casefold() for row in DictReader(file) if row["Product"])
    found = Counter(" ".join(row[1].split()).casefold() for row in stored)
    found.subtract(Counter({" ".join(name.split()): count for name, count in wanted.items()}))
    # The one row without a product is a sale of what was in its slot.
    assert sum(abs(count) for count in found.values()) == 1
    assert {row[4] for row in stored} == {"CASH", "CARD"}
    assert sum(row[7] for row in stored) == 0
    changes = await store.run("SELECT count(*) FROM vending_machine_slot_changes")
    assert counts(await load(services, path, DOLLARS, **options)) == (0, 3847, 0)
    assert counts(await load(services, path, **options)) == (0, 3847, 0)
    assert await store.run("SELECT count(*) FROM vending_machine_slot_changes") == changes
    first = await store.run("SELECT min(sold_at) FROM vending_machine_sales")
    midday = datetime(2022, 1, 1, 17, tzinfo=UTC)
    assert first[0][0] in (midday, round(midday.timestamp() * 1_000_000))


async def test_a_year_of_coffee_loads_whole_and_once(store):
    """Without transactions and slots; drinks that are typed differently are one product."""
    path, services = real_file("coffee_2024.csv"), services_over(store, **LARGE)
    options = {"mapping": COFFEE, "serial": "COFFEE-1"}
    assert counts(await load(services, path, EUROS, **options)) == (2693, 0, 0)
    stored = await sold(store)
    assert len({row[0] for row in stored}) == 8
    assert sum(row[3] for row in stored) > 0
    assert counts(await load(services, path, EUROS, **options)) == (0, 2693, 0)


async def test_lines_are_numbered_and_slots_made(store, tmp_path):
    """Lines of a transaction in the order of the file; a product that leaves a slot keeps its sales."""
    services = services_over(store)
    text = (
        "serial_number,transaction_id,sold_at,slot,product,unit_price,quantity,payment_method\n"
        "VM-1,T1,2024-07-01,A1,Cola,1.50,1,Credit\n"
        "VM-1,T1,2024-07-01,A2,Chips,2,2,Credit\n"
        "VM-1,T2,2024-07-01,A1,Water,1,1,cash\n"
        "VM-1,T3,2024-07-01,A1,cola,1.60,1,beads\n"
        "VM-1,T4,2024-07-02T08:00:00,A2,,2,1,\n"
    )
    assert counts(await load_text(services, tmp_path, text)) == (5, 0, 0)
    assert sorted(tuple(row[:7]) for row in await sold(store)) == [
        ("A1", "Cola", 1, 150, "CARD", "T1", 1),
        ("A1", "Water", 1, 100, "CASH", "T2", 1),
        ("A1", "cola", 1, 160, "OTHER", "T3", 1),
        ("A2", "Chips", 1, 200, "OTHER", "T4", 1),
        ("A2", "Chips", 2, 200, "CARD", "T1", 2),
    ]
    assert counts(await load_text(services, tmp_path, text)) == (0, 5, 0)


async def test_rows_that_are_alike_are_sales_of_their_own(store, tmp_path):
    """Without transactions two coffees in a minute are two, and loading them again adds none."""
    text = "sold_at,product,unit_price\n" + 2 * "2024-07-01 10:00,Latte,3\n" + "2024-07-01 10:01,Latte,3\n"
    services = services_over(store)
    assert counts(await load_text(services, tmp_path, text, serial="C-1")) == (3, 0, 0)
    longer = f"{text}2024-07-01 10:01,Latte,3\n"
    assert counts(await load_text(services, tmp_path, longer, serial="C-1")) == (1, 3, 0)


async def test_bad_rows_cost_themselves_only(store, tmp_path):
    """Each is told with its reason and line."""
    text = (
        "serial_number,transaction_id,sold_at,slot,product,unit_price,quantity\n"
        "VM-1,T1,2024-07-01T10:00:00Z,A1,Cola,1.50,1\n"
        "VM-1,T2,soon,A1,Cola,1.50,1\n"
        "VM-1,T3,2024-07-01T10:00:00Z,A1,Cola,cheap,1\n"
        "VM-1,T4,2024-07-01T10:00:00Z,A1,Cola,1.50,1.5\n"
        "VM-1,T5,2024-07-01T10:00:00Z,A1,Cola,1.50,-1\n"
        "VM-1,T6,2024-07-01T10:00:00Z,A1,Cola,-1.50,1\n"
        "VM-1,T7,2024-07-01T10:00:00Z,A1,Cola,1.555,1\n"
        "VM-1,T8,2924-07-01T10:00:00Z,A9,Cola,1.50,1\n"
        "VM-1,,2024-07-01T10:00:00Z,A1,Cola,1.50,1\n"
        "VM-1,T9,2024-07-01T10:00:00Z,,,1.50,1\n"
        "VM-1,T10,2024-07-01T10:00:00Z,A2,Tea,,1\n"
        ",T11,2024-07-01T10:00:00Z,A1,Cola,1.50,1\n"
        "VM-1,T12,,A1,Cola,1.50,1\n"
        "VM-1,T1,2024-07-01T10:00:00Z,A1,Cola,1.50,1,more\n"
        "VM-1,T13,2024-07-01T10:00:00Z,A1,Cola,1.50,1\n"
    )
    report = await load_text(services_over(store), tmp_path, text)
    assert counts(report) == (2, 0, 13)
    assert {code: [row.line for row in rows] for code, rows in report.examples.items()} == {
        "NOT_A_TIME": [3],
        "NOT_A_NUMBER": [4],
        "NOT_A_WHOLE_NUMBER": [5],
        "OUT_OF_RANGE": [6, 7, 8],
        "IN_FUTURE": [9],
        "NO_TRANSACTION": [10],
        "NO_PRODUCT": [11],
        "NO_PRICE": [12],
        "NO_SERIAL_NUMBER": [13],
        "NO_TIME": [14],
        "MALFORMED_ROW": [15],
    }


async def test_nothing_is_made_unasked(store, tmp_path):
    """Unknown machines, slots and products are rejected; what is known is stored, and the stock of now stays."""
    services = services_over(store)
    device_id = await machine(services)
    product = await put(services, device_id, "A1", "Cola", 7)
    text = (
        "serial_number,transaction_id,sold_at,slot,product,unit_price\n"
        "VM-1,T1,2024-07-01T10:00:00Z,A1,Cola,2\n"
        "VM-1,T2,2024-07-01T10:00:00Z,A2,Tea,2\n"
        "VM-1,T3,2024-07-01T10:00:00Z,A1,Tea,2\n"
        "VM-1,T4,2024-07-01T10:00:00Z,,Tea,2\n"
        "VM-1,T5,2024-07-01T10:00:00Z,,COLA,2\n"
        "VM-9,T6,2024-07-01T10:00:00Z,A1,Cola,2\n"
    )
    report = await load_text(services, tmp_path, text, None)
    assert counts(report) == (2, 0, 4)
    expected = {"UNKNOWN_DEVICE": 1, "UNKNOWN_SLOT": 1, "UNKNOWN_PRODUCT": 1, "OTHER_PRODUCT": 1}
    assert dict(report.reasons) == expected
    (now,) = await products.by_ids(store, [product["id"]])
    assert now is not None
    assert now["quantity"] == 7


async def test_a_product_with_units_is_never_replaced(store, tmp_path):
    """Even where things may be made: the machine's present is not a file's to change."""
    services = services_over(store)
    device_id = await machine(services)
    product = await put(services, device_id, "A1", "Cola", 7)
    text = "transaction_id,sold_at,slot,product,unit_price\nT1,2024-07-01T10:00:00Z,A1,Tea,2\n"
    report = await load_text(services, tmp_path, text, serial="VM-1")
    assert dict(report.reasons) == {"OTHER_PRODUCT": 1}
    ((present,),) = await products.by_devices(store, [device_id])
    assert (present["id"], present["quantity"]) == (product["id"], 7)


async def test_a_transaction_with_other_content_is_a_conflict(store, tmp_path):
    """What is stored stays."""
    services = services_over(store)
    text = "transaction_id,sold_at,slot,product,unit_price\nT1,2024-07-01T10:00:00Z,A1,Tea,2\n"
    await load_text(services, tmp_path, text, serial="VM-1")
    report = await load_text(services, tmp_path, text.replace("Tea,2", "Tea,3"), serial="VM-1")
    assert dict(report.reasons) == {"CONFLICT": 1}
    assert [row[3] for row in await sold(store)] == [200]


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("sold_at,slot\n2024-07-01,A\n", {}, "--serial"),
        ("when,slot\n2024-07-01,A\n", {"serial": "X"}, "sold_at=COLUMN"),
        ("sold_at,price\n2024-07-01,1\n", {"serial": "X"}, "slot or product"),
        ("sold_at,slot\n2024-07-01,A\n", {"serial": "X", "mapping": {"power": "slot"}}, "'power'"),
        ("sold_at,slot\n2024-07-01,A\n", {"serial": "X", "mapping": {"product": "name"}}, "'name'"),
        ("sold_at,slot,slot\n2024-07-01,A,A\n", {"serial": "X"}, "two columns"),
        ("sold_at,slot,serial_number\n2024-07-01,A,B\n", {"serial": "X"}, "--serial gives one"),
        ("sold_at,slot\n01/02/2024,A\n", {"serial": "X"}, "--time-format"),
        ("sold_at,slot\n2024-07-01,A\n", {"serial": "X", "timezone": "Mars"}, "time zone 'Mars'"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path, text, options, told):
    """One sentence that names the option."""
    path = tmp_path / "sales.csv"
    path.write_text(text)
    with pytest.raises(FileProblem, match=told):
        SalesFile(path, FileOptions(**options))

"""Vending machines for tests of the graph: registered, filled and selling, each in a line."""

from datetime import datetime
from typing import Any

from tests.graph import Graph

CREATE = """
mutation ($input: CreateVendingMachineInput!) { createVendingMachine(input: $input) { vendingMachine { id } } }
"""
CONFIGURE = """
mutation ($input: ConfigureProductInput!) {
  configureProduct(input: $input) { product { id slot name price { amount currency } quantity } }
}
"""
SELL = """
mutation ($input: RecordSalesInput!) {
  recordSales(input: $input) {
    acceptedCount duplicateCount rejected { index code message } lowStockProducts { id name quantity }
  }
}
"""
STOCK = """
query ($id: ID!) {
  vendingMachine(id: $id) { products { id slot name quantity isLowStock price { amount currency } } }
}
"""
SALES = """
query ($id: ID!) {
  vendingMachine(id: $id) {
    sales(first: 100) {
      totalCount
      nodes {
        id transactionId line quantity oversoldQuantity refundedQuantity
        unitPrice { amount } total { amount } refunded { amount }
        product { id name slot }
      }
    }
  }
}
"""


async def open_machine(graph: Graph, serial_number: str = "VM-1", **values: Any) -> str:
    """Register a vending machine and return its global id."""
    given = {"name": f"Shop {serial_number}", "serialNumber": serial_number, **values}
    return (await graph.data(CREATE, input=given))["createVendingMachine"]["vendingMachine"]["id"]


async def fill(graph: Graph, machine: str, slot: str = "A1", **values: Any) -> str:
    """Put a product into a slot and return its global id; ten units of 20 at 1.50 EUR if not told otherwise."""
    given = {
        "machineId": machine,
        "slot": slot,
        "name": f"Product {slot}",
        "price": {"amount": "1.50", "currency": "EUR"},
        "capacity": 20,
        "quantity": 10,
        **values,
    }
    return (await graph.data(CONFIGURE, input=given))["configureProduct"]["product"]["id"]


def sale(machine: str, transaction: str, sold_at: datetime, **values: Any) -> dict[str, Any]:
    """Return the input of one sale out of slot A1."""
    given = {"machineId": machine, "transactionId": transaction, "soldAt": sold_at.isoformat(), **values}
    return given if "productId" in given or "slot" in given else {**given, "slot": "A1"}


async def sell(graph: Graph, *sales: dict[str, Any]) -> Any:
    """Send sales and return the payload."""
    return (await graph.data(SELL, input={"sales": list(sales)}))["recordSales"]


async def stock(graph: Graph, machine: str) -> dict[str, int]:
    """Return the quantity in each slot of a machine."""
    found = (await graph.data(STOCK, id=machine))["vendingMachine"]["products"]
    return {row["slot"]: row["quantity"] for row in found}


async def sold(graph: Graph, machine: str) -> list[dict[str, Any]]:
    """Return the sales of a machine, newest first."""
    return (await graph.data(SALES, id=machine))["vendingMachine"]["sales"]["nodes"]

"""The stock of a machine ahead: its sales as the forecast takes them, and what it says of each product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.learning.demand import Choice, MachineHistory, StockForecast, choose, forecasts, quantities_to_load
from models.statements import Row
from models.types import to_micros


@dataclass(frozen=True, slots=True)
class MachineStock:
    """What is in a machine, and what was sold of it.

    Attributes:
        products: rows of the products in its slots.
        sold: ids of products, microseconds since 1970 and units of its sales, three columns.
        zone: its time zone.
        choice: of the method, made not long ago; None to choose now.
    """

    products: Sequence[Row]
    sold: tuple[Sequence[int], ...]
    zone: str
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class StockOutlook:
    """What is expected of a machine's stock.

    Attributes:
        products: rows of the products in its slots.
        forecasts: one for each product.
        loads: units to load of each product.
        choice: the method that was used, or why there is none.
    """

    products: Sequence[Row]
    forecasts: Sequence[StockForecast]
    loads: Sequence[int]
    choice: Choice


def look_ahead(stocks: Sequence[MachineStock], now: datetime) -> list[StockOutlook]:
    """Forecast the stock of machines; each takes a millisecond or two, with a choice of the method tens of them."""
    histories = [_history(stock, now) for stock in stocks]
    choices = [stock.choice or choose(history) for stock, history in zip(stocks, histories, strict=True)]
    quantities = [[row["quantity"] for row in stock.products] for stock in stocks]
    found = forecasts(list(zip(histories, choices, quantities, strict=True)))
    return [
        StockOutlook(stock.products, each, _loads(stock), choice)
        for stock, each, choice in zip(stocks, found, choices, strict=True)
    ]


def _loads(stock: MachineStock) -> list[int]:
    quantities, room = ([row[name] for row in stock.products] for name in ("quantity", "capacity"))
    return quantities_to_load(quantities, room).tolist()


def _history(stock: MachineStock, now: datetime) -> MachineHistory:
    place = {row["id"]: index for index, row in enumerate(stock.products)}
    product_ids, instants, units = stock.sold
    # Products that have left the machine count for the machine's demand only.
    products = np.array([place.get(id_, -1) for id_ in product_ids], dtype=np.int64)
    sold_at = np.array(instants, dtype=np.int64)
    start = int(sold_at.min()) if len(sold_at) else to_micros(now)
    stocked = np.array([to_micros(row["configured_at"]) for row in stock.products], dtype=np.int64)
    # Sales that were loaded from elsewhere may be older than the slot's configuration here.
    known = products >= 0
    np.minimum.at(stocked, products[known], sold_at[known])
    return MachineHistory(
        products=products,
        sold_at_micros=sold_at,
        units=np.array(units, dtype=np.float64),
        product_count=len(stock.products),
        start_micros=start,
        now_micros=to_micros(now),
        zone=stock.zone,
        stocked_at_micros=stocked,
    )

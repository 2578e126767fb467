"""What to load into vending machines, and when their slots are expected to sell out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.errors import Unavailable
from models.learning.demand import HISTORY_DAYS, StockForecast
from models.paging import Page, Window
from models.repositories import demand_choices, devices, products, sales
from models.restocking import MachineStock, StockOutlook, look_ahead
from models.statements import Row
from models.types import from_micros, to_micros
from resolvers import cursors
from resolvers.connections import Connection
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch

logger = logging.getLogger("iotsphere.restocking")

ORDER = "restockNeeds"
_CHOSEN_FOR = timedelta(days=1)
# A day more than is learnt from, so that the first local day is whole in any time zone.
_READ = timedelta(days=HISTORY_DAYS + 2)
# How many machines are looked at together: bounds the memory that their sales take.
_MOST_MACHINES = 100


async def forecasts(scope: Scope, keys: Sequence[tuple[int, int]], _columns: Columns) -> list[Mapping[str, Any] | None]:
    """Return the forecast of each product, by (product id, device id); None for one that has left its slot."""
    outlooks = await _outlooks(scope, [device_id for _, device_id in keys])
    found = {
        row["id"]: _forecast(each)
        for outlook in outlooks.values()
        for row, each in zip(outlook.products, outlook.forecasts, strict=True)
    }
    return [found.get(product_id) for product_id, _ in keys]


async def sold_out_times(scope: Scope, keys: Sequence[tuple[int, int]], columns: Columns) -> list[datetime | None]:
    """Return when each product is expected to sell out, by (product id, device id); None where nothing can be said."""
    found = await forecasts(scope, keys, columns)
    return [None if each is None else each["expected_at"] for each in found]


async def restock_lists(scope: Scope, device_ids: Sequence[int], _columns: Columns) -> list[list[dict[str, Any]]]:
    """Return what to load into each machine, what sells out soonest first."""
    outlooks = await _outlooks(scope, device_ids)
    return [_items(outlooks[device_id]) for device_id in device_ids]


async def needs(scope: Scope, keys: Sequence[None], _columns: Columns, *, window: Window) -> list[Connection]:
    """Return one page of the machines that something can be loaded into, the most urgent first."""
    scope.ask(window.count)
    every: list[dict[str, Any]] = await scope.load(_ALL_NEEDS, None)
    cursor = window.cursor
    rest = every if cursor is None else [row for row in every if _urgency(sort_values(row)) > _urgency(cursor)]
    page = Page(rest[: window.count], has_next=len(rest) > window.count, has_previous=len(rest) < len(every))
    return [Connection(page, ORDER, sort_values, batch(_count), None)] * len(keys)


def window(scope: Scope, first: int | None, after: str | None) -> Window:
    """Return the window of a page of needs."""
    limits = scope.services.settings.graphql
    return cursors.window(limits, ORDER, (int | None, int, int), first=first, after=after)


def sort_values(row: Row) -> tuple[int | None, int, int]:
    """Return what a cursor to a need holds: when the first slot sells out, how many run low, the machine."""
    soonest = row["soonest_sold_out_at"]
    return (None if soonest is None else to_micros(soonest), row["low_stock_product_count"], row["device_id"])


def _urgency(values: Sequence[Any]) -> tuple[bool, int, int, int]:
    soonest, low, device_id = values
    return (soonest is None, soonest or 0, -low, device_id)


async def _count(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[int]:
    return [len(await scope.load(_ALL_NEEDS, None))] * len(keys)


async def _all_needs(scope: Scope, keys: Sequence[None], _columns: Columns) -> list[list[dict[str, Any]]]:
    outlooks = await _outlooks(scope, await products.devices_with_room(scope.store))
    found = [need for device_id, outlook in outlooks.items() if (need := _need(device_id, outlook))["items"]]
    found.sort(key=lambda row: _urgency(sort_values(row)))
    return [found] * len(keys)


_ALL_NEEDS: Batch = batch(_all_needs)


async def _outlooks(scope: Scope, device_ids: Sequence[int]) -> dict[int, StockOutlook]:
    """Return the outlook of each machine; in one operation each is made once."""
    wanted = list(dict.fromkeys(device_ids))
    return dict(zip(wanted, await asyncio.gather(*(scope.load(_OUTLOOKS, each) for each in wanted)), strict=True))


async def _look_ahead(scope: Scope, device_ids: Sequence[int], _columns: Columns) -> list[StockOutlook]:
    found: list[StockOutlook] = []
    for start in range(0, len(device_ids), _MOST_MACHINES):
        found += await _look_ahead_together(scope, device_ids[start : start + _MOST_MACHINES])
    return found


_OUTLOOKS: Batch = batch(_look_ahead)


async def _look_ahead_together(scope: Scope, device_ids: Sequence[int]) -> list[StockOutlook]:
    now, kept = scope.services.clock(), scope.services.outlooks
    machines, present = await asyncio.gather(
        devices.by_ids(scope.store, device_ids, frozenset({"time_zone"})), products.by_devices(scope.store, device_ids)
    )
    zones = ["UTC" if machine is None else machine["time_zone"] for machine in machines]
    stocked = dict(zip(device_ids, zip(zones, present, strict=True), strict=True))
    found = {
        device_id: outlook
        for device_id, (zone, mine) in stocked.items()
        if (outlook := kept.find(device_id, zone, mine, now)) is not None
    }
    missing = {device_id: each for device_id, each in stocked.items() if device_id not in found}
    if missing:
        made = await _made(scope, missing, now)
        for device_id, outlook in made.items():
            kept.keep(device_id, missing[device_id][0], outlook, now)
        found |= made
    return [found[device_id] for device_id in device_ids]


async def _made(
    scope: Scope, stocked: Mapping[int, tuple[str, Sequence[Row]]], now: datetime
) -> dict[int, StockOutlook]:
    """Return the outlook of each machine, of which the time zone and the products are given."""
    ids = list(stocked)
    sold, chosen = await asyncio.gather(
        sales.units_since(scope.store, ids, now - _READ),
        demand_choices.by_devices(scope.store, ids, now - _CHOSEN_FOR),
    )
    stocks = [
        MachineStock(products=mine, sold=sold.get(id_, ([], [], [])), zone=zone, choice=chosen.get(id_))
        for id_, (zone, mine) in stocked.items()
    ]
    made = dict(zip(ids, await asyncio.to_thread(look_ahead, stocks, now), strict=True))
    fresh = {
        id_: outlook.choice for id_, outlook in made.items() if id_ not in chosen and outlook.choice.method is not None
    }
    await _keep(scope, fresh, now)
    return made


async def _keep(scope: Scope, choices: Mapping[int, Any], now: datetime) -> None:
    if not choices:
        return
    try:
        async with scope.store.transaction() as transaction:
            await demand_choices.put(transaction, choices, now)
    except Unavailable as error:
        # A busy database makes the next reader choose again; this one has its answer.
        logger.warning("the choice of forecasts for %d machines was not kept: %s", len(choices), error.message)


def _need(device_id: int, outlook: StockOutlook) -> dict[str, Any]:
    instants = [each.expected_sold_out_at for each in outlook.forecasts if each.expected_sold_out_at is not None]
    return {
        "device_id": device_id,
        "low_stock_product_count": sum(row["quantity"] <= row["low_stock_threshold"] for row in outlook.products),
        "soonest_sold_out_at": from_micros(min(instants)) if instants else None,
        "items": _items(outlook),
    }


def _items(outlook: StockOutlook) -> list[dict[str, Any]]:
    items = [
        {"product": row, "quantity_to_load": load, "forecast": _forecast(each)}
        for row, each, load in zip(outlook.products, outlook.forecasts, outlook.loads, strict=True)
        if load > 0
    ]
    return sorted(items, key=_soonest_first)


def _soonest_first(item: Mapping[str, Any]) -> tuple[bool, Any, str]:
    instant = item["forecast"]["expected_at"]
    return (instant is None, 0 if instant is None else to_micros(instant), item["product"]["slot"])


def _forecast(forecast: StockForecast) -> dict[str, Any]:
    today = None if forecast.daily_units is None else forecast.daily_units[:7]
    return {
        "expected_at": _instant(forecast.expected_sold_out_at),
        "earliest_at": _instant(forecast.lower),
        "latest_at": _instant(forecast.upper),
        "reason": forecast.reason,
        "method": forecast.method,
        "mean_absolute_error": forecast.mae,
        "units_per_day": None if today is None else float(today.mean()),
    }


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)

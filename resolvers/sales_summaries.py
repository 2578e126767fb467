"""What vending machines sold in a span of time: totals, best sellers and calendar buckets, of one or of the fleet.

All of it is counted by the database, less what was refunded. A summary is a row with the span that it is of, so that
what lies below it knows what to count.
"""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from models import calendars
from models.calendars import CalendarUnit
from models.errors import LimitExceeded
from models.repositories import sales_summaries
from models.repositories.sales_summaries import Span
from resolvers import checks
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from resolvers.readings import time_range

KEY = ("device_id", "currency", "time_zone", "range_start", "range_end")
"""Columns of a summary that what lies below it is found by; a fleet's summary has no device and no zone."""

Key = tuple[int | None, str, str | None, datetime, datetime]


class SalesGroup(Enum):
    """By what buckets are divided."""

    NONE = "NONE"
    PRODUCT = "PRODUCT"
    CATEGORY = "CATEGORY"
    PAYMENT_METHOD = "PAYMENT_METHOD"


def of_machines(start: datetime, end: datetime) -> Batch:
    """Return the batch function from (device id, currency, time zone) to summaries; raises BadUserInput for a span."""
    time_range(start, end)
    return batch(_of_machines, span=(start, end))


def of_fleet(start: datetime, end: datetime) -> Batch:
    """Return the batch function of the summaries of all machines, one for each currency; raises BadUserInput."""
    time_range(start, end)
    return batch(_of_fleet, span=(start, end))


async def _of_machines(
    scope: Scope, keys: Sequence[tuple[int, str, str]], _columns: Columns, *, span: Span
) -> list[dict[str, Any]]:
    found = await sales_summaries.by_devices(scope.store, [key[0] for key in keys], span)
    return [
        _summary({"device_id": device_id, "currency": currency, "time_zone": zone}, found.get(device_id), span)
        for device_id, currency, zone in keys
    ]


async def _of_fleet(scope: Scope, keys: Sequence[None], _columns: Columns, *, span: Span) -> list[list[dict[str, Any]]]:
    found = await sales_summaries.of_fleet(scope.store, span)
    rows = [_summary({"device_id": None, "currency": row["currency"], "time_zone": None}, row, span) for row in found]
    return [rows] * len(keys)


async def top_products(scope: Scope, keys: Sequence[Key], _columns: Columns, *, first: int) -> list[list[Any]]:
    """Return the best sellers of each summary, most units first."""
    allowed = scope.services.settings.graphql.max_page_size
    count = checks.page_size(first, "first", allowed)
    scope.ask(count * len(keys))
    best: dict[Key, list[Any]] = {}
    for span, mine in _by_span(keys).items():
        machines = [key[0] for key in mine if key[0] is not None]
        found = await sales_summaries.top_by_devices(scope.store, machines, span, count) if machines else {}
        fleet = await sales_summaries.top_of_fleet(scope.store, span, count) if len(machines) < len(mine) else {}
        for key in mine:
            best[key] = fleet.get(key[1], []) if key[0] is None else found.get(key[0], [])
    return [best[key] for key in keys]


async def buckets(
    scope: Scope,
    keys: Sequence[Key],
    _columns: Columns,
    *,
    unit: CalendarUnit,
    zone: str | None,
    group: SalesGroup,
) -> list[list[dict[str, Any]]]:
    """Return the calendar buckets of each summary.

    Without a group there is one for every hour, day, week or month of the span; with one, those that are not empty.

    Raises: BadUserInput for a time zone that does not exist; LimitExceeded for too many buckets.
    """
    made: dict[Key, list[dict[str, Any]]] = {}
    for span, mine in _by_span(keys).items():
        zones = {key: zone or key[2] or "UTC" for key in mine}
        spans = {name: _calendar(scope, span, unit, name) for name in dict.fromkeys(zones.values())}
        if group is SalesGroup.NONE:
            scope.ask(sum(len(spans[name]) for name in zones.values()))
            made |= {key: _empty(spans[zones[key]], key[1]) for key in mine}
        else:
            made |= {key: [] for key in mine}
        for whose in ([key for key in mine if key[0] is not None], [key for key in mine if key[0] is None]):
            if whose:
                await _count(scope, whose, zones, spans, span=span, group=group, made=made)
    return [made[key] for key in keys]


async def _count(
    scope: Scope,
    keys: Sequence[Key],
    zones: dict[Key, str],
    spans: dict[str, list[Span]],
    *,
    span: Span,
    group: SalesGroup,
    made: dict[Key, list[dict[str, Any]]],
) -> None:
    names = list(spans)
    machines = [(key[0], names.index(zones[key])) for key in keys if key[0] is not None]
    calendars_ = list(spans.values()) if machines else [spans[zones[keys[0]]]]
    found = await sales_summaries.in_buckets(scope.store, machines or None, calendars_, span=span, group=group.value)
    if group is not SalesGroup.NONE:
        scope.ask(len(found))
    by_owner = {(key[0], key[1]): key for key in keys}
    for place, device_id, value, currency, units, revenue in found:
        key = by_owner[device_id, currency]
        counted = {"units_sold": units, "revenue_minor": revenue}
        if group is SalesGroup.NONE:
            made[key][place] |= counted
        else:
            made[key].append(_bucket(spans[zones[key]][place], currency) | {_SHOWN[group]: value} | counted)


_SHOWN = {
    SalesGroup.PRODUCT: "product_id",
    SalesGroup.CATEGORY: "category",
    SalesGroup.PAYMENT_METHOD: "payment_method",
}


def _by_span(keys: Sequence[Key]) -> dict[Span, list[Key]]:
    # All keys of one field have one span; only aliases bring several together.
    spans: dict[Span, list[Key]] = {}
    for key in keys:
        spans.setdefault((key[3], key[4]), []).append(key)
    return spans


def _calendar(scope: Scope, span: Span, unit: CalendarUnit, name: str) -> list[Span]:
    allowed = scope.services.settings.graphql.max_series_points
    zone: ZoneInfo = checks.time_zone(name, ("timeZone",))
    found = calendars.buckets(*span, unit, zone, allowed)
    if found is None:
        raise LimitExceeded(
            f"This span has more than {allowed} buckets of the unit {unit.value} (graphql.max_series_points); "
            "choose a longer unit or a shorter span.",
            input_path=("unit",),
            limit="max_series_points",
            allowed=allowed,
        )
    return found


def _empty(spans: Sequence[Span], currency: str) -> list[dict[str, Any]]:
    return [_bucket(span, currency) for span in spans]


def _bucket(span: Span, currency: str) -> dict[str, Any]:
    return {
        "range_start": span[0],
        "range_end": span[1],
        "currency": currency,
        "product_id": None,
        "category": None,
        "payment_method": None,
        "units_sold": 0,
        "revenue_minor": 0,
    }


def _summary(about: dict[str, Hashable], counted: Any, span: Span) -> dict[str, Any]:
    sums = ("transaction_count", "units_sold", "revenue_minor")
    start, end = (instant.astimezone(UTC) for instant in span)
    return {
        **about,
        "range_start": start,
        "range_end": end,
        **{name: 0 if counted is None else counted[name] for name in sums},
    }

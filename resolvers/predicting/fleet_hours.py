"""What the comparison of channels is learnt from: hours of a fleet, which of them were in trouble, and some readings.

Devices, days and readings are bounded: a training of a large fleet looks at some of its devices.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from models.anomalies import Verdict
from models.charts import FloatArray, IntArray
from models.devices import KINDS, DeviceKind
from models.learning.residuals.training import FEWEST_DEVICES, FEWEST_LOOKS
from models.reading_hours import HOUR_MICROS, HourRows, Hours, RawReadings
from models.repositories import asked_hours, fleet_histories, reading_hours
from models.repositories.base import Reads
from models.statements import Row
from models.types import from_micros, to_micros
from resolvers.predicting.hour_steps import FEWEST_READINGS, believable, columns_of, step_layout, steps_of

DAY_HOURS = 24
_MOST_DEVICES, _FEWEST_DAYS, _MOST_DAYS = 100, 7, 60
# Of so many days readings are looked at again, of as many devices as have no more readings than these in them. The
# detector learns for a week before it is judged: fresh from the start it would look worse than it is.
REPLAYED_DAYS, JUDGED_DAYS = 14, 6
_MOST_REPLAYED, _MOST_REPLAYED_READINGS = 24, 300_000
# So long before a failure a device is not known to be in good order; on the last day it is known not to be.
_LEAD = timedelta(days=7)
_LAST = timedelta(days=1)
# Within these there are enough hours to learn from, or a server does not begin by itself.
_LATELY = timedelta(days=30)

Span = tuple[int, int, int]
"""Place of a device, and numbers of the first hour and of the one after the last."""


@dataclass(frozen=True, slots=True, eq=False)
class FleetHours:
    """Hours of d devices of one kind.

    Attributes:
        device_kind: of all of them.
        device_ids: (d,) of each.
        first: number of the first hour since 1970.
        steps: (d, hours, inputs) as of `steps_of`; NaN as well where the unit of a channel seems to have changed.
        troubled: when devices are not known to have been in good order.
        cases: when they are known not to have been: people said so, or they failed.
        replayed: readings of some of the devices in the last days, by device id; all of them, as the detector got them.
    """

    device_kind: str
    device_ids: list[int]
    first: int
    steps: FloatArray
    troubled: list[Span]
    cases: list[Span]
    replayed: RawReadings

    @property
    def end(self) -> int:
        """Number of the hour after the last."""
        return self.first + self.steps.shape[1]


async def load_fleet_hours(db: Reads, device_kind: str, until: datetime, most_looks: int) -> FleetHours:
    """Return what is known at an instant.

    Args:
        db: the store or a transaction.
        device_kind: of the devices.
        until: the instant; hours that have not ended then are left out.
        most_looks: days of devices to learn from, about.
    """
    kind = KINDS[device_kind]
    ids = await _chosen(db, device_kind)
    days = int(np.clip(most_looks // max(len(ids), 1), _FEWEST_DAYS, _MOST_DAYS))
    pace = step_layout(kind).pace
    end = to_micros(until) // HOUR_MICROS
    count = days * DAY_HOURS + max(pace.baseline, pace.lead)
    first = end - count
    bounds = (_instant(first), _instant(end))
    rows = await reading_hours.load(db, device_kind, ids, *bounds, columns_of(kind))
    judged = await fleet_histories.judged_anomalies(db, ids, until)
    failures = await fleet_histories.failures(db, ids, until)
    replayed = await _replayed(db, kind, rows, ids, end)
    steps = await asyncio.to_thread(lambda: believable(kind, steps_of(kind, rows, ids, first, count)))
    confirmed = [row for row in judged if row["verdict"] == Verdict.TRUE_ALARM.value]
    cases = [*_incidents(ids, confirmed, until), *_before(ids, failures, _LAST)]
    troubled = [*cases, *_before(ids, failures, _LEAD)]
    return FleetHours(device_kind, ids, first, steps, troubled, cases, replayed)


async def is_enough(db: Reads, device_kind: str, at: datetime) -> bool:
    """Say, at little cost, whether devices have as many hours of late as a training needs, about."""
    ids = await _chosen(db, device_kind)
    known = await reading_hours.count(db, device_kind, ids, at - _LATELY, FEWEST_READINGS)
    return len(ids) >= FEWEST_DEVICES and known >= FEWEST_LOOKS * DAY_HOURS


async def _chosen(db: Reads, device_kind: str) -> list[int]:
    """Return devices that are spread over the fleet."""
    ids = await fleet_histories.ids_of_kind(db, device_kind)
    return ids[:: max(-(-len(ids) // _MOST_DEVICES), 1)]


async def _replayed(db: Reads, kind: DeviceKind, rows: HourRows, ids: Sequence[int], end: int) -> RawReadings:
    """Return the readings of the last days of devices that are spread over the fleet, within what may be read."""
    counts = rows.values["reading_count"]
    # Single readings of a coarse past are another pace than the detector goes at.
    first = (end - REPLAYED_DAYS * DAY_HOURS) * HOUR_MICROS
    recent = rows.at(np.flatnonzero((rows.micros >= first) & (counts >= FEWEST_READINGS)))
    totals = {id_: float(recent.values["reading_count"][recent.device_ids == id_].sum()) for id_ in ids}
    with_some = [id_ for id_ in ids if totals[id_]]
    chosen: list[int] = []
    left = float(_MOST_REPLAYED_READINGS)
    for id_ in with_some[:: max(len(with_some) // _MOST_REPLAYED, 1)][:_MOST_REPLAYED]:
        left -= totals[id_]
        if left < 0:
            break
        chosen.append(id_)
    places = np.flatnonzero(np.isin(recent.device_ids, chosen))
    wanted: Hours = list(zip(recent.device_ids[places].tolist(), recent.micros[places].tolist(), strict=True))
    if not wanted:
        channels = {channel.name: np.empty(0) for channel in kind.channels}
        return RawReadings(np.empty(0, np.int64), np.empty(0, np.int64), channels)
    return await asked_hours.raw(db, kind.name, wanted)


def _incidents(ids: Sequence[int], rows: Sequence[Row], until: datetime) -> list[Span]:
    return [(ids.index(row["device_id"]), _hour(row["at"]), _hour(row["ended_at"] or until) + 1) for row in rows]


def _before(ids: Sequence[int], rows: Sequence[Row], lead: timedelta) -> list[Span]:
    return [(ids.index(row["device_id"]), _hour(row["at"] - lead), _hour(row["at"]) + 1) for row in rows]


def _hour(at: datetime) -> int:
    return to_micros(at) // HOUR_MICROS


def _instant(hour: int) -> datetime:
    return from_micros(hour * HOUR_MICROS)


def overlaps(spans: Sequence[Span], units: IntArray, ends: IntArray) -> Any:
    """Return (n,) whether the day of a device that ends with an hour lies in one of the spans.

    Args:
        spans: of devices.
        units: (n,) places of devices.
        ends: (n,) numbers of the hours after the days.
    """
    found = np.zeros(len(units), np.bool_)
    for unit, first, last in spans:
        found |= (units == unit) & (ends > first) & (ends - DAY_HOURS < last)
    return found


def arrays_of(fleet: FleetHours) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return JSON values and arrays, of which `of_arrays` makes the same fleet."""
    head = {"device_kind": fleet.device_kind, "first": fleet.first, "channels": list(fleet.replayed.channels)}
    replayed = fleet.replayed
    return head, {
        "device_ids": np.array(fleet.device_ids, np.int64),
        "steps": fleet.steps,
        "troubled": np.array(fleet.troubled, np.int64).reshape(-1, 3),
        "cases": np.array(fleet.cases, np.int64).reshape(-1, 3),
        "raw_ids": replayed.device_ids,
        "raw_micros": replayed.micros,
        "raw_values": np.column_stack(list(replayed.channels.values())),
    }


def of_arrays(head: dict[str, Any], arrays: dict[str, Any]) -> FleetHours:
    """Return the fleet of which `arrays_of` made these."""
    channels = dict(zip(head["channels"], arrays["raw_values"].T, strict=True))
    return FleetHours(
        device_kind=head["device_kind"],
        device_ids=arrays["device_ids"].tolist(),
        first=head["first"],
        steps=arrays["steps"],
        troubled=[(unit, first, last) for unit, first, last in arrays["troubled"].tolist()],
        cases=[(unit, first, last) for unit, first, last in arrays["cases"].tolist()],
        replayed=RawReadings(arrays["raw_ids"], arrays["raw_micros"], channels),
    )

"""What the database knows of devices as what models learn from and predict by: one code for training and serving.

Time is in days since 1970, UTC. A reading of a history is a whole day, at the instant at which that day ends: so what
a history tells at an instant was known then, and the day that goes on is not yet part of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from models.charts import FloatArray
from models.clock import now
from models.devices import KINDS
from models.devices.catalogue import DeviceKind
from models.devices.learnt import attribute_name
from models.failures import PREVENTIVE_REPLACEMENT
from models.learning.features import History, Layout
from models.learning.unit_changes import UnitChange, unit_changes
from models.maintenance import MaintenanceKind
from models.reading_hours import HourRows
from models.repositories import fleet_histories, reading_hours
from models.repositories.base import Reads
from models.statements import Row
from models.store import Store
from models.types import EPOCH, from_micros, to_micros
from resolvers.predicting.fleet import MICROS_PER_DAY, FleetHistories, days_of, instant_of

__all__ = ["FleetHistories", "days_of", "instant_of", "layout_of", "load_fleet", "load_histories"]

ANOMALY, FAILURE = "anomaly", "failure"
# An installation begins a life; it is not done to one.
_WORK = tuple(kind.value.lower() for kind in MaintenanceKind if kind is not MaintenanceKind.INSTALLATION)


def layout_of(kind: DeviceKind) -> Layout:
    """Return what the histories of a kind of device consist of."""
    return Layout(
        channels=tuple(channel.name for channel in kind.learnt.channels),
        events=(*_WORK, ANOMALY, FAILURE),
        attributes=kind.learnt.attributes,
    )


LoadDays = Callable[[Reads, str, Sequence[int], datetime, datetime, Sequence[str]], Awaitable[HourRows]]


async def load_histories(
    store: Store,
    kind: DeviceKind,
    device_ids: Sequence[int],
    *,
    until: datetime | None = None,
    load_days: LoadDays = reading_hours.load_days,
    devices: Sequence[Row] | None = None,
) -> FleetHistories:
    """Return what is known of devices at an instant, in five statements for any number of them, all at the same time.

    Args:
        store: the database.
        kind: of the devices.
        device_ids: any number; ids that are none of the kind are left out.
        until: the instant, the present where it is not given; nothing that happened later is looked at.
        load_days: reads the days of devices.
        devices: rows of these devices with all columns, where somebody has read them already.
    """
    at = until or now()
    ids = list(dict.fromkeys(device_ids))
    midnight = from_micros(to_micros(at) // MICROS_PER_DAY * MICROS_PER_DAY)
    days, work, anomalies, failures, read = await asyncio.gather(
        load_days(store, kind.name, ids, EPOCH, midnight, kind.learnt.columns),
        fleet_histories.maintenance(store, ids, at),
        fleet_histories.anomalies(store, ids, at),
        fleet_histories.failures(store, ids, at),
        _devices(store, kind, ids, devices),
    )
    events = [
        *((row["device_id"], row["kind"].lower(), row["at"]) for row in work),
        *((row["device_id"], ANOMALY, row["at"]) for row in anomalies),
        *((row["device_id"], FAILURE, row["at"]) for row in failures if not row["ends_life"]),
    ]
    there = {row["id"]: row for row in read}
    found = [there[device_id] for device_id in ids if device_id in there]
    return await asyncio.to_thread(_assembled, kind, found, days, events, failures, days_of(at))


async def _devices(store: Store, kind: DeviceKind, ids: Sequence[int], known: Sequence[Row] | None) -> Sequence[Row]:
    return await fleet_histories.devices(store, kind.name, ids) if known is None else known


def _assembled(  # noqa: PLR0917 - the results of the statements
    kind: DeviceKind,
    devices: Sequence[Row],
    days: HourRows,
    events: Sequence[tuple[int, str, datetime]],
    failures: Sequence[Row],
    until: float,
) -> FleetHistories:
    layout = layout_of(kind)
    times, values = _readings(kind, devices, days)
    happened = _instants_by_device(layout, events)
    true_failures = [row for row in failures if row["cause"] != PREVENTIVE_REPLACEMENT]
    all_failures = _sorted_by_device([(row["device_id"], row["at"]) for row in true_failures])
    retired, ended = _ends_of_life(devices, failures), _ends_of_life(devices, true_failures)
    made = [
        _history(kind, layout, row, times[row["id"]], values[row["id"]], happened.get(row["id"], {})) for row in devices
    ]
    histories = [
        history.until(end) if np.isfinite(end) else history for history, end in zip(made, retired.tolist(), strict=True)
    ]
    whole_days = [int(np.isfinite(history.values).any(axis=1).sum()) for history in histories]
    histories, changes = _believable(kind, histories)
    # A device that fell silent is not known to have run on; one that never had readings says nothing by its silence.
    last = [float(history.times[-1]) if len(history.times) else until for history in histories]
    return FleetHistories(
        layout=layout,
        device_ids=[row["id"] for row in devices],
        histories=histories,
        ends=np.where(np.isfinite(retired), retired, np.array(last, np.float64)),
        ended=ended,
        failures=[all_failures.get(row["id"], np.empty(0)) for row in devices],
        until=until,
        days=whole_days,
        unit_changes=changes,
    )


def _believable(kind: DeviceKind, histories: Sequence[History]) -> tuple[list[History], list[list[UnitChange]]]:
    """Leave out of each history the channels whose unit seems to have changed and what is made of them; return why."""
    changes = unit_changes([history.values for history in histories], [each.unit for each in kind.learnt.channels])
    kept: list[History] = []
    for history, changed in zip(histories, changes, strict=True):
        if changed:
            values = history.values.copy()
            values[:, [place for change in changed for place in resting_on(kind, change.column)]] = np.nan
            kept.append(replace(history, values=values))
        else:
            kept.append(history)
    return kept, changes


def resting_on(kind: DeviceKind, column: int) -> list[int]:
    """Return the places of the channels that are made of all that one channel is made of, itself among them."""
    needed = set(kind.learnt.channels[column].needs)
    return [place for place, channel in enumerate(kind.learnt.channels) if needed <= set(channel.needs)]


def _ends_of_life(devices: Sequence[Row], failures: Sequence[Row]) -> FloatArray:
    """Return (d,) when each was given up; NaN for those that were not."""
    ends = {row["device_id"]: days_of(row["at"]) for row in failures if row["ends_life"]}
    return np.array([ends.get(row["id"], np.nan) for row in devices], np.float64)


def _readings(
    kind: DeviceKind, devices: Sequence[Row], days: HourRows
) -> tuple[dict[int, FloatArray], dict[int, FloatArray]]:
    """Return the instants and the (n, channels) numbers of the days of each device."""
    learnt = kind.learnt
    ids = np.array([row["id"] for row in devices], np.int64)
    order = np.argsort(ids)
    found = np.searchsorted(ids[order], days.device_ids)
    known = np.isin(days.device_ids, ids)
    days, rows = days.at(np.flatnonzero(known)), order[found[known]]
    details = {
        name: np.array([row[name] for row in devices], np.float64)[rows]
        for name in sorted({name for channel in learnt.channels for name in channel.details})
    }
    numbers = np.column_stack([np.empty((len(rows), 0)), *(each.of(days.values, details) for each in learnt.channels)])
    times = days.micros / MICROS_PER_DAY + 1.0
    borders = np.searchsorted(days.device_ids, ids, side="left")
    ends = np.searchsorted(days.device_ids, ids, side="right")
    parts = {row["id"]: slice(borders[index], ends[index]) for index, row in enumerate(devices)}
    return {id_: times[part] for id_, part in parts.items()}, {id_: numbers[part] for id_, part in parts.items()}


def _instants_by_device(
    layout: Layout, events: Sequence[tuple[int, str, datetime]]
) -> dict[int, dict[str, FloatArray]]:
    """Return by device and event when it happened, ascending."""
    found: dict[int, dict[str, FloatArray]] = {}
    for name in layout.events:
        same = [(device_id, at) for device_id, each, at in events if each == name]
        for device_id, instants in _sorted_by_device(same).items():
            found.setdefault(device_id, {})[name] = instants
    return found


def _sorted_by_device(pairs: Sequence[tuple[int, datetime]]) -> dict[int, FloatArray]:
    by_device: dict[int, list[float]] = {}
    for device_id, at in pairs:
        by_device.setdefault(device_id, []).append(days_of(at))
    return {device_id: np.sort(np.array(instants, np.float64)) for device_id, instants in by_device.items()}


def _history(  # noqa: PLR0917 - what a history is made of
    kind: DeviceKind,
    layout: Layout,
    device: Row,
    times: FloatArray,
    values: FloatArray,
    events: Mapping[str, FloatArray],
) -> History:
    registered = min([days_of(device["created_at"]), *times[:1].tolist()])
    return History(
        times=times,
        values=values,
        settings=np.empty((len(times), 0)),
        events=tuple(events.get(name, np.empty(0)) for name in layout.events),
        attributes=_attributes(kind, device),
        started=registered if device["installed_at"] is None else days_of(device["installed_at"]),
    )


def _attributes(kind: DeviceKind, device: Row) -> FloatArray:
    learnt = kind.learnt
    told: dict[str, float] = {name: float(device[name]) for name in learnt.numbers}
    for column, words in learnt.categories.items():
        told |= {attribute_name(column, word): float(device[column] == word) for word in words}
    return np.array([told[name] for name in learnt.attributes], np.float64)


async def load_fleet(store: Store, device_kind: str, *, until: datetime | None = None) -> FleetHistories:
    """Return what is known of all devices of a kind at an instant, as `load_histories` does."""
    ids = await fleet_histories.ids_of_kind(store, device_kind)
    return await load_histories(store, KINDS[device_kind], ids, until=until)

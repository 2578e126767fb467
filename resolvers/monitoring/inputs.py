"""Inputs: what all devices read in the newest day, against what the days before lead one to expect.

The features of a version look back on weeks, and leave out what tells the season. A change that all devices meet on one
day, as colder mains, shows here on the next.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from models.charts import FloatArray
from models.devices import KINDS
from models.devices.catalogue import DeviceKind
from models.learning.drift import Finding, Kind, compare_days
from models.monitoring import INPUT_PREFIX
from models.reading_hours import HourRows
from models.repositories import fleet_histories, reading_hours
from models.statements import Row
from models.types import from_micros, to_micros
from resolvers.monitoring.rounds import Round
from resolvers.predicting.fleet import MICROS_PER_DAY

# What is expected of a day is told by six weeks; those that stand out are left out of them.
LOOKED_BACK_DAYS = 70
# Of a large fleet a part tells the mean as well as the whole.
MOST_DEVICES = 200


async def compare(watch: Round, model: Row, device_ids: Sequence[int]) -> dict[str, Finding]:
    """Return by name what is found of each input of a version over the newest day of the window, if one ended in it.

    Args:
        watch: the round.
        model: a version that was trained here.
        device_ids: that it has predicted in the window.
    """
    end = to_micros(watch.compared.end) // MICROS_PER_DAY * MICROS_PER_DAY
    kind = KINDS[model["device_kind"]]
    if end <= to_micros(watch.compared.start) or not kind.learnt.watched:
        return {}
    ids = sorted(set(device_ids))
    chosen = ids[:: max(-(-len(ids) // MOST_DEVICES), 1)]
    until = from_micros(end)
    since = until - timedelta(days=LOOKED_BACK_DAYS)
    columns = tuple(dict.fromkeys(name for channel in kind.learnt.watched for name in channel.needs))
    days = await reading_hours.load_days(watch.store, kind.name, chosen, since, until, columns)
    devices = await fleet_histories.devices(watch.store, kind.name, chosen)
    known_until = (to_micros(model["trained_at"]) - to_micros(since)) // MICROS_PER_DAY
    return await asyncio.to_thread(_found, kind, devices, days, to_micros(since), known_until)


def _found(
    kind: DeviceKind, devices: Sequence[Row], days: HourRows, since_micros: int, known_until: int
) -> dict[str, Finding]:
    by_channel = day_matrices(kind, devices, days, since_micros)
    units = {channel.name: channel.unit for channel in kind.learnt.watched}
    found = {name: compare_days(values, known_until, units[name]) for name, values in by_channel.items()}
    # Of what never varies, as a flow of 0, there is nothing to say.
    return {f"{INPUT_PREFIX}{name}": finding for name, finding in found.items() if finding.kind is not Kind.UNKNOWN}


def day_matrices(
    kind: DeviceKind, devices: Sequence[Row], days: HourRows, since_micros: int
) -> Mapping[str, FloatArray]:
    """Return by watched channel (devices, LOOKED_BACK_DAYS) numbers of the days since an instant, NaN where unknown.

    Args:
        kind: of the devices.
        devices: rows with what the channels need of their details, by id.
        days: of these devices.
        since_micros: a midnight, in microseconds since 1970.
    """
    ids = np.array([row["id"] for row in devices], np.int64)
    rows = days.at(np.flatnonzero(np.isin(days.device_ids, ids)).astype(np.int64))
    device, day = np.searchsorted(ids, rows.device_ids), (rows.micros - since_micros) // MICROS_PER_DAY
    needed = {name for channel in kind.learnt.watched for name in channel.details}
    details = {name: np.array([row[name] for row in devices], np.float64)[device] for name in sorted(needed)}
    found: dict[str, FloatArray] = {}
    for channel in kind.learnt.watched:
        found[channel.name] = np.full((len(ids), LOOKED_BACK_DAYS), np.nan)
        found[channel.name][device, day] = channel.of(rows.values, details)
    return found

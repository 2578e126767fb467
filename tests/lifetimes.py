"""Heaters with lives of many days, written straight into the table of hours: what models are trained on in tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Table

from models.repositories import device_failures
from models.store import Store
from models.tables import WATER_HEATER_HOURS
from models.types import to_micros
from tests.factories import MIDDAY, add_heater

TODAY = MIDDAY.replace(hour=0)
_DAY = timedelta(days=1)


async def add_days(store: Store, device_id: int, start: datetime, **columns: Sequence[float | None]) -> None:
    """Store days of a heater, each as one hour that stands for all of it, in the columns of the table of hours.

    Args:
        store: a migrated database.
        device_id: whose.
        start: midnight of the first day.
        columns: (n,) values by column; sums are of the whole day.
    """
    count = len(next(iter(columns.values())))
    given: dict[str, Sequence[Any]] = {
        "device_id": [device_id] * count,
        "hour": [start + day * _DAY for day in range(count)],
        "reading_count": [1000] * count,
        "liters_seconds": [86_400.0] * count,
        "kwh_seconds": [86_400.0] * count,
        **columns,
    }
    await _copy(store, WATER_HEATER_HOURS, given)


async def add_failure(store: Store, device_id: int, failed_at: datetime, **changes: Any) -> None:
    """Store a failure of a device that does not end its life; changes name columns."""
    values = {"device_id": device_id, "failed_at": failed_at, "ends_life": False, "created_at": failed_at, **changes}
    async with store.transaction() as transaction:
        await device_failures.add(transaction, values)


async def add_lives(
    store: Store, *, failed: int, living: int, days: int = 60, until: datetime = TODAY, seed: int = 1
) -> list[int]:
    """Store heaters of which some have failed; before that their power fell and their energy ratio rose for 30 days.

    Args:
        store: a migrated database.
        failed: heaters whose lives have ended, one after the other in the last third of the time.
        living: heaters that go on.
        days: of readings before `until`.
        until: midnight after the last day.
        seed: of the noise.
    """
    random = np.random.default_rng(seed)
    start, ids = until - days * _DAY, list[int]()
    for number in range(failed + living):
        installed_at = start - float(random.uniform(0, 2000)) * _DAY
        device_id = await add_heater(store, installed_at=installed_at)
        lasted = days - (number * days // (3 * failed) if number < failed else 0)
        wear = np.clip((np.arange(lasted) - lasted + 30) / 30, 0, None) if number < failed else np.zeros(lasted)
        await add_days(store, device_id, start, **_columns(random, wear))
        if number < failed:
            await add_failure(store, device_id, start + lasted * _DAY, ends_life=True)
        ids.append(device_id)
    return ids


def _columns(random: np.random.Generator, wear: Any) -> dict[str, list[float]]:
    count = len(wear)
    noise = random.normal(0, 1, (4, count))
    columns = {
        "temperature_mean": 52 + 0.3 * noise[0],
        "temperature_maximum": 56 + 0.3 * noise[0],
        "temperature_deviation": 2 + 0.05 * noise[1],
        "inlet_temperature_mean": 12 + 0.5 * noise[1],
        "pressure_mean": 3.5 + 0.02 * noise[2],
        "pressure_minimum": 3.1 + 0.02 * noise[2],
        "pressure_maximum": 3.9 + 0.02 * noise[2],
        "pressure_deviation": 0.2 + 0.01 * noise[3],
        "flow_rate_minimum": np.zeros(count),
        "liters": 120 + 15 * noise[3],
        "kwh": (6.5 + 0.7 * noise[3]) * (1 + 0.5 * wear),
        "power_mean": 375 * (1 - 0.3 * wear),
        "power_deviation": 781 * (1 - 0.3 * wear),
        "power_maximum": 2000 * (1 - 0.3 * wear),
    }
    return {name: values.tolist() for name, values in columns.items()}


async def _copy(store: Store, table: Table, given: dict[str, Sequence[Any]]) -> None:
    values = dict(given)
    if store.dialect == "sqlite":
        values["hour"] = [to_micros(at) for at in given["hour"]]
    async with store.transaction() as transaction:
        await transaction.copy_in(str(table.name), list(values), list(zip(*values.values(), strict=True)))

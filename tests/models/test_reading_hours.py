"""Hours of readings: which are asked for, and what readings add up to."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from models.devices import WATER_HEATER
from models.learning.usage import DeviceReadings, hourly_use
from models.reading_hours import HOUR_MICROS, RawReadings, hours_to_sum, summed
from models.readings import NEVER, packed_instants
from models.types import from_micros, to_micros
from tests.factories import MIDDAY

NOON = to_micros(MIDDAY)


def readings(minutes: Any, device_ids: Any = 1, **channels: Any) -> RawReadings:
    """Return readings so many minutes after noon; channels that are not given are never known."""
    count = len(minutes)
    values = {name: np.full(count, np.nan) for name in WATER_HEATER.by_name}
    values |= {name: np.array(given, dtype=np.float64) for name, given in channels.items()}
    ids = np.broadcast_to(np.array(device_ids, dtype=np.int64), count)
    return RawReadings(ids, NOON + (np.array(minutes) * 60e6).astype(np.int64), values)


def sums(given: RawReadings, *hours: int, device_ids=(1,)) -> Any:
    """Return the sums of hours after noon."""
    wanted = [(device, NOON + hour * HOUR_MICROS) for device in device_ids for hour in hours]
    return summed(given, wanted, WATER_HEATER.hourly, WATER_HEATER.hour_sums)


def asked(now: datetime, newest: datetime | None, *instants: datetime) -> list[str]:
    """Return the hours of one device that its readings ask for."""
    found = hours_to_sum(*arrays([(1, at) for at in instants], {1: newest}), now)
    return [f"{from_micros(at):%H}" for _, at in found]


def arrays(stored: list[tuple[int, datetime]], newest: dict[int, datetime | None]) -> tuple[Any, Any, Any]:
    """Return devices, instants and the newest instants before of readings."""
    floors = [NEVER if (before := newest[id_]) is None else to_micros(before) for id_, _ in stored]
    return np.array([id_ for id_, _ in stored]), packed_instants([at for _, at in stored]), np.array(floors)


def at(hour: int, minute: float = 0) -> datetime:
    """Return an instant of the day of MIDDAY."""
    return MIDDAY.replace(hour=hour) + timedelta(minutes=minute)


def test_statistics_are_those_of_the_values_within_the_hour():
    """Missing values do not count; the deviation is that of the whole population."""
    values = [1.0, 2.0, np.nan, 6.0, 50.0]
    row = sums(readings([0, 10, 20, 59, 60], temperature=values), 0)
    assert len(row) == 1
    assert row.values["reading_count"] == [4]
    assert row.values["temperature_mean"] == [3.0]
    assert (row.values["temperature_minimum"][0], row.values["temperature_maximum"][0]) == (1.0, 6.0)
    assert row.values["temperature_deviation"][0] == pytest.approx(np.std([1, 2, 6]))
    assert np.isnan(row.values["pressure_mean"][0])
    assert np.isnan(row.values["liters"][0])


def test_an_interval_over_the_hour_is_divided():
    """The reading of 13:05 tells of five minutes of either hour."""
    rows = sums(readings([50, 55, 65, 70], flow_rate=[9.0, 6.0, 3.0, 12.0]), 0, 1)
    assert rows.values["liters"].tolist() == pytest.approx([5 * 6 + 5 * 3, 5 * 3 + 5 * 12])
    assert rows.values["liters_seconds"].tolist() == pytest.approx([600, 600])


def test_a_gap_covers_one_usual_interval_only():
    """After half an hour of silence the reading tells of the last minute."""
    minutes = [*range(10), *range(40, 50)]
    row = sums(readings(minutes, power=[1200.0] * 20), 0)
    assert row.values["kwh_seconds"][0] == pytest.approx(19 * 60)
    assert row.values["kwh"][0] == pytest.approx(1.2 * 19 / 60)


def test_metered_energy_counts_instead_of_power():
    """Power of the instant is a guess where a meter knows; where it does not, the guess counts."""
    row = sums(readings([0, 20, 40], power=[9.0, 9.0, 600.0], energy=[1.0, 0.5, np.nan]), 0)
    assert row.values["kwh"][0] == pytest.approx(0.5 + 0.2)


def test_hourly_readings_cover_their_hours():
    """The reading at the end of an hour tells of it, also where it comes some seconds later each time."""
    rows = sums(readings([0, 60.5, 121, 181.5], flow_rate=[9.0, 2.0, 3.0, 4.0]), 0, 1, 2)
    assert rows.values["liters_seconds"].tolist() == pytest.approx([3570, 3600, 3600], abs=40)
    assert rows.values["liters"].tolist() == pytest.approx([120, 180, 240], rel=0.03)


def test_an_hour_without_readings_has_no_row_unless_one_covers_it():
    """Nothing is made up for it."""
    rows = sums(readings([-10, 70], flow_rate=[1.0, 1.0]), 0, 3)
    assert rows.micros.tolist() == [NOON]
    assert rows.values["reading_count"].tolist() == [0]


def test_devices_are_apart():
    """The last reading of one says nothing of the first of the next, and their intervals differ."""
    minutes = [*range(0, 60, 20), *range(0, 60, 5)]
    ids = [1] * 3 + [2] * 12
    rows = sums(readings(minutes, ids, flow_rate=[1.0] * 15), 0, device_ids=(1, 2, 3))
    assert rows.device_ids.tolist() == [1, 2]
    assert rows.values["liters_seconds"].tolist() == pytest.approx([2400, 3300])


def test_sums_agree_with_those_of_a_whole_history():
    """Hours by themselves are what the hours of all readings at once are."""
    random = np.random.default_rng(5)
    minutes = np.cumsum(random.uniform(0.8, 1.2, 1500))
    channels = {name: random.uniform(0, 9, 1500) for name in ("flow_rate", "power", "temperature")}
    whole = hourly_use([DeviceReadings(NOON + (minutes * 60e6).astype(np.int64), **channels)])
    rows = sums(readings(minutes, **channels), *range(24))
    assert rows.values["liters"] == pytest.approx(whole.liters[0, :24])
    assert rows.values["kwh_seconds"] == pytest.approx(whole.kwh_seconds[0, :24])
    assert rows.values["temperature_mean"] == pytest.approx(whole.temperature[0, :24])


def test_live_readings_ask_once_an_hour():
    """The first one of the hour asks for it; the others ask for nothing, nor for the hour that has just ended."""
    assert asked(at(12), None, at(12)) == ["12"]
    assert asked(at(12, 1), at(12), at(12, 1)) == []
    assert asked(at(13, 0.1), at(12, 59), at(13)) == ["13"]


def test_hourly_readings_ask_for_the_hour_that_they_tell_of():
    """An hour that ended long ago is asked for again, because the reading covers the rest of it."""
    assert asked(at(13, 20), at(12, 20), at(13, 20)) == ["12", "13"]
    assert asked(at(13), at(9), at(13)) == ["12", "13"]


def test_late_readings_ask_for_their_hours():
    """A history asks for all of its hours; a reading between others for its neighbours as well."""
    assert asked(at(15), None, at(9, 30), at(9, 50), at(11, 30)) == ["09", "10", "11"]
    assert asked(at(15), at(14, 59), at(9, 30)) == ["08", "09", "10"]
    assert asked(at(15), at(14, 50), at(14, 40)) == ["13", "14"]


def test_devices_ask_apart():
    """One that tells its past does not make the other ask."""
    stored = [(1, at(14, 59)), (2, at(9)), (2, at(9, 1))]
    found = hours_to_sum(*arrays(stored, {1: at(14, 58), 2: None}), at(15))
    assert found == [(2, to_micros(at(9)))]

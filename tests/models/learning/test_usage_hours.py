"""Hourly sums of readings that come as they please."""

import numpy as np
import pytest

from models.learning.usage import Calendar, DeviceReadings, HourlyUse, hourly_use

HOUR = 3_600_000_000
START = 480_000 * HOUR


def every(seconds, hours) -> np.ndarray:
    """Return instants from START on, the first at its beginning."""
    return START + np.arange(0, hours * 3600 + 1, seconds, dtype=np.int64) * 1_000_000


@pytest.mark.parametrize("seconds", [5, 60, 420, 3600])
def test_sums_do_not_depend_on_the_interval(seconds):
    """Six litres a minute and 2 kW are 360 litres and 2 kWh an hour, whatever the interval."""
    instants = every(seconds, 6)
    use = hourly_use([DeviceReadings(instants, np.full(len(instants), 6.0), np.full(len(instants), 2000.0))])
    whole = use.liters_seconds[0] == pytest.approx(3600)
    assert use.liters[0].sum() == pytest.approx(6 * use.liters_seconds.sum() / 60)
    assert use.kwh[0].sum() == pytest.approx(2 * use.kwh_seconds.sum() / 3600)
    assert use.liters_seconds.sum() == pytest.approx((instants[-1] - instants[0]) / 1e6)
    assert use.first_hour == 480_000
    assert whole or use.shape[1] == 6


def test_an_interval_in_two_hours_is_divided():
    """A reading at ten past covers twenty minutes, of which half belongs to the hour before."""
    instants = START + np.array([30, 50, 70, 90], np.int64) * 60_000_000
    use = hourly_use([DeviceReadings(instants, np.array([0.0, 0.0, 3.0, 0.0]))])
    assert use.liters[0].tolist() == pytest.approx([30, 30])
    assert use.liters_seconds[0].tolist() == pytest.approx([1800, 1800])


def test_a_gap_is_not_covered():
    """After three silent hours a reading speaks for one usual interval, and energy metered over the gap is left out."""
    instants = np.delete(every(60, 5), slice(60, 240))
    energy = np.full(len(instants), 0.01)
    energy[60] = 9.0
    use = hourly_use([DeviceReadings(instants, np.full(len(instants), 1.0), energy=energy)])
    assert use.liters_seconds[0].tolist() == pytest.approx([3540, 0, 0, 60, 3600])
    assert use.liters[0].sum() == pytest.approx(use.liters_seconds[0].sum() / 60)
    assert use.kwh[0].sum() == pytest.approx(0.01 * (len(instants) - 2))


def test_missing_values_and_order_do_not_matter():
    """NaN is bridged by the next value, rows may come in any order, and of equal instants the later row counts."""
    instants, flow = every(60, 2), np.full(121, 2.0)
    flow[30] = np.nan
    mixed = np.random.default_rng(1).permutation(121)
    doubled = np.concatenate([instants[:1], instants[mixed]]), np.concatenate([[99.0], flow[mixed]])
    for times, values in ((instants, flow), doubled):
        use = hourly_use([DeviceReadings(times, values)])
        assert use.liters[0].tolist() == pytest.approx([120, 120])


def test_metered_energy_counts_instead_of_power():
    """Power is a sample, a meter is not; temperatures are means of the hour."""
    instants = every(600, 2)
    readings = DeviceReadings(
        instants,
        power=np.zeros(13),
        energy=np.full(13, 0.5),
        temperature=np.where(np.arange(13) < 6, 50.0, 60.0),
    )
    use = hourly_use([readings])
    assert use.kwh[0].tolist() == pytest.approx([3, 3])
    assert use.temperature[0].tolist() == [50, 60]
    assert use.liters_seconds.sum() == 0
    assert np.isnan(use.inlet_temperature).all()


def test_devices_share_their_hours():
    """Devices without readings, or with a single one, have hours that nothing covers."""
    instants = every(60, 3)
    use = hourly_use(
        [
            DeviceReadings(instants[:0], np.zeros(0)),
            DeviceReadings(instants, np.ones(len(instants))),
            DeviceReadings(instants[-1:], np.ones(1)),
        ]
    )
    assert use.shape == (3, 3)
    assert use.liters_seconds.sum(axis=1).tolist() == pytest.approx([0, 10_800, 0])
    assert hourly_use([DeviceReadings(instants[:0])]).shape == (1, 0)


def test_sums_of_a_database_are_taken_as_they_are():
    """What is NaN, negative or absent is not covered; a wrong shape is refused."""
    liters = np.array([[1.0, np.nan, -2.0]])
    use = HourlyUse.of(7, (1, 3), liters=liters, liters_seconds=np.array([[9000.0, 60.0, 60.0]]))
    assert use.liters.tolist() == [[1, 0, 0]]
    assert use.liters_seconds.tolist() == [[3600, 0, 0]]
    assert use.between(1, 3).first_hour == 8
    with pytest.raises(ValueError, match="the hours of 1 devices"):
        HourlyUse.of(7, (1, 3), kwh=np.zeros((3, 1)))


def test_calendar_follows_the_clocks():
    """Spring loses an hour, autumn has one twice, and Monday comes first."""
    # 2024-03-31 and 2024-10-27 in Berlin.
    for first_day, hours in ((19_813, 23), (20_023, 25)):
        calendar = Calendar.of(first_day * 24 - 2, 30, "Europe/Berlin")
        of_the_day = calendar.hour[calendar.day == np.flatnonzero(calendar.weekday == 6)[0]]
        assert len(of_the_day) == hours
    monday = Calendar.of(19_919 * 24, 168, "UTC")
    assert monday.cell.tolist() == list(range(168))
    assert Calendar.of(0, 0, "UTC").days == 0

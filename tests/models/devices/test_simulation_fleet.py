"""The demo fleet: who the heaters are."""

from datetime import UTC, datetime, timedelta

import pytest

from models.devices.simulation import CauseKind, generate_fleet
from models.devices.simulation.controls import Controls
from models.devices.water_heater import COLDEST_TARGET, HOTTEST_TARGET, MODES, HeaterType

NOW = datetime(2026, 3, 10, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def fleet():
    """Return 120 heaters."""
    return generate_fleet(120, 7, NOW)


def test_the_same_seed_makes_the_same_fleet(fleet):
    """A larger count only adds devices; another seed makes other ones."""
    assert generate_fleet(120, 7, NOW) == fleet
    assert generate_fleet(24, 7, NOW) == fleet[:24]
    assert generate_fleet(24, 8, NOW) != fleet[:24]


def test_names_and_places_are_unique(fleet):
    """Serial numbers count from WH-0001, twelve flats to a building."""
    assert [spec.serial_number for spec in fleet[:2]] == ["WH-0001", "WH-0002"]
    assert len({spec.serial_number for spec in fleet}) == 120
    assert len({spec.location for spec in fleet}) == 120
    assert fleet[13].location == "Building B, Flat 2"
    assert generate_fleet(313, 7, NOW)[312].location == "Building AA, Flat 1"


def test_every_heater_is_possible(fleet):
    """Modes fit the type, targets lie within the limits, power is where it can be."""
    assert {spec.heater_type for spec in fleet} == set(HeaterType)
    for spec in fleet:
        assert spec.mode in MODES[spec.heater_type]
        assert COLDEST_TARGET <= spec.min_temperature <= spec.target_temperature <= spec.max_temperature
        assert spec.max_temperature <= HOTTEST_TARGET
        assert 0 <= spec.compressor_watts <= spec.rated_power_watts
        assert (spec.compressor_watts > 0) == (spec.heater_type in (HeaterType.HEAT_PUMP, HeaterType.HYBRID))
        assert spec.installed_at < NOW
    assert (Controls.of(fleet).set_point > 0).all()


def test_a_few_heaters_have_a_cause_of_wear_that_is_known(fleet):
    """One in four, each kind among the first twenty, begun after installation and come some way."""
    assert sum(bool(spec.causes) for spec in fleet) == 30
    assert {cause.kind for spec in fleet[:20] for cause in spec.causes} == set(CauseKind)
    for spec in fleet:
        for cause in spec.causes:
            assert spec.installed_at < cause.started_at < NOW
            assert cause.level(cause.started_at) == 0
            assert 0 < abs(cause.level(NOW)) < abs(cause.level(NOW + timedelta(days=30)))


def test_maintenance_is_a_history(fleet):
    """Installed first, then in order of time, at working hours, at a cost; nothing undid a cause after its start."""
    undoes = {CauseKind.SCALE: "CLEANING", CauseKind.ANODE_DEPLETION: "PART_REPLACEMENT"}
    kinds = {visit.kind for spec in fleet for visit in spec.maintenance}
    assert kinds == {"INSTALLATION", "INSPECTION", "CLEANING", "PART_REPLACEMENT", "REPAIR"}
    for spec in fleet:
        times = [visit.performed_at for visit in spec.maintenance]
        assert times == sorted(times)
        assert times[-1] < NOW
        assert spec.maintenance[0].kind == "INSTALLATION"
        for visit in spec.maintenance:
            assert visit.cost_minor > 0
            assert visit.cost_currency == "EUR"
            assert 8 <= visit.performed_at.hour < 17
            undone = [cause for cause in spec.causes if undoes.get(cause.kind) == visit.kind]
            assert all(visit.performed_at < cause.started_at for cause in undone)

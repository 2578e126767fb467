"""The demo fleet: what the vending machines are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from models.devices.simulation import Site, generate_vending_fleet

NOW = datetime(2026, 3, 10, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def fleet():
    """Return 60 machines."""
    return generate_vending_fleet(60, 7, NOW)


def test_the_same_seed_makes_the_same_fleet(fleet):
    """A larger count only adds machines; another seed makes other ones."""
    assert generate_vending_fleet(60, 7, NOW) == fleet
    assert generate_vending_fleet(12, 7, NOW) == fleet[:12]
    assert generate_vending_fleet(12, 8, NOW) != fleet[:12]


def test_names_and_places_are_unique(fleet):
    """Serial numbers count from VM-0001; twelve machines have every type and every site."""
    assert [spec.serial_number for spec in fleet[:2]] == ["VM-0001", "VM-0002"]
    for column in ("serial_number", "name", "location"):
        assert len({getattr(spec, column) for spec in fleet}) == 60
    assert {spec.machine_type for spec in fleet[:12]} == {"SNACK", "COLD_DRINK", "COFFEE", "COMBO"}
    assert {spec.site for spec in fleet[:12]} == set(Site)


def test_every_machine_is_possible(fleet):
    """Slots are labelled once, prices and capacities are positive, thresholds lie below capacity, zones exist."""
    for spec in fleet:
        assert spec.installed_at < NOW
        assert ZoneInfo(spec.time_zone).key == spec.time_zone
        assert spec.currency == "EUR"
        assert spec.cash_capacity > 0
        assert -30 < spec.target_cabinet_temperature < spec.ambient_temperature
        assert spec.slots[0].slot == "A1"
        for column in ("slot", "sku", "product_name"):
            assert len({getattr(slot, column) for slot in spec.slots}) == len(spec.slots)
        for slot in spec.slots:
            assert slot.price_minor > 0
            assert 0 < slot.low_stock_threshold < slot.capacity
            assert slot.popularity > 0


def test_maintenance_is_a_history(fleet):
    """Installed first, then in order of time, at working hours, at a cost."""
    kinds = {visit.kind for spec in fleet for visit in spec.maintenance}
    assert kinds == {"INSTALLATION", "INSPECTION", "CLEANING", "PART_REPLACEMENT", "REPAIR"}
    for spec in fleet:
        times = [visit.performed_at for visit in spec.maintenance]
        assert times == sorted(times)
        assert times[-1] < NOW
        assert [visit.kind for visit in spec.maintenance].count("INSTALLATION") == 1
        assert spec.maintenance[0].performed_at == spec.installed_at
        for visit in spec.maintenance:
            assert visit.cost_minor > 0
            assert 8 <= visit.performed_at.hour < 17

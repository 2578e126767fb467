"""The physics of the tanks, apart from any fleet."""

from datetime import UTC, datetime

import numpy as np
import pytest

from models.devices.simulation.controls import Controls
from models.devices.simulation.heater import (
    JOULES_PER_KWH,
    JOULES_PER_LITER_KELVIN,
    Conditions,
    Tanks,
    TankState,
    coefficient_of_performance,
    run,
)
from models.devices.simulation.specs import HeaterSpec
from models.devices.water_heater import MODES, HeaterType, WaterHeaterMode


def heater(heater_type=HeaterType.RESISTIVE, mode=WaterHeaterMode.ELECTRIC, **changes):
    """Return a 150 L heater that keeps 55 °C and loses nothing."""
    values = {
        "name": "Heater",
        "serial_number": "T-1",
        "manufacturer": "Nobody",
        "model": "Plain",
        "firmware_version": "1.0.0",
        "location": "Laboratory",
        "installed_at": datetime(2024, 1, 1, tzinfo=UTC),
        "heater_type": heater_type,
        "mode": mode,
        "target_temperature": 55.0,
        "min_temperature": 35.0,
        "max_temperature": 75.0,
        "capacity_liters": 150.0,
        "rated_power_watts": 3000.0,
        "standing_loss_watts_per_kelvin": 0.0,
    }
    return HeaterSpec(**(values | changes))


def filled(temperature):
    """Return the state of one tank at rest."""
    return TankState(np.array([float(temperature)]), np.array([False]), np.zeros(1), np.zeros(1))


def given(steps, seconds=60.0, **changes):
    """Return conditions of one tank in which nothing happens, but for the changes."""
    usual = {
        "tempered": 0.0,
        "direct": 0.0,
        "leak": 0.0,
        "inlet": 10.0,
        "room": 20.0,
        "heat_transfer": 1.0,
        "power_factor": 1.0,
        "sensor_offset": 0.0,
        "stuck": False,
    }
    columns = {name: np.full((steps, 1), value) for name, value in (usual | changes).items()}
    return Conditions(seconds=np.full(steps, seconds), **columns)


def test_heating_energy_is_the_heat_of_the_water():
    """Without draws and losses, what is drawn from the grid is what the water took up."""
    spec, state = heater(), filled(15)
    trace = run(Tanks.of([spec]), state, Controls.of([spec]), given(200))
    heat = 150 * JOULES_PER_LITER_KELVIN * (trace.temperature[-1, 0] - 15)
    assert trace.temperature[-1, 0] >= 55
    assert trace.energy[-1, 0] * JOULES_PER_KWH == pytest.approx(heat, rel=1e-9)


def test_a_burner_uses_more_than_the_water_takes_up():
    """The efficiency divides the energy."""
    spec, state = heater(HeaterType.GAS, WaterHeaterMode.GAS, efficiency=0.8), filled(15)
    trace = run(Tanks.of([spec]), state, Controls.of([spec]), given(200))
    heat = 150 * JOULES_PER_LITER_KELVIN * (trace.temperature[-1, 0] - 15)
    assert trace.energy[-1, 0] * JOULES_PER_KWH == pytest.approx(heat / 0.8, rel=1e-9)


def test_a_heat_pump_uses_a_third():
    """The seasonal performance lies between two and a half and four."""
    spec = heater(HeaterType.HEAT_PUMP, WaterHeaterMode.HEAT_PUMP, rated_power_watts=600.0, compressor_watts=600.0)
    trace = run(Tanks.of([spec]), filled(15), Controls.of([spec]), given(600))
    heat = 150 * JOULES_PER_LITER_KELVIN * (trace.temperature[-1, 0] - 15)
    assert 2.5 < heat / (trace.energy[-1, 0] * JOULES_PER_KWH) < 4


def test_performance_falls_with_the_lift():
    """A hotter tank costs a heat pump more, within bounds."""
    cop = coefficient_of_performance(np.array([0.0, 45.0, 65.0, 120.0]), np.full(4, 20.0))
    assert np.all(np.diff(cop) < 0)
    assert cop[0] == 3.8
    assert cop[-1] == 1.5


def test_a_closed_tank_cools_towards_the_room():
    """Newton's law of cooling, exact whatever the step."""
    spec = heater(mode=WaterHeaterMode.OFF, standing_loss_watts_per_kelvin=2.0)
    expected = 20 + 40 * np.exp(-2.0 * 86_400 / (150 * JOULES_PER_LITER_KELVIN))
    for steps in (24, 1440):
        trace = run(Tanks.of([spec]), filled(60), Controls.of([spec]), given(steps, 86_400 / steps))
        assert trace.temperature[-1, 0] == pytest.approx(expected)


def test_a_draw_cools_the_tank():
    """Drawing one tank of water leaves 1/e of the difference to the mains, as in any mixed tank."""
    spec = heater(mode=WaterHeaterMode.OFF)
    trace = run(Tanks.of([spec]), filled(60), Controls.of([spec]), given(15, direct=10.0))
    assert trace.temperature[-1, 0] == pytest.approx(10 + 50 / np.e)


def test_a_tap_takes_less_from_a_hotter_tank():
    """Cold water is mixed in at the tap, so the hotter tank gives less; a lukewarm one gives everything."""
    spec = heater(mode=WaterHeaterMode.OFF)
    flows = [
        run(Tanks.of([spec]), filled(start), Controls.of([spec]), given(1, tempered=8.0)).flow[0, 0]
        for start in (70, 50, 38)
    ]
    assert flows == pytest.approx([8 * 30 / 60, 8 * 30 / 40, 8.0])


def test_the_thermostat_keeps_the_tank_in_its_band():
    """Once warm, the tank stays between the lower and the upper switching point, give or take one step."""
    spec = heater(standing_loss_watts_per_kelvin=3.0)
    trace = run(Tanks.of([spec]), filled(54), Controls.of([spec]), given(5000))
    assert 50.9 < trace.temperature.min() < 51.1
    assert 55 <= trace.temperature.max() < 55.5
    assert 0.01 < trace.heating.mean() < 0.2


def test_a_stuck_thermostat_is_stopped_by_the_cut_out():
    """It overheats beyond what may be set, but never boils."""
    spec = heater()
    trace = run(Tanks.of([spec]), filled(54), Controls.of([spec]), given(600, stuck=True))
    assert 80 < trace.temperature.max() < 90


def test_heating_raises_the_pressure_and_a_draw_lets_it_out():
    """Water expands against the closed check valve until a tap opens."""
    spec = heater()
    heated = run(Tanks.of([spec]), state := filled(40), Controls.of([spec]), given(40))
    drawn = run(Tanks.of([spec]), state, Controls.of([spec]), given(2, direct=5.0))
    assert heated.expansion[-1, 0] > 0.4
    assert drawn.expansion[-1, 0] < 0.01


@pytest.mark.parametrize(("heater_type", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_every_mode_has_its_set_point_and_heat(heater_type, mode):
    """Each mode that a type has gives a thermostat something to hold and something to hold it with."""
    pump = 600.0 if heater_type in (HeaterType.HEAT_PUMP, HeaterType.HYBRID) else 0.0
    rated = 600.0 if heater_type is HeaterType.HEAT_PUMP else 3000.0
    spec = heater(heater_type, mode, rated_power_watts=rated, compressor_watts=pump)
    controls = Controls.of([spec])
    lowered = {WaterHeaterMode.OFF: 5.0, WaterHeaterMode.VACATION: 35.0, WaterHeaterMode.ECO: 52.0}
    assert controls.set_point[0] == lowered.get(mode, 55.0)
    assert controls.heat_below[0] < controls.set_point[0]
    assert 0 < controls.direct_watts[0] + controls.compressor_watts[0] + controls.backup_watts[0] <= rated
    assert controls.presence[0] == (mode is not WaterHeaterMode.VACATION)


def test_a_mode_that_the_type_lacks_is_refused():
    """The sentence names the modes that it has."""
    with pytest.raises(ValueError, match="a RESISTIVE heater has no mode HEAT_PUMP; it has OFF, ECO"):
        Controls.of([heater(mode=WaterHeaterMode.HEAT_PUMP)])

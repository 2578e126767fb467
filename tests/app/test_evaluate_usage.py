"""What `iotsphere evaluate usage` prints, on files written here and on recorded ones."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.evaluation.usage import evaluate, recovery_lines, resistive_heater, run
from app.evaluation.usage_files import UsageOptions, read_usage
from app.evaluation.usage_forecast import PROFILE, forecast_errors
from app.evaluation.usage_recovery import recover
from app.files import FileProblem
from models.learning.usage import Basis

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "water_heater"
GALLON = 3.785411784


def recorded(name) -> Path:
    """Return a recorded file, or skip."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"the recorded use of water heaters, {name}, is not here")
    return path


def written(tmp_path, name, lines) -> Path:
    """Return a file of these lines."""
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return path


def loads(header, scale=1.0, days=10) -> list[str]:
    """Return lines of half-hourly loads: 1500 W from seven to eight, times a scale."""
    rows = [(day, half) for day in range(days) for half in range(48)]
    return [
        header,
        *(
            f"2030-05-{1 + day:02}T{half // 2:02}:{30 * (half % 2):02}:00Z,{1500 * scale * (half in (15, 16)):g}"
            for day, half in rows
        ),
    ]


@pytest.mark.parametrize(
    ("header", "scale", "options"),
    [
        ("timestamp,load", 1.0, UsageOptions()),
        ("Date Time,Power (kW)", 0.001, UsageOptions()),
        ("when,q17", 0.001, UsageOptions(columns={"recorded_at": "when", "power": "q17"}, units={"power": "kW"})),
        ("time,power_kw", 0.001, UsageOptions()),
    ],
)
def test_loads_by_any_name_and_unit(tmp_path, header, scale, options):
    """Columns and units come from names or from what is given; the energy is the same."""
    file = read_usage([written(tmp_path, "north.csv", loads(header, scale))], options)[0]
    assert file.names == ["north"]
    assert file.use.kwh.sum() == pytest.approx(15)
    found = evaluate(file)[0]
    assert found.patterns.basis is Basis.ENERGY
    assert found.patterns.peak_hours == (7,)
    assert found.errors is not None
    assert found.errors.rmse[PROFILE] == pytest.approx(0, abs=1e-9)


def test_an_assumed_unit_is_told(tmp_path):
    """A load without a unit is read as watts, and the output says so and how to correct it."""
    path = written(tmp_path, "north.csv", loads("timestamp,load"))
    assert "give --unit power=UNIT" in run([path], simulated=False)[0]
    small = written(tmp_path, "south.csv", loads("timestamp,load", 0.001))
    assert "it may be in kW" in run([small], simulated=False)[1]


def test_times_are_those_of_the_users(tmp_path):
    """Readings are told by the clocks of the zone; days without date keep their hours whatever the zone."""
    options = UsageOptions(zone="America/New_York")
    found = evaluate(read_usage([written(tmp_path, "north.csv", loads("timestamp,load"))], options)[0])[0]
    assert found.patterns.peak_hours == (3,)
    events = [f"{day},7.5,10,2" for day in range(14)]
    draws = written(tmp_path, "draws.csv", ["day,start,duration,flow", *events])
    assert evaluate(read_usage([draws], options)[0])[0].patterns.peak_hours == (7,)


def test_several_devices_with_water(tmp_path):
    """A file with a column of devices gives a series for each; gallons become litres."""
    rows = [
        {"time": f"2031-01-{1 + hour // 24:02} {hour % 24:02}:00", "Device ID": device, "flow (gpm)": hour % 24 == 6}
        for hour in range(240)
        for device in ("WH-2", "WH-1")
    ]
    path = tmp_path / "two.json"
    path.write_text(json.dumps([row | {"flow (gpm)": float(row["flow (gpm)"])} for row in rows]), "utf-8")
    file = read_usage([path])[0]
    assert file.names == ["WH-1", "WH-2"]
    assert file.use.liters.sum(axis=1).tolist() == pytest.approx([600 * GALLON] * 2)


def test_draws_and_a_year_of_them(tmp_path):
    """Draws are laid on the days that a year names; one that flows past midnight ends in the next day."""
    draws = written(
        tmp_path,
        "events.csv",
        ["Profile ID,fixture,Begin (min),Length (s),Flow (l/min)", "a,tap,60,60,6", "b,tap,1439,120,3", "b,tap,0,60,x"],
    )
    year = written(tmp_path, "year.csv", ["Home 1,Home 2", "a,b", "b,a", "a,z", "c,"])
    options = UsageOptions(start=date(2024, 2, 26))
    file = read_usage([year, draws], options)[0]
    assert file.names == ["Home 1", "Home 2"]
    first, second = file.use.liters.reshape(2, 4, 24)
    assert np.argwhere(first).tolist() == [[0, 1], [1, 23], [2, 0], [2, 1]]
    assert first.sum(axis=1).tolist() == pytest.approx([6, 3, 9, 0])
    assert second.sum(axis=1).tolist() == pytest.approx([3, 9, 0, 0])
    assert file.use.first_hour == 19_779 * 24
    assert any("taken as dry: c, z" in note for note in file.notes)
    alone = read_usage([draws], options)[0]
    assert alone.use.liters.sum() == pytest.approx(9)


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["a,b", "1,2"], UsageOptions(), "is no file of usage: it has a, b"),
        (["time,load", "soon,1"], UsageOptions(), "is not recognised"),
        (["time,load"], UsageOptions(columns={"power": "watt"}), "has no column 'watt'"),
        (["time,load"], UsageOptions(columns={"colour": "load"}), "There is no colour"),
        (["time,load", "2024-01-01T00:00Z,1"], UsageOptions(units={"power": "bar"}), "'bar', which is no unit of it"),
        (["day,start,duration,flow", "a,1,1,1"], UsageOptions(units={"start": "weeks"}), "it takes h, min, s"),
        (["day,start,duration,flow", "a,x,1,1"], UsageOptions(), "no draw that can be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, lines, options, message):
    """What is wrong is said in one sentence that names the file or the option."""
    with pytest.raises(FileProblem, match=message):
        run([written(tmp_path, "bad.csv", lines)], options, simulated=False)


def test_a_year_needs_its_draws(tmp_path):
    """Days that no file of draws has are refused, unless they are a few among many."""
    draws = written(tmp_path, "draws.csv", ["day,start,duration,flow", "a,1,1,1"])
    year = written(tmp_path, "year.csv", ["home", "x", "y"])
    with pytest.raises(FileProblem, match="such as x, y"):
        read_usage([draws, year])


def test_profile_beats_plainer_forecasts():
    """On noisy draws with weekends of their own the profile errs least by squares, and nearly so absolutely."""
    random = np.random.default_rng(2)
    weekly = np.concatenate([np.roll([0.0] * 18 + [20, 10, 5, 2, 1, 1], -12 if day < 5 else -8) for day in range(7)])
    amounts = np.tile(weekly, 12) * random.gamma(1, 1, 12 * 168)
    errors = forecast_errors(amounts, np.full(len(amounts), 3600.0), 19_919 * 24, "UTC")
    assert errors is not None
    assert errors.days == 28
    assert min(errors.rmse, key=errors.rmse.__getitem__) == PROFILE
    assert forecast_errors(amounts[:80], np.full(80, 3600.0), 0, "UTC") is None


def test_simulated_truth_is_recovered():
    """Litres from energy and temperatures, and standing losses, come near to what the simulation knows."""
    found = recover(count=12, days=21)
    assert found.heaters >= 8
    assert np.median(np.abs(found.liters["energy and both temperatures"])) < 0.1
    assert np.median(np.abs(found.liters["energy alone"])) < 0.3
    assert np.median(np.abs(found.loss)) < 0.12
    assert found.within >= 0.7 * len(found.loss)
    assert recovery_lines(found)[0].startswith("simulated heaters, 21 days")


def test_recorded_load_of_a_week():
    """The recorded heater heats in the evening; with its volume told, litres are estimated, and nothing is invented."""
    path = recorded("electric_load_7_days.json")
    file = read_usage([path])[0]
    found = evaluate(file)[0]
    assert found.patterns.days_covered == 7
    assert found.patterns.daily_average is not None
    assert found.patterns.daily_average.value == pytest.approx(3.48, abs=0.01)
    assert found.patterns.peak_hours == (19, 20)
    assert found.patterns.weekly_trend is None
    estimated = evaluate(file, heater=resistive_heater(80, 60, 1500))[0]
    assert estimated.patterns.basis is Basis.ESTIMATED_LITERS
    assert estimated.savings is not None
    assert not estimated.savings.optimizations


def test_recorded_draws_of_a_year():
    """Larger homes draw more, mornings are peaks, and the profile forecasts each better than any plainer way."""
    file = read_usage([recorded("DailyProfiles.csv"), recorded("AnnualProfileSF.csv")])[0]
    found = evaluate(file)
    daily = [one.patterns.daily_liters.value for one in found if one.patterns.daily_liters is not None]
    assert daily == sorted(daily)
    assert 150 < daily[0] < 250
    for one in found:
        assert one.patterns.peak_hours is not None
        assert {8, 9} <= set(one.patterns.peak_hours)
        assert one.errors is not None
        assert min(one.errors.rmse, key=one.errors.rmse.__getitem__) == PROFILE


def test_command_prints_and_complains(tmp_path):
    """The command takes columns and units, prints a profile, and ends with a sentence where a file is missing."""
    path = written(tmp_path, "north.csv", loads("when,q", 0.001))
    options = ["--column", "recorded_at=when,power=q", "--unit", "power=kW", "--capacity", "80", "--no-simulation"]
    done = CliRunner().invoke(cli, ["evaluate", "usage", str(path), *options])
    assert done.exit_code == 0, done.output
    assert "L (estimated from energy)" in done.output
    assert "hours 0 to 23" in done.output
    with pytest.raises(FileProblem):
        run([tmp_path / "absent.csv"], simulated=False)

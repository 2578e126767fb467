"""Units of a file's columns."""

import pytest

from app.files import FileProblem
from app.files.units import conversion
from models.devices import WATER_HEATER


@pytest.mark.parametrize(
    ("channel", "unit", "value", "expected"),
    [
        ("power", "W", 7, 7),
        ("power", "kW", 1.5, 1500),
        ("power", "MW", 0.002, 2000),
        ("power", "BTU/h", 3412.141633, 1000),
        ("temperature", "°C", 55, 55),
        ("temperature", "°F", 212, 100),
        ("temperature", "F", -40, -40),
        ("temperature", "K", 273.15, 0),
        ("inlet_temperature", "degC", 12, 12),
        ("pressure", "kPa", 300, 3),
        ("pressure", "MPa", 0.3, 3),
        ("pressure", "psi", 14.503773773, 1),
        ("pressure", "mbar", 1000, 1),
        ("pressure", "hPa", 1000, 1),
        ("pressure", "Pa", 100_000, 1),
        ("flow_rate", "gal/min", 1, 3.785411784),
        ("flow_rate", "gpm", 2, 7.570823568),
        ("flow_rate", "m³/h", 0.6, 10),
        ("flow_rate", "m3/h", 0.6, 10),
        ("flow_rate", "L/s", 0.5, 30),
        ("flow_rate", "l / h", 60, 1),
        ("energy", "Wh", 250, 0.25),
        ("energy", "MJ", 3.6, 1),
        ("energy", "kJ", 3600, 1),
        ("energy", "BTU", 3412.141633, 1),
    ],
)
def test_known_units_are_converted(channel, unit, value, expected):
    """Each unit gives the value in the channel's own."""
    assert conversion(WATER_HEATER.by_name[channel], unit).of(value) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_whole_numbers_convert_exactly():
    """No conversion leaves a trail of nines where the result is whole."""
    assert conversion(WATER_HEATER.by_name["temperature"], "°F").of(212) == 100.0
    assert conversion(WATER_HEATER.by_name["temperature"], "°F").of(32) == 0.0
    assert conversion(WATER_HEATER.by_name["pressure"], "kPa").of(350) == 3.5
    assert conversion(WATER_HEATER.by_name["energy"], "Wh").of(100) == 0.1


def test_scale_comes_before_offset_and_unit():
    """Tenths of a degree Fahrenheit: first the factor, then what is added, then the unit."""
    assert conversion(WATER_HEATER.by_name["temperature"], "°F", 0.1, 2).of(2100) == pytest.approx(100)
    assert conversion(WATER_HEATER.by_name["power"]).is_identity


@pytest.mark.parametrize(
    ("channel", "unit", "words"),
    [
        ("power", "kWh", "power in 'kWh', which is no unit of it; it takes W, kW, MW, BTU/h, or give --scale power="),
        ("power", "mW", "no unit of it"),
        ("temperature", "warm", "it takes °C, °F, K"),
        ("heating", "W", "heating is on or off and has no unit"),
    ],
)
def test_other_units_are_refused_with_those_that_are_taken(channel, unit, words):
    """The message lists the units of the channel."""
    with pytest.raises(FileProblem) as caught:
        conversion(WATER_HEATER.by_name[channel], unit)
    assert words in caught.value.message


def test_units_and_factors_are_applied_to_their_columns(write, read):
    """A file in kilowatts and Fahrenheit becomes watts and Celsius, empty cells stay empty."""
    outcome = read(
        write("recorded_at,load,t\n2022-12-07T00:00Z,1.5,122\n2022-12-07T00:01Z,,32\n"),
        mapping={"power": "load", "temperature": "t"},
        units={"power": "kW", "temperature": "°F"},
        scales={"power": 2},
    )
    assert outcome.channel("power") == [3000.0, None]
    assert outcome.channel("temperature") == [50.0, 0.0]
    assert outcome.description[2:] == [
        "temperature from column 't', from °F to °C",
        "power from column 'load', times 2, from kW to W",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scales": {"pwr": 2}}, "--scale names 'pwr', but a water heater takes temperature,"),
        ({"units": {"recorded_at": "s"}}, "--unit names 'recorded_at'"),
        ({"offsets": {"heating": 1}}, "heating is on or off"),
        ({"scales": {"power": 0}}, "--scale power=0 would make every value 0"),
    ],
)
def test_options_for_what_is_no_channel_are_refused(write, read, options, words):
    """Scales, offsets and units belong to numeric channels."""
    with pytest.raises(FileProblem) as caught:
        read(write("recorded_at,power\n2022-12-07T00:00Z,1\n"), **options)
    assert words in caught.value.message

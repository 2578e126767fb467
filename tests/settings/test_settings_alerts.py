"""Settings of alerts that contradict each other stop the start."""

import pytest

from settings.checks import SettingsError
from settings.loader import load


@pytest.mark.parametrize(
    ("name", "value", "ending"),
    [
        (
            "WATER_HEATER_ALERTS__OVER_TEMPERATURE_CRITICAL_CELSIUS",
            "70",
            "must not be less than water_heater_alerts.over_temperature_high_celsius, which is 76.0.",
        ),
        (
            "WATER_HEATER_ALERTS__LOW_PRESSURE_CRITICAL_BAR",
            "1.5",
            "must not exceed water_heater_alerts.low_pressure_high_bar, which is 1.0.",
        ),
        (
            "VENDING_MACHINE_ALERTS__CASH_FULL_CRITICAL_MINOR",
            "44999",
            "must not be less than vending_machine_alerts.cash_full_high_minor, which is 45000.",
        ),
    ],
)
def test_a_critical_threshold_lies_behind_the_high_one(project_root, name, value, ending):
    """Values from it on are worse than those from the high one on; the message names both."""
    with pytest.raises(SettingsError) as caught:
        load("testing", project_root, {f"IOTSPHERE_{name}": value})
    assert str(caught.value).endswith(ending)
    assert name in str(caught.value)


def test_the_two_may_be_the_same(project_root):
    """Then there is nothing between, and all alerts are critical at once."""
    same = {"IOTSPHERE_WATER_HEATER_ALERTS__OVER_TEMPERATURE_CRITICAL_CELSIUS": "76"}
    assert load("testing", project_root, same).water_heater_alerts.over_temperature_critical_celsius == 76

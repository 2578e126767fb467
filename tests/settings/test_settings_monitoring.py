"""Settings of the watch over models that contradict each other stop the start."""

import pytest

from settings.checks import SettingsError
from settings.loader import load


@pytest.mark.parametrize(
    ("name", "value", "ending"),
    [
        (
            "MONITORING__DRIFTED_CRITICAL_SHARE",
            "0.01",
            "must not be less than monitoring.drifted_warning_share, which is 0.04.",
        ),
        (
            "LIFESPAN_HEALTH__MAE_CRITICAL_RATIO",
            "1.2",
            "must not be less than lifespan_health.mae_warning_ratio, which is 1.5.",
        ),
        (
            "LIFESPAN_HEALTH__INTERVAL_COVERAGE_CRITICAL_SHARE",
            "0.9",
            "must not exceed lifespan_health.interval_coverage_warning_share, which is 0.75.",
        ),
        (
            "ANOMALY_HEALTH__RECALL_CRITICAL_SHARE",
            "0.5",
            "must not exceed anomaly_health.recall_warning_share, which is 0.3.",
        ),
        ("MONITORING__DRIFT_WINDOWS_NEEDED", "4", "must not exceed monitoring.drift_windows_of, which is 3."),
    ],
)
def test_thresholds_of_models_do_not_contradict_each_other(project_root, name, value, ending):
    """What is critical is worse than what is a warning, and a count can be reached; the message names both settings."""
    with pytest.raises(SettingsError) as caught:
        load("testing", project_root, {f"IOTSPHERE_{name}": value})
    assert str(caught.value).endswith(ending)
    assert name in str(caught.value)

"""The settings of alerts: common ones, and the thresholds of each kind of device."""

from dataclasses import dataclass

from settings.described import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Alerts that devices of all kinds have, and the worker that moves alerts with the time."""

    check_seconds: float = setting(
        "Interval at which alerts are raised and resolved whose time has come.", at_least=0.05, at_most=86_400
    )
    sweep_seconds: float = setting(
        "Interval at which the fleet is searched for what only time brings about, as maintenance that is due.",
        at_least=0.05,
        at_most=86_400,
    )
    offline_hold_seconds: float = setting(
        "How long a device must be OFFLINE before an alert is raised.", at_least=0, at_most=31_536_000
    )
    offline_recover_seconds: float = setting(
        "How long a device must be heard again before the alert is resolved.", at_least=0, at_most=31_536_000
    )
    anomaly_min_severity: str = setting(
        "Least severity of an anomaly that raises an alert.", one_of=("LOW", "MEDIUM", "HIGH", "CRITICAL")
    )
    anomaly_hold_seconds: float = setting(
        "How long an anomaly must last before an alert is raised.", at_least=0, at_most=31_536_000
    )
    anomaly_recover_seconds: float = setting(
        "How long an anomaly must be over before the alert is resolved.", at_least=0, at_most=31_536_000
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterHeaterAlertSettings:
    """Alerts of water heaters. Of two thresholds the first makes an alert HIGH, the second CRITICAL."""

    over_temperature_high_celsius: float = setting(
        "Temperature from which OVER_TEMPERATURE is HIGH.", at_least=-20, at_most=120
    )
    over_temperature_critical_celsius: float = setting(
        "Temperature from which OVER_TEMPERATURE is CRITICAL.", at_least=-20, at_most=120
    )
    over_temperature_hold_seconds: float = setting(
        "How long the temperature must be too high.", at_least=0, at_most=31_536_000
    )
    over_temperature_recover_seconds: float = setting(
        "How long the temperature must be right again.", at_least=0, at_most=31_536_000
    )
    high_pressure_high_bar: float = setting("Pressure from which HIGH_PRESSURE is HIGH.", at_least=0, at_most=25)
    high_pressure_critical_bar: float = setting(
        "Pressure from which HIGH_PRESSURE is CRITICAL.", at_least=0, at_most=25
    )
    high_pressure_hold_seconds: float = setting(
        "How long the pressure must be too high.", at_least=0, at_most=31_536_000
    )
    high_pressure_recover_seconds: float = setting(
        "How long the pressure must no longer be too high.", at_least=0, at_most=31_536_000
    )
    low_pressure_high_bar: float = setting("Pressure down from which LOW_PRESSURE is HIGH.", at_least=0, at_most=25)
    low_pressure_critical_bar: float = setting(
        "Pressure down from which LOW_PRESSURE is CRITICAL.", at_least=0, at_most=25
    )
    low_pressure_hold_seconds: float = setting("How long the pressure must be too low.", at_least=0, at_most=31_536_000)
    low_pressure_recover_seconds: float = setting(
        "How long the pressure must no longer be too low.", at_least=0, at_most=31_536_000
    )
    maintenance_interval_days: float = setting(
        "Time after a maintenance after which the next one is due.", at_least=1, at_most=36_525
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VendingMachineAlertSettings:
    """Alerts of vending machines. Of two thresholds the first makes an alert HIGH, the second CRITICAL."""

    over_temperature_high_kelvin: float = setting(
        "How far above its target the cabinet is when OVER_TEMPERATURE is HIGH.", at_least=0.1, at_most=150
    )
    over_temperature_critical_kelvin: float = setting(
        "How far above its target the cabinet is when OVER_TEMPERATURE is CRITICAL.", at_least=0.1, at_most=150
    )
    over_temperature_hold_seconds: float = setting(
        "How long the cabinet must be too warm.", at_least=0, at_most=31_536_000
    )
    over_temperature_recover_seconds: float = setting(
        "How long the cabinet must be cold again.", at_least=0, at_most=31_536_000
    )
    cash_full_high_minor: int = setting(
        "Cash from which CASH_FULL is HIGH; the machine's own capacity if that is less.",
        at_least=1,
        at_most=100_000_000,
    )
    cash_full_critical_minor: int = setting(
        "Cash from which CASH_FULL is CRITICAL; the machine's own capacity if that is less.",
        at_least=1,
        at_most=100_000_000,
    )
    cash_full_hold_seconds: float = setting("How long there must be too much cash.", at_least=0, at_most=31_536_000)
    cash_full_recover_seconds: float = setting(
        "How long there must no longer be too much cash.", at_least=0, at_most=31_536_000
    )
    low_stock_hold_seconds: float = setting(
        "How long a product must be low or sold out.", at_least=0, at_most=31_536_000
    )
    low_stock_recover_seconds: float = setting("How long no product must be low.", at_least=0, at_most=31_536_000)
    maintenance_interval_days: float = setting(
        "Time after a maintenance after which the next one is due.", at_least=1, at_most=36_525
    )

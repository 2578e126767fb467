"""Every setting there is, by section.

The field's type, its bounds (`at_least`, `at_most`, `one_of`) and its help text are the one description of a setting:
the loader checks values against it, `iotsphere config` prints it, and a test compares it with docs/settings.md.
Units are in the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def setting(
    explanation: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    one_of: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """Describe one setting; its value always comes from settings.toml, so there is no default here.

    A secret is left out of the dataclass's repr, which ends up in tracebacks and logs.
    """
    return field(
        repr=not secret,
        metadata={"help": explanation, "at_least": at_least, "at_most": at_most, "one_of": one_of, "secret": secret},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The process that listens: HTTP and websockets."""

    host: str = setting("Address to listen on.")
    port: int = setting("Port to listen on; 0 lets the system choose.", at_least=0, at_most=65535)
    graphiql: bool = setting("Serve the GraphiQL explorer to browsers at /graphql.")
    max_body_bytes: int = setting("Largest request body.", at_least=1024)
    body_timeout_seconds: float = setting(
        "How long a client may take to send its request body.", at_least=0.1, at_most=86_400
    )
    shutdown_grace_seconds: float = setting(
        "How long running operations may finish at shutdown.", at_least=0, at_most=86_400
    )
    allowed_origins: tuple[str, ...] = setting(
        "Browser origins that may call this server from other sites; '*' allows all."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsocketSettings:
    """Subscriptions over graphql-transport-ws."""

    connection_init_timeout_seconds: float = setting("Longest wait for connection_init.", at_least=0.1, at_most=86_400)
    keep_alive_seconds: float = setting("Interval of pings that detect dead peers.", at_least=1, at_most=86_400)
    max_message_bytes: int = setting("Largest message a client may send.", at_least=1024)
    max_operations: int = setting("Operations that may run on one socket at once.", at_least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """Where the data comes from."""

    source: str = setting(
        "'database' uses database.url; 'mock' serves a generated fleet from a database in memory.",
        one_of=("mock", "database"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The database and how hard it may be used."""

    url: str = setting(
        "sqlite+aiosqlite:///path/to/file.db or postgresql+asyncpg://user:password@host:port/name.", secret=True
    )
    pool_size: int = setting("Connections kept to PostgreSQL, or reader threads on SQLite.", at_least=1, at_most=1000)
    acquire_timeout_seconds: float = setting("Longest wait for a free connection.", at_least=0.1, at_most=86_400)
    connect_timeout_seconds: float = setting("Longest wait for a new connection.", at_least=0.1, at_most=86_400)
    statement_timeout_seconds: float = setting("Longest time of one SQL statement.", at_least=0.1, at_most=86_400)
    lock_timeout_seconds: float = setting("Longest wait for a row or table lock.", at_least=0.1, at_most=86_400)
    partitions_ahead_months: int = setting(
        "Monthly partitions of the reading tables made ahead (PostgreSQL).", at_least=1, at_most=120
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLSettings:
    """What one operation may ask for."""

    introspection: bool = setting("Let clients read the schema.")
    default_page_size: int = setting("Rows of a page when neither first nor last is given.", at_least=1)
    max_page_size: int = setting("Largest first or last.", at_least=1)
    max_series_points: int = setting("Largest maxPoints of a series.", at_least=2)
    max_rows: int = setting("Rows that all lists of one operation may ask for together.", at_least=1)
    max_depth: int = setting("Deepest nesting of fields.", at_least=1)
    max_aliases: int = setting("Most aliases in one operation.", at_least=0)
    max_tokens: int = setting("Most lexical tokens in one document.", at_least=1)
    operation_timeout_seconds: float = setting("Deadline of one query or mutation.", at_least=0.1, at_most=86_400)
    document_cache_size: int = setting("Parsed, validated and planned documents that are kept.", at_least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """Readings on their way in."""

    max_batch_size: int = setting("Most readings in one request.", at_least=1)
    max_commit_size: int = setting("Most readings that concurrent requests put into one transaction.", at_least=1)
    max_future_seconds: float = setting(
        "How far ahead of the server a device's clock may be.", at_least=0, at_most=31_536_000
    )
    max_age_days: float = setting("Oldest reading that is accepted.", at_least=1, at_most=36525)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """The status of devices."""

    offline_after_seconds: float = setting("Silence after which a device is OFFLINE.", at_least=1, at_most=31_536_000)
    status_check_seconds: float = setting(
        "Interval at which silent devices are looked for.", at_least=0.05, at_most=86_400
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSettings:
    """Predictions, and the training of the models that make them."""

    reuse_seconds: float = setting("How long a stored prediction is answered again.", at_least=0, at_most=31_536_000)
    horizon_days: float = setting("How far ahead a failure counts for the risk.", at_least=1, at_most=3650)
    min_failures: int = setting(
        "Failures that ended a life from which on remaining life is learnt from readings; with fewer, from ages.",
        at_least=5,
        at_most=1_000_000,
    )
    training_trees: int = setting("Trees of a model.", at_least=5, at_most=10_000)
    training_max_rows: int = setting(
        "Days of devices that a model learns from at most; more are thinned out.", at_least=100, at_most=10_000_000
    )
    training_threads: int = setting("Threads of a training process.", at_least=1, at_most=256)
    training_timeout_seconds: float = setting("Longest time of a training.", at_least=1, at_most=604_800)
    training_check_seconds: float = setting(
        "Interval at which the server looks for trainings that were asked for.", at_least=0.05, at_most=86_400
    )
    training_abandoned_after_seconds: float = setting(
        "Silence of a training's process after which it counts as dead.", at_least=1, at_most=86_400
    )
    trains_first_models: bool = setting(
        "Train by itself what has no version yet, as soon as there is something to learn from."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """The watch over models: when they are evaluated, and thresholds that all kinds share."""

    check_seconds: float = setting("Interval at which models are evaluated.", at_least=0.05, at_most=86_400)
    lease_seconds: float = setting(
        "How long the process that monitors is waited for when it dies, before another goes on.",
        at_least=0.4,
        at_most=3600,
    )
    window_hours: float = setting(
        "Span over which metrics of the predictions made are taken.", at_least=0.01, at_most=8760
    )
    drift_window_hours: float = setting(
        "Span of predictions that is compared with the training window.", at_least=0.01, at_most=8760
    )
    drift_windows_needed: int = setting(
        "Windows with drift of a feature, among the newest, from which on it counts.", at_least=1, at_most=100
    )
    drift_windows_of: int = setting("The newest windows among which they are counted.", at_least=1, at_most=100)
    min_predictions: int = setting(
        "Predictions of a window below which nothing is said of its inputs.", at_least=1, at_most=1_000_000
    )
    min_outcomes: int = setting(
        "Devices with outcomes below which nothing is said of errors.", at_least=1, at_most=1_000_000
    )
    outcome_days: float = setting(
        "Span of which outcomes make up the error metrics of a window.", at_least=0.01, at_most=36_525
    )
    sample_devices: int = setting(
        "Devices of each kind that are predicted once a window, so that metrics do not hang on who asks; 0 for none.",
        at_least=0,
        at_most=100_000,
    )
    latency_warning_ms: float = setting(
        "95th percentile of the time of a prediction from which on it is a warning.", at_least=0.01, at_most=86_400_000
    )
    latency_critical_ms: float = setting("The same, from which on it is critical.", at_least=0.01, at_most=86_400_000)
    missing_warning_share: float = setting(
        "How much more of the features may be missing than in training before it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    missing_critical_share: float = setting("The same, before it is critical.", at_least=0.0, at_most=1.0)
    drifted_warning_share: float = setting(
        "Share of the features that drift, and go on doing so, from which on it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    drifted_critical_share: float = setting("The same, from which on it is critical.", at_least=0.0, at_most=1.0)
    poor_data_warning_share: float = setting(
        "Share of the features with poor data, as constant or missing ones, from which on it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    poor_data_critical_share: float = setting("The same, from which on it is critical.", at_least=0.0, at_most=1.0)
    age_warning_days: float = setting(
        "Age of the newest data that a model learnt from, from which on it is a warning.", at_least=0.01, at_most=36_525
    )
    age_critical_days: float = setting("The same, from which on it is critical.", at_least=0.01, at_most=36_525)
    alert_hold_seconds: float = setting(
        "How long a model must be bad before an alert is raised.", at_least=0, at_most=31_536_000
    )
    alert_recover_seconds: float = setting(
        "How long a model must be well again before its alert is resolved.", at_least=0, at_most=31_536_000
    )
    drift_retention_days: float = setting("How long findings of drift are kept.", at_least=1, at_most=36_525)
    trains_when_drifting: bool = setting(
        "Ask for a new version by itself while an alert of a model stands that a training can help with."
    )
    training_pause_hours: float = setting(
        "Least time between two trainings of a model that the server asks for.", at_least=0.0, at_most=87_600
    )
    promotes_better: bool = setting("Promote such a version by itself if it is not worse than the present one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LifespanHealthSettings:
    """Health of models of remaining life, by their outcomes."""

    mae_warning_ratio: float = setting(
        "Mean absolute error, as a multiple of that at training, from which on it is a warning.",
        at_least=1,
        at_most=1000,
    )
    mae_critical_ratio: float = setting("The same, from which on it is critical.", at_least=1, at_most=1000)
    interval_coverage_warning_share: float = setting(
        "Share of outcomes within their intervals, meant to be 0.9, down from which it is a warning.",
        at_least=0,
        at_most=1,
    )
    interval_coverage_critical_share: float = setting(
        "The same, down from which it is critical.", at_least=0, at_most=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiFactorHealthSettings:
    """Health of models of the risk of failure, by their outcomes."""

    brier_warning_ratio: float = setting(
        "Brier score, as a multiple of that at training, from which on it is a warning.", at_least=1, at_most=1000
    )
    brier_critical_ratio: float = setting("The same, from which on it is critical.", at_least=1, at_most=1000)
    calibration_warning_error: float = setting(
        "Mean distance between predicted and observed share of failures from which on it is a warning.",
        at_least=0,
        at_most=1,
    )
    calibration_critical_error: float = setting("The same, from which on it is critical.", at_least=0, at_most=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyHealthSettings:
    """Health of the detection of anomalies, by what people said of them and by failures."""

    precision_warning_share: float = setting(
        "Share of judged anomalies that were true alarms, down from which it is a warning.", at_least=0, at_most=1
    )
    precision_critical_share: float = setting("The same, down from which it is critical.", at_least=0, at_most=1)
    recall_warning_share: float = setting(
        "Share of failures with an anomaly before them, down from which it is a warning.", at_least=0, at_most=1
    )
    recall_critical_share: float = setting("The same, down from which it is critical.", at_least=0, at_most=1)
    lead_days: float = setting("How long before a failure an anomaly counts for it.", at_least=0.01, at_most=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """The durable log that subscriptions follow."""

    poll_seconds: float = setting("Slow poll behind the wake-up of subscribers.", at_least=0.05, at_most=86_400)
    retention_hours: float = setting("How long events can be replayed.", at_least=0.01, at_most=87_600)
    buffer_size: int = setting("Newest events kept in memory for all subscribers together.", at_least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """The demo fleet."""

    enabled: bool = setting("Keep the demo fleet alive while the server runs.")
    device_count: int = setting("Water heaters of the demo fleet.", at_least=1, at_most=100_000)
    vending_machine_count: int = setting("Vending machines of the demo fleet.", at_least=0, at_most=100_000)
    history_days: float = setting(
        "Days of history that the seed generates for water heaters.", at_least=0, at_most=3650
    )
    coarse_history_days: float = setting(
        "Days before that of which the seed generates a reading an hour of water heaters.", at_least=0, at_most=3650
    )
    retired_count: int = setting(
        "Retired water heaters, with their lives up to their failures, that the seed generates.",
        at_least=0,
        at_most=999,
    )
    sales_history_days: float = setting(
        "Days of history that the seed generates for vending machines.", at_least=0, at_most=3650
    )
    interval_seconds: float = setting("Time between two readings of a device.", at_least=0.1, at_most=86_400)
    drill_interval_seconds: float = setting(
        "Time between two pressure spikes that the live demo stages; 0 stages none.", at_least=0, at_most=86_400
    )
    seed: int = setting("Seed of the generator: the same seed makes the same fleet.", at_least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    """Who may call."""

    required: bool = setting("Refuse calls without a known bearer token.")
    tokens: Mapping[str, Mapping[str, str]] = setting(
        "Bearer tokens by the name of their holder: {token = '…', role = 'viewer' | 'device' | 'operator'}.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingSettings:
    """What the server writes to standard error."""

    level: str = setting("Least severe level that is written.", one_of=("debug", "info", "warning", "error"))
    format: str = setting("'text' for people, 'json' for machines.", one_of=("text", "json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one environment."""

    environment: str
    debug: bool = setting("Show tracebacks of unexpected errors in the log and their message to clients.")
    server: ServerSettings
    websocket: WebsocketSettings
    data: DataSettings
    database: DatabaseSettings
    graphql: GraphQLSettings
    ingest: IngestSettings
    devices: DeviceSettings
    alerts: AlertSettings
    water_heater_alerts: WaterHeaterAlertSettings
    vending_machine_alerts: VendingMachineAlertSettings
    predictions: PredictionSettings
    monitoring: MonitoringSettings
    lifespan_health: LifespanHealthSettings
    multi_factor_health: MultiFactorHealthSettings
    anomaly_health: AnomalyHealthSettings
    events: EventSettings
    simulator: SimulatorSettings
    auth: AuthSettings
    logging: LoggingSettings

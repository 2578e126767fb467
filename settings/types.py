"""Every setting there is, by section; larger sections stand in files of their own.

The field's type, its bounds (`at_least`, `at_most`, `one_of`) and its help text are the one description of a setting:
the loader checks values against it, `iotsphere config` prints it, and a test compares it with docs/settings.md.
Units are in the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from settings.alert_types import AlertSettings, VendingMachineAlertSettings, WaterHeaterAlertSettings
from settings.described import setting
from settings.prediction_types import (
    AnomalyHealthSettings,
    LifespanHealthSettings,
    MonitoringSettings,
    MultiFactorHealthSettings,
    PredictionSettings,
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
    compress_min_bytes: int = setting(
        "Smallest answer that is compressed for clients that accept gzip; 0 compresses none.",
        at_least=0,
        at_most=1_000_000_000,
    )
    gc_young_objects: int = setting(
        "New objects after which Python's garbage collector looks at them; 0 leaves it as Python has it.",
        at_least=0,
        at_most=100_000_000,
    )
    gc_young_rounds: int = setting(
        "Rounds over new objects before one over those that outlived a round.", at_least=1, at_most=1_000_000
    )
    gc_middle_rounds: int = setting(
        "Rounds over those before one over all objects made since the start.", at_least=1, at_most=1_000_000
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
    gathers_reads: bool = setting("Let short reads, and equal ones, of one turn of the event loop share a statement.")
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
    trusted_documents: str = setting(
        "Folder of .graphql files, or manifest in JSON, with the documents that clients may name by 'documentId'."
    )
    only_trusted_documents: bool = setting("Refuse all other documents.")
    trusted_max_age_seconds: int = setting(
        "How long answers to a GET of a trusted document may be used again without asking; 0 has each asked for.",
        at_least=0,
        at_most=31_536_000,
    )


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
class EventSettings:
    """The durable log that subscriptions follow."""

    poll_seconds: float = setting("Slow poll behind the wake-up of subscribers.", at_least=0.05, at_most=86_400)
    retention_hours: float = setting("How long events can be replayed.", at_least=0.01, at_most=87_600)
    buffer_size: int = setting("Newest events kept in memory for all subscribers together.", at_least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long what is finished is kept."""

    check_seconds: float = setting("Interval at which the server looks for what is old.", at_least=1, at_most=86_400)
    alerts_days: float = setting(
        "How long alerts of devices are kept when they are RESOLVED; 0 keeps them for ever.", at_least=0, at_most=36_525
    )
    model_alerts_days: float = setting(
        "How long alerts of models are kept when they are RESOLVED; 0 keeps them for ever.", at_least=0, at_most=36_525
    )
    anomalies_days: float = setting(
        "How long anomalies that nobody judged are kept when they have ended; 0 keeps them for ever.",
        at_least=0,
        at_most=36_525,
    )
    judged_anomalies_days: float = setting(
        "How long anomalies are kept when they have ended and were judged; 0 keeps them for ever.",
        at_least=0,
        at_most=36_525,
    )
    predictions_days: float = setting(
        "How long predictions are kept of which no outcome is to come or was observed since; 0 keeps them for ever.",
        at_least=0,
        at_most=36_525,
    )
    model_metrics_days: float = setting(
        "How long metrics of models are kept; 0 keeps them for ever.", at_least=0, at_most=36_525
    )


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
        "Days before that of which the seed generates a reading each hour or two of water heaters.",
        at_least=0,
        at_most=3650,
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
    retention: RetentionSettings
    simulator: SimulatorSettings
    auth: AuthSettings
    logging: LoggingSettings

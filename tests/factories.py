"""Things that tests need many of, with values that a test changes where it cares."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from models.clock import now
from models.devices import WATER_HEATER
from models.readings import ReadingBatch, packed
from models.repositories import device_changes, partitions, readings
from models.store import Store
from settings.alert_types import AlertSettings, VendingMachineAlertSettings, WaterHeaterAlertSettings
from settings.prediction_types import (
    AnomalyHealthSettings,
    LifespanHealthSettings,
    MonitoringSettings,
    MultiFactorHealthSettings,
    PredictionSettings,
)
from settings.types import (
    AuthSettings,
    DatabaseSettings,
    DataSettings,
    DeviceSettings,
    EventSettings,
    GraphQLSettings,
    IngestSettings,
    LoggingSettings,
    RetentionSettings,
    ServerSettings,
    Settings,
    SimulatorSettings,
    WebsocketSettings,
)

MEMORY_URL = "sqlite+aiosqlite:///:memory:"
# A Monday in the middle of a month, so that neighbours of a few days need no other partition.
MIDDAY = datetime(2024, 7, 15, 12, tzinfo=UTC)

_SECTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "server": (
        ServerSettings,
        {
            "host": "127.0.0.1",
            "port": 0,
            "graphiql": True,
            "max_body_bytes": 1_000_000,
            "body_timeout_seconds": 10,
            "shutdown_grace_seconds": 1,
            "allowed_origins": (),
            "compress_min_bytes": 0,
            "gc_young_objects": 0,
            "gc_young_rounds": 10,
            "gc_middle_rounds": 10,
        },
    ),
    "websocket": (
        WebsocketSettings,
        {
            "connection_init_timeout_seconds": 2,
            "keep_alive_seconds": 20,
            "max_message_bytes": 1_000_000,
            "max_operations": 20,
        },
    ),
    "data": (DataSettings, {"source": "database"}),
    "database": (
        DatabaseSettings,
        {
            "url": MEMORY_URL,
            "pool_size": 3,
            "acquire_timeout_seconds": 5,
            "connect_timeout_seconds": 5,
            "statement_timeout_seconds": 10,
            "lock_timeout_seconds": 5,
            "gathers_reads": True,
            "partitions_ahead_months": 1,
        },
    ),
    "graphql": (
        GraphQLSettings,
        {
            "introspection": True,
            "default_page_size": 20,
            "max_page_size": 100,
            "max_series_points": 1000,
            "max_rows": 10_000,
            "max_depth": 15,
            "max_aliases": 30,
            "max_tokens": 2000,
            "operation_timeout_seconds": 10,
            "document_cache_size": 100,
            "trusted_documents": "",
            "only_trusted_documents": False,
            "trusted_max_age_seconds": 0,
        },
    ),
    "ingest": (
        IngestSettings,
        {"max_batch_size": 100, "max_commit_size": 500, "max_future_seconds": 300, "max_age_days": 3650},
    ),
    "devices": (DeviceSettings, {"offline_after_seconds": 300, "status_check_seconds": 1}),
    "alerts": (
        AlertSettings,
        {
            "check_seconds": 1,
            "sweep_seconds": 60,
            "offline_hold_seconds": 300,
            "offline_recover_seconds": 60,
            "anomaly_min_severity": "HIGH",
            "anomaly_hold_seconds": 0,
            "anomaly_recover_seconds": 300,
        },
    ),
    "water_heater_alerts": (
        WaterHeaterAlertSettings,
        {
            "over_temperature_high_celsius": 80,
            "over_temperature_critical_celsius": 90,
            "over_temperature_hold_seconds": 120,
            "over_temperature_recover_seconds": 300,
            "high_pressure_high_bar": 6,
            "high_pressure_critical_bar": 8,
            "high_pressure_hold_seconds": 0,
            "high_pressure_recover_seconds": 60,
            "low_pressure_high_bar": 1,
            "low_pressure_critical_bar": 0.5,
            "low_pressure_hold_seconds": 60,
            "low_pressure_recover_seconds": 60,
            "maintenance_interval_days": 365,
        },
    ),
    "vending_machine_alerts": (
        VendingMachineAlertSettings,
        {
            "over_temperature_high_kelvin": 5,
            "over_temperature_critical_kelvin": 10,
            "over_temperature_hold_seconds": 600,
            "over_temperature_recover_seconds": 300,
            "cash_full_high_minor": 40_000,
            "cash_full_critical_minor": 60_000,
            "cash_full_hold_seconds": 0,
            "cash_full_recover_seconds": 0,
            "low_stock_hold_seconds": 0,
            "low_stock_recover_seconds": 0,
            "maintenance_interval_days": 180,
        },
    ),
    "predictions": (
        PredictionSettings,
        {
            "reuse_seconds": 3600,
            "kept_devices": 100,
            "horizon_days": 30,
            "min_failures": 5,
            "training_trees": 10,
            "training_max_rows": 2000,
            "training_threads": 1,
            "training_timeout_seconds": 60,
            "training_check_seconds": 0.05,
            "training_abandoned_after_seconds": 30,
            "trains_first_models": False,
        },
    ),
    "monitoring": (
        MonitoringSettings,
        {
            "check_seconds": 1,
            "lease_seconds": 2,
            "window_hours": 24,
            "drift_window_hours": 24,
            "drift_windows_needed": 2,
            "drift_windows_of": 3,
            "min_predictions": 30,
            "min_outcomes": 5,
            "outcome_days": 90,
            "sample_devices": 0,
            "latency_warning_ms": 2000,
            "latency_critical_ms": 10000,
            "missing_warning_share": 0.1,
            "missing_critical_share": 0.3,
            "drifted_warning_share": 0.05,
            "drifted_critical_share": 0.3,
            "poor_data_warning_share": 0.01,
            "poor_data_critical_share": 0.2,
            "age_warning_days": 365,
            "age_critical_days": 1095,
            "alert_hold_seconds": 0,
            "alert_recover_seconds": 0,
            "drift_retention_days": 400,
            "trains_when_drifting": False,
            "training_pause_hours": 24,
            "promotes_better": False,
        },
    ),
    "lifespan_health": (
        LifespanHealthSettings,
        {
            "mae_warning_ratio": 1.5,
            "mae_critical_ratio": 2.5,
            "interval_coverage_warning_share": 0.75,
            "interval_coverage_critical_share": 0.5,
        },
    ),
    "multi_factor_health": (
        MultiFactorHealthSettings,
        {
            "brier_warning_ratio": 1.5,
            "brier_critical_ratio": 2.5,
            "calibration_warning_error": 0.1,
            "calibration_critical_error": 0.25,
        },
    ),
    "anomaly_health": (
        AnomalyHealthSettings,
        {
            "precision_warning_share": 0.5,
            "precision_critical_share": 0.2,
            "recall_warning_share": 0.3,
            "recall_critical_share": 0.1,
            "lead_days": 7,
        },
    ),
    "events": (EventSettings, {"poll_seconds": 0.2, "retention_hours": 24, "buffer_size": 100}),
    "retention": (
        RetentionSettings,
        {
            "check_seconds": 3600,
            "alerts_days": 0,
            "model_alerts_days": 0,
            "anomalies_days": 0,
            "judged_anomalies_days": 0,
            "predictions_days": 0,
            "model_metrics_days": 0,
        },
    ),
    "simulator": (
        SimulatorSettings,
        {
            "enabled": False,
            "device_count": 3,
            "vending_machine_count": 0,
            "history_days": 0.1,
            "coarse_history_days": 0,
            "retired_count": 0,
            "sales_history_days": 0.1,
            "interval_seconds": 60,
            "drill_interval_seconds": 0,
            "seed": 7,
        },
    ),
    "auth": (AuthSettings, {"required": False, "tokens": {}}),
    "logging": (LoggingSettings, {"level": "warning", "format": "text"}),
}
_numbers = itertools.count(1)


def settings(environment: str = "testing", *, debug: bool = False, **changes: Mapping[str, Any]) -> Settings:
    """Return settings for a small server; changes by section, as graphql={"max_depth": 3}."""
    unknown = set(changes) - set(_SECTIONS)
    assert not unknown, f"no such section: {unknown}"
    sections = {name: make(**{**values, **changes.get(name, {})}) for name, (make, values) in _SECTIONS.items()}
    return Settings(environment=environment, debug=debug, **sections)


def database_settings(url: str = MEMORY_URL, **changes: Any) -> DatabaseSettings:
    """Return settings of a small pool with limits that a test does not wait for."""
    return settings(database={"url": url, **changes}).database


def event_settings(**changes: Any) -> EventSettings:
    """Return settings of an event log that polls often."""
    return settings(events=changes).events


async def add_heater(store: Store, **changes: Any) -> int:
    """Store a water heater and return its id; changes may name columns of the device and of the heater."""
    number = next(_numbers)
    device: dict[str, Any] = {
        "kind": "WATER_HEATER",
        "name": f"Heater {number}",
        "serial_number": f"WH-{number:06d}",
        "status": "OFFLINE",
        "created_at": now(),
        "updated_at": now(),
        "version": 1,
    }
    heater: dict[str, Any] = {
        "target_temperature": 55.0,
        "min_temperature": 30.0,
        "max_temperature": 70.0,
        "mode": "ECO",
        "heater_type": "RESISTIVE",
        "capacity_liters": 150.0,
        "rated_power_watts": 2000.0,
    }
    heater |= {name: changes.pop(name) for name in list(changes) if name in heater}
    async with store.transaction() as transaction:
        return await device_changes.add(transaction, device | changes, heater)


async def add_readings(
    store: Store, device_id: int | Sequence[int], recorded_at: Iterable[datetime], **channels: Sequence[Any]
) -> int:
    """Store readings as ingestion does, with what belongs to them, and return how many were new.

    Args:
        store: a migrated database.
        device_id: of all readings, or of each.
        recorded_at: (n,) instants.
        channels: (n,) values by channel; the temperature is 50 °C where no channel is given.
    """
    instants = list(recorded_at)
    ids = [device_id] * len(instants) if isinstance(device_id, int) else list(device_id)
    values = channels or {"temperature": [50.0] * len(instants)}
    newest: dict[int, datetime] = {}
    for id_, at in zip(ids, instants, strict=True):
        newest[id_] = max(newest.get(id_, at), at)
    async with store.transaction() as transaction:
        months = {partitions.month_of(at) for at in instants}
        await partitions.ensure(transaction, [WATER_HEATER.name], months)
        await device_changes.lock(transaction, ids)
        stored = await readings.add(transaction, packed([ReadingBatch(WATER_HEATER.name, ids, instants, values)]))
        await device_changes.mark_seen(transaction, newest, online_since=now())
    return int(stored.sum())

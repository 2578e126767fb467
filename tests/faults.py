"""A database whose rows break what the schema promises: NULL where nothing may be null, NaN, unknown enum values."""

import sqlite3
from contextlib import closing

import asyncpg

INFINITE = {"sqlite": "9e999", "postgresql": "'Infinity'"}
# SQLite keeps NaN as NULL.
NAN = {"sqlite": "-9e999", "postgresql": "'NaN'"}
UNKNOWN, NULL, NOWHERE = "'BROKEN'", "NULL", "424242"
# Table, column, what stands there, and in which rows.
_FAULTS = (
    ("devices", "status", UNKNOWN, "id % 5 = 1"),
    ("devices", "name", NULL, "id % 5 = 2"),
    ("devices", "version", NULL, "id % 5 = 3"),
    ("water_heaters", "mode", UNKNOWN, "device_id % 4 = 1"),
    ("water_heaters", "target_temperature", INFINITE, "device_id % 4 = 2"),
    ("water_heaters", "capacity_liters", NULL, "device_id % 4 = 3"),
    ("water_heater_readings", "temperature", NAN, "device_id % 2 = 1"),
    ("water_heater_readings", "power", INFINITE, "device_id % 3 = 1"),
    ("vending_machines", "target_cabinet_temperature", NULL, "device_id % 2 = 1"),
    ("vending_machine_readings", "power", NAN, "device_id % 2 = 0"),
    ("vending_machine_products", "capacity", NULL, "id % 2 = 0"),
    ("vending_machine_products", "price_minor", NULL, "id % 2 = 1"),
    ("vending_machine_sales", "payment_method", UNKNOWN, "id % 3 = 0"),
    ("vending_machine_sales", "line", NULL, "id % 3 = 1"),
    ("vending_machine_slot_changes", "kind", UNKNOWN, "id % 2 = 0"),
    ("maintenance_records", "performed_at", NULL, "id % 3 = 1"),
    ("maintenance_parts", "quantity", NULL, "record_id % 2 = 0"),
    ("device_failures", "device_id", NOWHERE, "id % 3 = 1"),
    ("anomalies", "score", NAN, "id % 3 = 0"),
    ("anomalies", "severity", UNKNOWN, "id % 3 = 1"),
    ("anomalies", "device_id", NOWHERE, "id % 3 = 2"),
    ("alerts", "message", NULL, "id % 4 = 0"),
    ("alerts", "kind", UNKNOWN, "id % 4 = 1"),
    ("alerts", "device_id", NOWHERE, "id % 4 = 2 AND device_id IS NOT NULL"),
    ("alert_changes", "state", UNKNOWN, "id % 2 = 0"),
    ("prediction_models", "trained_at", NULL, "id % 3 = 0"),
    ("prediction_models", "stage", UNKNOWN, "id % 3 = 1"),
    ("predictions", "confidence", NAN, "id % 3 = 0"),
    ("predictions", "device_id", NOWHERE, "id % 3 = 1"),
    ("model_metrics", "value", NAN, "id % 2 = 0"),
    ("model_drift", "model_id", NOWHERE, "id % 2 = 0"),
    ("model_health", "status", UNKNOWN, "id % 2 = 0"),
    ("training_runs", "state", UNKNOWN, "id % 2 = 0"),
    ("training_runs", "progress", INFINITE, "id % 2 = 1"),
)


async def break_promises(url: str) -> None:
    """Spoil rows of nearly all tables of a database that nobody has open."""
    dialect = url.partition("+")[0]
    updates = [
        f"UPDATE {table} SET {column} = {value[dialect] if isinstance(value, dict) else value} WHERE {rows}"
        for table, column, value, rows in _FAULTS
    ]
    if dialect == "sqlite":
        _break_sqlite(url.removeprefix("sqlite+aiosqlite:///"), updates)
    else:
        await _break_postgresql(url.replace("+asyncpg", ""), updates)


def _break_sqlite(path: str, updates: list[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
        connection.execute("PRAGMA writable_schema = RESET")
    # Connections read the tables' definitions when they are opened.
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for update in updates:
            connection.execute(update)


async def _break_postgresql(url: str, updates: list[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for table, column in dict.fromkeys((table, column) for table, column, *_ in _FAULTS):
            await connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
        for update in updates:
            await connection.execute(update)
    finally:
        await connection.close()

"""How statements reach a database: one driver for PostgreSQL, one for SQLite, the same face."""

from models.drivers.base import Connection, Driver, UniqueViolated
from models.drivers.columns import Column, Columns, plain_values
from models.drivers.postgresql import PostgresDriver
from models.drivers.sqlite import SqliteDriver

__all__ = [
    "Column",
    "Columns",
    "Connection",
    "Driver",
    "PostgresDriver",
    "SqliteDriver",
    "UniqueViolated",
    "plain_values",
]

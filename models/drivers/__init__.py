"""How statements reach a database: one driver for PostgreSQL, one for SQLite, the same face."""

from models.drivers.base import Connection, Driver, UniqueViolated
from models.drivers.postgresql import PostgresDriver
from models.drivers.sqlite import SqliteDriver

__all__ = ["Connection", "Driver", "PostgresDriver", "SqliteDriver", "UniqueViolated"]

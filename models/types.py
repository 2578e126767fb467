"""Column types that mean the same on PostgreSQL and SQLite."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware instant."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def _json_text(values: Iterable[Any]) -> str:
    return json.dumps(list(values))


def array_text(values: Iterable[int | float | bool | None]) -> str:
    """Return values as PostgreSQL reads an array from a text, as a parameter `$1::text::bigint[]`.

    The driver looks at each item of a list several times, which takes longer than all that is done with the items.
    """
    return f"{{{orjson.dumps(list(values)).decode()[1:-1]}}}"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: TIMESTAMPTZ on PostgreSQL, microseconds since 1970 on SQLite.

    Whole numbers keep SQLite's indexes small, its comparisons exact and its time buckets a division.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the dialect."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive instants, which would mean another time on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {value!r}")
        return value if dialect.name == "postgresql" else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware instant."""
        if value is None or dialect.name == "postgresql":
            return value
        return from_micros(value)


class BigIntegerList(TypeDecorator[list[int]]):
    """A list parameter: an array on PostgreSQL, JSON text on SQLite (read there by json_each)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the parameter type of the dialect."""
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Any:
        """Encode the list as the dialect reads it; the driver takes a list whole, so no item is looked at."""
        return list if dialect.name == "postgresql" else _json_text


class TextList(TypeDecorator[list[str]]):
    """A list parameter of texts: an array on PostgreSQL, JSON text on SQLite (read there by json_each)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the parameter type of the dialect."""
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Any:
        """Encode the list as the dialect reads it; the driver takes a list whole, so no item is looked at."""
        return list if dialect.name == "postgresql" else _json_text

"""The time, always aware and in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)

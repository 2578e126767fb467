"""Progress of work that takes its time."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Told what is being done and which part of it is, from 0 to 1."""


def silent(_what: str, _part: float) -> None:
    """Tell nobody of the progress."""

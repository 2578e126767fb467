"""What the tests of the assembled server share: services over a store, a clock that is set, an environment."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app import logs
from models.clock import now
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.context import Services
from resolvers.ingest import Ingest
from tests.factories import settings

ROOT = Path(__file__).parents[2]


@dataclass
class SetClock:
    """A clock that shows what it was set to."""

    time: datetime

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.time

    def forward(self, **span: float) -> None:
        """Move the hands."""
        self.time += timedelta(**span)


def services_over(store: Store, clock=now, **changes) -> Services:
    """Return services over an open store; changes are of settings, by section."""
    chosen = settings(**changes)
    alerting = Alerting(chosen, clock)
    return Services(chosen, store, Ingest(store, chosen, alerting, clock), alerting, clock)


def use_environment(patch: pytest.MonkeyPatch, folder: Path, **variables: str) -> None:
    """Let settings be read from the project's settings.toml alone, and from these variables."""
    shutil.copy(ROOT / "settings.toml", folder)
    patch.setenv("IOTSPHERE_ROOT", str(folder))
    for name, value in variables.items():
        patch.setenv(name, value)


@contextmanager
def logging_restored() -> Iterator[None]:
    """Put logging back to what it was: commands set it up for a process of their own."""
    loggers = [logging.getLogger(name) for name in ("", "alembic", *logs._UVICORN, *logs._TOO_TALKATIVE)]
    before = [(each, each.level, list(each.handlers), each.propagate) for each in loggers]
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        for each, level, handlers, propagate in before:
            each.setLevel(level)
            each.handlers[:] = handlers
            each.propagate = propagate

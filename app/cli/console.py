"""What all commands share: output, progress, errors in one sentence, the event loop."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any, NoReturn, TypeVar

import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from app import logs
from app.database import effective, opened
from app.http.graphiql import ExplorerMissing
from models.errors import IoTSphereError
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.context import Services
from resolvers.ingest import Ingest
from settings.checks import SettingsError
from settings.loader import load
from settings.types import Settings

T = TypeVar("T")

FAILED = 1
MISUSED = 2
INTERRUPTED = 130
_SHOWN_AFTER_SECONDS = 1.0

output = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Commands(TyperGroup):
    """Commands whose expected failures end in one sentence on standard error and an exit status, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            fail(str(error), MISUSED)
        except IoTSphereError as error:
            fail(error.message, FAILED)
        except ExplorerMissing as error:
            fail(str(error), FAILED)
        except KeyboardInterrupt:
            fail("Stopped.", INTERRUPTED)


def fail(message: str, status: int) -> NoReturn:
    """End the command with a sentence on standard error."""
    typer.echo(message, err=True)
    raise typer.Exit(status)


def load_settings(**simulator: Any) -> Settings:
    """Return the settings of the environment, with log and simulator set up; simulator values that are None stay.

    Raises:
        SettingsError: they cannot be used.
    """
    settings = load()
    logs.configure(settings.logging)
    # It tells of its own inner life; the commands say what it did.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    given = {name: value for name, value in simulator.items() if value is not None}
    return effective(replace(settings, simulator=replace(settings.simulator, **given)))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part in the event loop that the server uses too."""
    loop_factory = uvicorn.Config("").get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(coroutine)


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncGenerator[Services]:
    """Open the configured database for a command, and close it when all that was handed in is stored.

    Raises:
        MigrationsPending: it lacks the tables of this version.
        Unavailable: it cannot be reached.
        SettingsError: the data is generated anew by each process, so a command would work on nothing.
    """
    if settings.data.source == "mock":
        raise SettingsError(
            f"In {settings.environment} the data is generated in memory (data.source = 'mock'); "
            "choose an environment with a database: APP_ENV=development, say."
        )
    async with opened(Store(settings.database, settings.events)) as store:
        alerting = Alerting(settings)
        services = Services(settings, store, Ingest(store, settings, alerting), alerting)
        try:
            yield services
        finally:
            await services.ingest.close()


class Bar:
    """A progress bar that appears where work takes more than a second, on terminals only."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=1.0)
        self._began = monotonic()
        self._is_shown = False

    def move(self, part: float | None, label: str | None = None) -> None:
        """Show which part of the work is done, 0 to 1 or None if nobody knows; and what it is, if that has changed."""
        if not self._is_shown and monotonic() - self._began > _SHOWN_AFTER_SECONDS:
            self._is_shown = True
            self._progress.start()
        if part is None:
            self._progress.update(self._task, total=None)
        else:
            self._progress.update(self._task, completed=part, description=label)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._progress.stop()


@contextmanager
def progress_bar(label: str) -> Generator[Bar]:
    """Show the progress of work while this context is open; where there is no terminal, say what is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # What the log writes meanwhile must not tear the bar apart.
    progress = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal, redirect_stderr=True)
    if not errors.is_terminal:
        errors.print(f"{label} …")
    bar = Bar(progress, label)
    try:
        yield bar
    finally:
        bar.close()


def configure_streams() -> None:
    """Let characters that the terminal cannot show be replaced, where an error would end the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")

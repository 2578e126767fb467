"""The supervisor: runs workers, and begins again with one that fails."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.clock import now
from models.errors import IoTSphereError

logger = logging.getLogger("iotsphere.workers")

FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0

Beat = Callable[[], None]


class Worker(Protocol):
    """Work that goes on until it is cancelled."""

    @property
    def name(self) -> str:
        """What the log, /readyz and /metrics call it."""
        ...

    async def run(self, beat: Beat) -> None:
        """Work until cancelled; `beat` is called after each round that went well."""
        ...


@dataclass(slots=True)
class WorkerState:
    """How a worker is.

    Attributes:
        failures: how often it has failed since the start.
        failing_since: when the failure began that it has not recovered from; None if it is well.
        problem: that failure in words that may be shown to anybody.
        last_beat: when it last completed a round.
    """

    name: str
    failures: int = 0
    failing_since: datetime | None = None
    problem: str | None = None
    last_beat: datetime | None = None


class Supervisor:
    """Runs workers; a failure is logged and counted, and the worker begins again after a pause that grows.

    Args:
        workers: with different names.
        on_failure: told the name of a worker that failed.
        first_pause_seconds: after the first of several failures in a row; each doubles it, up to a minute.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        on_failure: Callable[[str], None],
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._workers = workers
        self._on_failure = on_failure
        self._first_pause_seconds = first_pause_seconds
        self.states = [WorkerState(worker.name) for worker in workers]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the workers while this context is open."""
        pairs = zip(self._workers, self.states, strict=True)
        tasks = [asyncio.create_task(self._keep_running(*pair), name=pair[1].name) for pair in pairs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_running(self, worker: Worker, state: WorkerState) -> None:
        pause = self._first_pause_seconds

        def beat() -> None:
            nonlocal pause
            pause = self._first_pause_seconds
            state.last_beat = now()
            if state.failing_since is not None:
                logger.info("worker %s works again", state.name)
            state.failing_since = state.problem = None

        while True:
            try:
                await worker.run(beat)
                self._note(state, "It ended although it should go on.", None, pause)
            except IoTSphereError as error:
                self._note(state, error.message, None, pause)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other workers and the server go on
                self._note(state, f"Unexpected {type(error).__name__}; the server's log has more.", error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _note(self, state: WorkerState, problem: str, error: Exception | None, pause: float) -> None:
        state.failures += 1
        state.problem = problem
        state.failing_since = state.failing_since or now()
        self._on_failure(state.name)
        # An outage lasts; its sentence is enough. A defect is told with its traceback.
        level = logging.WARNING if error is None else logging.ERROR
        logger.log(level, "worker %s failed: %s It begins again in %g s.", state.name, problem, pause, exc_info=error)

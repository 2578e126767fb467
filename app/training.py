"""Training in a process of its own, which is heard of while it goes on and ended when it takes too long."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any

import orjson

import resolvers
from models.errors import IoTSphereError
from models.statements import Row
from resolvers.context import Services
from resolvers.predicting import training
from resolvers.predicting.jobs import packed

logger = logging.getLogger("iotsphere.training")

_PROGRAM = "resolvers.predicting.process"
_LOOK_SECONDS = 0.1
# Several beats must be lost before a run counts as abandoned.
_BEATS = 5
_MOST_BEAT_SECONDS = 5.0
_SHOWN_CHARACTERS = 4000
_STOPPED = "The server was stopped during the training; it can be asked for again."

Moved = Callable[[float], None]


class TrainingFailed(IoTSphereError):
    """There is no new version; the message says why."""

    code = "TRAINING_FAILED"


async def carry_out(services: Services, run: Row, moved: Moved = lambda _share: None) -> Row:
    """Do a training that this process has taken and return the new version.

    Args:
        services: of the process.
        run: running.
        moved: told the share that is done.

    Raises:
        TrainingFailed: what went wrong stands in the run.
        TrainingEnded: somebody has ended the run.
    """
    try:
        plan, fleet = await training.prepare(services, run)
        job = await asyncio.to_thread(packed, plan, fleet)
        learnt = await _learnt(services, run, job, moved)
        return await training.complete(services, run, learnt)
    except TrainingFailed as error:
        await training.fail(services, run, error.message)
        raise
    except asyncio.CancelledError:
        await training.fail(services, run, _STOPPED)
        raise


@dataclass(slots=True)
class _Conversation:
    """What the process has told so far.

    Attributes:
        share: of the work that is done.
        learnt: the result.
        error: why there is none, in a sentence.
    """

    share: float = 0.0
    learnt: dict[str, Any] | None = None
    error: str | None = None

    def hold(self, process: subprocess.Popen[bytes], job: bytes) -> None:
        """Hand the job in and listen until the process ends; for a thread."""
        with process:
            if process.stdin is None or process.stdout is None:
                raise ValueError("the process has no pipes")
            # One that ends before it has read its job says why by other ways.
            with suppress(OSError), process.stdin as stdin:
                stdin.write(job)
            for line in process.stdout:
                told = orjson.loads(line)
                self.share = told.get("progress", self.share)
                self.learnt = told.get("learnt", self.learnt)
                self.error = told.get("error", self.error)


async def _learnt(services: Services, run: Row, job: bytes, moved: Moved) -> dict[str, Any]:
    """Return what a process makes of a job; it has ended when this returns or raises."""
    conversation = _Conversation()
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.to_thread(_started, complaints)
        talk = asyncio.ensure_future(asyncio.to_thread(conversation.hold, process, job))
        try:
            await _watched(services, run, conversation, talk, moved)
        finally:
            process.kill()
            await asyncio.wait({talk})
        talk.result()
        if conversation.learnt is None:
            raise _failure(conversation, process.returncode, complaints)
    return conversation.learnt


async def _watched(
    services: Services, run: Row, conversation: _Conversation, talk: asyncio.Future[None], moved: Moved
) -> None:
    """Tell how far the training is until its process ends.

    Raises:
        TrainingFailed: it takes too long.
        TrainingEnded: somebody has ended the run.
    """
    settings = services.settings.predictions
    beat_seconds = min(settings.training_abandoned_after_seconds / _BEATS, _MOST_BEAT_SECONDS)
    began = beaten = monotonic()
    while not talk.done():
        await asyncio.wait({talk}, timeout=_LOOK_SECONDS)
        moved(conversation.share)
        if monotonic() - began > settings.training_timeout_seconds:
            raise TrainingFailed(
                f"The training took longer than {settings.training_timeout_seconds:g} s "
                "(predictions.training_timeout_seconds) and was ended."
            )
        if monotonic() - beaten >= beat_seconds:
            beaten = monotonic()
            await training.tell(services, run, conversation.share)


def _started(complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    root = str(Path(resolvers.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - no part of it comes from a caller
        [sys.executable, "-m", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _failure(conversation: _Conversation, status: int, complaints: IO[bytes]) -> TrainingFailed:
    if conversation.error is not None:
        return TrainingFailed(conversation.error)
    complaints.seek(0)
    told = complaints.read().decode(errors="replace")[-_SHOWN_CHARACTERS:]
    logger.error("a training process ended with status %d: %s", status, told.strip())
    return TrainingFailed(f"The training's process ended with status {status}; the server's log has more.")

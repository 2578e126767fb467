"""The process that trains: a job comes in by standard input, progress and result go out as lines of JSON.

It runs as `python -m resolvers.predicting.process`, so that neither the event loop nor Python's lock of the server is
held by a training, on any operating system.
"""

import os
import signal
import sys
from typing import Any, BinaryIO

import orjson

from models.learning.boosting import NothingToLearn
from models.learning.features import HistoryProblem
from resolvers.predicting.jobs import learn, unpacked

_STEP = 0.01


def main() -> int:
    """Do the one job; return the status with which the process ends."""
    # Ctrl-C in a terminal reaches all its processes; it is for the server to end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _own_output() as out:
        job = sys.stdin.buffer.read()
        try:
            _tell(out, {"learnt": learn(*unpacked(job), _Progress(out))})
        except (NothingToLearn, HistoryProblem) as error:
            _tell(out, {"error": str(error)})
        except BrokenPipeError:
            return 1
    return 0


class _Progress:
    """Tells each hundredth; where nobody listens any more, the training ends."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._told = 0.0

    def __call__(self, share: float) -> None:
        if share >= self._told + _STEP:
            self._told = share
            _tell(self._out, {"progress": share})


def _own_output() -> BinaryIO:
    """Return standard output for this protocol alone: what libraries print goes to standard error."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _tell(out: BinaryIO, what: dict[str, Any]) -> None:
    out.write(orjson.dumps(what) + b"\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())

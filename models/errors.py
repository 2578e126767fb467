"""Every expected failure, as one tree.

    IoTSphereError                     code
    ├── BadUserInput                   BAD_USER_INPUT      a value that the caller can correct
    │   └── LimitExceeded              LIMIT_EXCEEDED      more than a setting allows
    ├── CursorExpired                  CURSOR_EXPIRED      events that a stream has to go through are forgotten
    ├── NotFound                       NOT_FOUND           the thing named does not exist
    ├── Conflict                       CONFLICT            the world is not as the caller saw it
    ├── Unauthenticated                UNAUTHENTICATED     no token, or an unknown one
    ├── Forbidden                      FORBIDDEN           a known caller without the right
    ├── DeadlineExceeded               DEADLINE_EXCEEDED   the operation took too long
    └── Unavailable                    UNAVAILABLE         the database cannot be reached; a retry may succeed

Each message says what is wrong with which input, and what is allowed. Anything that is not in this tree is a defect: it
is masked as INTERNAL with an id that the log repeats.
"""

from typing import Any, ClassVar


class IoTSphereError(Exception):
    """A failure that the caller can understand and act upon.

    Attributes:
        code: stable name of the failure, for programs.
        input_path: where in the field's arguments the offending value stands, as ("input", "targetTemperature").
        details: further facts for programs, JSON values only.
    """

    code: ClassVar[str] = "ERROR"

    def __init__(self, message: str, *, input_path: tuple[str | int, ...] = (), **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.input_path = input_path
        self.details = details


class BadUserInput(IoTSphereError):
    """A value that the caller can correct."""

    code = "BAD_USER_INPUT"


class LimitExceeded(BadUserInput):
    """The request asks for more than a setting allows; the message names the limit."""

    code = "LIMIT_EXCEEDED"


class CursorExpired(IoTSphereError):
    """Events behind a cursor are forgotten, so that a stream cannot go on from there without a hole.

    Args:
        oldest_cursor: the place from which a stream can go on; it tells what is still there.
    """

    code = "CURSOR_EXPIRED"

    def __init__(self, message: str, *, oldest_cursor: str, input_path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, input_path=input_path, oldestCursor=oldest_cursor)


class NotFound(IoTSphereError):
    """The thing that the caller named does not exist."""

    code = "NOT_FOUND"


class Conflict(IoTSphereError):
    """The world is not as the caller saw it: a stale version, a serial number that is taken."""

    code = "CONFLICT"


class Unauthenticated(IoTSphereError):
    """No token was sent where one is required, or an unknown one."""

    code = "UNAUTHENTICATED"


class Forbidden(IoTSphereError):
    """The caller is known but lacks the right."""

    code = "FORBIDDEN"


class DeadlineExceeded(IoTSphereError):
    """The operation took longer than its deadline and was cancelled."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(IoTSphereError):
    """The database cannot be reached or did not answer in time; trying again may succeed.

    Attributes:
        connection_lost: the connection broke, so that the same statement may succeed on another one.
    """

    code = "UNAVAILABLE"

    def __init__(self, message: str, *, connection_lost: bool = False) -> None:
        super().__init__(message, retryable=True)
        self.connection_lost = connection_lost

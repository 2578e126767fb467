"""What the server writes to standard error: lines for people, or one JSON object per line for machines.

Passwords of URLs and bearer tokens are hidden in whatever is logged, and so is each extra field that is named like a
secret. uvicorn's loggers are led to the same handler: start it with `log_config=None` and without `log_level`, or it
undoes that.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO, cast

import orjson

from settings.masking import MASK, masked_text
from settings.types import LoggingSettings

HANDLER_NAME: Final = "iotsphere"

_UVICORN: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
# At debug these write whole frames of websockets (connection_init carries a token) and the parameters of statements.
_TOO_TALKATIVE: Final = ("uvicorn.error", "uvicorn.asgi", "websockets", "aiosqlite")
_SECRET_NAME: Final = re.compile(r"password|token|secret|authorization|cookie", re.IGNORECASE)
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# uvicorn repeats its message here, with terminal colours.
_NOT_TOLD: Final = frozenset({"color_message"})
_CONTROL_CHARACTERS: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}


def configure(settings: LoggingSettings) -> None:
    """Send the log of the process to standard error, warnings of Python included.

    It may be called again: the handler is replaced, and handlers of others are left alone.
    """
    handler = _StandardErrorHandler()
    handler.name = HANDLER_NAME
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in [known for known in root.handlers if known.name == HANDLER_NAME]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(level)
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, the extra fields, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": _instant(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked_text(record.getMessage()),
        }
        for name, value in _extra_fields(record):
            fields.setdefault(name, value)
        trouble = _trouble(self, record)
        if trouble:
            fields["exception"] = trouble
        return _as_json(fields)


class TextFormatter(logging.Formatter):
    """A line for people: time, level, logger, message, extra fields; then the traceback, where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines."""
        time = _instant(record).astimezone().isoformat(sep=" ", timespec="milliseconds")
        # A line break in a message would look like a line of its own, and an escape sequence would steer the terminal.
        message = masked_text(record.getMessage()).translate(_CONTROL_CHARACTERS)
        extra = "".join(f" {name}={value}".translate(_CONTROL_CHARACTERS) for name, value in _extra_fields(record))
        trouble = _trouble(self, record)
        line = f"{time} {record.levelname.lower():<8}{record.name}: {message}{extra}"
        return f"{line}\n{trouble}" if trouble else line


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Write to what standard error is at that moment: a progress bar replaces it while it is shown."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride]  # logging sets it once, we look
        return sys.stderr


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _extra_fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    for name, value in vars(record).items():
        if name not in _STANDARD_FIELDS and name not in _NOT_TOLD:
            yield name, _without_secrets(name, value)


def _without_secrets(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {key: _without_secrets(str(key), inner) for key, inner in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", inner) for inner in cast("list[Any]", value)]
    return value


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Return traceback and stack of a record, as far as it has them."""
    parts = [record.exc_text or (formatter.formatException(record.exc_info) if record.exc_info else "")]
    parts.append(formatter.formatStack(record.stack_info) if record.stack_info else "")
    return masked_text("\n".join(part for part in parts if part))


def _as_json(fields: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # orjson refuses lone surrogates and integers beyond 64 bits; a log line must come out all the same.
        return json.dumps(fields, default=str, skipkeys=True)

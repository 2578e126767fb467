"""The log: one handler, text or JSON lines, nothing secret."""

import json
import logging
import re
import subprocess
import sys
import warnings
from datetime import datetime, timedelta

import pytest

from app import logs
from settings.types import LoggingSettings

TOKEN = "0123456789abcdef"


@pytest.fixture
def configured():
    """A function that configures logging; afterwards logging is as it was."""
    root = logging.getLogger()
    touched = {name: logging.getLogger(name).level for name in (*logs._UVICORN, *logs._TOO_TALKATIVE)}
    level = root.level

    def configure(chosen_format="text", chosen_level="info"):
        logs.configure(LoggingSettings(level=chosen_level, format=chosen_format))

    yield configure
    logging.captureWarnings(capture=False)
    root.setLevel(level)
    for handler in [known for known in root.handlers if known.name == logs.HANDLER_NAME]:
        root.removeHandler(handler)
    for name, old in touched.items():
        logging.getLogger(name).setLevel(old)


def failing():
    """Raise an error whose message holds a password."""
    raise ValueError("cannot reach postgresql+asyncpg://user:hush@host/name")


def logged_failure(extra=None):
    """Log an error with its traceback."""
    try:
        failing()
    except ValueError:
        logging.getLogger("iotsphere.test").exception("it failed", extra=extra)


def test_text_is_a_line_for_people(configured, capsys):
    """Time with zone, level, logger, message and extra fields on standard error; nothing on standard output."""
    configured()
    logging.getLogger("iotsphere.test").info("stored %d readings", 5, extra={"error_id": "abc"})
    out, err = capsys.readouterr()
    assert out == ""
    line = (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d info    iotsphere\.test: stored 5 readings error_id=abc\n"
    )
    assert re.fullmatch(line, err)


def test_text_shows_the_traceback_below(configured, capsys):
    """The traceback follows on lines of its own."""
    configured()
    logged_failure()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("it failed")
    assert lines[1].startswith("Traceback")
    assert lines[-1] == "ValueError: cannot reach postgresql+asyncpg://user:***@host/name"


def test_text_keeps_a_message_on_one_line(configured, capsys):
    """A name from outside can neither forge a line nor steer the terminal."""
    configured()
    logging.getLogger("iotsphere.test").info("hello %s", "a\nerror\x1b[31m", extra={"name_given": "b\nc"})
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert r"a\nerror\x1b[31m name_given=b\nc" in err


def test_json_is_one_object_per_line(configured, capsys):
    """Each line has time, level, logger, message, the extra fields and the traceback."""
    configured("json")
    logging.getLogger("iotsphere.test").warning("first\nline", extra={"error_id": "abc", "count": 3, "level": "x"})
    logged_failure({"error_id": "def"})
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert datetime.fromisoformat(first.pop("time")).utcoffset() == timedelta(0)
    assert first == {
        "level": "warning",
        "logger": "iotsphere.test",
        "message": "first\nline",
        "error_id": "abc",
        "count": 3,
    }
    assert second["error_id"] == "def"
    assert second["exception"].startswith("Traceback")
    assert "hush" not in second["exception"]


@pytest.mark.parametrize(
    "value", ["lone \ud800 surrogate", 2**70, float("nan"), {1: object()}, {("a", 1): 2}, b"bytes", None]
)
def test_json_writes_a_line_whatever_the_value(configured, capsys, value):
    """A value that JSON does not know costs its shape, never the line."""
    configured("json")
    logging.getLogger("iotsphere.test").info("odd", extra={"value": value})
    assert json.loads(capsys.readouterr().err)["message"] == "odd"


@pytest.mark.parametrize("chosen_format", ["text", "json"])
def test_secrets_are_hidden(configured, capsys, chosen_format):
    """Passwords of URLs, bearer tokens and fields that are named like a secret do not reach the log."""
    configured(chosen_format)
    logging.getLogger("iotsphere.test").info(
        "connecting to %s with Bearer %s",
        "postgresql+asyncpg://user:hush@host/name",
        TOKEN,
        extra={
            "token": TOKEN,
            "headers": {"Authorization": TOKEN, "x": [f"Bearer {TOKEN}"]},
            "url": "a://u:hush@h",
        },
    )
    err = capsys.readouterr().err
    assert "connecting to postgresql+asyncpg://user:***@host/name with Bearer ***" in err
    assert TOKEN not in err
    assert "hush" not in err


def test_levels_below_the_chosen_one_are_not_written(configured, capsys):
    """The level is that of the settings, for uvicorn's loggers too."""
    configured(chosen_level="warning")
    for name in ("iotsphere.test", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).info("silent")
        logging.getLogger(name).warning("heard")
    assert capsys.readouterr().err.count("\n") == 3


def test_debug_leaves_out_frames_and_parameters(configured, capsys):
    """At debug our own loggers speak; those that would write tokens and data do not."""
    configured(chosen_level="debug")
    logging.getLogger("iotsphere.test").debug("heard")
    for name in logs._TOO_TALKATIVE:
        logging.getLogger(name).debug("< TEXT '%s'", TOKEN)
    err = capsys.readouterr().err
    assert "heard" in err
    assert TOKEN not in err


def test_uvicorn_goes_through_the_same_handler(configured, capsys):
    """Uvicorn's own handlers are gone, its lines are ours, and come once."""
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    logging.getLogger("uvicorn.access").propagate = False
    configured("json")
    logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET /", extra={"color_message": "x"})
    logging.getLogger("uvicorn.error").error("trouble")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["logger"] for line in lines] == ["uvicorn.access", "uvicorn.error"]
    assert "color_message" not in lines[0]


def test_configuring_again_replaces_the_handler(configured, capsys):
    """Every line is written once, in the newest format."""
    configured("text")
    configured("json")
    logging.getLogger("iotsphere.test").info("once")
    assert json.loads(capsys.readouterr().err)["message"] == "once"


def test_warnings_of_python_are_logged(configured, capsys):
    """A warning is a JSON line like all others."""
    configured("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old habit", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "old habit" in json.loads(capsys.readouterr().err)["message"]


def test_a_process_writes_to_its_standard_error():
    """Outside of any test harness the lines arrive, with their stack where it was asked for."""
    program = (
        "import logging; from app.logs import configure; from settings.types import LoggingSettings;"
        "configure(LoggingSettings(level='info', format='json'));"
        "logging.getLogger('a').info('ready', stack_info=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    line = json.loads(done.stderr)
    assert line["message"] == "ready"
    assert line["exception"].startswith("Stack")

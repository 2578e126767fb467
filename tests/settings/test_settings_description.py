"""The rows that `iotsphere config` prints."""

import pytest

from settings.description import describe
from settings.keys import keys
from settings.loader import load_with_origins

TOKEN = "0123456789abcdef"


@pytest.fixture
def rows(project_root):
    """A function that returns the rows of staging by key, with these variables, given without their prefix."""

    def described(**variables):
        variables = {"DATABASE__URL": "postgresql+asyncpg://u:hush@h/d?password=hush", **variables}
        environ = {f"IOTSPHERE_{name}": value for name, value in variables.items()}
        return {row.key: row for row in describe(*load_with_origins("staging", project_root, environ))}

    return described


def test_every_setting_has_a_row(rows):
    """The environment comes first, then all keys in the order of the dataclasses, each with its meaning."""
    described = rows()
    assert list(described) == ["environment", *(key.dotted for key in keys().values())]
    assert all(row.help and row.value for row in described.values())
    assert described["environment"].value == "'staging'"
    assert str(described["environment"].origin) == "argument"


def test_values_are_spelled_as_in_the_file(rows):
    """Truth in lower case, texts in quotes, lists in brackets, an empty table as such."""
    described = rows(SERVER__ALLOWED_ORIGINS='["*"]')
    shown = {key: described[key].value for key in ("debug", "data.source", "server.allowed_origins", "auth.tokens")}
    assert shown == {
        "debug": "false",
        "data.source": "'database'",
        "server.allowed_origins": "['*']",
        "auth.tokens": "{}",
    }


def test_passwords_are_masked(rows):
    """The URL shows all but its passwords, and where it came from."""
    row = rows()["database.url"]
    assert row.value == "'postgresql+asyncpg://u:***@h/d?password=***'"
    assert str(row.origin) == "environment variable IOTSPHERE_DATABASE__URL"


def test_tokens_show_holder_and_role_only(rows):
    """Each holder has a row of its own."""
    described = rows(AUTH__TOKENS__GATEWAY__TOKEN=TOKEN, AUTH__TOKENS__GATEWAY__ROLE="device")
    assert "auth.tokens" not in described
    assert described["auth.tokens.gateway"].value == "{token = '***', role = 'device'}"
    assert all(TOKEN not in row.value for row in described.values())

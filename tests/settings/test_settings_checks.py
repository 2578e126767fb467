"""What each value must be: every kind of wrong one is one sentence that names key, environment, origin and bounds."""

import pytest

from settings.checks import SettingsError, allowed, displayed
from settings.keys import keys
from settings.loader import load

POSTGRESQL = "postgresql+asyncpg://iotsphere:hush@db.example.org:5432/iotsphere"
TOKEN = "0123456789abcdef"
AUTH = "IOTSPHERE_AUTH__TOKENS"
HUGE = "1" + "0" * 400


@pytest.fixture
def refusal(project_root):
    """A function that returns the sentence that refuses these variables, given without their prefix."""

    def refuse(environment="testing", **variables):
        environ = {f"IOTSPHERE_{name}": value for name, value in variables.items()}
        with pytest.raises(SettingsError) as caught:
            load(environment, project_root, environ)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert sentence.endswith(".")
        return sentence

    return refuse


def test_the_sentence_says_which_where_what_and_what_is_allowed(refusal):
    """Key, value, environment, origin and bounds stand in one sentence."""
    assert refusal(SERVER__PORT="70000") == (
        "server.port = 70000 in testing, from environment variable IOTSPHERE_SERVER__PORT, "
        "must be a whole number from 0 to 65,535."
    )


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        ("SERVER__PORT", "-1", "a whole number from 0 to 65,535"),
        ("SERVER__PORT", "80.0", "a whole number"),
        ("SERVER__PORT", "true", "a whole number"),
        ("SERVER__PORT", "eighty", "a whole number"),
        ("SERVER__PORT", "", "a whole number"),
        ("SERVER__PORT", "[1]", "a whole number"),
        ("SERVER__PORT", "{a = 1}", "a whole number"),
        ("SERVER__PORT__X", "1", "a whole number"),
        ("SERVER__PORT", HUGE, "a whole number"),
        ("SERVER__PORT", "1" * 5000, "a whole number"),
        ("SERVER__PORT", "0x" + "f" * 5000, "a whole number"),
        ("SERVER__PORT", "[" * 5000 + "]" * 5000, "a whole number"),
        ("SERVER__PORT", "2024-01-01", "a whole number"),
        ("SERVER__MAX_BODY_BYTES", "1023", "a whole number of at least 1,024"),
        ("EVENTS__POLL_SECONDS", "nan", "a number from 0.05 to 86,400"),
        ("EVENTS__POLL_SECONDS", "inf", "a number"),
        ("EVENTS__POLL_SECONDS", HUGE, "a number"),
        ("EVENTS__POLL_SECONDS", "false", "a number"),
        ("EVENTS__POLL_SECONDS", "soon", "a number"),
        ("DEBUG", "1", "true or false"),
        ("DEBUG", "yes", "true or false"),
        ("DATA__SOURCE", "file", "'mock' or 'database'"),
        ("LOGGING__LEVEL", "INFO", "'debug' or 'info' or 'warning' or 'error'"),
        ("LOGGING__FORMAT", "5", "'text' or 'json'"),
        ("SERVER__HOST", "a\0b", "text"),
        ("SERVER__ALLOWED_ORIGINS", "https://a.example", "a list of texts"),
        ("SERVER__ALLOWED_ORIGINS", "[1]", "a list of texts"),
    ],
)
def test_a_wrong_value_is_refused(refusal, name, value, must_be):
    """Types are strict, bounds hold, and only finite numbers count."""
    assert f"must be {must_be}" in refusal(**{name: value})


@pytest.mark.parametrize(
    "key", [key for key in keys().values() if key.type in (int, float)], ids=lambda key: key.dotted
)
def test_every_bound_of_every_number_holds(refusal, key):
    """Just outside its bounds each number is refused, and says what is allowed."""
    variable = key.variable.removeprefix("IOTSPHERE_")
    assert key.at_least is not None
    # Without an upper bound a duration would overflow where times are computed with it.
    assert key.at_most is not None or key.type is int
    outside = [key.at_least - 1] + ([] if key.at_most is None else [key.at_most + 1])
    for value in outside:
        assert allowed(key) in refusal(**{variable: str(value)})


def test_bounds_themselves_are_allowed(project_root):
    """Both ends of a range count as inside."""
    for port in ("0", "65535"):
        assert load("testing", project_root, {"IOTSPHERE_SERVER__PORT": port}).server.port == int(port)


def test_truth_may_be_spelled_as_python_spells_it(project_root):
    """True and False are usual in environment variables."""
    assert load("testing", project_root, {"IOTSPHERE_DEBUG": "True"}).debug is True


def test_a_long_value_is_shortened(refusal):
    """A sentence stays a sentence, whatever was given."""
    assert len(refusal(SERVER__PORT="x" * 10_000)) < 300


def test_page_sizes_fit_together(refusal):
    """The default page is not larger than the largest."""
    assert "must not exceed graphql.max_page_size, which is 49" in refusal(GRAPHQL__MAX_PAGE_SIZE="49")


def test_an_empty_host_is_refused(refusal):
    """It would mean every address of the machine, which nobody means by leaving it empty."""
    assert refusal(SERVER__HOST="").startswith("server.host = ''")


@pytest.mark.parametrize("origin", ["https://a.example/", "a.example", "", "https://"])
def test_an_origin_that_no_browser_sends_is_refused(refusal, origin):
    """A slash at the end or a missing scheme would match nothing, silently."""
    assert "server.allowed_origins" in refusal(SERVER__ALLOWED_ORIGINS=f'["{origin}"]')


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_missing_database_is_refused(refusal, environment):
    """The sentence says how to give it."""
    assert "IOTSPHERE_DATABASE__URL or in .secrets.toml" in refusal(environment)


@pytest.mark.parametrize("url", ["mysql://u:hush@h/d", "postgresql://u:hush@h/d", "sqlite:///a.db", "hush"])
def test_another_database_is_refused_without_its_password(refusal, url):
    """Only the two async drivers will do; the password is not repeated, even where the URL is none."""
    sentence = refusal("staging", DATABASE__URL=url)
    assert "postgresql+asyncpg://" in sentence
    assert "hush" not in sentence


def test_mock_data_needs_no_database(project_root):
    """The URL is not looked at where the data is generated."""
    assert load("testing", project_root, {}).database.url == ""


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("DATA__SOURCE", "mock", "data.source = 'mock'"),
        ("DATABASE__URL", "sqlite+aiosqlite:///a.db", "database.url = 'sqlite+aiosqlite:///"),
        ("DEBUG", "true", "debug = true"),
    ],
)
def test_production_refuses_what_is_for_development(refusal, name, value, key):
    """Mock data, SQLite and debugging each stop a production server."""
    sentence = refusal("production", **{"DATABASE__URL": POSTGRESQL, name: value})
    assert sentence.startswith(key)
    assert "refused in production" in sentence


def test_required_tokens_must_exist(refusal):
    """A server that nobody may call is refused."""
    assert "auth.tokens" in refusal(AUTH__REQUIRED="true")


@pytest.mark.parametrize(
    ("tokens", "problem"),
    [
        ("5", "must be a table of holders"),
        ("{a = 5}", "auth.tokens.a in testing"),
        (f"{{a = {{token = '{TOKEN}'}}}}", "exactly token and role"),
        (f"{{a = {{token = '{TOKEN}', role = 'viewer', name = 'x'}}}}", "exactly token and role"),
        (f"{{a = {{token = '{TOKEN}', role = 'admin'}}}}", "role viewer or device or operator"),
        (f"{{a = {{token = 'viewer', role = '{TOKEN}'}}}}", "role viewer or device or operator"),
        (f"{{a = {{token = '{TOKEN[:15]}', role = 'viewer'}}}}", "at least 16 characters"),
        ("{a = {token = 1234567890123456, role = 'viewer'}}", "at least 16 characters"),
        ("{a = {token = '0123456789 abcdef', role = 'viewer'}}", "without blanks"),
        ("{a = {token = '0123456789äöüabcdef', role = 'viewer'}}", "ASCII"),
        (f"{{a={{token='{TOKEN}',role='viewer'}},b={{token='{TOKEN}',role='device'}}}}", "not that of a"),
    ],
)
def test_wrong_tokens_are_refused_without_being_shown(refusal, tokens, problem):
    """Every holder has one token of its own and one role; no part of a token is repeated."""
    sentence = refusal(AUTH__TOKENS=tokens)
    assert problem in sentence
    assert "0123456789" not in sentence


def test_secrets_are_not_displayed():
    """A database URL shows all but its password, a table of tokens nothing."""
    url, tokens = keys()["database", "url"], keys()["auth", "tokens"]
    assert displayed(url, POSTGRESQL) == "'postgresql+asyncpg://iotsphere:***@db.example.org:5432/iotsphere'"
    assert TOKEN not in displayed(tokens, {"a": {"token": TOKEN, "role": "viewer"}})


def test_secrets_are_not_in_the_repr_of_settings(project_root):
    """A traceback that shows settings shows no password."""
    environ = {"IOTSPHERE_DATABASE__URL": POSTGRESQL, f"{AUTH}__A__TOKEN": TOKEN, f"{AUTH}__A__ROLE": "viewer"}
    text = repr(load("staging", project_root, environ))
    assert "hush" not in text
    assert TOKEN not in text

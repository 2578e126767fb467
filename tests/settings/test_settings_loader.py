"""The layers of the settings: precedence, fall-back, origins, and what stops the start."""

import pytest

from settings.checks import SettingsError
from settings.keys import keys
from settings.layers import Origin
from settings.loader import ENVIRONMENTS, load, load_with_origins

POSTGRESQL = "postgresql+asyncpg://iotsphere:hush@db.example.org:5432/iotsphere"
TOKEN = "0123456789abcdef"


@pytest.fixture
def root(tmp_path, project_root):
    """A directory with a settings.toml of its own: the project's [default], then layers that differ in one port."""
    default = (project_root / "settings.toml").read_text(encoding="utf-8").split("[development]")[0]
    layers = "[development.server]\nport = 8001\n[testing.server]\nhost = '0.0.0.0'\n[production]\ndebug = false\n"
    (tmp_path / "settings.toml").write_text(default.replace('url = ""', f'url = "{POSTGRESQL}"', 1) + layers)
    return tmp_path


def secrets(root, text):
    """Write .secrets.toml."""
    (root / ".secrets.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_environment_of_the_project_loads(project_root, environment):
    """The project's own settings.toml is right for every environment, once a database is given."""
    settings, origins = load_with_origins(environment, project_root, {"IOTSPHERE_DATABASE__URL": POSTGRESQL})
    assert settings.environment == environment
    assert {".".join(path) for path in keys()} <= origins.keys()


def test_what_the_environments_of_the_project_differ_in(project_root):
    """Each environment has the data source, the tools and the log that suit it."""
    development, testing = load("development", project_root, {}), load("testing", project_root, {})
    production = load("production", project_root, {"IOTSPHERE_DATABASE__URL": POSTGRESQL})
    assert (development.data.source, testing.data.source, production.data.source) == ("database", "mock", "database")
    assert (development.simulator.enabled, testing.simulator.enabled, production.simulator.enabled) == (1, 0, 0)
    assert development.server.graphiql
    assert not production.server.graphiql
    assert not production.graphql.introspection
    assert production.logging.format == "json"


def test_values_have_the_types_of_the_dataclasses(project_root):
    """A whole number given for a float is a float, a list is a tuple."""
    settings = load("testing", project_root, {"IOTSPHERE_SERVER__ALLOWED_ORIGINS": '["https://a.example", "*"]'})
    assert isinstance(settings.events.poll_seconds, float)
    assert settings.server.allowed_origins == ("https://a.example", "*")
    assert settings.server.port == 8000
    assert isinstance(settings.server.port, int)


def test_default_fills_what_a_layer_leaves_out(root):
    """Staging has no layer here, and is [default] all over."""
    settings, origins = load_with_origins("staging", root, {})
    assert settings.server.port == 8000
    assert origins["server.port"] == Origin("settings.toml", "default")


def test_a_layer_replaces_only_what_it_names(root):
    """One key of a section does not hide the section's other keys."""
    settings, origins = load_with_origins("development", root, {})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8001)
    assert str(origins["server.port"]) == "settings.toml [development]"
    assert str(origins["server.host"]) == "settings.toml [default]"


def test_secrets_beat_the_file_and_variables_beat_both(root):
    """The three places in their order, with the origin of each winner."""
    secrets(root, "[default.server]\nport = 8002\n[development.server]\nhost = '10.0.0.1'\n")
    settings, origins = load_with_origins("development", root, {})
    assert (settings.server.host, settings.server.port) == ("10.0.0.1", 8002)
    assert str(origins["server.port"]) == ".secrets.toml [default]"
    assert str(origins["server.host"]) == ".secrets.toml [development]"
    settings, origins = load_with_origins("development", root, {"IOTSPHERE_SERVER__PORT": "8003"})
    assert settings.server.port == 8003
    assert str(origins["server.port"]) == "environment variable IOTSPHERE_SERVER__PORT"


def test_a_list_replaces_the_list_below(root):
    """A later place can take an origin away, which appending lists could not."""
    secrets(root, "[default.server]\nallowed_origins = ['https://old.example']\n")
    environ = {"IOTSPHERE_SERVER__ALLOWED_ORIGINS": "['https://new.example']"}
    assert load("development", root, environ).server.allowed_origins == ("https://new.example",)
    assert load("development", root, {}).server.allowed_origins == ("https://old.example",)


def test_holders_of_tokens_add_up(root):
    """Each place adds holders or changes one, whatever the case of the variable; a token of digits stays a text."""
    secrets(root, f"[default.auth.tokens.Gateway]\ntoken = '{TOKEN}'\nrole = 'viewer'\n")
    environ = {
        "IOTSPHERE_AUTH__TOKENS__GATEWAY__ROLE": "device",
        "IOTSPHERE_AUTH__TOKENS__ROOM__TOKEN": "1234567890123456",
        "IOTSPHERE_AUTH__TOKENS__ROOM__ROLE": "operator",
    }
    settings, origins = load_with_origins("development", root, environ)
    assert settings.auth.tokens == {
        "Gateway": {"token": TOKEN, "role": "device"},
        "room": {"token": "1234567890123456", "role": "operator"},
    }
    assert origins["auth.tokens.Gateway"].source == "IOTSPHERE_AUTH__TOKENS__GATEWAY__ROLE"


def test_app_env_chooses(root):
    """APP_ENV chooses the layer, development is chosen without it, and the argument beats both."""
    assert load(None, root, {}).environment == "development"
    settings, origins = load_with_origins(None, root, {"APP_ENV": "testing"})
    assert (settings.environment, settings.server.host) == ("testing", "0.0.0.0")
    assert str(origins["environment"]) == "environment variable APP_ENV"
    assert load("staging", root, {"APP_ENV": "testing"}).environment == "staging"


def test_the_argument_beats_app_env_of_the_process(root, monkeypatch):
    """Dynaconf looks at the process's APP_ENV by itself, and must not act on it."""
    monkeypatch.setenv("APP_ENV", "production")
    assert load("testing", root).server.host == "0.0.0.0"
    assert load("testing", root, {}).environment == "testing"


@pytest.mark.parametrize("name", ["prod", "", "Production", "default"])
def test_an_unknown_environment_is_refused(root, name):
    """The sentence names the environments there are."""
    with pytest.raises(SettingsError, match="development, testing, staging or production"):
        load(None, root, {"APP_ENV": name})


def test_the_root_comes_from_the_variable(root):
    """IOTSPHERE_ROOT names the directory of settings.toml."""
    assert load("development", environ={"IOTSPHERE_ROOT": str(root)}).server.port == 8001


def test_the_project_is_the_root_where_nothing_else_is_said():
    """An empty IOTSPHERE_ROOT counts as none; a path that does not exist is not replaced by the project's."""
    assert load("testing", environ={"IOTSPHERE_ROOT": ""}) == load("testing", environ={})
    with pytest.raises(SettingsError, match="set IOTSPHERE_ROOT"):
        load("testing", environ={"IOTSPHERE_ROOT": "/nowhere"})


def test_a_root_without_settings_is_refused(tmp_path):
    """The sentence says where it looked and what to set."""
    with pytest.raises(SettingsError, match=rf"no settings\.toml in {tmp_path}: set IOTSPHERE_ROOT"):
        load("development", tmp_path, {})


def test_variables_of_the_process_are_read_where_none_are_given(root, monkeypatch):
    """Without a mapping the process's environment counts."""
    monkeypatch.setenv("IOTSPHERE_SERVER__PORT", "8123")
    assert load("development", root).server.port == 8123


@pytest.mark.parametrize("name", ["PORT", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8000_TCP_ADDR", "PORT_8000_TCP"])
def test_variables_of_a_kubernetes_service_are_passed_over(root, name):
    """A service named iotsphere does not keep its own containers from starting."""
    assert load("development", root, {f"IOTSPHERE_{name}": "tcp://10.0.0.1:8000"}).server.port == 8001


def test_dynaconf_cannot_be_steered_from_outside(root, monkeypatch):
    """A variable that would make Dynaconf read other files or merge otherwise is refused."""
    monkeypatch.setenv("MERGE_ENABLED_FOR_DYNACONF", "true")
    with pytest.raises(SettingsError, match="MERGE_ENABLED_FOR_DYNACONF changes how settings are read"):
        load("development", root, {})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite+aiosqlite:///var/a.db", "sqlite+aiosqlite:///{root}/var/a.db"),
        ("sqlite+aiosqlite:///a.db?timeout=3", "sqlite+aiosqlite:///{root}/a.db?timeout=3"),
        ("sqlite+aiosqlite:////srv/a.db", "sqlite+aiosqlite:////srv/a.db"),
        ("sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///:memory:"),
        ("sqlite+aiosqlite:///file:a?mode=memory&uri=true", "sqlite+aiosqlite:///file:a?mode=memory&uri=true"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite://"),
        (POSTGRESQL, POSTGRESQL),
    ],
)
def test_a_relative_sqlite_path_starts_at_the_root(root, url, expected):
    """The same file is meant from whatever directory the server is started; other URLs are left alone."""
    settings = load("development", root, {"IOTSPHERE_DATABASE__URL": url})
    assert settings.database.url == expected.format(root=root)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("IOTSPHERE_SERVER__PROT", "did you mean IOTSPHERE_SERVER__PORT?"),
        ("IOTSPHERE_SERVER_PORT", "did you mean IOTSPHERE_SERVER__PORT?"),
        ("IOTSPHERE_DEBUGG", "did you mean IOTSPHERE_DEBUG?"),
        ("IOTSPHERE_QQQQ", "docs/settings.md lists"),
    ],
)
def test_an_unknown_variable_is_refused(root, variable, meant):
    """A mistyped variable is named, with the one that was probably meant, and without its value."""
    with pytest.raises(SettingsError, match=rf"{variable} sets no setting") as caught:
        load("development", root, {variable: "hush"})
    assert meant in str(caught.value)
    assert "hush" not in str(caught.value)


def test_an_unknown_key_of_a_file_is_refused(root):
    """A mistyped key is named with its layer and the key that was probably meant."""
    secrets(root, "[default.server]\nprot = 1\n")
    with pytest.raises(
        SettingsError, match=r"^server\.prot from \.secrets\.toml \[default\] is not a setting; did you"
    ):
        load("development", root, {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[prodution.server]\nport = 1\n", r"'prodution' at its top level, .* \[production\]"),
        ("debug = true\n", "'debug' at its top level"),
        ("[default]\nserver = 5\n", r"server from \.secrets\.toml \[default\] must be a table"),
        ("[default\n", r"\.secrets\.toml .* is not valid TOML: .*line 1"),
        pytest.param("[default]\nport = " + "1" * 5000 + "\n", "is not valid TOML", id="digits"),
        pytest.param("[default]\nport = " + "[" * 5000 + "\n", "is not valid TOML", id="brackets"),
        ("[default]\nquite = 'strange'\n", "quite from"),
    ],
)
def test_a_wrong_file_is_refused(root, text, sentence):
    """A layer that is no environment, a section that is none and broken TOML are each one sentence."""
    secrets(root, text)
    with pytest.raises(SettingsError, match=sentence):
        load("development", root, {})


def test_a_file_that_is_not_utf_8_is_refused(root):
    """Bytes that are no text are invalid TOML."""
    (root / ".secrets.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load("development", root, {})


def test_a_missing_value_is_refused(root):
    """A setting that no place gives is named, with where to give it."""
    file = root / "settings.toml"
    file.write_text(file.read_text().replace("seed = 7\n", ""))
    with pytest.raises(SettingsError, match=r"^simulator\.seed is missing in testing: .* IOTSPHERE_SIMULATOR__SEED\.$"):
        load("testing", root, {})


def test_a_password_that_looks_like_a_dynaconf_token_is_taken_as_it_is(root):
    """Neither files nor variables are searched for things to evaluate."""
    secrets(root, "[default.auth.tokens.a]\ntoken = '@format {this.DEBUG}xx'\nrole = 'viewer'\n")
    with pytest.raises(SettingsError, match="without blanks"):
        load("development", root, {})

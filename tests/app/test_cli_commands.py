"""The commands in this process: what they do, what they print, how they fail."""

import asyncio
import gzip
import json
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.app.running import ROOT, logging_restored, use_environment
from tests.databases import postgresql_url, run_as_admin

COMMANDS = (
    *("serve", "migrate", "demo", "simulate", "ingest", "ingest-sales", "train", "models", "promote"),
    *("evaluate", "export-schema", "config"),
)
SHARED_FILE = ROOT.parent / "shared" / "data" / "water_heater" / "electric_load_7_days.json"


@pytest.fixture(autouse=True)
def _logging():
    """Commands set up the log of a process of their own."""
    with logging_restored():
        yield


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """The settings of the project without anybody's secrets, with a database file of this test."""
    folder = tmp_path / "project"
    folder.mkdir()
    url = f"sqlite+aiosqlite:///{folder}/fleet.db"
    use_environment(monkeypatch, folder, APP_ENV="development", IOTSPHERE_DATABASE__URL=url)
    monkeypatch.setenv("IOTSPHERE_SIMULATOR__RETIRED_COUNT", "0")
    return monkeypatch


def invoke(*arguments, status=0, text=None):
    """Run a command and return what it printed; it must end with this status."""
    result = CliRunner().invoke(cli, arguments, input=text)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


@contextmanager
def file_with(tmp_path, text, name="readings.csv"):
    """A file with this text."""
    path = tmp_path / name
    path.write_text(text)
    yield str(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    """What it does, and how it is called."""
    text = invoke(command, "--help").stdout
    assert f"iotsphere {command}" in text
    assert text.count("\n") > 8


def test_the_commands_are_listed_with_whole_sentences():
    """No summary is cut off."""
    text = invoke("--help").stdout
    assert all(f"  {command} " in text for command in COMMANDS)
    assert not any(line.endswith("...") for line in text.splitlines()[1:])


def test_an_unknown_option_is_told_without_a_traceback():
    """The library's own sentence, status 2."""
    assert "No such option" in invoke("serve", "--prot", "1", status=2).stderr


def test_a_setting_that_cannot_be_used_is_one_sentence(environment):
    """Which setting, from where, and what is allowed; status 2."""
    environment.setenv("IOTSPHERE_SERVER__PORT", "99999")
    message = invoke("migrate", status=2).stderr
    assert message.startswith("server.port = 99999 in development")
    assert message.count("\n") == 1


def test_a_database_that_cannot_be_reached_is_one_sentence(environment):
    """Nothing listens there."""
    environment.setenv("IOTSPHERE_DATABASE__URL", "postgresql+asyncpg://user:hush@127.0.0.1:1/fleet")
    message = invoke("migrate", status=1).stderr
    assert "cannot be reached" in message
    assert "hush" not in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("command", ["migrate", "demo"])
def test_a_database_that_cannot_be_opened_is_one_sentence_of_commands(environment, tmp_path, command):
    """A folder is no database file."""
    environment.setenv("IOTSPHERE_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}")
    errors = invoke(command, status=1).stderr
    assert errors.endswith("The database cannot be used: unable to open database file.\n")


def test_generated_data_is_no_place_for_commands(environment):
    """What is in memory is gone with the process."""
    environment.setenv("APP_ENV", "testing")
    assert "data.source = 'mock'" in invoke("demo", status=2).stderr


def test_migrate_brings_a_database_up_to_date(environment):
    """First it lacks everything, then nothing; it may be run again."""
    assert "iotsphere migrate" in invoke("migrate", "--check", status=1).stderr
    assert invoke("migrate").stdout == "Applied 0001, 0002, 0003, 0004, 0005, 0006.\n"
    assert invoke("migrate").stdout == "The database was up to date.\n"
    assert invoke("migrate", "--check").stdout == "The database is up to date.\n"


def test_commands_leave_a_shared_database_unmigrated(environment, postgresql_server):
    """Only `migrate` changes the tables of PostgreSQL."""
    asyncio.run(run_as_admin(postgresql_server, "CREATE DATABASE unmigrated"))
    environment.setenv("IOTSPHERE_DATABASE__URL", postgresql_url(postgresql_server, "unmigrated"))
    try:
        assert "run 'iotsphere migrate' first" in invoke("demo", status=1).stderr
        assert invoke("migrate").stdout == "Applied 0001, 0002, 0003, 0004, 0005, 0006.\n"
        assert invoke("migrate", "--check").stdout == "The database is up to date.\n"
    finally:
        asyncio.run(run_as_admin(postgresql_server, "DROP DATABASE unmigrated WITH (FORCE)"))


def test_demo_makes_a_fleet_and_completes_it(environment):
    """The numbers of what was added are told."""
    assert invoke("demo", "--devices", "2", "--days", "0.02").stdout.startswith("Added 8 devices, ")
    assert invoke("demo", "--devices", "3", "--days", "0.02").stdout.startswith("Added 1 devices, ")
    assert invoke("demo", "--devices", "3", "--retired", "1", "--days", "0").stdout.startswith("Added 1 devices, ")


def test_simulate_needs_a_fleet(environment):
    """It says how to make one."""
    assert "iotsphere demo" in invoke("simulate", "--for", "0", status=1).stderr


def test_simulate_stops_after_its_time(environment):
    """And tells how many readings it stored."""
    invoke("demo", "--devices", "1", "--days", "0")
    environment.setenv("IOTSPHERE_SIMULATOR__INTERVAL_SECONDS", "0.2")
    last = invoke("simulate", "--for", "2", "--devices", "1").stdout.splitlines()[-1]
    assert last.startswith("Stored ")
    assert last != "Stored 0 readings."


def test_ingest_stores_checks_and_reports(environment, tmp_path):
    """Counts, reasons and lines; loading it again stores nothing twice."""
    invoke("demo", "--devices", "1", "--days", "0")
    text = "timestamp,load\n2024-07-01T00:00:00Z,1.5\n2024-07-01T00:01:00Z,err\n2024-07-01T00:02:00Z,999\n"
    with file_with(tmp_path, text) as path:
        arguments = (
            "ingest",
            "--serial",
            "WH-0001",
            "--map",
            "recorded_at=timestamp,power=load",
            "--unit",
            "power=kW",
            path,
        )
        first, again = invoke(*arguments).stdout, invoke(*arguments).stdout
    assert "power from column 'load'" in first
    assert "3 rows: 1 accepted, 0 duplicate, 2 rejected" in first
    assert "NOT_A_NUMBER: 1\n    line 3:" in first
    assert "OUT_OF_RANGE: 1\n    line 4: power 999000 W is not plausible" in first
    assert "3 rows: 0 accepted, 1 duplicate, 2 rejected" in again


def test_ingest_fails_where_nothing_can_be_stored(environment, tmp_path):
    """Status 1 for unknown devices, an empty file, a missing one; other files are loaded all the same."""
    row = "recorded_at,serial_number,power\n2024-07-01T00:00:00Z,NOBODY,1\n"
    with file_with(tmp_path, row) as unknown, file_with(tmp_path, "recorded_at,power\n", "empty.csv") as empty:
        assert "UNKNOWN_DEVICE: 1" in invoke("ingest", unknown, status=1).stdout
        assert "has no rows" in invoke("ingest", "--serial", "X", empty, status=1).stderr
        result = invoke("ingest", "--create", str(tmp_path / "none.csv"), unknown, status=1)
        assert "none.csv" in result.stderr
        assert "1 accepted" in result.stdout
        assert "Registered NOBODY." in result.stdout


def test_ingest_reads_standard_input_and_gzip(environment, tmp_path):
    """`-` is standard input, and packed files are recognised."""
    rows = [{"recorded_at": f"2024-07-01T00:0{minute}:00Z", "power": minute} for minute in range(5)]
    text = "\n".join(json.dumps(row) for row in rows)
    packed = tmp_path / "rows.ndjson.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    options = ("ingest", "--create", "--serial", "NEW", "--batch-size", "2")
    assert "5 rows: 5 accepted" in invoke(*options, str(packed)).stdout
    assert "5 rows: 0 accepted, 5 duplicate" in invoke(*options, "-", text=text).stdout


@pytest.mark.parametrize("option", ["--map", "--scale", "--unit"])
def test_ingest_names_the_option_that_is_wrong(environment, option):
    """Before any file is opened."""
    message = invoke("ingest", option, "nonsense", "file.csv", status=1).stderr
    assert option in message
    assert message.count("\n") == 1


def test_a_week_of_real_measurements_loads_whole(environment):
    """10,080 minutes of a real heater, with day and month told apart by their order."""
    if not SHARED_FILE.is_file():
        pytest.skip(f"{SHARED_FILE.name} is not at hand")
    mapping = ("--map", "recorded_at=timestamp,power=load", "--timezone", "Europe/Berlin")
    text = invoke("ingest", "--create", "--serial", "REAL-1", *mapping, str(SHARED_FILE)).stdout
    assert "10,080 rows: 10,080 accepted, 0 duplicate, 0 rejected" in text


def test_sales_are_ingested_with_what_is_missing(environment, tmp_path):
    """How the file is read, counts, and the machines that were registered; loading it again stores nothing twice."""
    text = "time,item,price\n2024-07-01,Latte,3\n2024-07-02,Tea,cheap\n"
    options = ("--serial", "VM-7", "--map", "sold_at=time,product=item,unit_price=price")
    with file_with(tmp_path, text, "sales.csv") as path:
        assert "UNKNOWN_DEVICE: 1" in invoke("ingest-sales", *options, path, status=1).stdout
        assert "--currency" in invoke("ingest-sales", "--create", *options, path, status=1).stderr
        wrong = invoke("ingest-sales", "--create", "--currency", "euro", *options, path, status=1).stderr
        assert "'euro' is not a currency" in wrong
        arguments = ("ingest-sales", "--create", "--currency", "EUR", *options, path)
        first, again = invoke(*arguments).stdout, invoke(*arguments).stdout
    assert "a date alone being noon" in first
    assert "2 rows: 1 accepted, 0 duplicate, 1 rejected" in first
    assert "NOT_A_NUMBER: 1\n    line 3:" in first
    assert "Registered VM-7." in first
    assert "2 rows: 0 accepted, 1 duplicate, 1 rejected" in again


def test_the_forecast_of_demand_is_evaluated(environment, tmp_path):
    """Errors of all methods for each machine; one sentence for a file that is not there or holds no sales."""
    days = [f"2024-0{month}-{day:02},Latte\n" for month in (1, 2, 3) for day in range(1, 29)]
    with file_with(tmp_path, "date,product\n" + "".join(days * 3), "sales.csv") as path:
        text = invoke("evaluate", "demand", path).stdout
    assert "CHOSEN EACH DAY" in text
    assert "SEASONAL_NAIVE" in text
    assert "WEEKDAY_MEAN" in text
    missing = invoke("evaluate", "demand", str(tmp_path / "none.csv"), status=1).stderr
    assert missing.count("\n") == 1
    with file_with(tmp_path, "a,b\n1,2\n", "other.csv") as path:
        assert "map one of" in invoke("evaluate", "demand", path, status=1).stderr
    assert "iotsphere evaluate demand" in invoke("evaluate", "demand", "--help").stdout


def test_the_schema_is_printed_written_and_compared(environment, tmp_path):
    """A file that differs is told with the difference."""
    file = tmp_path / "schema.graphql"
    printed = invoke("export-schema").stdout
    assert "type Query" in printed
    invoke("export-schema", str(file))
    assert file.read_text() == printed
    invoke("export-schema", "--check", str(file))
    file.write_text(printed.replace("type Query", "type Quarry"))
    message = invoke("export-schema", "--check", str(file), status=1).stderr
    assert "-type Quarry" in message
    assert "+type Query" in message
    assert "cannot be written" in invoke("export-schema", str(tmp_path / "no" / "file"), status=1).stderr
    assert "cannot be read" in invoke("export-schema", "--check", str(tmp_path / "none"), status=1).stderr


def test_config_shows_values_origins_and_no_secrets(environment):
    """As a table and as JSON."""
    environment.setenv("IOTSPHERE_DATABASE__URL", "postgresql+asyncpg://user:hush@host/name")
    environment.setenv("IOTSPHERE_AUTH__TOKENS__GATE__TOKEN", "0123456789abcdef")
    environment.setenv("IOTSPHERE_AUTH__TOKENS__GATE__ROLE", "device")
    table, rows = invoke("config", "--explain").stdout, json.loads(invoke("config", "--json").stdout)
    origins = {row["key"]: row["origin"] for row in rows}
    assert origins["database.url"] == "environment variable IOTSPHERE_DATABASE__URL"
    assert origins["server.graphiql"] == "settings.toml [development]"
    assert "server.graphiql" in table
    assert "Port to listen on" in table
    assert not any(secret in table + str(rows) for secret in ("hush", "0123456789abcdef"))

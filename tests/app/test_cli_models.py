"""The commands about models: train, list, promote."""

import asyncio

import pytest

from models import migrator
from models.clock import now
from models.store import Store
from tests.app.running import logging_restored, use_environment
from tests.app.test_cli_commands import invoke
from tests.factories import database_settings, event_settings
from tests.lifetimes import add_lives


@pytest.fixture(autouse=True)
def _logging():
    """Commands set up the log of a process of their own."""
    with logging_restored():
        yield


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """A database file with heaters of which some have failed, as the settings of the project name it."""
    url = f"sqlite+aiosqlite:///{tmp_path}/fleet.db"
    trees = {"IOTSPHERE_PREDICTIONS__TRAINING_TREES": "10"}
    use_environment(monkeypatch, tmp_path, APP_ENV="development", IOTSPHERE_DATABASE__URL=url, **trees)

    async def fill():
        store = Store(database_settings(url), event_settings())
        await store.open()
        await migrator.upgrade(store)
        midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
        await add_lives(store, failed=6, living=4, days=40, until=midnight)
        await store.close()

    asyncio.run(fill())


def test_models_are_trained_listed_promoted_and_taken_back(fleet):
    """Each command says what it did; the second version waits until it is promoted."""
    text = invoke("train", "lifespan").stdout
    assert text.startswith("Version 1 of the model 'water heater lifespan' is PRODUCTION.\n")
    assert "  interval_coverage = " in text
    assert "is CANDIDATE." in invoke("train", "LIFESPAN", "--device-kind", "water-heater").stdout
    lines = invoke("models").stdout.splitlines()
    rows = [line.split() for line in lines if "lifespan" in line]
    assert [row[4:6] for row in rows] == [["2", "CANDIDATE"], ["1", "PRODUCTION"]]
    assert any("STREAMING_DETECTOR" in line for line in lines)
    second, first = rows[0][0], rows[1][0]
    assert (
        "Version 2 of the model 'water heater lifespan' is in production in the place of version 1."
        in invoke("promote", second).stdout
    )
    assert invoke("promote", first, status=1).stderr.endswith("is archived; to go back to it, give a reason.\n")
    assert "Version 1" in invoke("promote", first, "--reason", "Version 2 overrates old heaters.").stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("train", "USAGE_PATTERNS"), "KIND must be LIFESPAN or MULTI_FACTOR or ANOMALY, not 'USAGE_PATTERNS'."),
        (("train", "ANOMALY"), "Too little history to learn how channels go together: 0 days of 0 devices"),
        (
            ("train", "--device-kind", "toaster"),
            "--device-kind must be WATER_HEATER or VENDING_MACHINE, not 'toaster'.",
        ),
        (("train", "LIFESPAN", "--device-kind", "VENDING_MACHINE"), "No unit has been observed for any time"),
        (("promote", "9"), "There is no model version with id 9."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(fleet, arguments, part):
    """Status 1, and what would be possible."""
    message = invoke(*arguments, status=1).stderr
    assert part in message


def test_models_are_evaluated_by_hand(fleet):
    """Each version is told with what is wrong, or not known, of it; a second round finds the same."""
    invoke("train", "lifespan")
    text = invoke("monitor").stdout
    assert "Version 1 of the model 'water heater lifespan': UNKNOWN" in text
    assert "UNKNOWN volume: It has made 0 predictions in the newest window; 30 are needed to judge them." in text
    assert invoke("monitor").stdout == text

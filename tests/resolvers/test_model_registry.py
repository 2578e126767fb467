"""Versions of models: numbered, never changed, one in production, ready to predict."""

import asyncio
import logging
from datetime import timedelta

import orjson
import pytest

from models.drivers import UniqueViolated
from models.learning.features import History, Layout
from models.learning.lifespan import Life, LifespanModel, train_by_age
from models.paging import Window
from models.predictions import ModelStage, PredictionKind
from models.repositories import events, histories, prediction_models
from models.repositories.events import Cursor
from models.repositories.prediction_models import MODELS
from models.snapshots import restored
from models.store import Store
from models.tables import PredictionModelRow
from resolvers.predicting import methods
from resolvers.predicting.registry import Models
from tests.app.running import services_over
from tests.factories import MIDDAY
from tests.versions import LIFESPAN, RISK, add_version, learnt

HEATERS = "WATER_HEATER"


async def test_versions_are_numbered_and_the_first_is_in_production(store: Store):
    """Each model counts for itself; the first version says why it went into production, later ones wait."""
    services = services_over(store)
    rows = [await add_version(services) for _ in range(3)]
    assert [(row["version"], row["stage"]) for row in rows] == [(1, "PRODUCTION"), (2, "CANDIDATE"), (3, "CANDIDATE")]
    assert rows[0]["name"] == "water heater lifespan"
    assert rows[0]["promotion_reason"].startswith("The first version")
    assert rows[0]["promoted_by"] is None
    assert (rows[1]["promoted_at"], rows[1]["promotion_reason"]) == (None, None)
    found = [(event.type, event.payload["change"]) for event in await events.after(store, Cursor(0, 0), 10)]
    assert found == [("model_changed", change) for change in ("TRAINED", "PROMOTED", "TRAINED", "TRAINED")]


async def test_an_event_carries_the_version_but_not_its_artefact(store: Store):
    """What a model was when something happened to it can be told later; its artefact is too large for a log."""
    row = await add_version(services_over(store))
    event = (await events.after(store, Cursor(0, 0), 10))[-1]
    assert "artefact" not in event.payload
    told = restored(PredictionModelRow, event.payload)
    assert {**told, "id": row["id"]} == {**row, "artefact": None}


async def test_versions_of_processes_that_finish_together_get_numbers_of_their_own(store: Store):
    """The lock lets one wait for the other."""
    values = {**_values(), "stage": "CANDIDATE"}

    async def add():
        async with store.transaction() as transaction:
            await prediction_models.lock(transaction)
            return await prediction_models.add(transaction, values)

    rows = await asyncio.gather(*(add() for _ in range(4)))
    assert sorted(row["version"] for row in rows) == [1, 2, 3, 4]


async def test_the_database_allows_one_version_in_production(store: Store):
    """Even without the lock there are never two."""
    await add_version(services_over(store))
    with pytest.raises(UniqueViolated):
        async with store.transaction() as transaction:
            await prediction_models.add(transaction, {**_values(), "stage": "PRODUCTION"})


async def test_lists_leave_artefacts_out(store: Store):
    """Who asks for all columns of versions gets all but the artefact."""
    row = await add_version(services_over(store))
    (found,) = await histories.by_ids(store, MODELS, [row["id"]])
    assert found is not None
    assert "artefact" not in set(found.keys())
    assert dict(found) == dict(row)


async def test_production_costs_one_small_statement(store: Store, statements: list[str]):
    """An artefact is read once for a process; a new version is noticed at the next request."""
    services = services_over(store)
    await add_version(services)
    models = Models()
    assert (await models.production(store, RISK, HEATERS)) is None
    loaded = await models.production(store, LIFESPAN, HEATERS)
    assert loaded is not None
    assert isinstance(loaded.model, LifespanModel)
    assert loaded.row["version"] == 1
    assert "artefact" not in set(loaded.row.keys())
    statements.clear()
    assert await models.production(store, LIFESPAN, HEATERS) is loaded
    (statement,) = statements
    assert "artefact" not in statement
    candidate = await add_version(services)
    async with store.transaction() as transaction:
        present = await prediction_models.production(transaction, LIFESPAN.value, HEATERS)
        assert present is not None
        await prediction_models.move(transaction, present, ModelStage.ARCHIVED, MIDDAY)
        await prediction_models.move(transaction, candidate, ModelStage.PRODUCTION, MIDDAY)
    after = await models.production(store, LIFESPAN, HEATERS)
    assert after is not None
    assert after.id == candidate["id"]


async def test_methods_without_training_are_in_production_from_the_start(store: Store):
    """They are registered once, also where nobody has done so before the first prediction; others are unaffected."""
    models = Models()
    found = await models.productions(store, HEATERS)
    assert {kind: (model.row["method"], model.model, model.problem) for kind, model in found.items()} == {
        PredictionKind.ANOMALY: ("STREAMING_DETECTOR", None, None),
        PredictionKind.USAGE_PATTERNS: ("PROFILE", None, None),
    }
    assert {*await models.productions(store, "VENDING_MACHINE")} == {PredictionKind.ANOMALY}
    await asyncio.gather(*(methods.register_all(store, MIDDAY) for _ in range(3)))
    assert {kind: model.id for kind, model in (await models.productions(store, HEATERS)).items()} == {
        kind: model.id for kind, model in found.items()
    }


async def test_a_new_version_of_a_method_replaces_the_old_one(store: Store, monkeypatch: pytest.MonkeyPatch):
    """The registry tells which version of the code made a prediction."""
    await methods.register_all(store, MIDDAY)
    newer = {**methods.METHODS, PredictionKind.ANOMALY: methods.Method("STREAMING_DETECTOR", "99")}
    monkeypatch.setattr(methods, "METHODS", newer)
    await methods.register_all(store, MIDDAY + timedelta(days=1))
    row = await prediction_models.production(store, "ANOMALY", HEATERS)
    assert row is not None
    assert (row["version"], orjson.loads(row["parameters"])) == (2, {"version": "99"})


async def test_an_artefact_that_cannot_be_used_is_told_and_nothing_else_suffers(store: Store, caplog):
    """A corrupt one, and one that was trained on other channels; each is logged once, in a sentence."""
    services = services_over(store)
    other = train_by_age(Layout(channels=("current",)), [Life(History(started=0.0), failed_at=9.0)]).text
    await add_version(services, artefact=learnt()["artefact"].replace("scale", "sca1e"))
    await add_version(services, RISK, artefact="{}")
    models = Models()
    with caplog.at_level(logging.ERROR, "iotsphere.models"):
        found = await models.productions(store, HEATERS)
        await models.productions(store, HEATERS)
    assert len(caplog.records) == 2
    assert not any(record.exc_info for record in caplog.records)
    assert found[LIFESPAN].model is None
    assert found[LIFESPAN].problem == (
        "Version 1 of the model 'water heater lifespan' cannot be used: The stored lifespan/1 model does not match its "
        "checksum; it was changed or cut off."
    )
    assert "is of kind None" in (found[RISK].problem or "")
    assert found[PredictionKind.ANOMALY].problem is None
    await add_version(services_over(store), artefact=other)
    newest = (await histories.page(store, MODELS, Window(1))).rows[0]
    async with store.transaction() as transaction:
        await prediction_models.move(transaction, found[LIFESPAN].row, ModelStage.ARCHIVED, MIDDAY)
        await prediction_models.move(transaction, newest, ModelStage.PRODUCTION, MIDDAY)
    loaded = await models.production(store, LIFESPAN, HEATERS)
    assert loaded is not None
    assert "was trained on the channels current; given are temperature, pressure" in (loaded.problem or "")


def _values():
    """Return the columns of a version."""
    made = learnt()
    return {
        **{name: None for name in PredictionModelRow.model_fields if name not in {"id", "version"}},
        "name": "water heater lifespan",
        "kind": LIFESPAN.value,
        "device_kind": HEATERS,
        "method": made["method"],
        "trained_at": MIDDAY,
        "sample_count": 4,
        "feature_names": "[]",
        "parameters": "{}",
        "metrics": "{}",
        "artefact": made["artefact"],
    }

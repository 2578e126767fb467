"""Promotion: what is worse does not get into production unseen, and what was there before can come back."""

import pytest

from models.errors import BadUserInput, Conflict, IoTSphereError, NotFound
from models.predictions import PredictionKind
from models.repositories import events, prediction_models
from models.repositories.events import Cursor
from models.store import Store
from resolvers.context import Scope
from resolvers.predicting import promotion
from tests.app.running import services_over
from tests.versions import LIFESPAN, TRAINER, add_version


def compared(present_id, candidate, present, measure="mae"):
    """Return what a training finds against the version in production."""
    pair = {"candidate": candidate, "present": present}
    return {"comparison": {"present_id": present_id, "measure": measure, **pair, "rows": 50, "devices": 4}}


async def promote(services, row, *, force=False, reason=None):
    """Promote a version as an operator."""
    return await promotion.promote(Scope(services, TRAINER), row["id"], force=force, reason=reason)


async def refusal(services, row, kind: type[IoTSphereError] = Conflict, **how):
    """Return the error with which a promotion is refused."""
    with pytest.raises(kind) as caught:
        await promote(services, row, **how)
    return caught.value


async def test_what_is_better_replaces_the_present_version(store: Store):
    """Who promoted it, when and why is kept; the version before is archived, and both changes are events."""
    services = services_over(store)
    present = await add_version(services, metrics={"mae": 20.0})
    better = await add_version(services, metrics={"mae": 15.0})
    promoted, replaced = await promote(services, better, reason=" Less error. ")
    assert (promoted["stage"], promoted["promoted_by"], promoted["promotion_reason"]) == (
        *("PRODUCTION", "Ada", "Less error."),
    )
    assert promoted["promoted_at"] is not None
    assert replaced is not None
    assert (replaced["id"], replaced["stage"]) == (present["id"], "ARCHIVED")
    in_production = await prediction_models.in_production(store, "WATER_HEATER")
    assert in_production == {LIFESPAN.value: better["id"]}
    told = [(each.payload["change"], each.payload["id"]) for each in await events.after(store, Cursor(0, 0), 10)]
    assert told[-2:] == [("ARCHIVED", present["id"]), ("PROMOTED", better["id"])]


async def test_what_is_worse_is_refused_unless_it_is_forced_with_a_reason(store: Store):
    """The refusal tells both values; nothing has changed after it."""
    services = services_over(store)
    present = await add_version(services, metrics={"mae": 20.0})
    worse = await add_version(services, metrics={"mae": 25.0})
    error = await refusal(services, worse)
    assert error.message == (
        "Version 2 of the model 'water heater lifespan' is worse than version 1, which is in production: its mean "
        "absolute error, days, is 25 against 20 by cross-validation. Promote it with 'force' and a reason if it shall "
        "be so."
    )
    assert error.details == {"metric": "mae", "candidate": 25.0, "present": 20.0, "basis": "CROSS_VALIDATION"}
    assert await prediction_models.in_production(store, "WATER_HEATER") == {LIFESPAN.value: present["id"]}
    assert (await refusal(services, worse, BadUserInput, force=True)).input_path == ("input", "reason")
    assert (await refusal(services, worse, BadUserInput, force=True, reason="  ")).input_path == ("input", "reason")
    promoted, _ = await promote(services, worse, force=True, reason="It knows the new heaters.")
    assert promoted["stage"] == "PRODUCTION"


async def test_what_both_were_scored_on_counts_before_each_ones_own_score(store: Store):
    """A comparison on new days decides, as long as it was made against the version that is in production now."""
    services = services_over(store)
    first = await add_version(services, metrics={"mae": 20.0})
    on_new_days = {"mae": 30.0, **compared(first["id"], 18.0, 19.0)}
    better = await add_version(services, metrics=on_new_days)
    late = await add_version(services, metrics=on_new_days)
    await promote(services, better)
    error = await refusal(services, await add_version(services, metrics={"mae": 1.0, **compared(better["id"], 9, 8)}))
    assert "is 9 against 8 on 50 new days of devices" in error.message
    assert (await promote(services, late)).model["id"] == late["id"]  # equal to the present one: 30 and 30


async def test_an_archived_version_is_taken_back_with_a_reason(store: Store):
    """A rollback asks for no comparison: that the version was better in practice is what people know."""
    services = services_over(store)
    first = await add_version(services, metrics={"mae": 20.0})
    second = await add_version(services, metrics={"mae": 10.0})
    await promote(services, second)
    error = await refusal(services, first)
    assert error.message.endswith("is archived; to go back to it, give a reason.")
    back, replaced = await promote(services, first, reason="Version 2 overrates old heaters.")
    assert (back["id"], back["promotion_reason"]) == (first["id"], "Version 2 overrates old heaters.")
    assert replaced is not None
    assert (replaced["id"], replaced["stage"]) == (second["id"], "ARCHIVED")


async def test_what_cannot_be_promoted(store: Store):
    """The version in production, an unknown one, one whose artefact is broken, a method, endless reasons."""
    services = services_over(store)
    present = await add_version(services)
    broken = await add_version(services, artefact="{")
    assert (await refusal(services, present)).message.endswith("is in production already.")
    await refusal(services, {"id": 99_999}, NotFound)
    error = await refusal(services, broken, force=True, reason="Anyway.")
    assert "cannot be used: The stored model is not readable as JSON" in error.message
    found = await services.models.productions(store, "WATER_HEATER")
    assert "a method of the server" in (await refusal(services, found[PredictionKind.ANOMALY].row)).message
    await refusal(services, present, BadUserInput, reason="x" * 4001)
    assert (await prediction_models.in_production(store, "WATER_HEATER"))[LIFESPAN.value] == present["id"]


async def test_a_model_with_a_broken_present_version_can_be_mended(store: Store):
    """What is in production need not be readable for another version to take its place."""
    services = services_over(store)
    await add_version(services, artefact="{")
    promoted, _ = await promote(services, await add_version(services))
    loaded = await services.models.production(store, LIFESPAN, "WATER_HEATER")
    assert loaded is not None
    assert (loaded.id, loaded.problem) == (promoted["id"], None)

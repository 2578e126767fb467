"""Outcomes are matched to the predictions that were made before them, by statements that may be repeated."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from models.failures import PREVENTIVE_REPLACEMENT
from models.predictions import PredictionKind
from models.repositories import device_failures, prediction_outcomes
from models.statements import Statement, table_columns
from models.store import Store
from models.tables import PredictionOutcomeRow
from tests.findings import add_anomaly
from tests.monitoring import DAY, LIFESPAN, NOON, RISK, ModelLab

ANOMALY = PredictionKind.ANOMALY


class OutcomeLab(ModelLab):
    """A lab that looks at outcomes."""

    async def fail(self, device_id: int, at: datetime, **changes: Any) -> None:
        """Report a failure."""
        values = {"device_id": device_id, "failed_at": at, "ends_life": False, "created_at": at, **changes}
        async with self.store.transaction() as transaction:
            await device_failures.add(transaction, values)

    async def outcomes(self) -> dict[int, tuple[float, bool]]:
        """Return what is stored, by prediction: value and whether it is a bound."""
        rows = await self.store.fetch(Statement(select(*table_columns(PredictionOutcomeRow).values())))
        return {row["prediction_id"]: (row["value"], row["is_lower_bound"]) for row in rows}

    async def match(self, match, *arguments: Any) -> int:
        """Run a statement in a transaction of its own."""
        async with self.store.transaction() as transaction:
            return await match(transaction, *arguments)


async def test_the_end_of_a_life_is_the_outcome_of_all_predictions_of_it(store: Store):
    """Days until then, of each; what was predicted later than that is not judged; a second round changes nothing."""
    lab = OutcomeLab(store)
    failing, living = await lab.add_devices(2)
    model = await lab.add_model()
    first, other = await lab.predict(model, NOON)
    second, _ = await lab.predict(model, NOON + 3 * DAY)
    await lab.predict(model, NOON + 9 * DAY)
    await lab.fail(failing, NOON + 5 * DAY, ends_life=True)
    assert await lab.match(prediction_outcomes.match_ends_of_life, NOON) == 2
    assert await lab.outcomes() == {first["id"]: (5.0, False), second["id"]: (2.0, False)}
    assert await lab.match(prediction_outcomes.match_ends_of_life, NOON) == 0
    assert other["device_id"] == living


async def test_an_outcome_is_observed_when_it_happened(store: Store):
    """However late it is reported, it belongs to the window in which it was: of a risk, the end of its horizon too."""
    lab = OutcomeLab(store)
    failing, _ = await lab.add_devices(2)
    model = await lab.add_model(RISK)
    failed, fine = await lab.predict(model, NOON, kind=RISK, values=[0.6, 0.2])
    await lab.fail(failing, NOON + 3 * DAY, created_at=NOON + 20 * DAY)
    at = NOON + 40 * DAY
    await lab.match(prediction_outcomes.match_failures, model, 30.0, NOON - DAY, at - 30 * DAY)
    rows = await store.fetch(Statement(select(*table_columns(PredictionOutcomeRow).values())))
    assert {row["prediction_id"]: row["observed_at"] for row in rows} == {
        failed["id"]: NOON + 3 * DAY,
        fine["id"]: NOON + 30 * DAY,
    }


async def test_a_device_that_was_replaced_before_it_failed_lived_at_least_so_long(store: Store):
    """Nobody knows how long it would have gone on."""
    lab = OutcomeLab(store)
    (device,) = await lab.add_devices(1)
    (prediction,) = await lab.predict(await lab.add_model(), NOON)
    await lab.fail(device, NOON + 4 * DAY, ends_life=True, cause=PREVENTIVE_REPLACEMENT)
    await lab.match(prediction_outcomes.match_ends_of_life, NOON)
    assert await lab.outcomes() == {prediction["id"]: (4.0, True)}


async def test_what_a_device_has_outlived_is_known_until_its_end_is(store: Store):
    """The bound grows with the life, and gives way to its end; what may still come true is left alone."""
    lab = OutcomeLab(store)
    outliving, _ = await lab.add_devices(2)
    model = await lab.add_model()
    short, long = await lab.predict(model, NOON, values=[2.0, 100.0])
    assert await lab.match(prediction_outcomes.match_survival, model, NOON + DAY) == 0
    assert await lab.match(prediction_outcomes.match_survival, model, NOON + 3 * DAY) == 1
    assert await lab.match(prediction_outcomes.match_survival, model, NOON + 5 * DAY) == 1
    assert await lab.outcomes() == {short["id"]: (5.0, True)}
    await lab.fail(outliving, NOON + 6 * DAY, ends_life=True)
    await lab.match(prediction_outcomes.match_ends_of_life, NOON)
    assert await lab.match(prediction_outcomes.match_survival, model, NOON + 8 * DAY) == 0
    assert await lab.outcomes() == {short["id"]: (6.0, False)}
    assert long["id"] not in await lab.outcomes()


async def test_a_risk_is_judged_when_a_failure_came_or_its_horizon_is_over(store: Store):
    """1 within the horizon, 0 after it; a failure that is reported late turns the one into the other."""
    lab = OutcomeLab(store)
    failing, fine = await lab.add_devices(2)
    model = await lab.add_model(RISK)
    of_failing, of_fine = await lab.predict(model, NOON, kind=RISK, values=[0.6, 0.2])

    async def match(at: datetime) -> int:
        return await lab.match(prediction_outcomes.match_failures, model, 30.0, NOON - DAY, at - 30 * DAY)

    assert await match(NOON + 10 * DAY) == 0
    await lab.fail(failing, NOON + 11 * DAY)
    assert await match(NOON + 12 * DAY) == 1
    assert await match(NOON + 31 * DAY) == 1
    assert await lab.outcomes() == {of_failing["id"]: (1.0, False), of_fine["id"]: (0.0, False)}
    assert await match(NOON + 31 * DAY) == 0
    await lab.fail(fine, NOON + 30 * DAY)
    await lab.fail(fine, NOON + 29 * DAY)
    assert await match(NOON + 32 * DAY) == 1
    assert (await lab.outcomes())[of_fine["id"]] == (1.0, False)


async def test_a_risk_of_a_device_that_was_replaced_meanwhile_is_not_judged(store: Store):
    """Nobody knows whether it would have failed; a failure before that counts."""
    lab = OutcomeLab(store)
    replaced, failed = await lab.add_devices(2)
    model = await lab.add_model(RISK)
    _, of_failed = await lab.predict(model, NOON, kind=RISK, values=[0.6, 0.2])
    await lab.fail(failed, NOON + DAY)
    for device in (replaced, failed):
        await lab.fail(device, NOON + 2 * DAY, ends_life=True, cause=PREVENTIVE_REPLACEMENT)
    at = NOON + 40 * DAY
    await lab.match(prediction_outcomes.match_failures, model, 30.0, NOON - DAY, at - 30 * DAY)
    assert await lab.outcomes() == {of_failed["id"]: (1.0, False)}


async def test_a_verdict_is_the_outcome_of_what_was_predicted_while_the_anomaly_went_on(store: Store):
    """What nobody has judged, and what was predicted before or after, has none."""
    lab = OutcomeLab(store)
    real, false, unjudged = await lab.add_devices(3)
    model = await lab.add_model(ANOMALY)
    during = await lab.predict(model, NOON, kind=ANOMALY, values=[0.9, 0.8, 0.7])
    await lab.predict(model, NOON + DAY, kind=ANOMALY, values=[0.1, 0.1, 0.1])
    for device, verdict in ((real, "TRUE_ALARM"), (false, "FALSE_ALARM"), (unjudged, None)):
        told = {"verdict": verdict, "resolved_at": NOON + DAY} if verdict else {}
        await add_anomaly(store, device, detected_at=NOON, ended_at=NOON + DAY / 2, **told)
    assert await lab.match(prediction_outcomes.match_verdicts, model, NOON) == 2
    assert await lab.match(prediction_outcomes.match_verdicts, model, NOON) == 0
    assert await lab.outcomes() == {during[0]["id"]: (1.0, False), during[1]["id"]: (0.0, False)}


async def test_risks_that_a_model_of_remaining_life_tells_are_not_taken_for_days(store: Store):
    """Where there is no model of risk, that of remaining life tells it too, under its own id."""
    lab = OutcomeLab(store)
    (device,) = await lab.add_devices(1)
    model = await lab.add_model(LIFESPAN)
    await lab.predict(model, NOON, kind=RISK, values=[0.1])
    await lab.fail(device, NOON + DAY, ends_life=True)
    at = NOON + 2 * DAY
    assert await lab.match(prediction_outcomes.match_ends_of_life, NOON) == 0
    assert await lab.match(prediction_outcomes.match_survival, model, at) == 0

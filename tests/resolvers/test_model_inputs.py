"""The inputs of all devices on one day: a break turns the health, is told, and is the normal of a later version."""

from datetime import timedelta

from models.monitoring import INPUT_PREFIX
from models.repositories.model_drift import DRIFT
from models.store import Store
from resolvers.monitoring.inputs import MOST_DEVICES
from tests.lives import add_days
from tests.monitoring import DAY, LIFESPAN, NOON, RISK, ModelLab, messages, reasons

HEATERS, DAYS_KNOWN, DAYS_TO_COME = 32, 60, 7
INLET = f"{INPUT_PREFIX}inlet_temperature"
MIDNIGHT = NOON.replace(hour=0)


async def lab_with_days(store: Store, breaks_after: int, size: float) -> ModelLab:
    """Return a lab of heaters with two months of days, and some to come, whose mains turn colder some days from now."""
    lab = ModelLab(store)
    await lab.add_devices(HEATERS)
    weather = lab.random.standard_normal(DAYS_KNOWN + DAYS_TO_COME)

    def inlet(day: int) -> float:
        return 12 + 0.3 * weather[day] - size * (day >= DAYS_KNOWN + breaks_after)

    until = MIDNIGHT + DAYS_TO_COME * DAY
    for device_id in lab.devices:
        await add_days(store, device_id, DAYS_KNOWN + DAYS_TO_COME, until=until, inlet_temperature_mean=inlet)
    return lab


async def days_pass(lab: ModelLab, count: int, *model_ids: int) -> None:
    """Predict by a model of remaining life, and one of risks if there is one, and look after them, for some days."""
    for _ in range(count):
        for model_id, kind in zip(model_ids, (LIFESPAN, RISK), strict=False):
            await lab.predict(model_id, kind=kind)
        await lab.next_day()
        await lab.evaluate()


async def test_colder_mains_turn_the_health_after_two_days(store: Store):
    """No feature knows them; the alert says by how much, and the learnt inputs stay as they are."""
    lab = await lab_with_days(store, 1, 5)
    model = await lab.add_model()
    await days_pass(lab, 1, model)
    assert reasons((await lab.health())[-1])["broken_inputs"] == "HEALTHY"
    await days_pass(lab, 1, model)
    assert (await lab.drift())[INLET] == "DRIFT"
    assert (await lab.health())[-1]["status"] == "HEALTHY"
    await days_pass(lab, 1, model)
    row = (await lab.health())[-1]
    assert (row["status"], reasons(row)["drifted_share"]) == ("WARNING", "HEALTHY")
    assert "input:inlet_temperature: in the newest" in messages(row)["broken_inputs"]
    assert "32 devices together were" in messages(row)["broken_inputs"]
    assert reasons(row)["estimated_mae"] == "UNKNOWN"
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["severity"], alert["state"]) == ("MODEL_DRIFT", "MEDIUM", "OPEN")
    assert alert["message"].endswith("Train a new version.")
    others = {name for name, finding in (await lab.drift()).items() if finding == "DRIFT"} - {INLET}
    # The energy that is needed is told by the temperature of the mains.
    assert others <= {f"{INPUT_PREFIX}energy_ratio"}


async def test_a_version_that_has_learnt_from_the_new_world_is_well(store: Store):
    """Of two versions the one that was trained after the break is healthy, the other goes on being none."""
    lab = await lab_with_days(store, 0, 5)
    before = await lab.add_model()
    after = await lab.add_model(
        RISK, trained_at=MIDNIGHT + 3 * DAY + timedelta(minutes=30), window_to=MIDNIGHT + 3 * DAY
    )
    await days_pass(lab, DAYS_TO_COME, before, after)
    rows = {row["model_id"]: row for row in await lab.health()}
    assert reasons(rows[before])["broken_inputs"] == "WARNING"
    assert reasons(rows[after])["broken_inputs"] == "HEALTHY"
    findings = [row for row in await lab.listed(DRIFT) if row["model_id"] == after and row["feature"] == INLET]
    assert not any(row["drifted"] for row in findings if row["evaluated_at"] > MIDNIGHT + 3 * DAY)
    assert all(row["sample_count"] == HEATERS < MOST_DEVICES for row in findings)


async def test_without_days_nothing_is_said_of_inputs(store: Store):
    """A fleet without readings has no course; the version is judged by its features."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    model = await lab.add_model()
    await days_pass(lab, 3, model)
    assert INLET not in await lab.drift()
    row = (await lab.health())[-1]
    assert row["status"] == "HEALTHY"
    assert "broken_inputs" not in reasons(row)

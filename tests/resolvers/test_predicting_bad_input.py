"""Predictions of devices of which too little, too much or nonsense is known: a reason, or less confidence with one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from models.learning import lifespan
from models.learning.features import Layout
from models.predicted import Absent, AbsentReason
from models.predictions import PredictionKind
from models.statements import Row
from models.store import Store
from resolvers.predicting.data import load_fleet
from tests.factories import add_heater, settings
from tests.graph import graph_over
from tests.lives import HOUR, add_days, add_hours, add_model, add_worn_fleet, learn, midnight

LIFE, RISK, USAGE = PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR, PredictionKind.USAGE_PATTERNS


async def predicted(store: Store, device_id: int, kind: PredictionKind) -> Any:
    """Return the prediction of a device, or why there is none; made anew each time."""
    services = graph_over(store, settings(predictions={"reuse_seconds": 0})).services
    return (await services.predicting.find(services, [(device_id, kind)]))[device_id, kind]


def doubts(row: Row) -> str:
    """Return what lowers the confidence of a prediction."""
    return " ".join(orjson.loads(row["details"])["doubts"])


@pytest.fixture
async def learnt(store: Store) -> Store:
    """A store with models of life and of risk."""
    await learn(store, LIFE)
    await learn(store, RISK, method="BOOSTED_TREES")
    return store


@pytest.mark.parametrize("kind", [LIFE, RISK])
async def test_device_without_readings(learnt: Store, kind: PredictionKind):
    """Without readings and installation there is a reason; with an installation only the age is looked at."""
    nothing = await predicted(learnt, await add_heater(learnt), kind)
    assert isinstance(nothing, Absent)
    assert nothing.reason is AbsentReason.NO_READINGS
    aged = await predicted(learnt, await add_heater(learnt, installed_at=midnight(50)), kind)
    assert aged["data_until"] is None
    assert "0 whole days" in doubts(aged)


@pytest.mark.parametrize("kind", [LIFE, RISK])
async def test_too_little_history(learnt: Store, kind: PredictionKind):
    """A few days are no beginning that the present could be compared with."""
    id_ = await add_heater(learnt, created_at=midnight(5))
    await add_days(learnt, id_, 5)
    nothing = await predicted(learnt, id_, kind)
    assert isinstance(nothing, Absent)
    assert nothing.reason is AbsentReason.TOO_LITTLE_HISTORY
    assert "5 whole days" in nothing.message


@pytest.mark.parametrize("kind", [LIFE, RISK])
async def test_missing_and_constant_channels(learnt: Store, kind: PredictionKind):
    """What is missing lowers the confidence, with a reason; what is constant is taken as it is."""
    ids = [await add_heater(learnt, installed_at=midnight(40)) for _ in range(3)]
    await add_days(learnt, ids[0], 40)
    await add_days(learnt, ids[1], 40, kwh=None, power_maximum=None, temperature_maximum=None, liters=None)
    await add_days(learnt, ids[2], 40, **dict.fromkeys(("pressure_mean", "pressure_minimum", "pressure_maximum"), 3.0))
    whole, missing, constant = [await predicted(learnt, id_, kind) for id_ in ids]
    assert missing["confidence"] < whole["confidence"]
    assert missing["missing_share"] > 0.2
    assert "is missing" in doubts(missing)
    assert 0 <= constant["confidence"] <= 1


async def test_unit_change_is_left_out(learnt: Store):
    """A channel that goes on in another unit is not believed: half of the confidence, and the sentence names it."""
    ids = [await add_heater(learnt, installed_at=midnight(60)) for _ in range(2)]
    await add_days(learnt, ids[0], 60)
    await add_days(learnt, ids[1], 60, kwh=lambda day: 9.0 if day < 40 else 32.4)
    whole, changed = [await predicted(learnt, id_, LIFE) for id_ in ids]
    assert "kWh and MJ" in doubts(changed)
    assert "energy used a day" in doubts(changed)
    assert "left out, and so is the energy used" in doubts(changed)
    assert changed["missing_share"] > whole["missing_share"]
    assert changed["confidence"] <= 0.5
    assert "left out" not in doubts(whole)


async def test_old_data_lower_the_confidence(learnt: Store):
    """A device that has been silent for a month is predicted with less confidence, and it is said why."""
    id_ = await add_heater(learnt, installed_at=midnight(90))
    await add_days(learnt, id_, 40, until=midnight(33))
    row = await predicted(learnt, id_, RISK)
    assert "no data of the last" in doubts(row)
    assert row["data_until"] == midnight(33)


async def test_model_of_other_channels(store: Store):
    """A model that was trained on other channels predicts nothing; the reason names them."""
    await add_worn_fleet(store, 3)
    fleet = await load_fleet(store, "WATER_HEATER")
    lives = [lifespan.Life(_narrowed(life.history), failed_at=life.failed_at) for life in fleet.lives()]
    other = Layout(("humidity",), (), fleet.layout.events, fleet.layout.attributes)
    await add_model(store, LIFE, lifespan.train_by_age(other, lives).text)
    id_ = await add_heater(store, installed_at=midnight(30))
    await add_days(store, id_, 20)
    nothing = await predicted(store, id_, LIFE)
    assert isinstance(nothing, Absent)
    assert nothing.reason is AbsentReason.MODEL_UNFIT
    assert "humidity" in nothing.message


def _narrowed(history: Any) -> Any:
    return replace(history, values=history.values[:, :1])


async def test_usage_of_a_meter_that_changed_its_unit(store: Store):
    """Water that is suddenly told in gallons is left out; the patterns rest on energy, and say so."""
    id_ = await add_heater(store)
    await _add_use(store, id_, days=56, factor=lambda day: 1.0 if day < 30 else 0.264172)
    row = await predicted(store, id_, USAGE)
    assert "L and gal" in doubts(row)
    assert orjson.loads(row["details"])["basis"] == "ESTIMATED_LITERS"


async def test_usage_with_few_days_or_none(store: Store):
    """Less than a week gives no patterns, and the reason says how many days there are."""
    few, none = await add_heater(store), await add_heater(store)
    await _add_use(store, few, days=4)
    short, nothing = await predicted(store, few, USAGE), await predicted(store, none, USAGE)
    assert short.reason is AbsentReason.TOO_LITTLE_HISTORY
    assert "days of the last 10 weeks are known" in short.message
    assert nothing.reason is AbsentReason.NO_READINGS


async def test_usage_of_a_steady_household(store: Store):
    """The average is what was drawn, the peak is where it was drawn, and it all stands in the row."""
    id_ = await add_heater(store)
    await _add_use(store, id_, days=42)
    row = await predicted(store, id_, USAGE)
    details = orjson.loads(row["details"])
    assert row["value"] == pytest.approx(80, abs=2)
    assert details["peak_hours"] == [7]
    assert len(details["hour_of_week"]) == 168
    assert row["model_id"] is not None


async def test_anomaly_without_and_with_little_to_go_by(store: Store):
    """Without readings, and while the detector is learning, there is no judgement, and the reasons differ."""
    nothing = await predicted(store, await add_heater(store), PredictionKind.ANOMALY)
    assert nothing.reason is AbsentReason.NO_READINGS


async def _add_use(store: Store, device_id: int, *, days: int, factor: Any = lambda _day: 1.0) -> None:
    """Store hours of a heater whose people draw 40 L at 7 and at 19 o'clock."""
    end = midnight()
    rows = [
        {
            "device_id": device_id,
            "hour": end - timedelta(days=days) + hour * HOUR,
            "reading_count": 60,
            "liters": (40.0 + (hour // 24) % 3 - 1 if hour % 24 in {7, 19} else 0.0) * factor(hour // 24),
            "liters_seconds": 3600.0,
            "kwh": 2.2 if hour % 24 in {7, 19} else 0.08,
            "kwh_seconds": 3600.0,
            "temperature_mean": 58.0,
            "inlet_temperature_mean": 12.0,
        }
        for hour in range(days * 24)
    ]
    await add_hours(store, rows)

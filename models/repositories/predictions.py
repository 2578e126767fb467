"""Predictions of devices, and the feature values from which they were made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, select

from models.repositories.base import Reads, Writes
from models.repositories.given import as_parameter, given_rows
from models.repositories.histories import History
from models.statements import DIALECTS, Row, Statement, is_one_of, prepared, table_columns
from models.tables import DeviceRow, PredictionFeaturesRow, PredictionRow
from models.types import UtcDateTime

PREDICTIONS = History(PredictionRow, "predicted_at")
MODEL_PREDICTIONS = History(PredictionRow, "predicted_at", owner="model_id")

_PREDICTION = table_columns(PredictionRow)
_FEATURES = table_columns(PredictionFeaturesRow)
_NEW = {name: column for name, column in _PREDICTION.items() if name != "id"}
_DEVICE_ID = table_columns(DeviceRow)["id"]


Key = tuple[int, str]
"""A device's id and a kind of prediction."""


async def newest(db: Reads, device_ids: Sequence[int], since: datetime) -> dict[Key, Row]:
    """Return the newest prediction of each kind of each device, if it is not older than an instant."""
    rows = await db.fetch(_newest(db.dialect), ids=list(device_ids), since=since)
    return {(row["device_id"], row["kind"]): row for row in rows}


async def add(
    transaction: Writes, rows: Sequence[Mapping[str, Any]], features: Mapping[Key, Sequence[float | None]]
) -> dict[Key, Row]:
    """Store predictions with their feature values, in one statement on PostgreSQL, in two on SQLite.

    Args:
        transaction: to write in.
        rows: all columns but the id; of each device one of a kind.
        features: the values in the order of the model's feature names, None where missing; a prediction without an
            entry has none.

    Returns:
        The rows with their ids; those of a device that was removed meanwhile are left out.
    """
    if not rows:
        return {}
    texts = {key: orjson.dumps(values).decode() for key, values in features.items()}
    write = _add_arrays if transaction.dialect == "postgresql" else _add_json
    ids = await write(transaction, rows, texts)
    by_key = {(row["device_id"], row["kind"]): row for row in rows}
    return {key: {**by_key[key], "id": id_} for key, id_ in ids.items()}


async def _add_arrays(
    transaction: Writes, rows: Sequence[Mapping[str, Any]], features: Mapping[Key, str]
) -> dict[Key, int]:
    columns = [[row[name] for row in rows] for name in _NEW]
    texts = [features.get((row["device_id"], row["kind"])) for row in rows]
    stored = await transaction.run(_INSERT_ARRAYS, *columns, texts)
    return {(device_id, kind): id_ for id_, device_id, kind in stored}


async def _add_json(
    transaction: Writes, rows: Sequence[Mapping[str, Any]], features: Mapping[Key, str]
) -> dict[Key, int]:
    dialect = transaction.dialect
    stored = await transaction.fetch(_insert(dialect), given=as_parameter(rows, _NEW, dialect))
    ids = {(row["device_id"], row["kind"]): row["id"] for row in stored}
    known = [{"prediction_id": id_, "feature_values": features[key]} for key, id_ in ids.items() if key in features]
    if known:
        await transaction.execute(_insert_features(dialect), given=as_parameter(known, _FEATURES, dialect))
    return ids


async def features_of(db: Reads, prediction_ids: Sequence[int]) -> dict[int, list[float | None]]:
    """Return the feature values of those predictions that have some, by the prediction's id."""
    rows = await db.fetch(_features(db.dialect), ids=list(prediction_ids))
    return {row["prediction_id"]: orjson.loads(row["feature_values"]) for row in rows}


@prepared
def _newest(dialect: str) -> Statement:
    mine = is_one_of(_PREDICTION["device_id"], "ids", dialect)
    fresh = _PREDICTION["predicted_at"] >= bindparam("since", type_=UtcDateTime())
    ids = select(func.max(_PREDICTION["id"])).where(mine, fresh).group_by(_PREDICTION["device_id"], _PREDICTION["kind"])
    return Statement(select(*_PREDICTION.values()).where(_PREDICTION["id"].in_(ids)))


def _insert_arrays() -> str:
    names, places = ", ".join(_NEW), range(1, len(_NEW) + 1)
    types = [column.type.compile(dialect=DIALECTS["postgresql"]) for column in _NEW.values()]
    arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in zip(places, types, strict=True))
    # Whoever removes a device waits for this, or has removed it before.
    return f"""WITH given AS (
  SELECT * FROM unnest({arrays}, ${len(_NEW) + 1}::text[]) AS given ({names}, feature_values)
), added AS (
  INSERT INTO predictions ({names}) SELECT {", ".join(f"given.{name}" for name in _NEW)}
  FROM given JOIN devices ON devices.id = given.device_id FOR KEY SHARE OF devices
  RETURNING id, device_id, kind
), kept AS (
  INSERT INTO prediction_features (prediction_id, feature_values) SELECT added.id, given.feature_values
  FROM added JOIN given USING (device_id, kind) WHERE given.feature_values IS NOT NULL
) SELECT id, device_id, kind FROM added"""  # noqa: S608 - names of our own columns


# As arrays: PostgreSQL reads them several times as fast as JSON.
_INSERT_ARRAYS = _insert_arrays()


@prepared
def _insert(dialect: str) -> Statement:
    given = given_rows(_NEW, dialect)
    # Whoever removes a device waits for this, or has removed it before.
    there = (
        select(*(given.c[name] for name in _NEW))
        .join(DeviceRow, given.c.device_id == _DEVICE_ID)
        .with_for_update(read=True, key_share=True, of=DeviceRow)
    )
    return Statement(
        insert(PredictionRow)
        .from_select(list(_NEW), there)
        .returning(*(_PREDICTION[name] for name in ("id", "device_id", "kind")))
    )


@prepared
def _insert_features(dialect: str) -> Statement:
    given = given_rows(_FEATURES, dialect)
    return Statement(
        insert(PredictionFeaturesRow).from_select(list(_FEATURES), select(*(given.c[name] for name in _FEATURES)))
    )


@prepared
def _features(dialect: str) -> Statement:
    return Statement(select(*_FEATURES.values()).where(is_one_of(_FEATURES["prediction_id"], "ids", dialect)))

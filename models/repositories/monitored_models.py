"""Versions of models that are watched: those in production, and those that run elsewhere."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, or_, select

from models.monitoring import EXTERNAL
from models.predictions import ModelStage
from models.repositories.base import Reads, Writes
from models.repositories.prediction_models import MODEL, MODEL_COLUMNS
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import ModelConditionRow, TrainingRunRow

_CONDITION = table_columns(ModelConditionRow)
_RUN = table_columns(TrainingRunRow)
_IS_WATCHED = or_(MODEL["stage"] == ModelStage.PRODUCTION.value, MODEL["method"] == EXTERNAL)


async def watched(db: Reads) -> Sequence[Row]:
    """Return all watched versions without their artefacts, in the order of their ids."""
    return await db.fetch(_watched())


def is_watched(row: Row) -> bool:
    """Say whether a version is watched, by its stage and method."""
    return row["stage"] == ModelStage.PRODUCTION.value or row["method"] == EXTERNAL


async def by_name(db: Reads, name: str) -> Sequence[Row]:
    """Return the id and version of all versions of that name."""
    return await db.fetch(_by_name(), name=name)


async def lock(transaction: Writes, model_ids: Sequence[int]) -> dict[int, Row]:
    """Lock versions in the order of their ids; return their stage and method, of those that there are."""
    rows = await transaction.fetch(_lock(transaction.dialect), ids=sorted(model_ids))
    return {row["id"]: row for row in rows}


async def with_conditions(db: Reads) -> list[int]:
    """Return the ids of versions that are no longer watched, but have a condition that is not at rest."""
    return [row["model_id"] for row in await db.fetch(_with_conditions())]


async def newest_candidate(db: Reads, model: Row, requested_by: str) -> Row | None:
    """Return the newest candidate for a version's place, if it is newer and a certain holder has asked for it."""
    bound = {name: model[name] for name in ("kind", "device_kind", "version")}
    rows = await db.fetch(_newest_candidate(), **bound, requested_by=requested_by)
    return rows[0] if rows else None


@prepared
def _watched() -> Statement:
    columns = [column for name, column in MODEL.items() if name in MODEL_COLUMNS]
    return Statement(select(*columns).where(_IS_WATCHED).order_by(MODEL["id"]))


@prepared
def _newest_candidate() -> Statement:
    asked = and_(_RUN["model_id"] == MODEL["id"], _RUN["requested_by"] == bindparam("requested_by"))
    place = [MODEL[name] == bindparam(name) for name in ("kind", "device_kind")]
    newer = (MODEL["version"] > bindparam("version"), MODEL["stage"] == ModelStage.CANDIDATE.value)
    rows = select(MODEL["id"], MODEL["version"]).join(_RUN["id"].table, asked).where(*place, *newer)
    return Statement(rows.order_by(MODEL["version"].desc()).limit(1))


@prepared
def _by_name() -> Statement:
    return Statement(select(MODEL["id"], MODEL["version"]).where(MODEL["name"] == bindparam("name")))


@prepared
def _lock(dialect: str) -> Statement:
    columns = [MODEL[name] for name in ("id", "stage", "method")]
    mine = is_one_of(MODEL["id"], "ids", dialect)
    # Others may refer to the version meanwhile, as predictions do.
    return Statement(select(*columns).where(mine).order_by(MODEL["id"]).with_for_update(key_share=True))


@prepared
def _with_conditions() -> Statement:
    joined = select(_CONDITION["model_id"]).join(MODEL["id"].table, MODEL["id"] == _CONDITION["model_id"])
    return Statement(joined.where(~_IS_WATCHED).distinct().order_by(_CONDITION["model_id"]))

"""Predictions as links of the graph: of devices, of their past, why they are what they are, and what to do."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from models.predicted import Absent
from models.predictions import PredictionKind
from models.repositories import histories, prediction_models
from models.repositories.prediction_models import MODELS
from models.repositories.predictions import PREDICTIONS
from models.statements import Row
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from resolvers.predicting.explaining import NEEDED
from resolvers.predicting.told import Told

EXPLAINED_BY = NEEDED
"""The columns of a prediction that make up the key of its factors and recommendations."""

_Asked = tuple[tuple[int, ...], PredictionKind]
"""Devices, and what is to be predicted of them."""


async def present(
    scope: Scope, device_ids: Sequence[int], _columns: Columns, *, kind: PredictionKind
) -> list[Row | None]:
    """Return the present prediction of a kind of each device; None where there is none."""
    answers = await _answers(scope, device_ids, kind)
    return [None if answer is None or isinstance(answer, Absent) else answer for answer in answers]


async def unavailable(
    scope: Scope, device_ids: Sequence[int], _columns: Columns, *, kinds: tuple[PredictionKind, ...]
) -> list[list[dict[str, Any]]]:
    """Return which kinds of predictions each device lacks, and why."""
    answers = await asyncio.gather(*(_answers(scope, device_ids, kind) for kind in kinds))
    return [
        [
            {"kind": kind.value, "reason": absent.reason.value, "message": absent.message}
            for kind, mine in zip(kinds, answers, strict=True)
            if isinstance(absent := mine[place], Absent)
        ]
        for place in range(len(device_ids))
    ]


async def by_ids(scope: Scope, ids: Sequence[int], columns: Columns, *, kind: PredictionKind) -> list[Row | None]:
    """Return the prediction of each id; None for one that does not exist or is of another kind."""
    needed = None if columns is None else columns | {"kind"}
    rows = await histories.by_ids(scope.store, PREDICTIONS, ids, needed)
    return [row if row is not None and row["kind"] == kind.value else None for row in rows]


async def baselines(scope: Scope, keys: Sequence[Any], _columns: Columns) -> list[float | None]:
    """Return what would be predicted without knowing the device; keys as of `EXPLAINED_BY`."""
    return [each.baseline for each in await _told(scope, keys)]


async def factors(scope: Scope, keys: Sequence[Any], _columns: Columns) -> list[list[dict[str, Any]] | None]:
    """Return what each thing adds to predictions; keys as of `EXPLAINED_BY`."""
    return [each.factors for each in await _told(scope, keys)]


async def risk_factors(scope: Scope, keys: Sequence[Any], _columns: Columns) -> list[list[dict[str, Any]]]:
    """Return the factors of risks by sort; keys as of `EXPLAINED_BY`."""
    return [each.risk_factors for each in await _told(scope, keys)]


async def recommendations(scope: Scope, keys: Sequence[Any], _columns: Columns) -> list[list[dict[str, Any]]]:
    """Return what to do about predictions; keys as of `EXPLAINED_BY`."""
    return [each.recommendations for each in await _told(scope, keys)]


async def versions(scope: Scope, ids: Sequence[int | None], columns: Columns) -> list[Row | None]:
    """Return the version of the model of each id; None for None."""
    return await scope.load(_VERSIONS, (tuple(ids), columns))


async def _versions(
    scope: Scope, asked: Sequence[tuple[tuple[int | None, ...], Columns]], _columns: Columns
) -> list[list[Row | None]]:
    needed: Columns = frozenset()
    for _, columns in asked:
        needed = None if needed is None or columns is None else needed | columns
    ids = list(dict.fromkeys(id_ for ids, _ in asked for id_ in ids if id_ is not None))
    found = dict(zip(ids, await histories.by_ids(scope.store, MODELS, ids, needed), strict=True)) if ids else {}
    return [[None if id_ is None else found[id_] for id_ in ids] for ids, _ in asked]


# Through a loader of the operation: all links of a level to versions are one statement.
_VERSIONS: Batch = batch(_versions)


async def detectors(scope: Scope, keys: Sequence[tuple[str, str]], _columns: Columns) -> list[Row | None]:
    """Return the version of the model that each (device kind, version of the detector) is; None for a lost one."""
    for device_kind in sorted({device_kind for device_kind, _ in keys}):
        # A method is registered when it is first asked for.
        await scope.services.models.productions(scope.store, device_kind)
    rows = await prediction_models.of_kind(scope.store, PredictionKind.ANOMALY.value)
    found = {(row["device_kind"], orjson.loads(row["parameters"]).get("version")): row for row in rows}
    return [found.get(key) for key in keys]


async def _answers(scope: Scope, device_ids: Sequence[int], kind: PredictionKind) -> list[Row | Absent | None]:
    return await scope.load(_PRESENT, (tuple(device_ids), kind))


async def _found(scope: Scope, asked: Sequence[_Asked], _columns: Columns) -> list[list[Row | Absent | None]]:
    keys = [(device_id, kind) for device_ids, kind in asked for device_id in device_ids]
    found = await scope.services.predicting.find(scope.services, keys)
    return [[found[device_id, kind] for device_id in device_ids] for device_ids, kind in asked]


# Through a loader of the operation: all kinds that a document asks for are found together.
_PRESENT: Batch = batch(_found)


async def _told(scope: Scope, keys: Sequence[Any]) -> list[Told]:
    return await scope.load(_TOLD, tuple(keys))


async def _told_together(scope: Scope, asked: Sequence[tuple[Any, ...]], _columns: Columns) -> list[list[Told]]:
    rows = {key[0]: dict(zip(EXPLAINED_BY, key, strict=True)) for keys in asked for key in keys}
    told = await scope.services.explaining.told(scope.services, list(rows.values()))
    found = dict(zip(rows, told, strict=True))
    return [[found[key[0]] for key in keys] for keys in asked]


# Through a loader of the operation: baselines, factors and recommendations share what they rest on.
_TOLD: Batch = batch(_told_together)

"""The models that are in production, ready to predict."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from models.clock import Clock, now
from models.devices import KINDS
from models.learning import lifespan, residuals, risk
from models.learning.boosting import ArtefactError
from models.learning.features import ChannelMismatch, check_same
from models.learning.lifespan import LifespanModel
from models.learning.residuals import ResidualModel
from models.learning.risk import RiskModel
from models.predictions import PredictionKind
from models.repositories import prediction_models
from models.statements import Row
from models.store import Store
from resolvers.predicting.data import layout_of
from resolvers.predicting.hour_steps import step_layout
from resolvers.predicting.methods import METHODS, is_untrained, register

logger = logging.getLogger("iotsphere.models")

# Versions in production are few; those before them stay for a moment, for requests that are under way.
_MOST_LOADED = 32

Learnt = LifespanModel | RiskModel | ResidualModel


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A version in production.

    Attributes:
        row: all columns but the artefact.
        model: what predicts; None for a method that is not trained, and where the artefact cannot be used.
        problem: why the artefact cannot be used, in a sentence; None if it can.
    """

    row: Row
    model: Learnt | None = None
    problem: str | None = None

    @property
    def id(self) -> int:
        """The version's id."""
        return self.row["id"]


class Models:
    """The versions in production, each read from the database once for this process.

    Args:
        threads: of LightGBM, in predicting.
        clock: tells when a method was registered.
    """

    def __init__(self, threads: int = 1, clock: Clock = now) -> None:
        self._threads = threads
        self._clock = clock
        self._loaded: OrderedDict[int, LoadedModel] = OrderedDict()
        self._loading = asyncio.Lock()

    async def production(self, store: Store, kind: PredictionKind, device_kind: str) -> LoadedModel | None:
        """Return the version in production, None if there is none; one small statement unless it is new."""
        return (await self.productions(store, device_kind)).get(kind)

    async def productions(self, store: Store, device_kind: str) -> dict[PredictionKind, LoadedModel]:
        """Return the versions in production of all kinds of predictions; one small statement unless one is new."""
        ids = await prediction_models.in_production(store, device_kind)
        if self._lacks_method(ids, device_kind):
            await register(store, device_kind, self._clock())
            ids = await prediction_models.in_production(store, device_kind)
        return {PredictionKind(kind): await self._get(store, model_id) for kind, model_id in ids.items()}

    async def version(self, store: Store, model_id: int) -> LoadedModel:
        """Return a version that there is, whatever its stage; without a statement unless it is new to this process."""
        return await self._get(store, model_id)

    def _lacks_method(self, ids: dict[str, int], device_kind: str) -> bool:
        return any(kind.value not in ids for kind in METHODS if kind in KINDS[device_kind].predicted)

    async def _get(self, store: Store, model_id: int) -> LoadedModel:
        known = self._loaded.get(model_id)
        if known is not None:
            self._loaded.move_to_end(model_id)
            return known
        # Requests that come together wait for one reading.
        async with self._loading:
            if model_id not in self._loaded:
                self._loaded[model_id] = await self._read(store, model_id)
                while len(self._loaded) > _MOST_LOADED:
                    self._loaded.popitem(last=False)
            return self._loaded[model_id]

    async def _read(self, store: Store, model_id: int) -> LoadedModel:
        row = await prediction_models.get(store, model_id)
        assert row is not None  # noqa: S101 - versions are never deleted, and this one was found a moment ago
        if is_untrained(row):
            return LoadedModel(row)
        text = await prediction_models.artefact(store, model_id)
        try:
            return LoadedModel(row, await asyncio.to_thread(read, row, text, self._threads))
        except (ArtefactError, ChannelMismatch) as error:
            problem = f"Version {row['version']} of the model '{row['name']}' cannot be used: {error}"
            logger.error("%s Train it anew, or promote another version.", problem)  # noqa: TRY400 - a sentence says it
            return LoadedModel(row, problem=problem)


def read(row: Row, text: str, threads: int = 1) -> Learnt:
    """Return the model of a version.

    Args:
        row: the version.
        text: its artefact.
        threads: of LightGBM.

    Raises:
        ArtefactError: the text is no such model.
        ChannelMismatch: it was trained on other channels than its kind of device has now.
    """
    kind = KINDS[row["device_kind"]]
    if row["kind"] == PredictionKind.ANOMALY.value:
        residual = residuals.load(text, threads)
        residuals.check_same(residual.layout, step_layout(kind))
        return residual
    load: Any = {PredictionKind.LIFESPAN: lifespan.load, PredictionKind.MULTI_FACTOR: risk.load}[
        PredictionKind(row["kind"])
    ]
    model: LifespanModel | RiskModel = load(text, threads=threads)
    check_same(model.features.layout, layout_of(kind))
    return model

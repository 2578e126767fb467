"""Is the server alive, and can it do its work?"""

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.telemetry import CONTENT_TYPE, Telemetry
from app.workers.supervisor import WorkerState
from models.errors import IoTSphereError
from models.repositories import events
from models.store import Store

_LONGEST_CHECK_SECONDS = 3.0
_NEVER_CACHED = {"cache-control": "no-store"}


class Health:
    """Answers those who run the server: /healthz, /readyz and /metrics."""

    def __init__(self, store: Store, workers: Sequence[WorkerState], telemetry: Telemetry) -> None:
        self._store = store
        self._workers = workers
        self._telemetry = telemetry

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/healthz", self._alive),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def report(self) -> dict[str, Any]:
        """Return what works and what does not; `status` is "ready" only if everything does."""
        database = await self._database()
        workers = {state.name: _worker(state) for state in self._workers}
        is_ready = all(part["status"] == "ok" for part in (database, *workers.values()))
        return {"status": "ready" if is_ready else "unavailable", "database": database, "workers": workers}

    async def _database(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_LONGEST_CHECK_SECONDS):
                await events.newest(self._store)
        except IoTSphereError as error:
            return {"status": "failing", "problem": error.message}
        except TimeoutError:
            return {"status": "failing", "problem": f"The database did not answer within {_LONGEST_CHECK_SECONDS:g} s."}
        return {"status": "ok"}

    async def _alive(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=_NEVER_CACHED)

    async def _ready(self, _request: Request) -> Response:
        report = await self.report()
        return JSONResponse(report, 200 if report["status"] == "ready" else 503, headers=_NEVER_CACHED)

    async def _metrics(self, _request: Request) -> Response:
        return Response(self._telemetry.text(), headers={**_NEVER_CACHED, "content-type": CONTENT_TYPE})


def _worker(state: WorkerState) -> dict[str, Any]:
    if state.failing_since is None:
        return {"status": "ok", "failures": state.failures}
    return {
        "status": "failing",
        "failures": state.failures,
        "problem": state.problem,
        "since": state.failing_since.isoformat(timespec="seconds"),
    }

"""What the server counts about itself, in the text format of Prometheus at /metrics.

Counting costs well under a microsecond: each counter's labels are resolved once, and whatever can be read off when
somebody asks (open websockets, states of workers) is not counted at all.
"""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.types import ASGIApp, Receive, Scope, Send

from models.clock import Clock, now
from models.readings import IngestReport, ReadingBatch
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.ingest import Ingest
from schema.engine import Response
from settings.types import Settings

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# From a cached point query to the deadline of an operation.
_LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# Three types of operation and "none", each with three outcomes.
_OUTCOMES = 12


class Telemetry:
    """The metrics of one application; each has a registry of its own, so that several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._operations = Counter(
            "iotsphere_operations",
            "GraphQL operations by type (none: refused before it was known) and outcome (ok, partial, failed).",
            ["type", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "iotsphere_operation_seconds",
            "Time from an operation's start to its result.",
            ["type"],
            buckets=_LATENCY_SECONDS,
            registry=self.registry,
        )
        readings = Counter(
            "iotsphere_readings", "Readings handed in for storing, by verdict.", ["verdict"], registry=self.registry
        )
        self._accepted, self._duplicate, self._rejected = map(readings.labels, ("accepted", "duplicate", "rejected"))
        self._worker_failures = Counter(
            "iotsphere_worker_failures", "Failures of background workers.", ["worker"], registry=self.registry
        )
        self._removed_rows = Counter(
            "iotsphere_removed_rows",
            "Rows that background workers deleted, by what they belonged to.",
            ["of"],
            registry=self.registry,
        )
        self._leases = Gauge(
            "iotsphere_worker_lease_held",
            "Whether a worker that runs in one process of several runs in this one (1) or waits (0).",
            ["worker"],
            registry=self.registry,
        )
        self._websockets = Gauge("iotsphere_websockets", "Open websockets.", registry=self.registry)
        self._counter = lru_cache(_OUTCOMES)(self._operations.labels)
        self._clock = lru_cache(_OUTCOMES)(self._seconds.labels)

    def responded(self, type_: str, response: Response | None, seconds: float) -> None:
        """Count an operation; None is a subscription that was opened."""
        outcome = "ok" if response is None or not response.errors else "partial" if response.data else "failed"
        self._counter(type_, outcome).inc()
        self._clock(type_).observe(seconds)

    def ingested(self, report: IngestReport) -> None:
        """Count the verdicts on a batch of readings."""
        self._accepted.inc(report.accepted_count)
        if report.duplicate_count:
            self._duplicate.inc(report.duplicate_count)
        if report.rejected:
            self._rejected.inc(len(report.rejected))

    def worker_failed(self, worker: str) -> None:
        """Count a failure of a background worker."""
        self._worker_failures.labels(worker).inc()

    def removed(self, of: str, count: int) -> None:
        """Count rows that a background worker deleted."""
        self._removed_rows.labels(of).inc(count)

    def watch_lease(self, worker: str, is_held: Callable[[], bool]) -> None:
        """Show whether a worker that runs in one process of several does so in this one."""
        self._leases.labels(worker).set_function(lambda: float(is_held()))

    def watch_log(self, newest_event: Callable[[], float]) -> None:
        """Show how far the event log has been followed."""
        gauge = Gauge("iotsphere_newest_event", "Id of the newest event that was seen.", registry=self.registry)
        gauge.set_function(newest_event)

    def text(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self.registry)

    def connected(self) -> None:
        """Count a websocket that was opened."""
        self._websockets.inc()

    def disconnected(self) -> None:
        """Count a websocket that was closed."""
        self._websockets.dec()


class MeasuredIngest(Ingest):
    """Ingestion that counts its verdicts."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        alerting: Alerting,
        telemetry: Telemetry,
        clock: Clock = now,
    ) -> None:
        super().__init__(store, settings, alerting, clock)
        self._telemetry = telemetry

    async def record(self, batch: ReadingBatch) -> IngestReport:
        """Store a batch as `Ingest.record` does, and count what became of it."""
        report = await super().record(batch)
        self._telemetry.ingested(report)
        return report


class CountWebsockets:
    """Middleware that counts open websockets and leaves everything else alone."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        self._telemetry.connected()
        try:
            await self._app(scope, receive, send)
        finally:
            self._telemetry.disconnected()

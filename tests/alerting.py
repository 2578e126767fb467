"""A small server whose clock is set, for tests of alerts: readings in, alerts out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.devices import WATER_HEATER
from models.paging import Window
from models.principal import ANONYMOUS, Principal
from models.readings import ReadingBatch
from models.repositories import alert_conditions, events, histories
from models.repositories.alerts import ALERT_CHANGED, ALERTS, changes_by_alerts
from models.repositories.events import Cursor
from models.snapshots import restored
from models.statements import Row
from models.store import Store
from models.tables import AlertRow
from resolvers.context import Scope
from tests.app.running import SetClock, services_over
from tests.factories import MIDDAY

# Every alert at once, but for those of the test's own choice.
QUICK: dict[str, dict[str, Any]] = {
    "alerts": {"offline_hold_seconds": 0, "offline_recover_seconds": 0, "anomaly_recover_seconds": 0},
    "water_heater_alerts": {
        "over_temperature_hold_seconds": 0,
        "over_temperature_recover_seconds": 0,
        "high_pressure_recover_seconds": 0,
    },
}


class AlertLab:
    """Services over a store, at MIDDAY to begin with.

    Args:
        store: a fresh database.
        changes: of settings, by section.
    """

    def __init__(self, store: Store, **changes: Mapping[str, Any]) -> None:
        self.store = store
        self.clock = SetClock(MIDDAY)
        self.services = services_over(store, self.clock, **changes)
        self.alerting = self.services.alerting

    def scope(self, principal: Principal = ANONYMOUS) -> Scope:
        """Return the scope of a new operation."""
        return Scope(self.services, principal)

    async def read(self, device: int | Sequence[int], seconds: Sequence[float], **channels: Sequence[Any]) -> None:
        """Send readings of these seconds after MIDDAY; the clock goes to the newest of them at least."""
        instants = [MIDDAY + timedelta(seconds=each) for each in seconds]
        self.clock.time = max(self.clock.time, *instants)
        ids = [device] * len(instants) if isinstance(device, int) else list(device)
        kind = "VENDING_MACHINE" if {"cabinet_temperature", "cash_level"} & set(channels) else WATER_HEATER.name
        report = await self.services.ingest.record(ReadingBatch(kind, ids, instants, channels))
        assert not report.rejected

    async def alerts(self) -> list[Row]:
        """Return all alerts, oldest first."""
        page = await histories.page(self.store, ALERTS, Window(1000))
        return list(reversed(page.rows))

    async def standing(self) -> dict[tuple[int, str], str]:
        """Return the severity of each alert that is not resolved, by device and kind."""
        return {
            (row["device_id"], row["kind"]): row["severity"]
            for row in await self.alerts()
            if row["state"] != "RESOLVED"
        }

    async def told(self) -> list[tuple[str, Row]]:
        """Return what happened to which alert, as the log of events tells it, oldest first."""
        found = await events.after(self.store, Cursor(0, 0), 10_000)
        return [
            (event.payload["change"], restored(AlertRow, event.payload))
            for event in found
            if event.type == ALERT_CHANGED
        ]

    async def words(self) -> list[str]:
        """Return what happened, in words as RAISED."""
        return [change for change, _ in await self.told()]

    async def history(self, alert_id: int) -> list[Row]:
        """Return the recorded changes of an alert."""
        return (await changes_by_alerts(self.store, [alert_id]))[0]

    async def phases(self, device: int) -> dict[str, str]:
        """Return the phase of each condition of a device that is not at rest."""
        rows = await alert_conditions.by_devices(self.store, [device])
        return {kind: row["phase"] for (_, kind), row in rows.items()}


def second(count: float) -> datetime:
    """Return the instant so many seconds after MIDDAY."""
    return MIDDAY + timedelta(seconds=count)

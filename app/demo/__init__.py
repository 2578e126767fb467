"""The demo fleet: seeded with a history, and kept alive."""

from app.demo.live import LiveFleet, open_fleet
from app.demo.seeding import Seeded, seed

__all__ = ["LiveFleet", "Seeded", "open_fleet", "seed"]

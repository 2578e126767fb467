"""What was expected of machines a moment ago, kept for whoever asks next."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from models.restocking import StockOutlook
from models.statements import Row

# Sales change the stock, and are seen at once; without any, a forecast of a minute ago is as good as a new one.
_KEPT_FOR = timedelta(minutes=1)
# Each takes some 20 kB.
_MOST_KEPT = 2000


class KeptOutlooks:
    """The newest outlooks of machines, each as long as its slots are as they were."""

    def __init__(self, kept_for: timedelta = _KEPT_FOR, most_kept: int = _MOST_KEPT) -> None:
        self._kept_for = kept_for
        self._most_kept = most_kept
        self._kept: OrderedDict[int, tuple[datetime, Hashable, StockOutlook]] = OrderedDict()

    def find(self, device_id: int, zone: str, products: Sequence[Row], now: datetime) -> StockOutlook | None:
        """Return what is expected of a machine with these products; None if that is not known, or too old."""
        made_at, state, outlook = self._kept.get(device_id, (None, None, None))
        if made_at is None or outlook is None or state != _state(zone, products):
            return None
        if not made_at <= now <= made_at + self._kept_for:
            return None
        self._kept.move_to_end(device_id)
        return replace(outlook, products=products)

    def keep(self, device_id: int, zone: str, outlook: StockOutlook, now: datetime) -> None:
        """Keep what is expected of a machine."""
        self._kept[device_id] = (now, _state(zone, outlook.products), outlook)
        self._kept.move_to_end(device_id)
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)


def _state(zone: str, products: Sequence[Row]) -> Hashable:
    return zone, tuple((row["id"], row["quantity"], row["capacity"], row["configured_at"]) for row in products)

"""Hours and days of readings that predictions were made from a moment ago, kept for the next ones.

Only whole hours and days are looked at. They change no more, but where readings come late; so what was read is used
again for a few minutes, and what ends meanwhile is seen at once, being another range of time.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.charts import FloatArray, IntArray
from models.reading_hours import HourRows
from models.repositories import reading_hours
from models.repositories.base import Reads

Range = tuple[datetime, datetime]
Load = Callable[[Reads, str, Sequence[int], datetime, datetime, Sequence[str]], Awaitable[HourRows]]
_What = tuple[str, tuple[str, ...]]
"""Hours or days, and their columns."""

_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Hours or days of a device: (n,) starts, (columns, n) values, the range that was read, and when."""

    micros: IntArray
    values: FloatArray
    within: Range
    read_at: float


class Hours:
    """Reads hours and days of devices; what it has read lately it knows.

    Args:
        most_devices: whose hours and days are kept; those that were asked for longest ago are forgotten first.
        kept_seconds: how long they are used again.
    """

    def __init__(self, most_devices: int, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._most_devices = most_devices
        self._kept_seconds = kept_seconds
        self._kept: OrderedDict[int, dict[_What, _Kept]] = OrderedDict()

    async def hours(
        self, db: Reads, kind: str, device_ids: Sequence[int], within: Range, columns: Sequence[str]
    ) -> HourRows:
        """Return what `reading_hours.load` does, in one statement at most."""
        return await self._read(reading_hours.load, db, kind, device_ids, within, columns)

    async def days(  # noqa: PLR0917 - as of `reading_hours.load_days`, in whose place it stands
        self, db: Reads, kind: str, device_ids: Sequence[int], start: datetime, end: datetime, columns: Sequence[str]
    ) -> HourRows:
        """Return what `reading_hours.load_days` does, in one statement at most."""
        return await self._read(reading_hours.load_days, db, kind, device_ids, (start, end), columns)

    async def _read(  # noqa: PLR0917 - what, of whom, when
        self, load: Load, db: Reads, kind: str, device_ids: Sequence[int], within: Range, columns: Sequence[str]
    ) -> HourRows:
        wanted, what = sorted(set(device_ids)), (load.__name__, tuple(columns))
        known = {id_: kept for id_ in wanted if (kept := self._known(id_, what, within)) is not None}
        missing = [id_ for id_ in wanted if id_ not in known]
        if missing:
            known |= _by_device(await load(db, kind, missing, *within, columns), missing, within, columns)
        self._keep(known, what)
        return _joined(wanted, [known[id_] for id_ in wanted], columns)

    def _known(self, device_id: int, what: _What, within: Range) -> _Kept | None:
        kept = self._kept.get(device_id, {}).get(what)
        if kept is None or kept.within != within or kept.read_at < time.monotonic() - self._kept_seconds:
            return None
        return kept

    def _keep(self, known: dict[int, _Kept], what: _What) -> None:
        for device_id, kept in known.items():
            # What was read of another range of time is needed no more.
            self._kept.setdefault(device_id, {})[what] = kept
            self._kept.move_to_end(device_id)
        while len(self._kept) > self._most_devices:
            self._kept.popitem(last=False)


def _by_device(rows: HourRows, ids: Sequence[int], within: Range, columns: Sequence[str]) -> dict[int, _Kept]:
    now = time.monotonic()
    starts = np.searchsorted(rows.device_ids, ids, side="left").tolist()
    ends = np.searchsorted(rows.device_ids, ids, side="right").tolist()
    values = np.array([rows.values[name] for name in columns], np.float64).reshape(len(columns), len(rows))
    return {
        id_: _Kept(rows.micros[start:end].copy(), values[:, start:end].copy(), within, now)
        for id_, start, end in zip(ids, starts, ends, strict=True)
    }


def _joined(ids: Sequence[int], parts: Sequence[_Kept], columns: Sequence[str]) -> HourRows:
    values = np.concatenate([np.empty((len(columns), 0)), *(part.values for part in parts)], axis=1)
    return HourRows(
        np.repeat(np.array(ids, np.int64), [len(part.micros) for part in parts]),
        np.concatenate([np.empty(0, np.int64), *(part.micros for part in parts)]),
        dict(zip(columns, values, strict=True)),
    )

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
_Key = tuple[str, int, tuple[str, ...], Range]

_KEPT_SECONDS = 300.0
# Of 20 columns over ten weeks each takes 270 kB.
_MOST_KEPT = 512


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    micros: IntArray
    values: dict[str, FloatArray]
    read_at: float


class Hours:
    """Reads hours and days of devices; what it has read lately it knows."""

    def __init__(self, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

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
        wanted = sorted(set(device_ids))
        keys = {id_: (load.__name__, id_, tuple(columns), within) for id_ in wanted}
        oldest = time.monotonic() - self._kept_seconds
        known = {id_: kept for id_ in wanted if (kept := self._kept.get(keys[id_])) and kept.read_at >= oldest}
        missing = [id_ for id_ in wanted if id_ not in known]
        if missing:
            known |= _by_device(await load(db, kind, missing, *within, columns), missing)
            for id_ in missing:
                self._kept[keys[id_]] = known[id_]
        for id_ in wanted:
            if keys[id_] in self._kept:
                self._kept.move_to_end(keys[id_])
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return _joined(wanted, [known[id_] for id_ in wanted], columns)


def _by_device(rows: HourRows, ids: Sequence[int]) -> dict[int, _Kept]:
    now = time.monotonic()
    starts = np.searchsorted(rows.device_ids, ids, side="left").tolist()
    ends = np.searchsorted(rows.device_ids, ids, side="right").tolist()
    return {
        id_: _Kept(
            rows.micros[start:end].copy(),
            {name: values[start:end].copy() for name, values in rows.values.items()},
            now,
        )
        for id_, start, end in zip(ids, starts, ends, strict=True)
    }


def _joined(ids: Sequence[int], parts: Sequence[_Kept], columns: Sequence[str]) -> HourRows:
    sizes = [len(part.micros) for part in parts]
    empty = np.empty(0)
    return HourRows(
        np.repeat(np.array(ids, np.int64), sizes),
        np.concatenate([np.empty(0, np.int64), *(part.micros for part in parts)]),
        {name: np.concatenate([empty, *(part.values[name] for part in parts)]) for name in columns},
    )

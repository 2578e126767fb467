"""From local times to instants, through the hours that a change of clocks repeats or skips."""

import difflib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from app.files.problems import Fault, FileProblem

_DAY = timedelta(days=1)


def load_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        FileProblem: there is no such zone; the message suggests one that is alike.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        by_city = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones())}
        alike = difflib.get_close_matches(name.rpartition("/")[2].lower(), by_city, n=1)
        suggestion = (
            f"did you mean {by_city[alike[0]]}?" if alike else "give an IANA name such as Europe/Berlin or UTC."
        )
        raise FileProblem(f"There is no time zone {name!r}; {suggestion}") from error


class _Neighbours:
    """What came before in one device's rows: the last instant, and the last steps between different ones."""

    __slots__ = ("last", "steps")

    def __init__(self, first: datetime) -> None:
        self.last = first
        # The middle one of three is neither a gap nor a pair of rows that happen to be close.
        self.steps: deque[timedelta] = deque(maxlen=3)

    def follow(self, instant: datetime) -> None:
        if instant != self.last:
            self.steps.append(instant - self.last)
            self.last = instant

    def nearest(self, candidates: Sequence[datetime], direction: int) -> datetime | None:
        """Return the candidate closest to one step on; None if all lie behind."""
        ahead = [instant for instant in candidates if (instant - self.last) * direction >= timedelta(0)]
        steps = sorted(map(abs, self.steps))
        expected = self.last + (steps[(len(steps) - 1) // 2] if steps else timedelta(0)) * direction
        return min(ahead, key=lambda instant: abs(instant - expected), default=None)


class LocalTimes:
    """Turns local times of a zone into UTC, batch after batch of one file.

    A time that occurs twice, when clocks go back, is told apart by its neighbours among the rows of the same device:
    it lies after the row before and closest to one step from it, or before the row after. A time that never occurs,
    when clocks go forward, has no instant.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._neighbours: dict[str, _Neighbours] = {}
        self._direction = 1
        self._offset_of_day = lru_cache(maxsize=10_000)(self._find_offset_of_day)

    def learn_order(self, times: Iterable[tuple[str, datetime]]) -> None:
        """Learn from the first rows, as pairs of device and time, whether they ascend, descend or do neither."""
        last: dict[str, datetime] = {}
        rising = falling = 0
        for serial, moment in times:
            wall = moment.replace(tzinfo=None)
            previous = last.get(serial, wall)
            rising += wall > previous
            falling += wall < previous
            last[serial] = wall
        self._direction = 1 if rising >= 9 * falling else -1 if falling >= 9 * rising else 0

    def to_utc(
        self, moments: Sequence[datetime | None], serials: Sequence[str]
    ) -> tuple[list[datetime | None], dict[int, Fault]]:
        """Return (n,) instants, and what is wrong by index.

        Args:
            moments: (n,) times, local where they have no zone; None is passed on.
            serials: (n,) the device of each.
        """
        faults: dict[int, Fault] = {}
        try:
            instants = self._plainly(moments)
        except OverflowError:
            instants = None
        if instants is None:
            return self._one_by_one(moments, serials, faults), faults
        for serial, instant in zip(serials, instants, strict=True):
            if instant is not None:
                _follow(self._neighbours, serial, instant)
        return instants, faults

    def _plainly(self, moments: Sequence[datetime | None]) -> list[datetime | None] | None:
        """Convert where no clock changes on the days in question; None where one does."""
        instants: list[datetime | None] = []
        for moment in moments:
            if moment is None:
                instants.append(None)
            elif moment.tzinfo is not None:
                instants.append(moment.astimezone(UTC))
            else:
                offset = self._offset_of_day(moment.date())
                if offset is None:
                    return None
                instants.append((moment - offset).replace(tzinfo=UTC))
        return instants

    def _find_offset_of_day(self, day: date) -> timedelta | None:
        """Return the offset from UTC that holds all day long; None where clocks change on that day or at its ends."""
        start = datetime.combine(day, time(), self._zone)
        end = start + _DAY
        offsets = {moment.replace(fold=fold).utcoffset() for moment in (start, end) for fold in (0, 1)}
        return offsets.pop() if len(offsets) == 1 else None

    def _one_by_one(
        self, moments: Sequence[datetime | None], serials: Sequence[str], faults: dict[int, Fault]
    ) -> list[datetime | None]:
        instants: list[datetime | None] = []
        twice: dict[int, list[datetime]] = {}
        for index, moment in enumerate(moments):
            candidates = [] if moment is None else self._candidates(moment)
            instants.append(candidates[0] if len(candidates) == 1 else None)
            if len(candidates) == 2:
                twice[index] = candidates
            elif moment is not None and not candidates:
                faults[index] = self._no_instant(moment)
        if self._direction:
            self._choose(range(len(moments)), self._direction, instants, twice, serials, neighbours=self._neighbours)
            self._choose(range(len(moments))[::-1], -self._direction, instants, twice, serials, neighbours={})
        for index in twice:
            faults[index] = Fault(
                "AMBIGUOUS_TIME",
                f"{moments[index]} occurs twice in {self._zone.key}, and the rows around it do not tell which is meant",
            )
        return instants

    def _no_instant(self, moment: datetime) -> Fault:
        if not 1 < moment.year < 9999:
            return Fault("NOT_A_TIME", f"{moment} is beyond the years 1 to 9999")
        return Fault("NONEXISTENT_TIME", f"{moment} does not exist in {self._zone.key}, whose clocks skip it")

    def _candidates(self, moment: datetime) -> list[datetime]:
        """Return the instants, none, one or two, at which clocks of the zone show a time."""
        try:
            if moment.tzinfo is not None:
                return [moment.astimezone(UTC)]
            first, second = (moment.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        except OverflowError:
            # Beyond the years 1 to 9999: a time, but none that could be stored.
            return []
        if first == second:
            return [first]
        # Where clocks go forward, the offset before the change makes the later instant.
        return [first, second] if first < second else []

    def _choose(
        self,
        order: Iterable[int],
        direction: int,
        instants: list[datetime | None],
        twice: dict[int, list[datetime]],
        serials: Sequence[str],
        *,
        neighbours: dict[str, _Neighbours],
    ) -> None:
        """Fill in the times that occur twice, walking along the rows; those that have no neighbour stay open."""
        for index in order:
            serial, instant = serials[index], instants[index]
            if index in twice and serial in neighbours:
                instant = neighbours[serial].nearest(twice[index], direction)
                if instant is not None:
                    instants[index] = instant
                    del twice[index]
            if instant is not None:
                _follow(neighbours, serial, instant)


def _follow(neighbours: dict[str, _Neighbours], serial: str, instant: datetime) -> None:
    if serial in neighbours:
        neighbours[serial].follow(instant)
    else:
        neighbours[serial] = _Neighbours(instant)

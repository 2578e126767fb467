"""Hours of the week in words."""

from dataclasses import dataclass
from itertools import groupby

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """Hours in a row; `start` is the first hour of the week from Monday 00:00, 0 to 167; it may reach into the next."""

    start: int
    hours: int

    def shortened(self, hours: int) -> "QuietWindow":
        """Return it with so many hours less at its end; at least none."""
        return QuietWindow(self.start, max(self.hours - hours, 0))


def described(windows: tuple[QuietWindow, ...]) -> str:
    """Return windows as "Mon-Thu 23:00-05:00, Fri 23:00 to Mon 05:00"; several of the same hours go together."""

    def hours(window: QuietWindow) -> tuple[int, int]:
        return window.start % 24, window.hours

    parts: list[str] = []
    for (clock, length), same in groupby(sorted(windows, key=lambda window: (*hours(window), window.start)), hours):
        days = [window.start // 24 for window in same]
        end = (clock + length) % 24
        if length < 24:
            parts.append(f"{_days(days)} {clock:02}:00-{end:02}:00")
        else:
            parts += [
                f"{_NAMES[day]} {clock:02}:00 to {_NAMES[(day + (clock + length) // 24) % 7]} {end:02}:00"
                for day in days
            ]
    return ", ".join(parts)


def _days(days: list[int]) -> str:
    """Return "Mon-Thu, Sat"; runs of three or more days are joined."""
    if len(days) == 7:
        return "every day"
    runs = [
        [day for _, day in run] for _, run in groupby(enumerate(days), key=lambda numbered: numbered[1] - numbered[0])
    ]
    return ", ".join(
        f"{_NAMES[run[0]]}-{_NAMES[run[-1]]}" if len(run) > 2 else ", ".join(_NAMES[day] for day in run) for run in runs
    )

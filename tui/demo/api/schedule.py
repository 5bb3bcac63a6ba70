"""Cron schedules: five fields, or ``@hourly`` and the like.

As https://pkg.go.dev/github.com/robfig/cron/v3 reads them: if both the day of the month and the
day of the week are given, either will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FARTHEST: Final = timedelta(days=366 * 5)
_MOST_MISSED: Final = 1000


class ScheduleError(ValueError):
    """The text is no schedule."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Both kinds of days are given, and one of them is enough."""

    def _on(self, moment: datetime) -> bool:
        if moment.month not in self.months:
            return False
        by_date = moment.day in self.days
        by_week = (moment.weekday() + 1) % 7 in self.weekdays
        return by_date or by_week if self.either_day else by_date and by_week

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after a moment; None for a day that does not exist."""
        last = moment + _FARTHEST
        found = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while found < last:
            if not self._on(found):
                found = found.replace(hour=0, minute=0) + timedelta(days=1)
            elif found.hour not in self.hours:
                found = found.replace(minute=0) + timedelta(hours=1)
            elif found.minute not in self.minutes:
                found += timedelta(minutes=1)
            else:
                return found
        return None

    def last_between(self, since: datetime, now: datetime) -> datetime | None:
        """The last time after ``since`` that is not after ``now``."""
        found = None
        following = self.next_after(since)
        for _ in range(_MOST_MISSED):
            if following is None or following > now:
                break
            found, following = following, self.next_after(following)
        return found


@lru_cache(maxsize=64)
def parse(text: str) -> Schedule:
    """Read a schedule.

    Raises:
        ScheduleError: it is none; the message says why, in the API server's words.
    """
    fields = _NAMED.get(text.strip(), text).split()
    if len(fields) != 5:
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
    sets = [_field(field, low, high) for field, (low, high) in zip(fields, _RANGES, strict=True)]
    weekdays = frozenset(0 if day == 7 else day for day in sets[4])
    either = "*" not in (fields[2][0], fields[4][0]) and "?" not in (fields[2], fields[4])
    return Schedule(sets[0], sets[1], sets[2], sets[3], weekdays, either)


def _field(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, high) if slash else 1
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, low, high)
            last = _number(end, low, high) if dash else (high if slash else first)
        if first > last:
            raise ScheduleError(
                f"beginning of range ({first}) beyond end of range ({last}): {part}"
            )
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, low: int, high: int) -> int:
    names = _MONTHS if high == 12 else _DAYS if high == 7 else []
    if text.lower() in names:
        return names.index(text.lower()) + (1 if high == 12 else 0)
    if not text.isdigit() or len(text) > 4:
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}"')
    number = int(text)
    if not low <= number <= high:
        beyond = "above maximum" if number > high else "below minimum"
        raise ScheduleError(f"end of range ({number}) {beyond} ({high if number > high else low})")
    return number

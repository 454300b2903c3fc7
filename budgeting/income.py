"""When money comes in the next time: a simple look at what came in regularly. Pure; docs/budgeting.md says how."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median_low

# So far back is looked; so many times at least it came; so late it may be before it is taken to have ended.
LOOK_BACK = timedelta(days=125)
TIMES_MIN = 3
LATE = timedelta(days=5)
# Amounts may differ from their middle by this much, in per cent.
DIFFER_PERCENT = 30
_PERIODS = ((7, 6, 8), (14, 12, 16), (30, 26, 35))


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in; `source` tells one sender from another, `amount` is in minor units of one currency."""

    source: Hashable
    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Expected:
    """The next time; `amount` is the middle of the amounts so far, `every` its period in days (30: monthly)."""

    source: Hashable
    on: date
    amount: int
    every: int


def next_income(received: Iterable[Received], today: date) -> Expected | None:
    """The next time of the regular income that is worth most a month; None when nothing comes in regularly."""
    by_source: defaultdict[Hashable, list[Received]] = defaultdict(list)
    for row in received:
        if row.amount > 0 and today - LOOK_BACK <= row.on <= today:
            by_source[row.source].append(row)
    found = [expected for rows in by_source.values() if (expected := _regular(rows, today))]
    return max(found, key=lambda expected: (expected.amount * 30 // expected.every, -expected.on.toordinal()), default=None)


def _regular(rows: list[Received], today: date) -> Expected | None:
    days = sorted({row.on for row in rows})
    gaps = [(after - before).days for before, after in pairwise(days)]
    period = next((length for length, least, most in _PERIODS if gaps and all(least <= gap <= most for gap in gaps)), None)
    if len(days) < TIMES_MIN or period is None:
        return None
    by_day: defaultdict[date, int] = defaultdict(int)
    for row in rows:
        by_day[row.on] += row.amount
    middle = median_low(by_day.values())
    if any(abs(amount - middle) * 100 > middle * DIFFER_PERCENT for amount in by_day.values()):
        return None
    coming = _month_later(days) if period == 30 else days[-1] + timedelta(days=period)
    if coming <= today:
        if today - coming > LATE:
            return None
        coming = today + timedelta(days=1)
    return Expected(rows[0].source, coming, middle, period)


def _month_later(days: list[date]) -> date:
    """A month after the last time, on the latest day of the month seen: too late is the safe side, it counts more bills."""
    last = days[-1]
    year, month = (last.year + 1, 1) if last.month == 12 else (last.year, last.month + 1)
    # Near the turn of the month "the 31st" and "the 1st" are one day apart and not thirty.
    wanted = max(day.day for day in days)
    if wanted - min(day.day for day in days) > 7:
        return last + timedelta(days=31)
    return date(year, month, min(wanted, monthrange(year, month)[1]))

"""
When a bill is paid: pure dates, no database.

A *nominal* date is what was agreed ("the 31st"); in a shorter month it is that month's last day, and the next month has its
own again (31, 30, 31). Moved off weekends and holidays it is the day on which money moves; at a local time in a named zone
it is a moment. Each nominal date belongs to one *period*, the name under which it is paid once.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

import holidays

# Beyond, a day more leaves what dates can hold.
LATEST = date(2999, 12, 31)
INTERVAL_MAX = {"week": 52, "month": 12}


class Every(Enum):
    WEEK = "week"
    MONTH = "month"


class Shift(Enum):
    """Where a payment goes whose day is a weekend or a holiday."""

    NONE = "none"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Slot:
    """One time of paying. `pay_on` is the day in the plan's zone, `due_at` the moment in UTC."""

    period: str
    on_date: date
    pay_on: date
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """
    `anchor` is the day of the month, 1 to 31; weeks keep the weekday of `first_on`. Nothing is due before `first_on` or,
    by its nominal date, after `last_on` (inclusive). `country`: whose bank holidays count beside weekends, "" for none.
    """

    every: Every
    interval: int
    first_on: date
    anchor: int
    shift: Shift
    at: time
    zone: str
    country: str = ""
    last_on: date | None = None

    def nominal(self, number: int) -> date | None:
        """The number-th date, from 0; None after the last."""
        if self.every is Every.WEEK:
            ordinal = self.first_on.toordinal() + 7 * self.interval * number
            found = date.fromordinal(ordinal) if ordinal <= LATEST.toordinal() else None
        else:
            found = _in_month(self._first_month + self.interval * number, self.anchor)
        return None if found is None or (self.last_on is not None and found > self.last_on) else found

    @property
    def _first_month(self) -> int:
        """Months since year 0 of the first date that is not before `first_on`."""
        month = self.first_on.year * 12 + self.first_on.month - 1
        day = min(self.anchor, calendar.monthrange(self.first_on.year, self.first_on.month)[1])
        return month if day >= self.first_on.day else month + 1

    def slots(self, *, after: date | None = None) -> Iterator[Slot]:
        """All slots in order whose nominal date is later than `after`."""
        number = self._number_after(after) if after is not None else 0
        while (on_date := self.nominal(number)) is not None:
            yield self.slot(on_date)
            number += 1

    def slot(self, on_date: date) -> Slot:
        pay_on = working_day(on_date, self.shift, self.country)
        return Slot(self.period(on_date), on_date, pay_on, self.moment(pay_on))

    def period(self, on_date: date) -> str:
        """One a month, whatever the day: moving a bill to another day never makes it due twice."""
        return on_date.isoformat() if self.every is Every.WEEK else f"{on_date.year:04}-{on_date.month:02}"

    def moment(self, day: date) -> datetime:
        """
        The plan's time on that day, in UTC. A time that a clock change leaves out is the one an hour later; of one that
        comes twice it is the first.
        """
        return datetime.combine(day, self.at, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def _number_after(self, after: date) -> int:
        if self.every is Every.WEEK:
            return max(0, (after - self.first_on).days // (7 * self.interval) + 1)
        number = max(0, (after.year * 12 + after.month - 1 - self._first_month) // self.interval)
        found = self.nominal(number)
        return number + 1 if found is not None and found <= after else number


def working_day(day: date, shift: Shift, country: str) -> date:
    """The day itself, or the nearest one before or after it that is neither a weekend nor a bank holiday."""
    if shift is Shift.NONE:
        return day
    step = timedelta(days=-1 if shift is Shift.BEFORE else 1)
    while is_closed(day, country) and date.min < day < LATEST:
        day += step
    return day


def is_closed(day: date, country: str) -> bool:
    if not country:
        return day.weekday() >= 5
    public, bank = _calendar(country, "public"), _calendar(country, "bank")
    if day in public or day.weekday() in public.weekend:
        return True
    # A half day is a day: "Walpurgis Night (from 2pm)".
    return bank is not None and day in bank and "(from" not in bank[day]


def countries() -> list[str]:
    """ISO codes of the countries whose holidays are known."""
    return sorted(code for code in holidays.list_supported_countries(include_aliases=False) if len(code) == 2 and code.isalpha())


@functools.lru_cache(maxsize=256)
def _calendar(country: str, category: str) -> Any:
    """It makes a year's holidays when the year is first asked for."""
    found = holidays.country_holidays(country)
    if category not in found.supported_categories:
        return None
    language = "en_US" if "en_US" in found.supported_languages else None
    return holidays.country_holidays(country, categories=[category], language=language)


def _in_month(month: int, day: int) -> date | None:
    year, index = divmod(month, 12)
    return date(year, index + 1, min(day, calendar.monthrange(year, index + 1)[1])) if year <= LATEST.year else None

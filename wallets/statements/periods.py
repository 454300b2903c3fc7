"""The periods of statements: whole days in the zone of whoever reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from wallets.statements.errors import PeriodInvalid

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of `since` to the end of `until`, in `zone`."""

    since: date
    until: date
    zone: str

    def __post_init__(self) -> None:
        if not FIRST_DAY <= self.since <= self.until <= LAST_DAY:
            raise PeriodInvalid()

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.since, time(), tzinfo=ZoneInfo(self.zone))

    @property
    def ends_at(self) -> datetime:
        """The first moment that does not belong to it."""
        return datetime.combine(self.until + timedelta(days=1), time(), tzinfo=ZoneInfo(self.zone))


def month(any_day: date, zone: str) -> Period:
    first = any_day.replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1), zone)


def year(number: int, zone: str) -> Period:
    return Period(date(number, 1, 1), date(number, 12, 31), zone)


def recent_months(today: date, *, since: date, limit: int = 12) -> list[date]:
    """The first days of the newest months that the account has lived in, newest first."""
    months: list[date] = []
    first = today.replace(day=1)
    while len(months) < limit and first >= since.replace(day=1):
        months.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return months

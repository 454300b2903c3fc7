"""
What happens in the demo's year, worked out before anything of it is done: pure, and the same for the same day.

Months are those of the calendar, numbered from the one in which the year begins; all amounts are euro cents, times are UTC.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from payments.bills.schedule import Shift

YEAR = timedelta(days=365)
SEED = 2026
# Chen's money comes late in these months, after there was just this much left: the lessons cannot be paid in time.
FAILS_IN, RETRIED_IN, LEFT = 9, 11, 500
LESSON, POCKET_MONEY = 1_500, 2_800


@dataclass(frozen=True, slots=True)
class Move:
    """Money on its way. `payer` and `payee` are handles; a top-up has no payer. `by` acts for the payer."""

    at: datetime
    payer: str
    payee: str
    amount: int
    note: str
    by: str = ""

    @property
    def key(self) -> str:
        return f"demo:{self.at:%Y-%m-%dT%H:%M}:{self.payer}:{self.payee}"

    @property
    def is_top_up(self) -> bool:
        return not self.payer


@dataclass(frozen=True, slots=True)
class Wish:
    """A bill that somebody sets up on the first day."""

    payer: str
    by: str
    payee: str
    name: str
    amount: int
    day: int
    shift: Shift = Shift.NONE


# Whatever comes every month and is more than small change is a bill: it is approved once.
BILLS = (
    Wish("demo.bakery", "bosse", "ada", "Salary", 124_000, 25, Shift.BEFORE),
    Wish("demo.bakery", "bosse", "bosse", "Salary", 98_000, 25, Shift.BEFORE),
    Wish("bosse", "bosse", "ada", "Half the rent", 59_000, 28),
    Wish("bosse", "bosse", "demo.household", "My share", 16_000, 26),
    Wish("ada", "ada", "demo.homes", "Rent", 118_000, 1, Shift.AFTER),
    Wish("ada", "ada", "demo.streaming", "Series and films", 1_290, 12),
    Wish("demo.household", "ada", "demo.energy", "Electricity", 14_600, 28, Shift.AFTER),
    Wish("chen", "chen", "demo.school", "Music lessons", LESSON, 5),
)


def first_on(wish: Wish, begin: datetime) -> date:
    """Pay comes in the first month if it still can; what is due early in a month begins with the next one."""
    day, next_month = begin.date(), (begin.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return day.replace(day=wish.day) if wish.day > max(day.day + 2, 20) else next_month.replace(day=wish.day)


def begins_at(now: datetime) -> datetime:
    """When the demo's people sign up: with a day that begins, so that the year is over when that day begins again."""
    return datetime.combine(now.date() - YEAR, time(), tzinfo=UTC)


def year(begin: datetime) -> list[Move]:
    """Every movement but those of the bills, in order."""
    end = begin + YEAR
    dice = random.Random(SEED)  # noqa: S311  (a made-up history is no secret)
    moves = [
        Move(begin + timedelta(hours=2), "", "ada", 210_000, "", by="ada"),
        Move(begin + timedelta(hours=3), "", "bosse", 90_000, "", by="bosse"),
        Move(begin + timedelta(hours=4), "", "chen", 1_000, "", by="chen"),
        Move(begin + timedelta(hours=5), "", "demo.bakery", 420_000, "", by="bosse"),
        Move(begin + timedelta(hours=6), "ada", "demo.household", 10_000, "To begin with", by="ada"),
    ]
    chen = 1_000
    for number, month in enumerate(_months(begin.date(), end.date())):
        if month > begin.date():
            found, chen = _chen(number, month, chen)
            moves += found
        moves += _bakery(month)
        moves += _ada(number, month, dice)
        moves += _bosse(month, dice)
    signed_up, settled = begin + timedelta(hours=2), begin + timedelta(hours=6)
    kept = [move for move in moves if settled <= move.at < end or (move.at >= signed_up and move.is_top_up)]
    return sorted((move for move in kept if move.at < end), key=lambda move: (move.at, move.key))


def _months(start: date, end: date) -> Iterator[date]:
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def _at(month: date, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(month.replace(day=day), time(hour, minute), tzinfo=UTC)


def _bakery(month: date) -> list[Move]:
    """Takings by card; its pay is bills (hub/demo/history.py)."""
    return [Move(_at(month, 20, 17), "", "demo.bakery", 236_000, "", by="bosse")]


def _ada(number: int, month: date, dice: random.Random) -> list[Move]:
    moves = [
        Move(_at(month, 26, 16), "ada", "demo.household", 12_000, "My share", by="ada"),
        Move(_at(month, 1, 6, 45), "ada", "demo.tram", 2_900, "Monthly pass", by="ada"),
        Move(_at(month, 14, 11), "ada", "demo.bakery", dice.randrange(420, 1_190), "Saturday buns", by="ada"),
    ]
    for day in (4, 18):
        moves.append(Move(_at(month, day, 17, dice.randrange(60)), "ada", "demo.grocer", dice.randrange(1_620, 2_990), "", by="ada"))
    for day in (7, 17):
        coffee = _at(month, day + dice.randrange(4), 7, 40)
        moves.append(Move(coffee, "ada", "demo.coffee", dice.choice((380, 420, 450, 690)), "", by="ada"))
    if number % 2:
        moves.append(Move(_at(month, 21, 18, 30), "ada", "demo.cinema", 1_400, "Two seats in the middle", by="ada"))
    if number % 3 == 2:
        moves.append(Move(_at(month, 9, 15), "ada", "demo.pharmacy", dice.randrange(790, 2_450), "", by="ada"))
    if month.month == 7 and number > 1:
        moves.append(Move(_at(month, 2, 19), "ada", "demo.travel", 68_000, "A week by the sea", by="ada"))
    return moves


def _bosse(month: date, dice: random.Random) -> list[Move]:
    note = dice.choice(("Lunch", "Cinema", "Pizza on Friday"))
    return [
        Move(_at(month, 16, 12), "bosse", "ada", dice.randrange(800, 2_400), note, by="bosse"),
        Move(_at(month, 19, 8, 10), "bosse", "demo.coffee", dice.choice((360, 420, 510)), "", by="bosse"),
        Move(_at(month, 22, 16, 20), "demo.household", "demo.grocer", dice.randrange(1_900, 2_990), "Shopping", by="bosse"),
    ]


def _chen(number: int, month: date, balance: int) -> tuple[list[Move], int]:
    """Chen has little and counts it: what is left decides how much a present may cost. The second is the new balance."""
    paid_at = {FAILS_IN: _at(month, 12, 9), RETRIED_IN: _at(month, 5, 15)}.get(number, _at(month, 3, 9))
    moves = [
        Move(paid_at, "ada", "chen", POCKET_MONEY, "Tutoring", by="ada"),
        Move(_at(month, 15, 3), "chen", "demo.coffee", 350, "", by="chen"),
    ]
    balance += POCKET_MONEY - 350 - (0 if number == FAILS_IN else LESSON)
    if number in (FAILS_IN - 1, RETRIED_IN - 1):
        moves.append(Move(_at(month, 20, 4), "chen", "bosse", balance - LEFT, "Ada's present, my half", by="chen"))
        balance = LEFT
    return moves, balance

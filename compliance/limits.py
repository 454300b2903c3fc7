"""
What a party may still move, and the counting of what it moved.

Units: everything counted is in minor units of the reference currency (settings.HUB_REFERENCE_CURRENCY); days and months
are those of the operator's time zone (settings.HUB_TIME_ZONE). Source: docs/limits.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Subquery, Value
from django.db.models.functions import Coalesce

from compliance.errors import LimitExceeded
from compliance.models import Direction, Level, LimitRule, PartyLevel, Usage, Window
from core import rates
from core.money import Money, Rounding

__all__ = [
    "LimitExceeded",
    "LimitStatus",
    "balance_check",
    "balance_limit",
    "balance_within",
    "level_for",
    "limits_for",
    "reference",
    "usage_lower",
    "usage_raise",
]

STRICTEST = Level.EMAIL
_COUNTED = (Window.DAY, Window.MONTH)


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """One line of the limits page. `used` and `left` are None where nothing is counted (one payment)."""

    window: Window
    direction: Direction
    limit: Money
    used: Money | None
    left: Money | None


def reference(amount: Money) -> Money:
    """
    The amount in the reference currency, at the newest rate, rounded up so that splitting a payment gains nothing.

    :raises core.rates.RateMissing: there is no rate; nothing is guessed.
    """
    if amount.currency == settings.HUB_REFERENCE_CURRENCY:
        return amount
    return rates.convert(amount, settings.HUB_REFERENCE_CURRENCY, rounding=Rounding.UP).money


def level_for(party_id: UUID, now: datetime) -> Level:
    found = PartyLevel.objects.filter(party_id=party_id).at(now).values_list("level", flat=True).first()
    return Level(found) if found is not None else STRICTEST


def limits_for(party_id: UUID, now: datetime, *, balance: Money | None = None) -> list[LimitStatus]:
    """
    Every limit of the party with what is used and left, ordered out, in, balance.

    `balance` is the party's total in the reference currency, known by the caller; without it the balance line shows
    only the limit.
    """
    used = _used(party_id, now)
    order = [(d, w) for d in (Direction.OUT, Direction.IN) for w in (Window.PAYMENT, *_COUNTED)] + [(Direction.NONE, Window.BALANCE)]
    rules = {(Direction(rule.direction), Window(rule.window)): rule for rule in _rules(party_id, now)}
    return [
        _status(rules[key], balance if key[1] is Window.BALANCE else used.get(key, _zero()) if key[1] in _COUNTED else None)
        for key in order
        if key in rules
    ]


def balance_limit(party_id: UUID, now: datetime) -> Money | None:
    """The most the party may hold in all, in the reference currency; None: no limit."""
    rule = next((rule for rule in _rules(party_id, now) if rule.window == Window.BALANCE), None)
    return _money(rule.amount_minor) if rule else None


def balance_check(party_id: UUID, balance_after: Money, now: datetime) -> None:
    """
    :raises LimitExceeded: holding `balance_after` (reference currency) is more than the level allows.
    """
    limit = balance_limit(party_id, now)
    if limit is not None:
        balance_within(limit, balance_after)


def balance_within(limit: Money, balance_after: Money) -> None:
    """
    The same for a caller that has asked for the limit already.

    :raises LimitExceeded: `balance_after` is more than `limit`.
    """
    if balance_after > limit:
        raise LimitExceeded(window=Window.BALANCE, direction="", limit=limit, left=_zero())


def usage_raise(party_id: UUID, amount: Money, *, direction: Direction | str, now: datetime) -> Money:
    """
    Count a movement, in the transaction that makes it; the rows stay locked until its end.

    Returns the amount in the reference currency that was counted: keep it with the movement, it is what `usage_lower`
    takes back. When it is refused nothing stays counted.

    :raises LimitExceeded: one payment, the day or the month would pass its limit.
    :raises core.rates.RateMissing: the amount cannot be put into the reference currency.
    """
    counted = reference(amount)
    limits = {Window(rule.window): rule.amount_minor for rule in _rules(party_id, now) if rule.direction == direction}
    single = limits.get(Window.PAYMENT)
    if single is not None and counted.amount > single:
        raise LimitExceeded(window=Window.PAYMENT, direction=direction, limit=_money(single), left=_money(single))
    totals = _count(party_id, counted.amount, direction=direction, moment=now)
    for window in _COUNTED:
        limit = limits.get(window)
        if limit is not None and totals[window] > limit:
            # The caller may catch this and go on in the same transaction, so what was counted is taken back.
            _count(party_id, -counted.amount, direction=direction, moment=now)
            left = max(0, limit - (totals[window] - counted.amount))
            raise LimitExceeded(window=window, direction=direction, limit=_money(limit), left=_money(left))
    return counted


def usage_lower(party_id: UUID, counted: Money, *, direction: Direction | str, at: datetime) -> None:
    """
    Take back what `usage_raise` counted, in the windows of the original movement.

    `counted` is what it returned; `at` is the `now` it was given.
    """
    if counted.currency != settings.HUB_REFERENCE_CURRENCY:
        raise ValueError("usage is counted in the reference currency: pass what usage_raise returned")
    if counted.amount:
        _count(party_id, -counted.amount, direction=direction, moment=at)


def _count(party_id: UUID, change: int, *, direction: Direction | str, moment: datetime) -> dict[Window, int]:
    """Day before month, always: two movements of one party then wait for each other instead of deadlocking."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("usage is counted only inside the transaction that moves the money")
    row = (party_id, str(direction), settings.HUB_REFERENCE_CURRENCY, max(change, 0))
    starts = _starts(moment)
    values: list[Any] = [value for window in _COUNTED for value in (*row, str(window), starts[window])]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO compliance_usage AS u (party_id, direction, currency, amount_minor, "window", starts_on)
            VALUES (%s, %s, %s, %s, %s, %s), (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (party_id, direction, "window", starts_on, currency)
            DO UPDATE SET amount_minor = greatest(0, u.amount_minor + %s)
            RETURNING "window", amount_minor
            """,
            [*values, change],
        )
        rows: Sequence[tuple[str, int]] = cursor.fetchall()
    return {Window(window): total for window, total in rows}


def _starts(moment: datetime) -> dict[Window, date]:
    day = moment.astimezone(ZoneInfo(settings.HUB_TIME_ZONE)).date()
    return {Window.DAY: day, Window.MONTH: day.replace(day=1)}


def _rules(party_id: UUID, now: datetime) -> list[LimitRule]:
    level = PartyLevel.objects.filter(party_id=party_id).at(now).values("level")[:1]
    return list(LimitRule.objects.at(now).filter(level=Coalesce(Subquery(level), Value(int(STRICTEST)))))


def _used(party_id: UUID, now: datetime) -> dict[tuple[Direction, Window], Money]:
    starts = _starts(now)
    rows = Usage.objects.filter(party_id=party_id, starts_on__in=starts.values(), currency=settings.HUB_REFERENCE_CURRENCY)
    return {
        (Direction(row.direction), Window(row.window)): _money(row.amount_minor)
        for row in rows
        if row.starts_on == starts[Window(row.window)]
    }


def _status(rule: LimitRule, used: Money | None) -> LimitStatus:
    limit = _money(rule.amount_minor)
    left = None if used is None else _money(max(0, limit.amount - used.amount))
    return LimitStatus(window=Window(rule.window), direction=Direction(rule.direction), limit=limit, used=used, left=left)


def _money(minor: int) -> Money:
    return Money(minor, settings.HUB_REFERENCE_CURRENCY)


def _zero() -> Money:
    return _money(0)

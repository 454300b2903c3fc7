"""
What a party may still move, and the counting of what it moved.

Units: everything counted is in minor units of the reference currency (settings.HUB_REFERENCE_CURRENCY); days and months
are those of the operator's time zone (settings.HUB_TIME_ZONE). Source: docs/limits.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
    "rules_of",
    "usage_lower",
    "usage_lower_all",
    "usage_raise",
    "usage_raise_all",
]

STRICTEST = Level.EMAIL
_COUNTED = (Window.DAY, Window.MONTH)
# The most per direction and window, in minor units of the reference currency; what is not in it has no limit.
Rules = Mapping[tuple[str, str], int]


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


def rules_of(party_ids: Iterable[UUID], now: datetime) -> dict[UUID, Rules]:
    """What the level of each party allows at the moment; one query for all of them."""
    found: dict[UUID, dict[tuple[str, str], int]] = {party_id: {} for party_id in party_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.id, r.direction, r."window", r.amount_minor
            FROM unnest(%s::uuid[]) AS asked (id)
            JOIN compliance_limitrule r ON r.level = coalesce(
                (SELECT l.level FROM compliance_partylevel l WHERE l.party_id = asked.id
                 AND l.active_from <= %s AND (l.active_to IS NULL OR l.active_to > %s) LIMIT 1), %s)
            WHERE r.active_from <= %s AND (r.active_to IS NULL OR r.active_to > %s)
            """,
            [list(found), now, now, int(STRICTEST), now, now],
        )
        for party_id, direction, window, amount in cursor.fetchall():
            found[party_id][direction, window] = amount
    return dict(found)


def balance_limit(party_id: UUID, now: datetime, rules: Rules | None = None) -> Money | None:
    """The most the party may hold in all, in the reference currency; None: no limit. `rules`: what rules_of has told already."""
    rules = rules_of([party_id], now)[party_id] if rules is None else rules
    amount = rules.get((Direction.NONE, Window.BALANCE))
    return None if amount is None else _money(amount)


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


def usage_raise(party_id: UUID, amount: Money, *, direction: Direction | str, now: datetime, rules: Rules | None = None) -> Money:
    """
    Count a movement, in the transaction that makes it; the rows stay locked until its end.

    Returns the amount in the reference currency that was counted: keep it with the movement, it is what `usage_lower`
    takes back. When it is refused nothing stays counted. `rules`: what rules_of has told already.

    :raises LimitExceeded: one payment, the day or the month would pass its limit.
    :raises core.rates.RateMissing: the amount cannot be put into the reference currency.
    """
    counted = reference(amount)
    rules = rules_of([party_id], now)[party_id] if rules is None else rules
    single = rules.get((direction, Window.PAYMENT))
    if single is not None and counted.amount > single:
        raise LimitExceeded(window=Window.PAYMENT, direction=direction, limit=_money(single), left=_money(single))
    totals = _raise({party_id: counted.amount}, direction=direction, moment=now)
    for window in _COUNTED:
        limit = rules.get((direction, window))
        total = totals[party_id, window]
        if limit is not None and total > limit:
            # The caller may catch this and go on in the same transaction, so what was counted is taken back.
            _lower({party_id: counted.amount}, direction=direction, moment=now)
            left = max(0, limit - (total - counted.amount))
            raise LimitExceeded(window=window, direction=direction, limit=_money(limit), left=_money(left))
    return counted


def usage_raise_all(
    amounts: Mapping[UUID, Sequence[int]], *, direction: Direction | str, now: datetime, rules: Mapping[UUID, Rules]
) -> set[UUID]:
    """
    Count many movements of many parties at once: `amounts` are those of each party, in the reference currency.

    Returns the parties whose movements all fit; of the others nothing is counted, ask for each movement by usage_raise.
    """
    fits = {party for party, each in amounts.items() if max(each) <= rules[party].get((direction, Window.PAYMENT), max(each))}
    sums = {party: sum(amounts[party]) for party in fits}
    totals = _raise(sums, direction=direction, moment=now)
    over = {
        party for (party, window), total in totals.items() if (limit := rules[party].get((direction, window))) is not None and total > limit
    }
    _lower({party: sums[party] for party in over}, direction=direction, moment=now)
    return fits - over


def usage_lower(party_id: UUID, counted: Money, *, direction: Direction | str, at: datetime) -> None:
    """
    Take back what `usage_raise` counted, in the windows of the original movement.

    `counted` is what it returned; `at` is the `now` it was given.
    """
    if counted.currency != settings.HUB_REFERENCE_CURRENCY:
        raise ValueError("usage is counted in the reference currency: pass what usage_raise returned")
    if counted.amount:
        _lower({party_id: counted.amount}, direction=direction, moment=at)


def usage_lower_all(amounts: Mapping[UUID, int], *, direction: Direction | str, at: datetime) -> None:
    """The same for the sums of many parties, in the reference currency."""
    _lower(amounts, direction=direction, moment=at)


def _raise(changes: Mapping[UUID, int], *, direction: Direction | str, moment: datetime) -> dict[tuple[UUID, Window], int]:
    """Add to the usage of each party; returns the new totals."""
    return _written(
        """
        INSERT INTO compliance_usage AS u (party_id, direction, currency, "window", starts_on, amount_minor)
        SELECT r.party, %s, %s, r."window", r.starts_on, r.change
        FROM unnest(%s::uuid[], %s::text[], %s::date[], %s::bigint[]) WITH ORDINALITY AS r (party, "window", starts_on, change, place)
        ORDER BY r.place
        ON CONFLICT (party_id, direction, "window", starts_on, currency)
        DO UPDATE SET amount_minor = u.amount_minor + excluded.amount_minor
        RETURNING party_id, "window", amount_minor
        """,
        changes,
        direction,
        moment,
    )


def _lower(changes: Mapping[UUID, int], *, direction: Direction | str, moment: datetime) -> None:
    """Take from the usage of each party, never below nothing."""
    _written(
        """
        WITH mine AS (
            SELECT u.id, r.change
            FROM (SELECT %s AS direction, %s AS currency) AS of,
                 unnest(%s::uuid[], %s::text[], %s::date[], %s::bigint[]) WITH ORDINALITY AS r (party, "window", starts_on, change, place)
            JOIN compliance_usage u ON u.party_id = r.party AND u."window" = r."window" AND u.starts_on = r.starts_on
            WHERE u.direction = of.direction AND u.currency = of.currency
            ORDER BY r.place FOR UPDATE OF u
        )
        UPDATE compliance_usage u SET amount_minor = greatest(0, u.amount_minor - mine.change) FROM mine WHERE u.id = mine.id
        RETURNING u.party_id, u."window", u.amount_minor
        """,
        changes,
        direction,
        moment,
    )


def _written(statement: str, changes: Mapping[UUID, int], direction: Direction | str, moment: datetime) -> dict[tuple[UUID, Window], int]:
    """By party, day before month, always: movements then wait for each other instead of deadlocking."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("usage is counted only inside the transaction that moves the money")
    starts = _starts(moment)
    rows = [(party, str(window), starts[window], changes[party]) for party in sorted(changes) for window in _COUNTED]
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [str(direction), settings.HUB_REFERENCE_CURRENCY, *(list(column) for column in zip(*rows, strict=True))])
        found: Sequence[tuple[UUID, str, int]] = cursor.fetchall()
    return {(party, Window(window)): total for party, window, total in found}


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

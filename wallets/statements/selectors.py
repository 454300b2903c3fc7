"""
Statements as they are read from the ledger.

An account's history never changes and its lines are numbered without a gap, so a statement is a stretch of numbers: its sums
are those of the stretch whatever is posted meanwhile, and its lines are read along the primary key, some at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from core.money import Money
from wallets.models import Wallet
from wallets.selectors import EntryRow
from wallets.statements import texts
from wallets.statements.periods import Period
from wallets.statements.texts import LineText

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Statement:
    """
    `opening` + `money_in` - `money_out` = `closing`. Its lines are numbers `after` + 1 to `last` of the account; `complete` is
    False while its last day has not ended.
    """

    wallet: Wallet
    period: Period
    opening: Money
    money_in: Money
    money_out: Money
    closing: Money
    after: int
    last: int
    last_transfer: int | None
    complete: bool

    @property
    def count(self) -> int:
        return self.last - self.after


@dataclass(frozen=True, slots=True)
class Line:
    entry: EntryRow
    text: LineText


# Time never runs backwards along an account's numbers: the last one before a moment is found by halving, in one round trip.
_PLACE = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 0::bigint, seq FROM ledger_account WHERE id = %(account)s
    UNION ALL
    SELECT CASE WHEN e.created_at < %(at)s THEN e.seq ELSE h.low END, CASE WHEN e.created_at < %(at)s THEN h.high ELSE e.seq - 1 END
    FROM halves h JOIN ledger_entry e ON e.account = %(account)s AND e.seq = (h.low + h.high + 1) / 2
    WHERE h.low < h.high
)
SELECT low, (SELECT balance FROM ledger_entry WHERE account = %(account)s AND seq = low),
       (SELECT transfer FROM ledger_entry WHERE account = %(account)s AND seq = low)
FROM halves WHERE low = high
"""
_SUMS = """
SELECT coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint, coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint
FROM ledger_entry WHERE account = %s AND seq > %s AND seq <= %s
"""
_LINES = """
SELECT e.seq, e.amount, e.balance, e.created_at, coalesce(t.effective_at, t.created_at), t.id, t.kind::text, t.meta::text
FROM (SELECT * FROM ledger_entry WHERE account = %s AND seq > %s AND seq <= %s ORDER BY seq LIMIT %s) e
JOIN ledger_transfer t ON t.id = e.transfer ORDER BY e.seq
"""


def statement_for(wallet: Wallet, period: Period, *, now: datetime) -> Statement:
    """The statement of a wallet, which the caller has found to be the asker's."""
    after, opening, _transfer = _place(wallet.account, period.starts_at)
    last, closing, transfer = _place(wallet.account, period.ends_at)
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [wallet.account, after, last])
        money_in, money_out = cursor.fetchone()
    currency = wallet.currency
    return Statement(
        wallet=wallet,
        period=period,
        opening=Money(opening, currency),
        money_in=Money(money_in, currency),
        money_out=Money(money_out, currency),
        closing=Money(closing, currency),
        after=after,
        last=last,
        last_transfer=transfer,
        complete=now >= period.ends_at + timedelta(minutes=1),
    )


def _place(account: int, at: datetime) -> tuple[int, int, int | None]:
    """The account's last number before a moment, its balance there, and the transfer behind it."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, {"account": account, "at": at})
        seq, balance, transfer = cursor.fetchone()
    return seq, balance or 0, transfer


def lines(statement: Statement, *, after: int | None = None, limit: int | None = None) -> Iterator[Line]:
    """
    The statement's lines, oldest first, read CHUNK at a time. `after` is the number of the last line that is known already.
    """
    place = statement.after if after is None else min(max(after, statement.after), statement.last)
    left = statement.last - place if limit is None else min(limit, statement.last - place)
    while left > 0:
        rows = _rows(statement, place, min(CHUNK, left))
        if not rows:
            return
        described = texts.describe(statement.wallet.party_id, rows)
        yield from (Line(row, text) for row, text in zip(rows, described, strict=True))
        place, left = rows[-1].seq, left - len(rows)


def _rows(statement: Statement, place: int, limit: int) -> list[EntryRow]:
    currency = statement.wallet.currency
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [statement.wallet.account, place, statement.last, limit])
        found: list[Any] = cursor.fetchall()
    return [
        EntryRow(
            seq=seq,
            amount=Money(amount, currency),
            balance=Money(balance, currency),
            created_at=created_at,
            effective_at=effective_at,
            transfer_id=transfer,
            kind=kind,
            meta=json.loads(meta) if meta else {},
        )
        for seq, amount, balance, created_at, effective_at, transfer, kind, meta in found
    ]

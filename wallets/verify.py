"""
Proof that the ledger is whole: every rule that its functions keep, checked anew from the rows, in set-based queries on
one snapshot. A problem names its kind and the first places where it shows.

Source: docs/ledger.md, "Verifying".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from wallets.seals import checks

# Problems listed for each check; more of the same tell nobody more.
PLACES_MAX = 20

GUARDS = {
    "ledger_transfer": {"ledger_transfer_append_only"},
    "ledger_entry": {"ledger_entry_append_only", "ledger_entry_balanced"},
    "ledger_account": {"ledger_account_kept", "ledger_account_identity"},
    "ledger_hold": {"ledger_hold_kept"},
    "ledger_seal": {"ledger_seal_append_only"},
    "ledger_seal_block": {"ledger_seal_block_append_only"},
    "ledger_seal_state": {"ledger_seal_state_kept"},
}


@dataclass(slots=True)
class Report:
    accounts: int = 0
    transfers: int = 0
    entries: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    seals: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def document(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "accounts": self.accounts,
            "transfers": self.transfers,
            "entries": self.entries,
            "sums": self.sums,
            "seals": self.seals,
            "problems": self.problems,
        }


# Each query gives (kind, where) of what is wrong.
CHECKS = (
    # A guarded account's entries: no gap, every balance follows from the one before, time never runs backwards, and they are in
    # the order of their transfers (so that sealing the transfers seals the entries).
    """
    SELECT kind, place FROM (
        SELECT account || '/' || seq AS place, CASE
            WHEN seq <> seq_before + 1 THEN 'entry_gap'
            WHEN balance IS DISTINCT FROM balance_before + amount THEN 'running_balance'
            WHEN created_at < created_before THEN 'entry_time'
            WHEN transfer < transfer_before THEN 'entry_order'
        END AS kind
        FROM (
            SELECT e.account, e.seq, e.amount, e.balance, e.created_at, e.transfer, lag(e.seq, 1, 0::bigint) OVER w AS seq_before,
                lag(e.balance, 1, 0::bigint) OVER w AS balance_before, lag(e.created_at) OVER w AS created_before,
                lag(e.transfer) OVER w AS transfer_before
            FROM ledger_entry e WHERE e.account IN (SELECT id FROM ledger_account WHERE kind = 'guarded')
            WINDOW w AS (PARTITION BY e.account ORDER BY e.seq)
        ) AS rows
    ) AS found WHERE kind IS NOT NULL
    """,
    # An account's row against its entries and its open holds.
    """
    SELECT kind, place FROM (
        SELECT coalesce(a.id, e.account)::text AS place, CASE
            WHEN a.id IS NULL THEN 'entry_without_account'
            WHEN e.currency_low <> a.currency OR e.currency_high <> a.currency THEN 'entry_currency'
            WHEN a.kind = 'accumulating' AND (a.posted, a.held, a.seq, a.floor, a.ceiling) <> (0, 0, 0, 0, 0) THEN 'account_balance'
            WHEN a.kind = 'accumulating' THEN NULL
            WHEN a.posted <> coalesce(e.total, 0) THEN 'account_balance'
            WHEN a.seq <> coalesce(e.entries, 0) OR a.seq <> coalesce(e.seq_high, 0) THEN 'account_seq'
            WHEN a.held <> coalesce(h.remaining, 0) THEN 'account_held'
            WHEN a.posted - a.held < a.floor THEN 'account_floor'
            WHEN a.state <> 'open' AND (a.posted, a.held, a.floor, a.ceiling) <> (0, 0, 0, 0) THEN 'account_closed_with_money'
        END AS kind
        FROM ledger_account a
        FULL JOIN (
            SELECT account, sum(amount) AS total, count(*) AS entries, max(seq) AS seq_high,
                min(currency) AS currency_low, max(currency) AS currency_high
            FROM ledger_entry GROUP BY account
        ) e ON e.account = a.id
        LEFT JOIN (SELECT account, sum(remaining) AS remaining FROM ledger_hold WHERE state = 'open' GROUP BY account) h ON h.account = a.id
    ) AS found WHERE kind IS NOT NULL
    """,
    # A transfer that moves money has its two entries, one that does not has none.
    """
    SELECT kind, place FROM (
        SELECT coalesce(t.id, e.transfer)::text AS place, CASE
            WHEN t.id IS NULL THEN 'entry_without_transfer'
            WHEN t.amount <= 0 OR t.debit = t.credit THEN 'transfer_shape'
            WHEN t.kind IN ('pending', 'void') AND e.transfer IS NOT NULL THEN 'transfer_entries'
            WHEN t.kind IN ('pending', 'void') THEN NULL
            WHEN e.entries IS DISTINCT FROM 2 OR e.low <> -t.amount OR e.high <> t.amount OR e.debit <> t.debit OR e.credit <> t.credit
                OR e.currency_low <> t.currency OR e.currency_high <> t.currency
                OR e.created_low <> t.created_at OR e.created_high <> t.created_at THEN 'transfer_entries'
        END AS kind
        FROM ledger_transfer t
        FULL JOIN (
            SELECT transfer, count(*) AS entries, min(amount) AS low, max(amount) AS high,
                min(account) FILTER (WHERE amount < 0) AS debit, min(account) FILTER (WHERE amount > 0) AS credit,
                min(currency) AS currency_low, max(currency) AS currency_high,
                min(created_at) AS created_low, max(created_at) AS created_high
            FROM ledger_entry GROUP BY transfer
        ) e ON e.transfer = t.id
    ) AS found WHERE kind IS NOT NULL
    """,
    # Captures, voids and reversals belong to their original; reversals together are never more than it. The transfers of a
    # journal name its first one, which names itself.
    """
    SELECT CASE r.kind WHEN 'reversal' THEN 'reversal_origin' WHEN 'posted' THEN 'journal_origin' ELSE 'hold_origin' END, r.id::text
    FROM ledger_transfer r LEFT JOIN ledger_transfer o ON o.id = r.origin
    WHERE r.kind IN ('capture', 'void', 'reversal') AND (
        o.id IS NULL OR o.currency <> r.currency
        OR r.kind = 'reversal' AND (o.kind NOT IN ('posted', 'capture') OR (r.debit, r.credit) <> (o.credit, o.debit))
        OR r.kind <> 'reversal' AND (o.kind <> 'pending' OR (r.debit, r.credit) <> (o.debit, o.credit))
    ) OR r.kind = 'pending' AND r.origin IS NOT NULL
    -- A journal is named by its first transfer, which names itself.
    OR r.kind = 'posted' AND r.origin IS NOT NULL AND (o.id IS NULL OR o.kind <> 'posted' OR o.origin IS DISTINCT FROM o.id)
    """,
    """
    SELECT 'reversal_exceeded', o.id::text
    FROM ledger_transfer o
    JOIN (SELECT origin, sum(amount) AS total FROM ledger_transfer WHERE kind = 'reversal' AND origin IS NOT NULL GROUP BY origin) r
        ON r.origin = o.id
    WHERE r.total > o.amount
    """,
    # A hold is its pending transfer less what was captured and given back.
    """
    SELECT kind, place FROM (
        SELECT coalesce(h.id, t.id)::text AS place, CASE
            WHEN h.id IS NULL OR t.id IS NULL THEN 'hold_transfer'
            WHEN (h.account, h.amount) <> (t.debit, t.amount) THEN 'hold_transfer'
            WHEN h.remaining <> h.amount - coalesce(u.used, 0) THEN 'hold_remaining'
            WHEN h.state = 'open' AND h.remaining = 0 OR h.state <> 'open' AND h.remaining <> 0 THEN 'hold_state'
        END AS kind
        FROM ledger_hold h
        FULL JOIN (SELECT * FROM ledger_transfer WHERE kind = 'pending') t ON t.id = h.id
        LEFT JOIN (
            SELECT origin, sum(amount) AS used FROM ledger_transfer WHERE kind IN ('capture', 'void') AND origin IS NOT NULL GROUP BY origin
        ) u ON u.origin = h.id
    ) AS found WHERE kind IS NOT NULL
    """,
    # A wallet's account is there, guarded, and of its currency.
    """
    SELECT 'wallet_account', w.id::text FROM wallets_wallet w LEFT JOIN ledger_account a ON a.id = w.account
    WHERE a.id IS NULL OR a.kind <> 'guarded' OR a.currency <> w.currency OR (a.state = 'open') <> (w.state = 'open')
    """,
)


@transaction.atomic
def verify(heads: Mapping[int, str] | None = None) -> Report:
    """
    Read everything once and report. Takes no lock that a writer would wait for. `heads` are chains (hexadecimal) by seal
    number, noted outside of the database: what somebody who rewrites all of it cannot change.
    """
    report = Report()
    with connection.cursor() as cursor:
        if connection.savepoint_ids == []:
            # One snapshot for all queries; inside somebody's transaction (tests) nothing else writes.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '48MB'")
        cursor.execute("SELECT (SELECT count(*) FROM ledger_account), (SELECT count(*) FROM ledger_transfer)")
        report.accounts, report.transfers = cursor.fetchone()
        cursor.execute("SELECT currency, sum(amount), count(*) FROM ledger_entry GROUP BY currency ORDER BY currency")
        for currency, total, entries in cursor.fetchall():
            report.sums[currency] = int(total)
            report.entries += entries
            if total:
                _add(report, "sum_not_zero", currency)
        for check in CHECKS:
            cursor.execute(f"{check} LIMIT {PLACES_MAX}")
            for kind, place in cursor.fetchall():
                _add(report, kind, place)
        _guards(cursor, report)
        sealed = checks.check(cursor, heads=heads or {}, most=PLACES_MAX)
        report.seals = sealed.seals
        for kind, place in sealed.problems:
            _add(report, kind, place)
    return report


def sums() -> dict[str, int]:
    """All entries of each currency added up: zero, or the books do not balance."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, sum(amount) FROM ledger_entry GROUP BY currency ORDER BY currency")
        return {currency: int(total) for currency, total in cursor.fetchall()}


def _guards(cursor: Any, report: Report) -> None:
    """The triggers that refuse changes are there and switched on."""
    cursor.execute(
        "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s) AND t.tgenabled IN ('O', 'A')",
        [list(GUARDS)],
    )
    found = set(cursor.fetchall())
    for table, names in GUARDS.items():
        for name in sorted(names):
            if (table, name) not in found:
                _add(report, "guard_missing", name)


def _add(report: Report, kind: str, place: str) -> None:
    report.problems.append({"kind": kind, "where": place})

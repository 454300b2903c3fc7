"""Reads of wallets and their money. `party_id` is always the one who owns; somebody else's wallet is not found."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import clock, rates
from core.money import Money, Rounding
from wallets.errors import WalletNotFound
from wallets.models import Wallet

PAGE_MAX = 200
# A pot that is closed holds nothing; one that is open has an account of its own.
_IN_POTS = (
    "coalesce((SELECT sum(b.posted) FROM wallets_pot p JOIN ledger_account b ON b.id = p.account"
    " WHERE p.wallet_id = w.id AND p.state = 'open'), 0)::bigint"
)


@dataclass(frozen=True, slots=True)
class Balance:
    """
    `posted` is what the wallet's own account holds, `held` what is set aside of it, `pots` what lies in its open pots.
    `available` can be spent (down to the floor 0); `total` is all of it: available + held + pots.
    """

    posted: Money
    held: Money
    pots: Money

    @property
    def available(self) -> Money:
        return self.posted - self.held

    @property
    def total(self) -> Money:
        return self.posted + self.pots


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a wallet's history; `balance` is the balance after it, `seq` the cursor of the next page."""

    seq: int
    amount: Money
    balance: Money
    created_at: datetime
    effective_at: datetime
    transfer_id: int
    kind: str
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Total:
    """`rate_date` is the oldest rate used, None when nothing had to be converted; `missing` currencies are left out."""

    money: Money
    rate_date: date | None
    missing: list[str]


def wallets_for(party_id: UUID, *, closed: bool = False) -> QuerySet[Wallet]:
    """The party's open wallets, oldest first; with `closed` the closed ones too."""
    found = Wallet.objects.filter(party_id=party_id)
    return (found if closed else found.filter(state=Wallet.State.OPEN)).order_by("opened_at", "id")


def wallet_get(party_id: UUID, wallet_id: UUID) -> Wallet:
    """
    :raises WalletNotFound: not there, or somebody else's.
    """
    found = Wallet.objects.filter(party_id=party_id, id=wallet_id).first()
    if found is None:
        raise WalletNotFound()
    return found


def balance_of(wallet: Wallet) -> Balance:
    return balances_of([wallet])[wallet.id]


def balances_of(wallets: Iterable[Wallet]) -> dict[UUID, Balance]:
    """Posted, held and in pots of each wallet, read in one statement and so of one moment."""
    by_id = {wallet.id: wallet for wallet in wallets}
    if not by_id:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT w.id, a.posted, a.held, {_IN_POTS} FROM wallets_wallet w JOIN ledger_account a ON a.id = w.account"  # noqa: S608
            " WHERE w.id = ANY (%s::uuid[])",
            [list(by_id)],
        )
        rows = cursor.fetchall()
    return {found: Balance(*(Money(minor, by_id[found].currency) for minor in minors)) for found, *minors in rows}


def held_by(party_ids: Collection[UUID]) -> dict[UUID, list[Money]]:
    """What each open wallet of each party holds, its pots included; one query."""
    found: dict[UUID, list[Money]] = {party_id: [] for party_id in party_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT w.party_id, a.posted + {_IN_POTS}, w.currency FROM wallets_wallet w JOIN ledger_account a ON a.id = w.account"  # noqa: S608
            " WHERE w.party_id = ANY (%s::uuid[]) AND w.state = 'open'",
            [list(found)],
        )
        for party_id, held, currency in cursor.fetchall():
            found[party_id].append(Money(held, currency))
    return found


def balance_at(wallet: Wallet, moment: datetime) -> Money:
    """The posted balance as it was known at the moment."""
    return balances_at([wallet], [moment])[wallet.id][0]


def balances_at(wallets: Iterable[Wallet], moments: Sequence[datetime]) -> dict[UUID, list[Money]]:
    """The posted balance of each wallet at each of the moments, in their order; one query."""
    by_account = {wallet.account: wallet for wallet in wallets}
    found: dict[UUID, list[Money]] = {wallet.id: [] for wallet in by_account.values()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account, ledger_balance_at(account, moment)"
            " FROM unnest(%s::bigint[]) AS a (account), unnest(%s::timestamptz[]) WITH ORDINALITY AS m (moment, place)"
            " ORDER BY account, place",
            [list(by_account), list(moments)],
        )
        for account, amount in cursor.fetchall():
            wallet = by_account[account]
            found[wallet.id].append(Money(amount, wallet.currency))
    return found


def totals_at(wallets: Iterable[Wallet], moments: Sequence[datetime]) -> dict[UUID, list[Money]]:
    """As `balances_at`, with what lay in the wallets' pots at those moments (also pots that are closed by now); one query."""
    by_id = {wallet.id: wallet for wallet in wallets}
    found: dict[UUID, list[Money]] = {wallet_id: [] for wallet_id in by_id}
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH mine AS (SELECT id AS wallet, account FROM wallets_wallet WHERE id = ANY (%(wallets)s::uuid[])"
            " UNION ALL SELECT wallet_id, account FROM wallets_pot WHERE wallet_id = ANY (%(wallets)s::uuid[]))"
            " SELECT wallet, sum(ledger_balance_at(account::integer, moment))::bigint"
            " FROM mine, unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS m (moment, place)"
            " GROUP BY wallet, place ORDER BY wallet, place",
            {"wallets": list(by_id), "moments": list(moments)},
        )
        for wallet_id, amount in cursor.fetchall():
            found[wallet_id].append(Money(amount, by_id[wallet_id].currency))
    return found


def entries_for(wallet: Wallet, *, before_seq: int | None = None, limit: int = 50) -> list[EntryRow]:
    """The wallet's history, newest first; pass the last row's `seq` as `before_seq` for the next page."""
    return entries_of(wallet.account, wallet.currency, before_seq=before_seq, limit=limit)


def entries_of(account: int, currency: str, *, before_seq: int | None = None, limit: int = 50) -> list[EntryRow]:
    """The same of any guarded account, which the caller has found to be the asker's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.seq, e.amount, e.balance, e.created_at, coalesce(t.effective_at, t.created_at), t.id, t.kind::text, t.meta::text"
            " FROM (SELECT * FROM ledger_entry WHERE account = %s AND seq < %s ORDER BY seq DESC LIMIT %s) e"
            " JOIN ledger_transfer t ON t.id = e.transfer ORDER BY e.seq DESC",
            [account, 2**63 - 1 if before_seq is None else before_seq, min(max(limit, 0), PAGE_MAX)],
        )
        rows = cursor.fetchall()
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
        for seq, amount, balance, created_at, effective_at, transfer, kind, meta in rows
    ]


def total_for(party_id: UUID, currency: str, *, on: date | None = None) -> Total:
    """Everything in the party's open wallets, in one currency. A currency without a rate is named, never guessed."""
    return total_of([balance.total for balance in balances_of(wallets_for(party_id)).values()], currency, on=on)


def total_of(held: Sequence[Money], currency: str, *, on: date | None = None) -> Total:
    """The same of amounts that the caller has read already."""
    converted = rates.convert_all(held, currency, on=on or clock.now().date(), rounding=Rounding.HALF_EVEN)
    total = Money(0, currency)
    for found in converted:
        if found is not None:
            total += found.money
    dates = [found.rate_date for money, found in zip(held, converted, strict=True) if found is not None and money.currency != currency]
    missing = sorted({money.currency for money, found in zip(held, converted, strict=True) if found is None and money})
    return Total(total, min(dates, default=None), missing)


def closing_reasons(party_id: UUID) -> list[str]:
    """Why the party's account cannot be closed yet, in words for the person; for hub/wiring.py."""
    balances = list(balances_of(wallets_for(party_id)).values())
    return [
        str(_("There is still money in your %(currency)s account. Take it out first.") % {"currency": balance.posted.currency})
        for balance in balances
        if balance.posted or balance.held
    ] + [
        str(_("There is still money in a pot of your %(currency)s account. Take it out first.") % {"currency": balance.pots.currency})
        for balance in balances
        if balance.pots
    ]

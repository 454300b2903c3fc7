"""Reads of the ledger by account and transfer, for services. People's own views of their wallets are in wallets.selectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.money import Money
from wallets.errors import AccountUnknown
from wallets.ledger.calls import account_check, row
from wallets.ledger_models import LedgerEntry, LedgerTransfer

PAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class AccountState:
    """
    A guarded account at one moment: `posted` and `held` are read together and so belong together. `available` is what can be
    spent, down to the floor.
    """

    posted: Money
    held: Money
    floor: Money
    ceiling: Money

    @property
    def available(self) -> Money:
        return self.posted - self.held - self.floor


def account_state(account: int) -> AccountState:
    """
    :raises AccountUnknown: there is no guarded account of this number.
    """
    posted, held, floor, ceiling, currency = row(
        "SELECT max(posted), max(held), max(floor), max(ceiling), max(currency) FROM ledger_account WHERE id = %s AND kind = 'guarded'",
        (account_check(account),),
    )
    if currency is None:
        raise AccountUnknown()
    return AccountState(Money(posted, currency), Money(held, currency), Money(floor, currency), Money(ceiling, currency))


def balance_known(account: int, at: datetime) -> int:
    """The posted balance (minor units) as the ledger knew it at a moment: what had been recorded until then."""
    (balance,) = row("SELECT ledger_balance_at(%s, %s)", (account_check(account), at))
    return int(balance)


def balance_effective(account: int, at: datetime, *, known_at: datetime | None = None) -> int:
    """
    The posted balance (minor units) as effective at a moment: transfers count when they took effect, whenever they were
    recorded. With `known_at`, as this was known then.
    """
    (balance,) = row("SELECT ledger_balance_effective(%s, %s, %s)", (account_check(account), at, known_at))
    return int(balance)


def journal_transfers(transfer: int) -> QuerySet[LedgerTransfer]:
    """All transfers of the journal that this one belongs to, in order; empty when it belongs to none."""
    journal = LedgerTransfer.objects.filter(id=transfer, kind=LedgerTransfer.Kind.POSTED).values("origin")[:1]
    return LedgerTransfer.objects.filter(origin=journal, kind=LedgerTransfer.Kind.POSTED).order_by("id")


def entries_find(
    account: int, *, meta: Mapping[str, str | int | None] | None = None, before_seq: int | None = None, limit: int = 50
) -> list[LedgerEntry]:
    """
    An account's entries with their transfers, newest first, those whose meta contains all of `meta`; pass the last one's `seq`
    as `before_seq` for the next page. Reads the account's history backwards until the page is full.
    """
    found = LedgerEntry.objects.filter(account=account_check(account)).select_related("transfer")
    if meta:
        found = found.filter(transfer__meta__contains=dict(meta))
    if before_seq is not None:
        found = found.filter(seq__lt=before_seq)
    return list(found.order_by("-seq")[: min(max(limit, 0), PAGE_MAX)])


def transfers_find(meta: Mapping[str, str | int | None], *, before_id: int | None = None, limit: int = 50) -> list[LedgerTransfer]:
    """
    Transfers of any account whose meta contains all of `meta`, newest first; pass the last one's id as `before_id` for the next
    page. Reads backwards unless the operator made an index (docs/ledger.md, "Finding by meta").
    """
    found = LedgerTransfer.objects.filter(meta__contains=dict(meta))
    if before_id is not None:
        found = found.filter(id__lt=before_id)
    return list(found.order_by("-id")[: min(max(limit, 0), PAGE_MAX)])

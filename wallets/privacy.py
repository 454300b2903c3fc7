"""What wallets keep about a party, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from core import privacy
from wallets import selectors
from wallets.ledger_models import LedgerAccount
from wallets.models import Wallet
from wallets.pots import selectors as pots
from wallets.pots.models import Pot
from wallets.reconciliation.models import ReconciliationItem


def export(party_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "id": str(wallet.id),
            "currency": wallet.currency,
            "name": wallet.name,
            "state": wallet.state,
            "opened_at": wallet.opened_at.isoformat(),
            "closed_at": wallet.closed_at.isoformat() if wallet.closed_at else None,
            "entries": _entries(wallet.account, wallet.currency),
            "pots": [_pot(pot) for pot in pots.pots_for(wallet.id, closed=True)],
        }
        for wallet in selectors.wallets_for(party_id, closed=True)
    ]


def export_reconciled(party_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "kind": item.kind,
            "text": item.text,
            "note": item.note,
            "amount": item.theirs_minor if item.ours_minor is None else item.ours_minor,
            "resolved_at": item.resolved_at.isoformat() if item.resolved_at else None,
        }
        for item in ReconciliationItem.objects.filter(owner_id=party_id).order_by("id")
    ]


def erase_reconciled(party_id: UUID, now: datetime) -> None:
    """The words are under the party's key, which is destroyed with it; amounts and days stay."""


def _pot(pot: Pot) -> dict[str, Any]:
    return {
        "id": str(pot.id),
        "name": pot.name,
        "goal": pot.goal_minor,
        "goal_on": pot.goal_on.isoformat() if pot.goal_on else None,
        "state": pot.state,
        "opened_at": pot.opened_at.isoformat(),
        "closed_at": pot.closed_at.isoformat() if pot.closed_at else None,
        "entries": _entries(pot.account, pot.currency),
    }


def _entries(account: int, currency: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: int | None = None
    while rows := selectors.entries_of(account, currency, before_seq=before, limit=selectors.PAGE_MAX):
        found += [
            {"at": row.created_at.isoformat(), "amount": row.amount.amount, "balance": row.balance.amount, "kind": row.kind, **row.meta}
            for row in rows
        ]
        before = rows[-1].seq
    return found


def keeps(party_id: UUID) -> bool:
    """Whether money ever moved in a wallet of the party, or is set aside in one."""
    accounts = Wallet.objects.filter(party_id=party_id).values("account")
    return LedgerAccount.objects.filter(Q(seq__gt=0) | ~Q(posted=0) | ~Q(held=0), id__in=accounts).exists()


def erase(party_id: UUID, now: datetime) -> None:
    """The ledger carries ids and amounts only and stays; the names of wallets and pots go, and what was saved for."""
    Wallet.objects.filter(party_id=party_id).update(name=b"")
    Pot.objects.filter(party_id=party_id).update(name=b"", goal_minor=None, goal_on=None)


privacy.register(
    "wallets",
    export=export,
    erase=erase,
    keeps=keeps,
    retention="Names: until erased. The ledger's ids and amounts: as long as bookkeeping law asks.",
    fields=("wallets.wallet.name", "wallets.pot.name"),
)
privacy.register(
    "reconciliation",
    export=export_reconciled,
    erase=erase_reconciled,
    retention="Words of a file and notes on them: until erased. Amounts and days: as long as bookkeeping law asks.",
    fields=("wallets.reconciliationitem.text", "wallets.reconciliationitem.note"),
)

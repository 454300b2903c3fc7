"""Reads of the ledger by account and transfer, for services that work below wallets. People's own views are in wallets.selectors."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.ledger_models import LedgerTransfer


def journal_transfers(transfer: int) -> QuerySet[LedgerTransfer]:
    """All transfers of the journal that this one belongs to, in order; empty when it belongs to none."""
    journal = LedgerTransfer.objects.filter(id=transfer, kind=LedgerTransfer.Kind.POSTED).values("origin")[:1]
    return LedgerTransfer.objects.filter(origin=journal, kind=LedgerTransfer.Kind.POSTED).order_by("id")

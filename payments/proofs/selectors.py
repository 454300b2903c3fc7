"""Which movements of the ledger a payment made, for one of its parties."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.errors import NotFound
from payments import selectors as payments
from payments.models import Payment
from wallets.seals import selectors as seals
from wallets.seals.selectors import Moved


def moved_by(party_id: UUID, payment_id: UUID) -> list[Moved]:
    """
    Oldest first: what it set aside, moved and gave back.

    :raises NotFound: not there, or not one this party may know of.
    """
    payment = payments.payment_get(party_id, payment_id).payment
    return seals.moved_for(party_id, keys=_keys(payment), holds=[payment.hold] if payment.hold else [])


def proof_get(party_id: UUID, payment_id: UUID, transfer: int) -> dict[str, Any]:
    """
    :raises NotFound: the payment made no such movement, or the party may not know of it.
    :raises NotSealedYet: it is too new.
    """
    if transfer not in {moved.id for moved in moved_by(party_id, payment_id)}:
        raise NotFound
    return seals.proof_of(transfer)


def _keys(payment: Payment) -> list[str | UUID]:
    """All keys that a payment's services post under."""
    return [payment.id, *(f"payment:{payment.id}:{step}" for step in ("hold", "void", "release", "suspense"))]

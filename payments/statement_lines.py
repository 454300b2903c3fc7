"""How payments read on a statement of an account; joined to wallets in hub/wiring.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from payments import selectors
from payments.presenting import PaymentView
from wallets.statements.texts import LineText


def describe(party_id: UUID, payment_ids: Collection[UUID]) -> Mapping[UUID, LineText]:
    """A text for each of the payments that the party may know of."""
    return {found: _text(view) for found, view in selectors.payments_by_id(party_id, payment_ids).items()}


def _text(view: PaymentView) -> LineText:
    payment = view.payment
    return LineText(kind=payment.kind, label=str(view.label), counterparty=view.counterparty, note=payment.note, incoming=view.incoming)

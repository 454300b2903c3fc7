"""Undoing a transfer, by staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Person
from compliance.models import Direction
from core import audit, events
from core.errors import Forbidden, HubError, NotFound
from payments import states
from payments.errors import NotReversible
from payments.models import Kind, Payment, State
from payments.services.movements import Movement, replayed, request_hash, uncount
from wallets import ledger


def transfer_reverse(*, by: Person, payment_id: UUID, reason: str, idempotency_key: str, now: datetime) -> Movement:
    """
    Give a posted transfer back in full: a mirrored posting, a payment of its own, and the payer's limits as they were
    before, in the windows of the original.

    `reason` is a short code for the audit log. Returns the reversal's Movement.

    :raises Forbidden: `by` is not staff.
    :raises NotFound: no such transfer.
    :raises NotReversible: not posted, or already reversed.
    :raises InsufficientFunds: the payee has spent it.
    :raises AccountClosed, CeilingExceeded: one of the wallets cannot take part any more.
    :raises IdempotencyConflict: the key was used for another payment.
    """
    if not (by.is_staff and by.is_active):
        raise Forbidden()
    asked = request_hash(kind="reversal", payment=payment_id)
    found = replayed(party_id=by.party_id, key=idempotency_key, asked=asked)
    if found is not None:
        return Movement(found, replayed=True)
    try:
        with transaction.atomic():
            return Movement(_reverse(by, payment_id, reason, idempotency_key, asked, now))
    except (IntegrityError, HubError):
        found = replayed(party_id=by.party_id, key=idempotency_key, asked=asked)
        if found is None:
            raise
        return Movement(found, replayed=True)


def _reverse(by: Person, payment_id: UUID, reason: str, key: str, asked: bytes, now: datetime) -> Payment:
    original = Payment.objects.select_for_update().filter(id=payment_id, kind=Kind.TRANSFER).first()
    if original is None:
        raise NotFound()
    if original.state != State.POSTED or original.payer_party_id is None:
        raise NotReversible()
    reversal = Payment(
        kind=Kind.REVERSAL,
        state=State.POSTED,
        party_id=by.party_id,
        payer_party_id=original.payee_party_id,
        payee_party_id=original.payer_party_id,
        wallet_from_id=original.wallet_to_id,
        wallet_to_id=original.wallet_from_id,
        amount_minor=original.amount_minor,
        currency=original.currency,
        by_person=by,
        original=original,
        idempotency_key=key,
        request_hash=asked,
        created_at=now,
    )
    uncount(original, original.payer_party_id, direction=Direction.OUT)
    ledger.reverse(original_key=original.id, key=reversal.id, now=now, meta={"payment": str(reversal.id)})
    states.begin(reversal, now=now)
    states.move(original, State.REVERSED, now=now, code=reason[:40])
    audit.record(
        "payments.transfer.reversed",
        actor=by,
        party_id=original.payer_party_id,
        object_type="payment",
        object_id=original.id,
        reason=reason[:40],
    )
    events.emit("payments.transfer.reversed", party_id=original.payer_party_id, payment_id=original.id, reversal_id=reversal.id)
    return reversal

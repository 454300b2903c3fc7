"""Held payments that go on, or back, after screening or staff have spoken."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import due
from payments.models import Kind, Payment, State
from payments.services import holds, payouts, transfers


@transaction.atomic
def held_release(*, payment_id: UUID, now: datetime) -> Payment:
    """
    Let a payment go on that waited for screening, if both its sides are clear by now; limits are checked again. One that
    still waits for its other side stays.
    """
    payment = _locked(payment_id)
    if not _is_held(payment):
        return payment
    waiting = holds.waiting(payment, now)
    if waiting:
        holds.cases_open(payment, waiting, now)
    elif payment.kind == Kind.TOP_UP:
        due.reschedule("payments.top_up_release", run_key=str(payment.id), due_at=now)
    elif payment.kind == Kind.PAYOUT:
        payouts.held_start(payment, now)
    else:
        transfers.held_post(payment, now)
    return payment


@transaction.atomic
def held_cancel(*, payment_id: UUID, now: datetime) -> Payment:
    """
    Give back what staff have blocked. A top-up stays where it is: its money came from outside, and whether it may go back to
    its card is for staff to say (refund).
    """
    payment = _locked(payment_id)
    if _is_held(payment) and payment.kind == Kind.PAYOUT:
        payouts.held_cancel(payment, now)
    elif _is_held(payment) and payment.kind == Kind.TRANSFER:
        transfers.held_cancel(payment, now)
    return payment


def _is_held(payment: Payment) -> bool:
    return payment.state == State.HELD and payment.failure_code == holds.UNDER_REVIEW


def _locked(payment_id: UUID) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).get(id=payment_id)

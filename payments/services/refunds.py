"""
Giving a top-up back to its card, by staff.

First the money is held in the wallet and the refund committed as `pending`, then the provider is asked with our id, then
the hold is captured or voided. What the provider did not answer is asked for again by the sweep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts.models import Person
from compliance.models import Direction
from core import audit, due, events
from core.errors import Forbidden, HubError, NotFound
from core.money import Money, amount_check
from payments import states
from payments.errors import NotRefundable
from payments.gateways import gateway as gateway_named
from payments.gateways.base import GatewayError, GatewayRefused, Refund, RefundState
from payments.models import OPEN_AT_PROVIDER, Kind, Mismatch, Payment, ProviderLink, State
from payments.services.movements import Movement, replayed, request_hash, uncount
from payments.services.top_ups import provider_account, suspense_account
from wallets import ledger
from wallets.errors import AccountClosed, CeilingExceeded

log = structlog.get_logger(__name__)
CHECK_FIRST, CHECK_MOST = timedelta(seconds=15), timedelta(hours=6)
# Stripe forgets an idempotency key after a day; a refund that is not found then was never made.
REPLAY_UNTIL = timedelta(hours=23)


def top_up_refund(
    *, by: Person, payment_id: UUID, amount: Money | None = None, reason: str, idempotency_key: str, now: datetime
) -> Movement:
    """
    Send a settled top-up, or a part of it, back to the card it came from.

    Returns the refund's Movement: posted, waiting at the provider, or unknown. Money that is suspended goes back whole.

    :raises Forbidden: `by` is not staff.
    :raises NotFound: no such top-up.
    :raises NotRefundable: it never settled, or less than `amount` is left of it.
    :raises InsufficientFunds: the wallet does not hold the amount any more.
    :raises IdempotencyConflict: the key was used with other arguments.
    """
    if not (by.is_staff and by.is_active):
        raise Forbidden()
    asked = request_hash(kind="refund", payment=payment_id, amount=amount.amount if amount else None)
    found = replayed(party_id=by.party_id, key=idempotency_key, asked=asked)
    if found is None:
        try:
            with transaction.atomic():
                refund = refund_begin(by, payment_id, amount, reason, idempotency_key, asked, now)
        except (IntegrityError, HubError):
            found = replayed(party_id=by.party_id, key=idempotency_key, asked=asked)
            if found is None:
                raise
    if found is not None:
        refund = found
    if refund.state in (State.PENDING, State.UNKNOWN):
        refund_order(refund.id, now)
    return Movement(Payment.objects.get(id=refund.id), replayed=found is not None)


def refund_check(*, payment_id: UUID, now: datetime) -> datetime | None:
    """
    One look of the sweep. Returns when to look again, or None when it is decided.

    :raises GatewayError: the provider did not answer.
    """
    refund = Payment.objects.get(id=payment_id)
    if refund.state in OPEN_AT_PROVIDER:
        _ask(refund.id, now)
        refund.refresh_from_db()
    if refund.state not in OPEN_AT_PROVIDER:
        return None
    return now + min(max((now - refund.created_at) / 2, CHECK_FIRST), CHECK_MOST)


def refund_refresh(*, payment_id: UUID, now: datetime) -> None:
    """
    Ask the provider how a refund stands, also one that is done: the card's bank may still return it.

    :raises GatewayError: the provider did not answer.
    """
    _ask(payment_id, now)


def refund_begin(by: Person, payment_id: UUID, amount: Money | None, reason: str, key: str, asked: bytes, now: datetime) -> Payment:
    """Commit what will be asked of the provider, in the caller's transaction; `refund_order` asks it afterwards, or else the sweep."""
    original = (
        Payment.objects.select_for_update(of=("self",))
        .select_related("provider", "wallet_to")
        .filter(id=payment_id, kind=Kind.TOP_UP)
        .first()
    )
    if original is None:
        raise NotFound()
    left = _left(original)
    wanted = amount_check(amount) if amount is not None else left
    whole_only = original.suspended and wanted != original.amount
    settled = original.state in (State.POSTED, State.REFUNDED) or original.suspended
    if (
        not settled
        or whole_only
        or wanted.currency != left.currency
        or not 0 < wanted.amount <= left.amount
        or not original.provider.provider_payment
    ):
        raise NotRefundable(left=left.amount, currency=left.currency)
    refund = Payment(
        kind=Kind.REFUND,
        state=State.PENDING,
        party_id=by.party_id,
        payer_party_id=original.party_id,
        wallet_from=original.wallet_to,
        amount_minor=wanted.amount,
        currency=wanted.currency,
        by_person=by,
        original=original,
        idempotency_key=key,
        request_hash=asked,
        created_at=now,
    )
    if not original.suspended:
        assert original.wallet_to is not None
        held = ledger.hold(
            debit=original.wallet_to.account,
            credit=provider_account(original.provider.gateway, wanted.currency),
            amount=wanted,
            key=f"payment:{refund.id}:hold",
            now=now,
            meta={"payment": str(refund.id)},
        )
        refund.hold = held.id
    states.begin(refund, now=now)
    ProviderLink.objects.create(payment=refund, gateway=original.provider.gateway, provider_payment=original.provider.provider_payment)
    due.schedule("payments.refund_check", run_key=str(refund.id), due_at=now + CHECK_FIRST, payment_id=refund.id)
    audit.record(
        "payments.top_up.refund_started",
        actor=by,
        party_id=original.party_id,
        object_type="payment",
        object_id=original.id,
        reason=reason[:40],
        amount=wanted.amount,
        currency=wanted.currency,
    )
    return refund


def _left(original: Payment) -> Money:
    """What of a top-up has not been given back, nor is on its way back."""
    given = (
        Payment.objects.filter(original=original, kind=Kind.REFUND)
        .exclude(state=State.FAILED)
        .aggregate(total=Sum("amount_minor"))["total"]
    )
    return Money(original.amount_minor - int(given or 0), original.currency)


def refund_order(refund_id: UUID, now: datetime) -> None:
    """Ask for the refund and commit whatever came of it; nothing is raised."""
    refund = Payment.objects.select_related("provider").get(id=refund_id)
    try:
        answer = gateway_named(refund.provider.gateway).refund_create(
            reference=refund.id, provider_payment=refund.provider.provider_payment, amount=refund.amount
        )
    except GatewayRefused as error:
        _failed(refund_id, error.code, now)
    except GatewayError as error:
        _unknown(refund_id, error.code, now)
    else:
        _settle(refund_id, answer, now)


def _ask(refund_id: UUID, now: datetime) -> None:
    refund = Payment.objects.select_related("provider").get(id=refund_id)
    link = refund.provider
    gateway = gateway_named(link.gateway)
    if link.object_id:
        _settle(refund_id, gateway.refund_get(link.object_id), now)
        return
    lost = gateway.refund_find(reference=refund.id, provider_payment=link.provider_payment)
    if lost is not None:
        _settle(refund_id, lost, now)
    elif now < refund.created_at + REPLAY_UNTIL:
        refund_order(refund_id, now)
    else:
        _failed(refund_id, "provider_unreachable", now)


@transaction.atomic
def _settle(refund_id: UUID, answer: Refund, now: datetime) -> None:
    refund = _locked(refund_id)
    if not refund.provider.object_id:
        refund.provider.object_id = answer.id
        refund.provider.save()
    if answer.amount != refund.amount or refund.provider.object_id != answer.id:
        # The hold stays until staff have looked: neither side's word is taken.
        raise NotRefundable(left=answer.amount.amount, currency=answer.amount.currency)
    if answer.state is RefundState.DONE and refund.state in OPEN_AT_PROVIDER:
        _done(refund, now)
    elif answer.state is RefundState.FAILED and refund.state in OPEN_AT_PROVIDER:
        _give_up(refund, answer.failure_code or "refund_failed", now)
    elif answer.state is RefundState.FAILED and refund.state == State.POSTED:
        _came_back(refund, answer.failure_code or "refund_failed", now)
    elif answer.state is RefundState.PENDING and refund.state in (State.PENDING, State.UNKNOWN):
        states.move(refund, State.WAITING, now=now)


def _done(refund: Payment, now: datetime) -> None:
    original = refund.original
    assert original is not None
    if refund.hold is not None:
        ledger.capture(hold=refund.hold, key=refund.id, now=now, meta={"payment": str(refund.id)})
    else:
        ledger.post(
            debit=suspense_account(original),
            credit=provider_account(refund.provider.gateway, refund.currency),
            amount=refund.amount,
            key=refund.id,
            now=now,
            meta={"payment": str(refund.id)},
        )
        original.suspended = False
    states.move(refund, State.POSTED, now=now)
    due.cancel("payments.refund_check", run_key=str(refund.id))
    whole = refund.amount == original.amount
    uncount(original, original.party_id, direction=Direction.IN, part=None if whole else refund.amount)
    given = Payment.objects.filter(original=original, kind=Kind.REFUND, state=State.POSTED).aggregate(total=Sum("amount_minor"))["total"]
    if given == original.amount_minor and original.state != State.REFUNDED:
        states.move(original, State.REFUNDED, now=now)
    else:
        original.save()
    _tell(refund, "posted")


def _give_up(refund: Payment, code: str, now: datetime) -> None:
    if refund.hold is not None:
        ledger.void(hold=refund.hold, key=f"payment:{refund.id}:void", now=now)
    states.move(refund, State.FAILED, now=now, code=code)
    # What staff had decided to send back is theirs to decide again.
    Mismatch.objects.filter(payment=refund.original, payment__state=State.HELD).update(
        proposal="", proposed_by=None, proposed_at=None, decision="", decided_by=None, decided_at=None
    )
    due.cancel("payments.refund_check", run_key=str(refund.id))
    _tell(refund, "failed")


def _came_back(refund: Payment, code: str, now: datetime) -> None:
    """The card's bank returned it after all: the money goes back to where it was taken from."""
    original = refund.original
    assert original is not None
    source = provider_account(refund.provider.gateway, refund.currency)
    key = f"payment:{refund.id}:returned"
    meta = {"payment": str(refund.id)}
    try:
        with transaction.atomic():
            if refund.wallet_from is None:
                raise AccountClosed()
            ledger.post(debit=source, credit=refund.wallet_from.account, amount=refund.amount, key=key, now=now, meta=meta)
    except (AccountClosed, CeilingExceeded):
        ledger.post(debit=source, credit=suspense_account(original), amount=refund.amount, key=key, now=now, meta=meta)
        log.error("refund_returned_to_suspense", payment_id=str(refund.id))
    states.move(refund, State.FAILED, now=now, code=code)
    _tell(refund, "failed")


@transaction.atomic
def _failed(refund_id: UUID, code: str, now: datetime) -> None:
    refund = _locked(refund_id)
    if refund.state in OPEN_AT_PROVIDER:
        _give_up(refund, code, now)


@transaction.atomic
def _unknown(refund_id: UUID, code: str, now: datetime) -> None:
    refund = _locked(refund_id)
    log.warning("refund_unknown", payment_id=str(refund_id), code=code)
    if refund.state == State.PENDING:
        states.move(refund, State.UNKNOWN, now=now, code=code)


def _locked(refund_id: UUID) -> Payment:
    """The refund and its top-up, the top-up first: that is the order in which a new refund locks them."""
    original_id = Payment.objects.values_list("original_id", flat=True).get(id=refund_id)
    original = Payment.objects.select_for_update(of=("self",)).select_related("provider", "wallet_to").get(id=original_id)
    refund = Payment.objects.select_for_update(of=("self",)).select_related("provider", "wallet_from").get(id=refund_id)
    refund.original = original
    return refund


def _tell(refund: Payment, what: str) -> None:
    events.emit(
        f"payments.refund.{what}",
        party_id=refund.payer_party_id,
        payment_id=refund.id,
        original_id=refund.original_id,
        amount=refund.amount_minor,
        currency=refund.currency,
        code=refund.failure_code,
    )

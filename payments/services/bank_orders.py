"""
What becomes of a payout at the bank.

The bank is asked outside any transaction, with our id; the hold is captured or voided by what it says. What it did not say
is asked for again by the sweep; a transfer that is sent back, also days after it settled, returns to the wallet.
Source: docs/payments.md, "Payouts".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from compliance.models import Direction
from core import due, events
from payments import gateways, states
from payments.errors import ProviderMismatch
from payments.gateways.base import BankTransfer, BankTransferState, GatewayError, GatewayRefused
from payments.models import OPEN_AT_PROVIDER, Payment, ProviderLink, State
from payments.services.movements import Movement, uncount
from payments.services.top_ups import provider_account, suspense_account
from wallets import ledger
from wallets.errors import AccountClosed, CeilingExceeded

log = structlog.get_logger(__name__)

GATEWAY = "bank"
CHECK_FIRST, CHECK_MOST = timedelta(seconds=5), timedelta(hours=1)
# An order that the bank has never heard of is given again under the same id for so long, then it is given up.
ORDER_UNTIL = timedelta(hours=24)
# Banks send a settled transfer back within days: until then it is looked at once a day.
RETURN_WATCH, RETURN_EVERY = timedelta(days=10), timedelta(days=1)


def to_bank(payment: Payment, ask_at: datetime) -> None:
    ProviderLink.objects.create(payment=payment, gateway=GATEWAY)
    due.schedule("payments.payout_check", run_key=str(payment.id), due_at=ask_at, payment_id=payment.id)


def carried_on(payment_id: UUID, now: datetime, *, replayed: bool) -> Movement:
    if Payment.objects.filter(id=payment_id, state__in=[State.PENDING, State.UNKNOWN]).exists():
        try:
            _look(payment_id, now, first=not replayed)
        except GatewayError as error:
            log.info("payout_not_answered", payment_id=str(payment_id), code=error.code)
    return Movement(Payment.objects.get(id=payment_id), replayed=replayed)


def payout_check(*, payment_id: UUID, now: datetime) -> datetime | None:
    """
    One look of the sweep. Returns when to look again, or None when nothing can change any more.

    :raises GatewayError: the bank did not answer; the caller tries again with growing pauses.
    """
    payment = Payment.objects.get(id=payment_id)
    if payment.state in OPEN_AT_PROVIDER or payment.state == State.POSTED:
        _look(payment_id, now)
        payment.refresh_from_db()
    if payment.state in OPEN_AT_PROVIDER:
        return now + min(max((now - payment.created_at) / 2, CHECK_FIRST), CHECK_MOST)
    if payment.state == State.POSTED and payment.settled_at is not None and now < payment.settled_at + RETURN_WATCH:
        return now + RETURN_EVERY
    return None


def _look(payment_id: UUID, now: datetime, *, first: bool = False) -> None:
    """
    Ask the bank how it stands and commit the answer. An order whose answer never came is looked for by our id before it is
    given again, which under that id is the same order.
    """
    payment = Payment.objects.select_related("provider").get(id=payment_id)
    bank, link = gateways.bank_gateway(), payment.provider
    if link.object_id:
        _settle(payment_id, bank.transfer_get(link.object_id), now)
        return
    lost = None if first else bank.transfer_find(reference=payment.id)
    if lost is not None:
        _settle(payment_id, lost, now)
    elif first or now < _started_at(payment) + ORDER_UNTIL:
        _order(payment, now)
    else:
        _failed(payment_id, "bank_unreachable", now)


def _order(payment: Payment, now: datetime) -> None:
    account = payment.bank_account
    assert account is not None
    try:
        answer = gateways.bank_gateway().transfer_create(
            reference=payment.id, amount=payment.amount, iban=account.iban, name=account.name, text=payment.note
        )
    except GatewayRefused as error:
        _failed(payment.id, error.code, now)
    except GatewayError as error:
        _unknown(payment.id, error.code, now)
        raise
    else:
        _settle(payment.id, answer, now)


def _started_at(payment: Payment) -> datetime:
    """When the money was held: a payout may have waited a day for its approval before."""
    return payment.steps.filter(state=State.PENDING).values_list("at", flat=True).get()


@transaction.atomic
def _settle(payment_id: UUID, answer: BankTransfer, now: datetime) -> None:
    """Commit what the bank says. Only ever moves forward, whatever order the answers came in."""
    payment = locked(payment_id)
    link = payment.provider
    if not link.object_id:
        link.object_id = answer.id
        link.save()
    if answer.amount != payment.amount or answer.reference != str(payment.id) or answer.id != link.object_id:
        # The hold stays until staff have looked: neither side's word is taken.
        raise ProviderMismatch(f"payout {payment.id}")
    is_open = payment.state in OPEN_AT_PROVIDER
    if answer.state is BankTransferState.SETTLED and is_open:
        _done(payment, now)
    elif answer.state is BankTransferState.RETURNED and is_open:
        _give_up(payment, answer.return_code or "returned", now)
    elif answer.state is BankTransferState.RETURNED and payment.state == State.POSTED:
        _came_back(payment, answer.return_code or "returned", now)
    elif answer.state is BankTransferState.ACCEPTED and payment.state in (State.PENDING, State.UNKNOWN):
        states.move(payment, State.WAITING, now=now)


def _done(payment: Payment, now: datetime) -> None:
    assert payment.hold is not None
    ledger.capture(hold=payment.hold, key=payment.id, now=now, meta={"payment": str(payment.id)})
    states.move(payment, State.POSTED, now=now)
    tell(payment, "posted")


def _give_up(payment: Payment, code: str, now: datetime) -> None:
    assert payment.hold is not None
    ledger.void(hold=payment.hold, key=f"payment:{payment.id}:void", now=now)
    uncount(payment, payment.party_id, direction=Direction.OUT)
    states.move(payment, State.FAILED, now=now, code=code)
    tell(payment, "failed")


def _came_back(payment: Payment, code: str, now: datetime) -> None:
    """The other bank sent it back after all: the money goes back to where it was taken from."""
    source, key, meta = provider_account(GATEWAY, payment.currency), f"payment:{payment.id}:returned", {"payment": str(payment.id)}
    assert payment.wallet_from is not None
    try:
        with transaction.atomic():
            ledger.post(debit=source, credit=payment.wallet_from.account, amount=payment.amount, key=key, now=now, meta=meta)
    except (AccountClosed, CeilingExceeded):
        ledger.post(debit=source, credit=suspense_account(payment), amount=payment.amount, key=key, now=now, meta=meta)
        log.error("payout_returned_to_suspense", payment_id=str(payment.id))
    uncount(payment, payment.party_id, direction=Direction.OUT)
    states.move(payment, State.FAILED, now=now, code=code)
    tell(payment, "failed")


@transaction.atomic
def _failed(payment_id: UUID, code: str, now: datetime) -> None:
    payment = locked(payment_id)
    if payment.state in OPEN_AT_PROVIDER:
        _give_up(payment, code, now)


@transaction.atomic
def _unknown(payment_id: UUID, code: str, now: datetime) -> None:
    payment = locked(payment_id)
    log.warning("payout_unknown", payment_id=str(payment_id), code=code)
    if payment.state == State.PENDING:
        states.move(payment, State.UNKNOWN, now=now, code=code)


def locked(payment_id: UUID) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("provider", "wallet_from").get(id=payment_id)


def tell(payment: Payment, what: str) -> None:
    events.emit(
        f"payments.payout.{what}",
        party_id=payment.party_id,
        payment_id=payment.id,
        amount=payment.amount_minor,
        currency=payment.currency,
        code=payment.failure_code,
    )

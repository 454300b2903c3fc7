"""A payment that waits for its person: asked, asked again, approved, given up, too late. The same for transfers and payouts."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from accounts import selectors as accounts
from accounts.approvals import Action, approval_request, approval_take
from accounts.models import Membership, Person
from compliance.models import Direction
from core import due, events
from core.errors import NotFound
from core.money import Money
from payments import states
from payments.errors import NotWaitingForApproval
from payments.models import Kind, Payment, State
from payments.services.movements import Movement, count, payment_page, source_check, uncount

# How long a payment waits for its person.
APPROVAL_WAIT = timedelta(days=1)


def mine(by: Person, payment_id: UUID, kind: Kind) -> Payment:
    """
    The payment, locked.

    :raises NotFound: not there, of another kind, or not of a party of theirs.
    """
    payment = Payment.objects.select_for_update(of=("self",)).select_related("wallet_from").filter(id=payment_id, kind=kind).first()
    if payment is None or accounts.role_of(by, payment.party_id) is None:
        raise NotFound()
    accounts.party_get(by, payment.party_id, role=Membership.Role.MEMBER)
    return payment


def limits_try(party_id: UUID, amount: Money, now: datetime) -> None:
    """Refuse at once what the limits would refuse after approval. Counts and uncounts; they may still change until then."""
    trial = Payment(amount_minor=amount.amount, currency=amount.currency)
    count(trial, party_id, direction=Direction.OUT, now=now)
    uncount(trial, party_id, direction=Direction.OUT)


def ask(payment: Payment, action: Action, by: Person, now: datetime) -> Payment:
    """Save a new payment that waits, and put the question."""
    payment.state, payment.expires_at = State.REQUIRES_APPROVAL, now + APPROVAL_WAIT
    payment.approval = approval_request(by, action, now, next_path=payment_page(payment))
    states.begin(payment, now=now)
    due.schedule(_expiry(payment), run_key=str(payment.id), due_at=payment.expires_at, payment_id=payment.id)
    events.emit(
        f"payments.{payment.kind}.requires_approval",
        party_id=payment.party_id,
        payment_id=payment.id,
        approval_id=payment.approval.id,
    )
    return payment


def ask_again(payment: Payment, action: Action, by: Person, now: datetime) -> Movement:
    """
    Put the question anew, after the five minutes of the first approval have passed.

    :raises NotWaitingForApproval: done, cancelled or expired.
    """
    _waiting_check(payment, now)
    payment.approval = approval_request(by, action, now, next_path=payment_page(payment))
    payment.save(update_fields=["approval"])
    return Movement(payment)


def take(payment: Payment, action: Action, by: Person, approval_id: UUID | None, now: datetime) -> None:
    """
    Spend the approval (by default the one asked for last) and stop waiting; the caller carries the payment out.

    :raises NotWaitingForApproval: cancelled, expired, or never asked for.
    :raises ApprovalInvalid: not confirmed, used, expired, or for something else.
    :raises WalletClosed: there is nothing to pay from any more.
    """
    _waiting_check(payment, now)
    wanted = approval_id or payment.approval_id
    if wanted is None:
        raise NotWaitingForApproval()
    payment.approval = approval_take(wanted, action, by, now)
    assert payment.wallet_from is not None
    source_check(payment.wallet_from, payment.amount)
    due.cancel(_expiry(payment), run_key=str(payment.id))


def give_up(payment: Payment, now: datetime) -> Movement:
    """
    Cancel a payment that waits. Cancelling twice changes nothing.

    :raises NotWaitingForApproval: it is done.
    """
    if payment.state == State.CANCELLED:
        return Movement(payment, replayed=True)
    if payment.state != State.REQUIRES_APPROVAL:
        raise NotWaitingForApproval()
    due.cancel(_expiry(payment), run_key=str(payment.id))
    return Movement(states.move(payment, State.CANCELLED, now=now, code="cancelled"))


def expire(payment: Payment, now: datetime) -> bool:
    """End a locked payment that nobody approved in time; anything else stays as it is. True if it ended."""
    late = payment.state == State.REQUIRES_APPROVAL and payment.has_expired(now)
    if late:
        states.move(payment, State.EXPIRED, now=now, code="expired")
    return late


def _waiting_check(payment: Payment, now: datetime) -> None:
    if payment.state != State.REQUIRES_APPROVAL or payment.has_expired(now):
        raise NotWaitingForApproval()


def _expiry(payment: Payment) -> str:
    """The due work that ends it, one kind for each kind of payment."""
    return f"payments.{payment.kind}_expire"

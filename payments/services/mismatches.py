"""
Top-ups of which the provider reports another amount, currency or reference: two members of staff compare and decide.

Nothing of such a top-up is booked before the decision. Then the money that the provider really received is the party's
(suspended), and goes into a wallet or back to the card; or nothing is owed, and the top-up is closed. The provider is asked
again at every step, so that both look at the figures of the moment. Source: docs/payments.md, "Reported otherwise".
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.errors import PartyClosed
from accounts.models import Membership, Person
from compliance.models import Direction
from core import audit, due
from core.errors import Forbidden, NotFound
from payments import states
from payments.errors import DecisionImpossible, MismatchDecided, MismatchOwn, ProviderUnavailable
from payments.gateways import gateway as gateway_named
from payments.gateways.base import Checkout, CheckoutState, GatewayError
from payments.models import OPEN_AT_PROVIDER, Kind, Mismatch, Payment, State
from payments.services import refunds, top_ups
from payments.services.movements import request_hash, uncount
from wallets import services as wallet_services
from wallets.models import Wallet

RIGHT: Final = "payments.change_mismatch"
Decision = Mismatch.Decision


def mismatch_propose(*, by: Person, payment_id: UUID, decision: str, now: datetime) -> Mismatch:
    """
    Say what should become of a top-up that is reported otherwise. The first one's word is a proposal; when somebody else says
    the same on the same figures, it is carried out. Another decision, or other figures, take the place of a proposal.

    Returns the Mismatch, `decision` is empty while it is a proposal.

    :raises Forbidden: not staff with the right to decide.
    :raises NotFound: no such top-up.
    :raises MismatchOwn: it is of a party that they act for.
    :raises MismatchDecided: nothing is left to decide, or the provider does not say any more that it was paid.
    :raises DecisionImpossible: the paid page is not this payment's, or there is no such decision.
    :raises ProviderUnavailable: the provider does not answer; closing does not ask it.
    """
    _right_check(by)
    closing = decision == Decision.CLOSE
    checkout = None if closing else _asked(payment_id)
    with transaction.atomic():
        payment = _locked(payment_id)
        if Membership.objects.filter(party_id=payment.party_id, person=by).exists():
            raise MismatchOwn()
        mismatch = _figures(payment, checkout, now)
        if decision not in mismatch.possible:
            raise DecisionImpossible()
        refund = None
        if mismatch.proposal == decision and mismatch.proposed_by_id != by.id:
            refund = _decide(payment, mismatch, by, now)
        elif mismatch.proposal != decision:
            mismatch.proposal, mismatch.proposed_by, mismatch.proposed_at = decision, by, now
            mismatch.save()
            _record("proposed", mismatch, by)
    if refund is not None:
        refunds.refund_order(refund.id, now)
    return Mismatch.objects.select_related("payment").get(id=mismatch.id)


def mismatch_look(*, by: Person, payment_id: UUID, now: datetime) -> Mismatch:
    """
    Ask the provider for its figures of a top-up that is held because they differed, and keep them.

    :raises: what mismatch_propose raises.
    """
    _right_check(by)
    checkout = _asked(payment_id)
    with transaction.atomic():
        return _figures(_locked(payment_id), checkout, now)


def _right_check(by: Person) -> None:
    if not (by.is_active and by.is_staff and by.has_perm(RIGHT)):
        raise Forbidden()


def _asked(payment_id: UUID) -> Checkout:
    payment = Payment.objects.filter(id=payment_id, kind=Kind.TOP_UP).select_related("provider").first()
    if payment is None:
        raise NotFound()
    try:
        checkout = gateway_named(payment.provider.gateway).checkout_get(payment.provider.object_id)
    except GatewayError as error:
        raise ProviderUnavailable() from error
    if checkout.state is not CheckoutState.PAID:
        raise MismatchDecided()
    return checkout


def _locked(payment_id: UUID) -> Payment:
    """The top-up, if it waits for a decision: not while money of it is on its way back."""
    payment = (
        Payment.objects.select_for_update(of=("self",))
        .select_related("provider", "wallet_to")
        .filter(id=payment_id, kind=Kind.TOP_UP)
        .first()
    )
    if payment is None:
        raise NotFound()
    under_way = Payment.objects.filter(original=payment, state__in=OPEN_AT_PROVIDER).exists()
    if payment.state != State.HELD or payment.failure_code not in top_ups.MISMATCHES or under_way:
        raise MismatchDecided()
    return payment


def _figures(payment: Payment, checkout: Checkout | None, now: datetime) -> Mismatch:
    """What is compared: as the provider says now, or as it said when nobody asked it."""
    if checkout is not None and not payment.suspended:
        return top_ups.mismatch_record(payment, checkout, now)
    found = Mismatch.objects.select_for_update().filter(payment=payment).first()
    if found is None:
        # Held before its figures were kept: to close it, staff have the provider's own pages.
        found = Mismatch(payment=payment, asked_minor=payment.amount_minor, asked_currency=payment.currency)
        found.reported_minor, found.reported_currency, found.is_ours, found.reported_at = 0, payment.currency, False, now
        found.save()
    return found


def _decide(payment: Payment, mismatch: Mismatch, by: Person, now: datetime) -> Payment | None:
    """Carry it out; the refund, if the provider is to be asked for one after the commit."""
    mismatch.decision, mismatch.decided_by, mismatch.decided_at = mismatch.proposal, by, now
    mismatch.save()
    _record("decided", mismatch, by)
    if mismatch.decision == Decision.CLOSE:
        _close(payment, now)
        return None
    if not payment.suspended:
        _book(payment, mismatch, now)
    if mismatch.decision == Decision.CREDIT:
        _credit(payment, now)
        return None
    key = f"mismatch:{mismatch.id}:{now.isoformat()}"
    asked = request_hash(kind="refund", payment=payment.id, amount=None)
    return refunds.refund_begin(by, payment.id, None, "reported_otherwise", key, asked, now)


def _close(payment: Payment, now: datetime) -> None:
    uncount(payment, payment.party_id, direction=Direction.IN)
    states.move(payment, State.CANCELLED, now=now, code="mismatch_closed")
    due.cancel("payments.top_up_check", run_key=str(payment.id))
    top_ups.tell(payment, "cancelled")


def _book(payment: Payment, mismatch: Mismatch, now: datetime) -> None:
    """From here on the payment is what was really received; what was asked for stands with the mismatch."""
    uncount(payment, payment.party_id, direction=Direction.IN)
    payment.amount_minor, payment.currency = mismatch.reported_minor, mismatch.reported_currency
    if payment.wallet_to is not None and payment.wallet_to.currency != payment.currency:
        payment.wallet_to = None
    top_ups.suspend(payment, now)
    payment.save()


def _credit(payment: Payment, now: datetime) -> None:
    """Into the wallet of its currency, opened if there is none; what a limit or the screening refuses is tried again later."""
    if not Wallet.objects.filter(party_id=payment.party_id, currency=payment.currency, state=Wallet.State.OPEN).exists():
        with suppress(PartyClosed):
            wallet_services.wallet_open(party_id=payment.party_id, currency=payment.currency, now=now)
    refused = top_ups.release(payment, now)
    if refused:
        payment.failure_code = refused
        payment.save(update_fields=["failure_code"])
        top_ups.release_schedule(payment, now)


def _record(what: str, mismatch: Mismatch, by: Person) -> None:
    audit.record(
        f"payments.mismatch.{what}",
        actor=by,
        party_id=mismatch.payment.party_id,
        object_type="payment",
        object_id=mismatch.payment_id,
        decision=mismatch.proposal,
        asked=mismatch.asked_minor,
        asked_currency=mismatch.asked_currency,
        reported=mismatch.reported_minor,
        reported_currency=mismatch.reported_currency,
    )

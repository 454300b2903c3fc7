"""Transfers between parties of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import selectors as accounts
from accounts.approvals import Action, approval_take
from accounts.errors import PartyClosed, PayeeClosed, PayeeOwn
from accounts.models import Membership, Person
from accounts.selectors import Payee
from compliance import limits
from compliance.errors import LimitExceeded
from compliance.models import Direction, Window
from compliance.screening.selectors import PartyStanding
from core import events
from core.errors import HubError
from core.money import Money, amount_check
from payments import exemptions, states
from payments.errors import PayeeIsSelf
from payments.models import Kind, Payment, State
from payments.services import approving, holds
from payments.services.movements import (
    Movement,
    balance_room_check,
    count,
    note_check,
    replayed,
    request_hash,
    source_check,
    uncount,
)
from wallets import ledger
from wallets import selectors as wallets
from wallets import services as wallet_services
from wallets.errors import CeilingExceeded, InsufficientFunds
from wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown before sending."""

    payee: Payee
    amount: Money
    needs_approval: bool


def transfer_preview(
    *, by: Person, party_id: UUID, source_wallet_id: UUID, payee: str, amount: Money, note: str = "", now: datetime, present: bool = True
) -> Preview:
    """
    Everything that can be checked before sending, without moving or counting anything.

    :raises: what transfer_send raises, but for approval.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    with transaction.atomic():
        plan = _plan(party_id, source_wallet_id, payee, amount, note)
        _could_go(plan, now)
        exempt = exemptions.transfer_exempt(by=by, present=present, amount=amount, payee_party=plan.payee.party_id)
        transaction.set_rollback(True)
    return Preview(payee=plan.payee, amount=amount, needs_approval=not exempt)


def transfer_send(
    *,
    by: Person,
    party_id: UUID,
    source_wallet_id: UUID,
    payee: str,
    amount: Money,
    note: str = "",
    approval_id: UUID | None = None,
    idempotency_key: str,
    now: datetime,
    present: bool = True,
) -> Movement:
    """
    Send money from a wallet of `party_id` to the party behind an e-mail address or a handle.

    Units: `amount` is in minor units of its currency and positive; `now` is aware UTC. `present` is False when a partner or
    a schedule acts instead of the person. A payee without a wallet in the currency gets one.
    Returns the Movement: `posted`, `held` while the screening of a side is open, or `requires_approval` when the payment is
    not exempt and no approval was given; then
    `approval_id` names what the person has to confirm within five minutes, and `transfer_approve` goes on.
    Repeating a call with the same key and the same arguments returns the first Movement.

    :raises PayeeUnknown, PayeeClosed, PayeeIsSelf: nobody to pay, or oneself.
    :raises WalletNotFound, WalletClosed, CurrencyMismatch: about the source.
    :raises AmountInvalid: zero, negative or too large.
    :raises LimitExceeded: of the payer (payment, day, month) or of what the payee may hold (balance).
    :raises RateMissing: limits cannot be counted in this currency.
    :raises InsufficientFunds: the wallet cannot cover the amount.
    :raises ApprovalInvalid: the approval is for something else, used or expired.
    :raises IdempotencyConflict: the key was used with other arguments.

    Source: docs/payments.md, "Transfers".
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    asked = request_hash(
        kind="transfer",
        wallet=source_wallet_id,
        payee=payee.strip().casefold(),
        amount=amount.amount,
        currency=amount.currency,
        note=note.strip(),
    )
    found = replayed(party_id=party_id, key=idempotency_key, asked=asked)
    if found is not None:
        return Movement(found, replayed=True)
    try:
        with transaction.atomic():
            plan = _plan(party_id, source_wallet_id, payee, amount, note)
            payment = _payment_of(plan, by=by, party_id=party_id, key=idempotency_key, asked=asked, now=now)
            if approval_id is not None:
                payment.approval = approval_take(approval_id, _action(payment), by, now)
            elif not exemptions.transfer_exempt(by=by, present=present, amount=amount, payee_party=plan.payee.party_id):
                _could_go(plan, now)
                return Movement(approving.ask(payment, _action(payment), by, now))
            return Movement(post(payment, plan.source, now))
    except (IntegrityError, HubError):
        # The same key at the same moment: whoever came second was refused because the first had taken the room or the money.
        found = replayed(party_id=party_id, key=idempotency_key, asked=asked)
        if found is None:
            raise
        return Movement(found, replayed=True)


@transaction.atomic
def transfer_approve(*, by: Person, payment_id: UUID, approval_id: UUID | None = None, now: datetime) -> Movement:
    """
    Go on with a payment that waited for its approval: everything is checked again, as it is now.

    `approval_id` is the one the person confirmed (by default the one asked for last). If a check refuses, the approval is
    unspent and the payment goes on waiting.

    :raises NotFound: not there, or not a payment of a party of theirs.
    :raises NotWaitingForApproval: cancelled or expired.
    :raises ApprovalInvalid: not confirmed, used, expired, or for something else.
    """
    payment = approving.mine(by, payment_id, Kind.TRANSFER)
    if payment.state in (State.POSTED, State.REVERSED, State.HELD):
        return Movement(payment, replayed=True)
    approving.take(payment, _action(payment), by, approval_id, now)
    assert payment.wallet_from is not None
    return Movement(post(payment, payment.wallet_from, now))


@transaction.atomic
def transfer_approval_request(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Ask again, after the five minutes of the first approval have passed.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: done, cancelled or expired.
    """
    payment = approving.mine(by, payment_id, Kind.TRANSFER)
    return approving.ask_again(payment, _action(payment), by, now)


@transaction.atomic
def transfer_cancel(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Give up a payment that waits for approval. Cancelling twice changes nothing.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: it is done.
    """
    return approving.give_up(approving.mine(by, payment_id, Kind.TRANSFER), now)


@transaction.atomic
def transfer_expire(*, payment_id: UUID, now: datetime) -> Payment:
    """End a payment nobody approved in time; anything else stays as it is."""
    payment = Payment.objects.select_for_update().get(id=payment_id)
    if approving.expire(payment, now):
        events.emit("payments.transfer.expired", party_id=payment.party_id, payment_id=payment.id)
    return payment


@dataclass(frozen=True, slots=True)
class _Plan:
    source: Wallet
    payee: Payee
    amount: Money
    note: str


def _plan(party_id: UUID, wallet_id: UUID, payee: str, amount: Money, note: str) -> _Plan:
    """What is asked for, with every check that does not depend on balances and limits."""
    amount_check(amount)
    note_check(note)
    source = wallets.wallet_get(party_id, wallet_id)
    source_check(source, amount)
    try:
        found = accounts.payee_find(payee, asking=party_id)
    except PayeeOwn as error:
        raise PayeeIsSelf() from error
    return _Plan(source=source, payee=found, amount=amount, note=note.strip())


def _could_go(plan: _Plan, now: datetime) -> None:
    """Refuse at once what would be refused after approval. Counts and uncounts; funds may still change until then."""
    approving.limits_try(plan.source.party_id, plan.amount, now)
    balance_room_check(plan.payee.party_id, plan.amount, now=now)
    if wallets.balance_of(plan.source).available < plan.amount:
        raise InsufficientFunds()


def _payment_of(plan: _Plan, *, by: Person, party_id: UUID, key: str, asked: bytes, now: datetime) -> Payment:
    return Payment(
        kind=Kind.TRANSFER,
        party_id=party_id,
        payer_party_id=party_id,
        payee_party_id=plan.payee.party_id,
        wallet_from=plan.source,
        amount_minor=plan.amount.amount,
        currency=plan.amount.currency,
        note=plan.note,
        by_person=by,
        idempotency_key=key,
        request_hash=asked,
        created_at=now,
    )


def _action(payment: Payment) -> Action:
    """What the person approves: this amount, to this payee, from this wallet."""
    return Action(kind="transfer", amount=payment.amount, payee=payment.payee_party_id, extra={"wallet": str(payment.wallet_from_id)})


def post(payment: Payment, source: Wallet, now: datetime) -> Payment:
    """Count, post and tell, in the caller's transaction. Locks in one order everywhere: usage, balance room, ledger."""
    assert payment.payer_party_id is not None
    assert payment.payee_party_id is not None
    target = _target(payment.payee_party_id, payment.currency, now)
    payment.wallet_to = target
    waiting = holds.waiting(payment, now)
    rules = limits.rules_of([payment.payer_party_id, payment.payee_party_id], now)
    count(payment, payment.payer_party_id, direction=Direction.OUT, now=now, rules=rules[payment.payer_party_id])
    balance_room_check(payment.payee_party_id, payment.amount, now=now, rules=rules[payment.payee_party_id])
    meta: dict[str, str] = {"payment": str(payment.id)}
    if waiting:
        key = f"payment:{payment.id}:hold"
        held = ledger.hold(debit=source.account, credit=target.account, amount=payment.amount, key=key, now=now, meta=meta)
        payment.hold = held.id
        return _held(payment, waiting, now)
    try:
        ledger.post(debit=source.account, credit=target.account, amount=payment.amount, key=payment.id, now=now, meta=meta)
    except CeilingExceeded as error:
        # The ledger's own ceiling of this one wallet: the same limit, seen from below.
        limit = limits.balance_limit(payment.payee_party_id, now) or limits.reference(payment.amount)
        raise LimitExceeded(window=Window.BALANCE, direction="", limit=limit, left=Money(0, limit.currency)) from error
    if payment._state.adding:
        payment.state = State.POSTED
        states.begin(payment, now=now)
    else:
        states.move(payment, State.POSTED, now=now)
    _tell(payment, "posted")
    return payment


def _held(payment: Payment, waiting: list[PartyStanding], now: datetime) -> Payment:
    """It waits for screening or staff, with its money set aside."""
    if payment._state.adding:
        payment.state, payment.failure_code = State.HELD, holds.UNDER_REVIEW
        states.begin(payment, now=now)
    else:
        states.move(payment, State.HELD, now=now, code=holds.UNDER_REVIEW)
    holds.cases_open(payment, waiting, now)
    _tell(payment, "held")
    return payment


def held_post(payment: Payment, now: datetime) -> None:
    """
    Let a held transfer go on, whose row the caller has locked: limits and room are checked again as they are now, and what
    they refuse goes back to the payer.
    """
    assert payment.hold is not None
    assert payment.payer_party_id is not None
    assert payment.payee_party_id is not None
    counted = payment.counted_minor, payment.counted_at
    try:
        with transaction.atomic():
            uncount(payment, payment.payer_party_id, direction=Direction.OUT)
            count(payment, payment.payer_party_id, direction=Direction.OUT, now=now)
            balance_room_check(payment.payee_party_id, payment.amount, now=now)
            ledger.capture(hold=payment.hold, key=payment.id, now=now, meta={"payment": str(payment.id)})
    except HubError:
        payment.counted_minor, payment.counted_at = counted
        held_cancel(payment, now)
    else:
        states.move(payment, State.POSTED, now=now)
        _tell(payment, "posted")


def held_cancel(payment: Payment, now: datetime) -> None:
    """Give a held transfer back; the caller has locked its row."""
    assert payment.hold is not None
    assert payment.payer_party_id is not None
    ledger.void(hold=payment.hold, key=f"payment:{payment.id}:void", now=now)
    uncount(payment, payment.payer_party_id, direction=Direction.OUT)
    states.move(payment, State.CANCELLED, now=now, code=holds.NOT_CARRIED_OUT)
    _tell(payment, "cancelled")


def _tell(payment: Payment, what: str) -> None:
    events.emit(f"payments.transfer.{what}", party_id=payment.payer_party_id, **told(payment))


def told(payment: Payment) -> dict[str, str | int | bool | UUID | None]:
    """What `payments.transfer.<what>` carries."""
    return {
        "payment_id": payment.id,
        "payee_party": payment.payee_party_id,
        "amount": payment.amount_minor,
        "currency": payment.currency,
    }


def _target(payee_party: UUID, currency: str, now: datetime) -> Wallet:
    """The payee's open wallet in the currency, opened for them if there is none."""
    found = Wallet.objects.select_related("party").filter(party_id=payee_party, currency=currency, state=Wallet.State.OPEN).first()
    if found is not None and found.party.is_open:
        return found
    try:
        return wallet_services.wallet_open(party_id=payee_party, currency=currency, now=now)
    except PartyClosed as error:
        raise PayeeClosed() from error

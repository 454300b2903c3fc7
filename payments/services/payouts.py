"""
Money out to a bank account: checked, approved, and set aside.

First the money is held in the wallet and the payment committed as `pending`, then the bank is asked (bank_orders).
Source: docs/payments.md, "Payouts".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import selectors as accounts
from accounts.approvals import Action, approval_take
from accounts.models import Membership, Person
from compliance.models import Direction
from core.errors import HubError
from core.money import Money, amount_check
from payments import exemptions, states
from payments.errors import NotWaitingForApproval
from payments.models import BankAccount, Kind, Payment, State
from payments.services import approving, holds
from payments.services.bank_accounts import bank_account_get, carried_check, holder_check, iban_check
from payments.services.bank_orders import CHECK_FIRST, GATEWAY, carried_on, locked, tell, to_bank
from payments.services.movements import Movement, count, note_check, replayed, request_hash, source_check, uncount
from payments.services.top_ups import provider_account
from wallets import ledger
from wallets import selectors as wallets
from wallets.errors import InsufficientFunds
from wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class PayoutPreview:
    iban: str
    name: str
    amount: Money
    needs_approval: bool


def payout_preview(
    *, by: Person, party_id: UUID, source_wallet_id: UUID, iban: str, name: str, amount: Money, note: str = "", now: datetime
) -> PayoutPreview:
    """
    Everything that can be checked before sending, without moving or counting anything.

    :raises: what payout_send raises, but for approval.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    with transaction.atomic():
        number, holder = iban_check(iban), holder_check(name)
        source = _source(party_id, source_wallet_id, amount, note)
        _could_go(source, amount, now)
        transaction.set_rollback(True)
    return PayoutPreview(iban=number, name=holder, amount=amount, needs_approval=not exemptions.payout_exempt(present=True, amount=amount))


def payout_send(
    *,
    by: Person,
    party_id: UUID,
    source_wallet_id: UUID,
    iban: str,
    name: str,
    amount: Money,
    note: str = "",
    approval_id: UUID | None = None,
    idempotency_key: str,
    now: datetime,
    present: bool = True,
) -> Movement:
    """
    Send money from a wallet of `party_id` to a bank account. `note` is what the receiver reads on their statement.

    Returns the Movement: `requires_approval`, or the payment as far as the bank has answered (waiting, posted, failed,
    unknown). Repeating a call with the same key and arguments returns the first, and asks the bank again if it was unknown.

    :raises IbanInvalid, HolderRequired, NoteTooLong: about the account and the text.
    :raises BankRefused: the bank does not carry the currency.
    :raises WalletNotFound, WalletClosed, CurrencyMismatch, AmountInvalid: about the source.
    :raises LimitExceeded, RateMissing, InsufficientFunds: the payer's limits and money.
    :raises ApprovalInvalid: the approval is for something else, used or expired.
    :raises IdempotencyConflict: the key was used with other arguments.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    asked = request_hash(
        kind="payout",
        wallet=source_wallet_id,
        iban=iban.replace(" ", "").upper(),
        name=name.strip(),
        amount=amount.amount,
        currency=amount.currency,
        note=note.strip(),
    )
    found = replayed(party_id=party_id, key=idempotency_key, asked=asked)
    if found is None:
        try:
            with transaction.atomic():
                source = _source(party_id, source_wallet_id, amount, note)
                account = bank_account_get(party_id=party_id, iban=iban, name=name, now=now)
                payment = payout_of(source, account, amount, by=by, note=note.strip(), key=idempotency_key, asked=asked, now=now)
                if approval_id is not None:
                    payment.approval = approval_take(approval_id, _action(payment), by, now)
                    start(payment, source, now)
                elif exemptions.payout_exempt(present=present, amount=amount):
                    start(payment, source, now)
                else:
                    _could_go(source, amount, now)
                    approving.ask(payment, _action(payment), by, now)
        except (IntegrityError, HubError):
            found = replayed(party_id=party_id, key=idempotency_key, asked=asked)
            if found is None:
                raise
    if found is not None:
        payment = found
    return carried_on(payment.id, now, replayed=found is not None)


def payout_approve(*, by: Person, payment_id: UUID, approval_id: UUID | None = None, now: datetime) -> Movement:
    """
    Go on with a payout that waited for its approval: everything is checked again, as it is now.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: cancelled or expired.
    :raises ApprovalInvalid: not confirmed, used, expired, or for something else.
    """
    with transaction.atomic():
        payment = approving.mine(by, payment_id, Kind.PAYOUT)
        before = payment.state
        if before == State.REQUIRES_APPROVAL:
            approving.take(payment, _action(payment), by, approval_id, now)
            assert payment.wallet_from is not None
            start(payment, payment.wallet_from, now)
        elif before in (State.CANCELLED, State.EXPIRED):
            raise NotWaitingForApproval()
    return carried_on(payment_id, now, replayed=before != State.REQUIRES_APPROVAL)


@transaction.atomic
def payout_approval_request(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Ask again, after the five minutes of the first approval have passed.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: done, cancelled or expired.
    """
    payment = approving.mine(by, payment_id, Kind.PAYOUT)
    return approving.ask_again(payment, _action(payment), by, now)


@transaction.atomic
def payout_cancel(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Give up a payout that waits for approval. Cancelling twice changes nothing.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: it is at the bank, or over.
    """
    return approving.give_up(approving.mine(by, payment_id, Kind.PAYOUT), now)


@transaction.atomic
def payout_expire(*, payment_id: UUID, now: datetime) -> None:
    """End a payout nobody approved in time; anything else stays as it is."""
    payment = locked(payment_id)
    if approving.expire(payment, now):
        tell(payment, "expired")


def payout_of(
    source: Wallet, account: BankAccount, amount: Money, *, by: Person, note: str, key: str, asked: bytes, now: datetime
) -> Payment:
    """A payout that is not saved yet."""
    return Payment(
        kind=Kind.PAYOUT,
        state=State.PENDING,
        party_id=source.party_id,
        payer_party_id=source.party_id,
        wallet_from=source,
        bank_account=account,
        amount_minor=amount.amount,
        currency=amount.currency,
        note=note,
        by_person=by,
        idempotency_key=key,
        request_hash=asked,
        created_at=now,
    )


def start(payment: Payment, source: Wallet, now: datetime, *, ask_at: datetime | None = None) -> Payment:
    """
    Count and hold the money in the caller's transaction; the bank is asked after it, at the latest by the sweep (`ask_at`).

    While the payer's screening is open the payout is held, and the bank is not asked.

    :raises LimitExceeded, RateMissing, InsufficientFunds: as they stand now.
    """
    waiting = holds.waiting(payment, now)
    count(payment, source.party_id, direction=Direction.OUT, now=now)
    held = ledger.hold(
        debit=source.account,
        credit=provider_account(GATEWAY, payment.currency),
        amount=payment.amount,
        key=f"payment:{payment.id}:hold",
        now=now,
        meta={"payment": str(payment.id)},
    )
    payment.hold = held.id
    state, code = (State.HELD, holds.UNDER_REVIEW) if waiting else (State.PENDING, "")
    if payment._state.adding:
        payment.state, payment.failure_code = state, code
        states.begin(payment, now=now)
    else:
        states.move(payment, state, now=now, code=code)
    if waiting:
        holds.cases_open(payment, waiting, now)
        tell(payment, "held")
    else:
        to_bank(payment, ask_at or now + CHECK_FIRST)
    return payment


def held_start(payment: Payment, now: datetime) -> None:
    """Let a held payout go on, whose row the caller has locked; limits that refuse it now send the money back."""
    counted = payment.counted_minor, payment.counted_at
    try:
        with transaction.atomic():
            uncount(payment, payment.party_id, direction=Direction.OUT)
            count(payment, payment.party_id, direction=Direction.OUT, now=now)
    except HubError:
        payment.counted_minor, payment.counted_at = counted
        held_cancel(payment, now)
    else:
        states.move(payment, State.PENDING, now=now)
        to_bank(payment, now)


def held_cancel(payment: Payment, now: datetime) -> None:
    """Give a held payout back; the caller has locked its row."""
    assert payment.hold is not None
    ledger.void(hold=payment.hold, key=f"payment:{payment.id}:void", now=now)
    uncount(payment, payment.party_id, direction=Direction.OUT)
    states.move(payment, State.CANCELLED, now=now, code=holds.NOT_CARRIED_OUT)
    tell(payment, "cancelled")


def _source(party_id: UUID, wallet_id: UUID, amount: Money, note: str) -> Wallet:
    """What is asked for, with every check that does not depend on balances and limits."""
    amount_check(amount)
    note_check(note)
    source = wallets.wallet_get(party_id, wallet_id)
    source_check(source, amount)
    carried_check(amount)
    return source


def _could_go(source: Wallet, amount: Money, now: datetime) -> None:
    """Refuse at once what would be refused after approval. Counts and uncounts; funds may still change until then."""
    approving.limits_try(source.party_id, amount, now)
    if wallets.balance_of(source).available < amount:
        raise InsufficientFunds()


def _action(payment: Payment) -> Action:
    """What the person approves: this amount, to this bank account, from this wallet."""
    extra: dict[str, str | int | None] = {"wallet": str(payment.wallet_from_id), "bank_account": str(payment.bank_account_id)}
    return Action(kind="payout", amount=payment.amount, extra=extra)

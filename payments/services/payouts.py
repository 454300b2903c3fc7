"""
Money out to a bank account.

First the money is held in the wallet and the payment committed as `pending`, then the bank is asked with our id, then the
hold is captured or voided by what the bank says. What it did not say is asked for again by the sweep; a transfer that is
sent back, also days after it settled, returns to the wallet. Source: docs/payments.md, "Payouts".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from accounts import selectors as accounts
from accounts.approvals import Action, approval_request, approval_take
from accounts.models import Membership, Person
from compliance.models import Direction
from core import crypto, due, events
from core.errors import HubError, NotFound
from core.money import Money, amount_check
from payments import exemptions, gateways, states
from payments.errors import BankRefused, HolderRequired, IbanInvalid, NotWaitingForApproval, ProviderMismatch, failure_text
from payments.gateways.base import BankTransfer, BankTransferState, GatewayError, GatewayRefused
from payments.models import HOLDER_MAX, OPEN_AT_PROVIDER, BankAccount, Kind, Payment, ProviderLink, State
from payments.services import holds
from payments.services.movements import Movement, count, note_check, payment_page, replayed, request_hash, source_check, uncount
from payments.services.top_ups import provider_account, suspense_account
from wallets import ledger
from wallets import selectors as wallets
from wallets.errors import AccountClosed, CeilingExceeded, InsufficientFunds
from wallets.models import Wallet

log = structlog.get_logger(__name__)

GATEWAY = "bank"
APPROVAL_WAIT = timedelta(days=1)
CHECK_FIRST, CHECK_MOST = timedelta(seconds=5), timedelta(hours=1)
# An order that the bank has never heard of is given again under the same id for so long, then it is given up.
ORDER_UNTIL = timedelta(hours=24)
# Banks send a settled transfer back within days: until then it is looked at once a day.
RETURN_WATCH, RETURN_EVERY = timedelta(days=10), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PayoutPreview:
    iban: str
    name: str
    amount: Money
    needs_approval: bool


def iban_check(text: str) -> str:
    """
    The IBAN without blanks, in capitals: its country, length, check digits and the country's own rules are right.

    :raises IbanInvalid: they are not.
    """
    try:
        found: str = ibans.validate(text)
    except (ValidationError, ValueError) as error:
        raise IbanInvalid() from error
    if not found.isascii():
        raise IbanInvalid()
    return found


def holder_check(text: str) -> str:
    """:raises HolderRequired: no name, or one that no bank takes."""
    found = " ".join(text.split())
    if not 0 < len(found) <= HOLDER_MAX or not found.isprintable():
        raise HolderRequired()
    return found


def bank_account_get(*, party_id: UUID, iban: str, name: str, now: datetime) -> BankAccount:
    """
    The party's record of this account under this name; made when it is new.

    :raises IbanInvalid, HolderRequired: about the input.
    """
    number, holder = iban_check(iban), holder_check(name)
    index = crypto.blind_index("payments.bankaccount.iban", number)
    for known in BankAccount.objects.filter(party_id=party_id, iban_index=index).order_by("created_at", "id"):
        if known.name == holder:
            return known
    return BankAccount.objects.create(party_id=party_id, iban=number, name=holder, created_at=now)


def carried_check(amount: Money) -> None:
    """:raises BankRefused: the bank does not carry this currency."""
    try:
        gateways.bank_gateway().amount_check(amount)
    except GatewayRefused as error:
        raise BankRefused(failure_text(error.code), provider_code=error.code) from error


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
                    _ask_person(payment, by, now)
        except (IntegrityError, HubError):
            found = replayed(party_id=party_id, key=idempotency_key, asked=asked)
            if found is None:
                raise
    if found is not None:
        payment = found
    return _carried_on(payment.id, now, replayed=found is not None)


def payout_approve(*, by: Person, payment_id: UUID, approval_id: UUID | None = None, now: datetime) -> Movement:
    """
    Go on with a payout that waited for its approval: everything is checked again, as it is now.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: cancelled or expired.
    :raises ApprovalInvalid: not confirmed, used, expired, or for something else.
    """
    with transaction.atomic():
        payment = _mine(by, payment_id)
        before = payment.state
        if before == State.REQUIRES_APPROVAL:
            wanted = approval_id or payment.approval_id
            if payment.has_expired(now) or wanted is None:
                raise NotWaitingForApproval()
            payment.approval = approval_take(wanted, _action(payment), by, now)
            assert payment.wallet_from is not None
            source_check(payment.wallet_from, payment.amount)
            due.cancel("payments.payout_expire", run_key=str(payment.id))
            start(payment, payment.wallet_from, now)
        elif before in (State.CANCELLED, State.EXPIRED):
            raise NotWaitingForApproval()
    return _carried_on(payment_id, now, replayed=before != State.REQUIRES_APPROVAL)


@transaction.atomic
def payout_approval_request(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Ask again, after the five minutes of the first approval have passed.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: done, cancelled or expired.
    """
    payment = _mine(by, payment_id)
    if payment.state != State.REQUIRES_APPROVAL or payment.has_expired(now):
        raise NotWaitingForApproval()
    payment.approval = approval_request(by, _action(payment), now, next_path=payment_page(payment))
    payment.save(update_fields=["approval"])
    return Movement(payment)


@transaction.atomic
def payout_cancel(*, by: Person, payment_id: UUID, now: datetime) -> Movement:
    """
    Give up a payout that waits for approval. Cancelling twice changes nothing.

    :raises NotFound: not there, or not theirs.
    :raises NotWaitingForApproval: it is at the bank, or over.
    """
    payment = _mine(by, payment_id)
    if payment.state == State.CANCELLED:
        return Movement(payment, replayed=True)
    if payment.state != State.REQUIRES_APPROVAL:
        raise NotWaitingForApproval()
    due.cancel("payments.payout_expire", run_key=str(payment.id))
    return Movement(states.move(payment, State.CANCELLED, now=now, code="cancelled"))


@transaction.atomic
def payout_expire(*, payment_id: UUID, now: datetime) -> None:
    """End a payout nobody approved in time; anything else stays as it is."""
    payment = _locked(payment_id)
    if payment.state == State.REQUIRES_APPROVAL and payment.has_expired(now):
        states.move(payment, State.EXPIRED, now=now, code="expired")
        _tell(payment, "expired")


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
        _tell(payment, "held")
    else:
        _to_bank(payment, ask_at or now + CHECK_FIRST)
    return payment


def _to_bank(payment: Payment, ask_at: datetime) -> None:
    ProviderLink.objects.create(payment=payment, gateway=GATEWAY)
    due.schedule("payments.payout_check", run_key=str(payment.id), due_at=ask_at, payment_id=payment.id)


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
        _to_bank(payment, now)


def held_cancel(payment: Payment, now: datetime) -> None:
    """Give a held payout back; the caller has locked its row."""
    assert payment.hold is not None
    ledger.void(hold=payment.hold, key=f"payment:{payment.id}:void", now=now)
    uncount(payment, payment.party_id, direction=Direction.OUT)
    states.move(payment, State.CANCELLED, now=now, code=holds.NOT_CARRIED_OUT)
    _tell(payment, "cancelled")


def _carried_on(payment_id: UUID, now: datetime, *, replayed: bool) -> Movement:
    if Payment.objects.filter(id=payment_id, state__in=[State.PENDING, State.UNKNOWN]).exists():
        try:
            _look(payment_id, now, first=not replayed)
        except GatewayError as error:
            log.info("payout_not_answered", payment_id=str(payment_id), code=error.code)
    return Movement(Payment.objects.get(id=payment_id), replayed=replayed)


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
    trial = Payment(amount_minor=amount.amount, currency=amount.currency)
    count(trial, source.party_id, direction=Direction.OUT, now=now)
    uncount(trial, source.party_id, direction=Direction.OUT)
    if wallets.balance_of(source).available < amount:
        raise InsufficientFunds()


def _action(payment: Payment) -> Action:
    """What the person approves: this amount, to this bank account, from this wallet."""
    extra: dict[str, str | int | None] = {"wallet": str(payment.wallet_from_id), "bank_account": str(payment.bank_account_id)}
    return Action(kind="payout", amount=payment.amount, extra=extra)


def _ask_person(payment: Payment, by: Person, now: datetime) -> None:
    payment.state = State.REQUIRES_APPROVAL
    payment.expires_at = now + APPROVAL_WAIT
    payment.approval = approval_request(by, _action(payment), now, next_path=payment_page(payment))
    states.begin(payment, now=now)
    due.schedule("payments.payout_expire", run_key=str(payment.id), due_at=payment.expires_at, payment_id=payment.id)
    events.emit("payments.payout.requires_approval", party_id=payment.party_id, payment_id=payment.id, approval_id=payment.approval.id)


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
    payment = _locked(payment_id)
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
    _tell(payment, "posted")


def _give_up(payment: Payment, code: str, now: datetime) -> None:
    assert payment.hold is not None
    ledger.void(hold=payment.hold, key=f"payment:{payment.id}:void", now=now)
    uncount(payment, payment.party_id, direction=Direction.OUT)
    states.move(payment, State.FAILED, now=now, code=code)
    _tell(payment, "failed")


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
    _tell(payment, "failed")


@transaction.atomic
def _failed(payment_id: UUID, code: str, now: datetime) -> None:
    payment = _locked(payment_id)
    if payment.state in OPEN_AT_PROVIDER:
        _give_up(payment, code, now)


@transaction.atomic
def _unknown(payment_id: UUID, code: str, now: datetime) -> None:
    payment = _locked(payment_id)
    log.warning("payout_unknown", payment_id=str(payment_id), code=code)
    if payment.state == State.PENDING:
        states.move(payment, State.UNKNOWN, now=now, code=code)


def _mine(by: Person, payment_id: UUID) -> Payment:
    found = Payment.objects.filter(id=payment_id, kind=Kind.PAYOUT).values_list("party_id", flat=True).first()
    if found is None or accounts.role_of(by, found) is None:
        raise NotFound()
    accounts.party_get(by, found, role=Membership.Role.MEMBER)
    return Payment.objects.select_for_update(of=("self",)).select_related("wallet_from").get(id=payment_id)


def _locked(payment_id: UUID) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("provider", "wallet_from").get(id=payment_id)


def _tell(payment: Payment, what: str) -> None:
    events.emit(
        f"payments.payout.{what}",
        party_id=payment.party_id,
        payment_id=payment.id,
        amount=payment.amount_minor,
        currency=payment.currency,
        code=payment.failure_code,
    )

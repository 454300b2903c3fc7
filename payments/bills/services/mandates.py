"""Setting bills up: what a person agrees to, and their word for it."""

from __future__ import annotations

import hmac
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import selectors as accounts
from accounts.approvals import approval_request, approval_take
from accounts.models import Approval, Membership, Person
from core import due
from core.errors import HubError
from core.idempotency import IdempotencyConflict, key_check
from payments import exemptions
from payments.bills.errors import BillNotWaiting
from payments.bills.models import Bill, BillState
from payments.bills.services.changes import terms_apply, with_terms
from payments.bills.services.lifecycle import can_be_paid, end, mine
from payments.bills.services.runs import plan_next, tell
from payments.bills.services.terms import (
    BillPreview,
    Terms,
    To,
    action_of,
    bill_draft,
    bill_page,
    first_days,
    payee_words,
    terms_plain,
    terms_read,
)
from payments.services.approving import APPROVAL_WAIT
from payments.services.movements import request_hash


def bill_preview(*, by: Person, party_id: UUID, to: To, terms: Terms, now: datetime, present: bool = True) -> BillPreview:
    """
    Everything that can be checked before setting a bill up, without writing anything.

    :raises: what bill_create raises, but for approval.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    with transaction.atomic():
        bill = bill_draft(by, party_id, to, terms, now)
        name, detail = payee_words(bill)
        exempt = exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id)
        transaction.set_rollback(True)
    return BillPreview(bill, name, detail, not exempt, first_days(bill, now))


def bill_create(
    *,
    by: Person,
    party_id: UUID,
    to: To,
    terms: Terms,
    approval_id: UUID | None = None,
    idempotency_key: str,
    now: datetime,
    present: bool = True,
) -> Bill:
    """
    Set a bill up. It is `active`, or `requires_approval` when it is not exempt and no approval was given: then `approval`
    is what the person has to confirm, and `bill_approve` goes on. Repeating a call returns the first bill.

    :raises NameRequired, PayeeRequired, NoteTooLong: about what was written.
    :raises PayeeUnknown, PayeeClosed, PayeeIsSelf, IbanInvalid, HolderRequired, BankRefused: about who is paid.
    :raises WalletNotFound, WalletClosed, CurrencyMismatch, AmountInvalid, LimitExceeded: about the money.
    :raises DateInPast, DateTooFar, LastBeforeFirst, ScheduleInvalid: about the days.
    :raises ApprovalInvalid: the approval is for something else, used or expired.
    :raises IdempotencyConflict: the key was used with other arguments.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    asked = request_hash(kind="bill", to=asdict(to), terms=terms_plain(terms))
    found = _replayed(party_id, idempotency_key, asked)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            bill = bill_draft(by, party_id, to, terms, now)
            bill.idempotency_key, bill.request_hash, bill.created_at = idempotency_key, asked, now
            if approval_id is not None:
                bill.approval = approval_take(approval_id, action_of(bill), by, now)
                return _begin(bill, now)
            if exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id):
                return _begin(bill, now)
            bill.state, bill.expires_at = BillState.REQUIRES_APPROVAL, now + APPROVAL_WAIT
            bill.approval = approval_request(by, action_of(bill), now, next_path=bill_page(bill))
            bill.save(force_insert=True)
            due.schedule("payments.bill_expire", run_key=str(bill.id), due_at=bill.expires_at, bill_id=bill.id)
            tell(bill, "requires_approval")
            return bill
    except (IntegrityError, HubError):
        found = _replayed(party_id, idempotency_key, asked)
        if found is None:
            raise
        return found


@transaction.atomic
def bill_approve(*, by: Person, bill_id: UUID, approval_id: UUID | None = None, now: datetime) -> Bill:
    """
    Go on with a bill, or with a change of one, that waited for approval: everything is checked again, as it is now.

    :raises NotFound: not there, or not theirs.
    :raises BillNotWaiting: nothing waits, or it waited too long.
    :raises ApprovalInvalid: not confirmed, used, expired, or for something else.
    """
    bill = mine(by, bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL:
        wanted = approval_id or bill.approval_id
        if wanted is None or (bill.expires_at is not None and now >= bill.expires_at):
            raise BillNotWaiting()
        can_be_paid(bill)
        bill.approval = approval_take(wanted, action_of(bill), by, now)
        due.cancel("payments.bill_expire", run_key=str(bill.id))
        return _begin(bill, now)
    if bill.change and bill.is_living:
        wanted = approval_id or bill.change_approval_id
        if wanted is None:
            raise BillNotWaiting()
        changed = with_terms(bill, terms_read(bill.change), by, now)
        changed.approval = approval_take(wanted, action_of(changed, change=True), by, now)
        return terms_apply(changed, now)
    if bill.state == BillState.ACTIVE:
        return bill
    raise BillNotWaiting()


@transaction.atomic
def bill_approval_request(*, by: Person, bill_id: UUID, now: datetime) -> Approval:
    """
    Ask again, after the five minutes of the first approval have passed.

    :raises NotFound: not there, or not theirs.
    :raises BillNotWaiting: nothing waits.
    """
    bill = mine(by, bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL and not (bill.expires_at is not None and now >= bill.expires_at):
        bill.approval = approval_request(by, action_of(bill), now, next_path=bill_page(bill))
        bill.save(update_fields=["approval"])
        return bill.approval
    if bill.change and bill.is_living:
        changed = with_terms(bill, terms_read(bill.change), by, now)
        bill = Bill.objects.get(id=bill.id)
        bill.change_approval = approval_request(by, action_of(changed, change=True), now, next_path=bill_page(bill))
        bill.save(update_fields=["change_approval"])
        return bill.change_approval
    raise BillNotWaiting()


def _begin(bill: Bill, now: datetime) -> Bill:
    bill.state = BillState.ACTIVE
    if bill._state.adding:
        bill.save(force_insert=True)
    else:
        bill.save()
    tell(bill, "created")
    if plan_next(bill, after=bill.plan_today(now) - timedelta(days=1), now=now) is None:
        end(bill, "completed", now)
    return bill


def _replayed(party_id: UUID, key: str, asked: bytes) -> Bill | None:
    key_check(key)
    found = Bill.objects.filter(party_id=party_id, idempotency_key=key).first()
    if found is not None and not hmac.compare_digest(bytes(found.request_hash), asked):
        raise IdempotencyConflict()
    return found

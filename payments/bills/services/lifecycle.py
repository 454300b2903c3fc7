"""What becomes of a bill that is agreed: paused, resumed, a payment left out, ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import selectors as accounts
from accounts.errors import PayeeClosed
from accounts.models import Membership, Person
from core import due
from core.errors import NotFound
from payments.bills.errors import BillEnded, NothingComing
from payments.bills.models import Bill, BillRun, BillState, RunState
from payments.bills.services.runs import KIND, plan_next, run_key, tell
from payments.bills.services.terms import wallet_open_of


@transaction.atomic
def bill_pause(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """
    Pay nothing until it is resumed; days that come meanwhile are skipped. Pausing twice changes nothing.

    :raises NotFound, BillEnded: not theirs, or over.
    """
    bill = living(by, bill_id)
    if bill.state == BillState.ACTIVE:
        bill.state, bill.reason = BillState.PAUSED, ""
        bill.save(update_fields=["state", "reason"])
        tell(bill, "paused")
    return bill


@transaction.atomic
def bill_resume(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """
    Pay again, from the next day on. The mandate is the one that was approved.

    :raises NotFound, BillEnded: not theirs, or over.
    :raises WalletClosed, PayeeClosed: why it was paused still holds.
    """
    bill = living(by, bill_id)
    if bill.state == BillState.PAUSED:
        can_be_paid(bill)
        bill.state, bill.reason = BillState.ACTIVE, ""
        bill.save(update_fields=["state", "reason"])
        tell(bill, "resumed")
    return bill


@transaction.atomic
def bill_skip_next(*, by: Person, bill_id: UUID, period: str = "", now: datetime) -> Bill:
    """
    Leave out the next payment. `period` says which one the person saw, so that pressing twice skips one.

    :raises NotFound, BillEnded: not theirs, or over.
    :raises NothingComing: it has been decided meanwhile.
    """
    bill = living(by, bill_id)
    run = bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]).order_by("on_date").first()
    if run is None or (period and run.period != period):
        raise NothingComing()
    was_coming = run.state == RunState.SCHEDULED
    skip(bill, run, "skipped", now)
    if was_coming and plan_next(bill, after=run.on_date, now=now) is None:
        end(bill, "completed", now)
    return bill


@transaction.atomic
def bill_end(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """
    End it for good; what is on its way to a bank still arrives. Ending twice changes nothing.

    :raises NotFound: not theirs.
    """
    bill = mine(by, bill_id)
    if bill.state != BillState.ENDED:
        end(bill, "ended", now)
    return bill


@transaction.atomic
def bills_end_all(*, party_id: UUID, now: datetime) -> int:
    """For a party that closes its account; returns how many were ended."""
    found = list(Bill.objects.select_for_update().filter(party_id=party_id).exclude(state=BillState.ENDED).order_by("id"))
    for bill in found:
        end(bill, "account_closed", now)
    return len(found)


@transaction.atomic
def bill_expire(*, bill_id: UUID, now: datetime) -> None:
    """End a bill nobody approved in time; anything else stays as it is."""
    bill = Bill.objects.select_for_update().get(id=bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL:
        end(bill, "expired", now)


def mine(by: Person, bill_id: UUID) -> Bill:
    """The bill, locked.

    :raises NotFound: not there, or not theirs.
    """
    found = Bill.objects.filter(id=bill_id).values_list("party_id", flat=True).first()
    if found is None or accounts.role_of(by, found) is None:
        raise NotFound()
    accounts.party_get(by, found, role=Membership.Role.MEMBER)
    locked = Bill.objects.select_for_update(of=("self",))
    return locked.select_related("wallet", "bank_account", "approval", "change_approval").get(id=bill_id)


def living(by: Person, bill_id: UUID) -> Bill:
    """:raises NotFound, BillEnded: not theirs, or over."""
    bill = mine(by, bill_id)
    if not bill.is_living:
        raise BillEnded()
    return bill


def can_be_paid(bill: Bill) -> None:
    """:raises WalletClosed, PayeeClosed: one of the two sides is gone."""
    wallet_open_of(bill.party_id, bill.wallet_id)
    if bill.payee_party_id is not None and not accounts.payee_is_open(bill.payee_party_id):
        raise PayeeClosed()


def end(bill: Bill, reason: str, now: datetime) -> None:
    """End a locked bill and leave out what was coming; `reason` is a code of payments.bills.words."""
    for run in bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]):
        skip(bill, run, reason, now, quiet=True)
    due.cancel("payments.bill_expire", run_key=str(bill.id))
    bill.state, bill.reason, bill.ended_at = BillState.ENDED, reason, now
    bill.change, bill.change_approval = "", None
    bill.save()
    tell(bill, "ended", code=reason)


def skip(bill: Bill, run: BillRun, code: str, now: datetime, *, quiet: bool = False) -> None:
    run.bill = bill
    run.state, run.failure_code, run.decided_at = RunState.SKIPPED, code, now
    run.save(update_fields=["state", "failure_code", "decided_at"])
    due.cancel(KIND, run_key=run_key(run))
    if not quiet:
        tell(bill, "skipped", run=run, code=code)

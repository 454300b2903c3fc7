"""How much the next payment of an "up to" bill is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import selectors as accounts
from accounts.models import Membership, Person
from core import due
from core.errors import NotFound
from core.money import CurrencyMismatch, Money, amount_check
from payments.bills.errors import (
    AboveCap,
    AmountFixed,
    BillEnded,
    NothingComing,
)
from payments.bills.models import Bill, BillRun, RunState
from payments.bills.services.runs import KIND, run_key, tell


def bill_amount_set(*, by: Person, bill_id: UUID, amount: Money, period: str = "", now: datetime) -> BillRun:
    """
    Say how much the next payment of an "up to" bill is: by its payer beforehand, or asked for by its payee when that is a
    party of the hub. A payment that waited for it is tried at once.

    :raises NotFound: neither payer nor payee.
    :raises AmountFixed, BillEnded, NothingComing: there is nothing to say.
    :raises CurrencyMismatch, AmountInvalid: about the amount.
    :raises AboveCap: more than the payer allowed; the payer is told that it was asked for.
    """
    try:
        return _amount_set(by, bill_id, amount, period, now)
    except AboveCap:
        if not Bill.objects.filter(id=bill_id, party_id__in=accounts.parties_for(by).values("id")).exists():
            _amount_refusal_tell(bill_id, amount)
        raise


@transaction.atomic
def _amount_set(by: Person, bill_id: UUID, amount: Money, period: str, now: datetime) -> BillRun:
    bill = Bill.objects.select_for_update(of=("self",)).filter(id=bill_id).first()
    if bill is None:
        raise NotFound()
    payer = accounts.role_of(by, bill.party_id) is not None
    if not payer and (bill.payee_party_id is None or not bill.is_living or accounts.role_of(by, bill.payee_party_id) is None):
        raise NotFound()
    accounts.party_get(by, bill.party_id if payer else bill.payee_party_id or bill.party_id, role=Membership.Role.MEMBER)
    if not bill.is_living:
        raise BillEnded()
    if not bill.is_up_to:
        raise AmountFixed()
    amount_check(amount)
    if amount.currency != bill.currency:
        raise CurrencyMismatch(field="amount", expected=bill.currency, found=amount.currency)
    run = bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]).order_by("on_date").first()
    if run is None or (period and run.period != period):
        raise NothingComing()
    if amount > bill.amount:
        raise AboveCap()
    run.amount_minor = amount.amount
    if run.state == RunState.RETRYING and run.failure_code == "amount_missing":
        run.due_at = now
        due.reschedule(KIND, run_key=run_key(run), due_at=now)
    run.save(update_fields=["amount_minor", "due_at"])
    tell(bill, "amount_set", run=run)
    return run


@transaction.atomic
def _amount_refusal_tell(bill_id: UUID, amount: Money) -> None:
    """The payee asked for more than the payer allows: the payer is told. Behind the rollback of the refusal itself."""
    bill = Bill.objects.get(id=bill_id)
    run = bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]).order_by("on_date").first()
    if run is not None:
        run.amount_minor = amount.amount
    tell(bill, "amount_refused", run=run, code="above_cap")

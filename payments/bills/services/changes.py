"""Other terms for a bill that lives: from the next payment on, after approval where that is needed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.approvals import approval_request
from accounts.models import Person
from core import due
from payments import exemptions
from payments.bills.errors import BillEnded
from payments.bills.models import OPEN_RUNS, Bill, RunState
from payments.bills.services.lifecycle import end, mine
from payments.bills.services.runs import KIND, plan_next, run_key, tell
from payments.bills.services.terms import (
    BillPreview,
    Terms,
    action_of,
    bill_page,
    first_days,
    payee_words,
    terms_of,
    terms_plain,
    terms_put,
)


def bill_change_preview(*, by: Person, bill_id: UUID, terms: Terms, now: datetime, present: bool = True) -> BillPreview:
    """:raises: what bill_change raises, but for approval."""
    with transaction.atomic():
        bill = with_terms(mine(by, bill_id), terms, by, now)
        name, detail = payee_words(bill)
        exempt = exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id)
        transaction.set_rollback(True)
    return BillPreview(bill, name, detail, not exempt, first_days(bill, now))


@transaction.atomic
def bill_change(*, by: Person, bill_id: UUID, terms: Terms, now: datetime, present: bool = True) -> Bill:
    """
    Agree on other terms with the same payee, from the next payment on. What needs an approval (`bill.change` is set then)
    is as before until `bill_approve`; a new change takes the place of one that waits. Periods paid or skipped stay so.

    :raises NotFound: not there, or not theirs.
    :raises BillEnded: it is over.
    :raises: what bill_create raises about the terms.
    """
    bill = mine(by, bill_id)
    before = terms_of(bill)
    changed = with_terms(bill, terms, by, now)
    only_words = replace(before, name=terms.name, note=terms.note) == terms_of(changed)
    exempt = exemptions.bill_exempt(by=by, present=present, amount=changed.amount, payee_party=changed.payee_party_id)
    if only_words:
        changed.save()
        tell(changed, "changed")
        return changed
    if exempt:
        return terms_apply(changed, now)
    bill = Bill.objects.get(id=bill_id)
    bill.change = json.dumps(terms_plain(terms), sort_keys=True)
    bill.change_approval = approval_request(by, action_of(changed, change=True), now, next_path=bill_page(bill))
    bill.save()
    return bill


@transaction.atomic
def bill_change_drop(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """Forget a change that waits for approval."""
    bill = mine(by, bill_id)
    bill.change, bill.change_approval = "", None
    bill.save()
    return bill


def with_terms(bill: Bill, terms: Terms, by: Person, now: datetime) -> Bill:
    """The bill, not saved, as it would be under other terms; every check that can be made beforehand."""
    if not bill.is_living:
        raise BillEnded()
    bill.time_zone = by.time_zone
    terms_put(bill, terms, now, fresh=False)
    return bill


def terms_apply(bill: Bill, now: datetime) -> Bill:
    """New terms hold from the next payment on: the one that was coming is planned anew, one that is retried has the new amount."""
    bill.change, bill.change_approval = "", None
    bill.save()
    coming = bill.runs.filter(state=RunState.SCHEDULED).first()
    said = coming.amount_minor if coming is not None and bill.is_up_to else None
    if coming is not None:
        due.cancel(KIND, run_key=run_key(coming))
        coming.delete()
    if not bill.is_up_to:
        bill.runs.filter(state=RunState.RETRYING).update(amount_minor=bill.amount_minor)
    last = bill.runs.order_by("-on_date").values_list("on_date", flat=True).first()
    yesterday = bill.plan_today(now) - timedelta(days=1)
    planned = plan_next(bill, after=max(last, yesterday) if last else yesterday, now=now)
    tell(bill, "changed")
    if planned is None and not bill.runs.filter(state__in=OPEN_RUNS).exists():
        end(bill, "completed", now)
    elif planned is not None and said is not None and said <= bill.amount_minor:
        planned.amount_minor = said
        planned.save(update_fields=["amount_minor"])
    return bill

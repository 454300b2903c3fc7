"""
Thousands of bills on one day: those with nothing special about them are paid many at a time.

A batch only ever does what bill_run would do for each, and leaves alone whatever it is not sure of; bill_run then judges it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from core import crypto, due, events
from core.errors import HubError
from core.models import DueWork
from payments.bills.models import Bill, BillRun, BillState, RunState
from payments.bills.services.runs import KIND, end_if_over, fact, plan_next, run_draft, run_key, slots_of
from payments.models import Payment
from payments.services.batches import transfers_post_plain
from payments.services.mandated import bill_payment

Wanted = tuple[UUID, str]


@transaction.atomic
def bill_runs(*, wanted: Collection[Wanted], now: datetime) -> set[Wanted]:
    """
    Pay, of these runs (bill and period), the plain ones: first tries to people here for an amount that is known.

    Returns those that are paid; the others are as they were.
    """
    bills = {
        bill.id: bill
        for bill in Bill.objects.select_for_update(of=("self",))
        .select_related("wallet")
        .filter(id__in={bill_id for bill_id, _period in wanted}, state=BillState.ACTIVE, payee_party__isnull=False)
        .order_by("id")
    }
    crypto.data_keys_warm({bill.party_id for bill in bills.values()})
    drafts = dict(_drafts(bills, set(wanted), now))
    posted = transfers_post_plain(list(drafts), now)
    runs = [drafts[payment] for payment in posted]
    _mark_paid(posted, runs, now)
    events.emit_all("payments.bill.paid", [(run.bill.party_id, fact(run.bill, run)) for run in runs])
    _plan_next_all(runs, now)
    return {(run.bill_id, run.period) for run in runs}


def _drafts(bills: dict[UUID, Bill], wanted: set[Wanted], now: datetime) -> Iterable[tuple[Payment, BillRun]]:
    for run in BillRun.objects.filter(bill_id__in=bills, state=RunState.SCHEDULED, due_at__lte=now, amount_minor__isnull=False):
        if (run.bill_id, run.period) not in wanted:
            continue
        run.bill = bills[run.bill_id]
        assert run.amount is not None
        try:
            yield bill_payment(bill=run.bill, period=run.period, amount=run.amount, now=now), run
        except HubError:
            continue


def _mark_paid(payments: list[Payment], runs: list[BillRun], now: datetime) -> None:
    for payment, run in zip(payments, runs, strict=True):
        run.state, run.payment, run.tries, run.decided_at, run.failure_code = RunState.PAID, payment, run.tries + 1, now, ""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_billrun AS run SET state = 'paid', failure_code = '', tries = tries + 1, decided_at = %s,"
            " payment_id = paid.payment FROM unnest(%s::uuid[], %s::uuid[]) AS paid (run, payment) WHERE run.id = paid.run",
            [now, [run.id for run in runs], [payment.id for payment in payments]],
        )


def _plan_next_all(runs: list[BillRun], now: datetime) -> None:
    following = []
    for run in runs:
        slot = next(slots_of(run.bill, run.on_date, now), None)
        if slot is None:
            end_if_over(run.bill, now)
        else:
            following.append((run, run_draft(run.bill, slot)))
    known = set(BillRun.objects.filter(bill__in=[run.bill for run, _next in following]).values_list("bill_id", "period"))
    keys = [run_key(draft) for _run, draft in following]
    in_line = set(DueWork.objects.filter(kind=KIND, run_key__in=keys).values_list("run_key", flat=True))
    fresh = []
    for run, draft in following:
        if (draft.bill_id, draft.period) in known or run_key(draft) in in_line:
            plan_next(run.bill, after=run.on_date, now=now)
        else:
            fresh.append(draft)
    BillRun.objects.bulk_create(fresh)
    due.schedule_all(KIND, [(run_key(run), run.due_at, {"bill_id": run.bill_id, "period": run.period}) for run in fresh])

"""
What happens on a bill's day. Every write of a bill or one of its runs is made under the lock of the bill's row.

A run is paid in one transaction with its own mark, its event and the next run, so that a process may be killed anywhere:
either all of it is there or nothing, and then the due row is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.errors import PartyClosed, PayeeClosed
from compliance.errors import LimitExceeded
from core import due, events
from core.errors import HubError
from core.models import DueWork
from core.rates import RateMissing
from payments.bills.errors import AmountMissing
from payments.bills.models import OPEN_RUNS, Bill, BillRun, BillState, RunState
from payments.bills.schedule import Shift, Slot, working_day
from payments.models import Payment, State
from payments.services.mandated import bill_pay
from wallets.errors import AccountClosed, InsufficientFunds, WalletClosed

KIND = "payments.bill_run"
# After an unpaid day it is tried the day after, and once more two days after that, at the bill's own time of day.
RETRY_DAYS = (1, 2)
NOT_NOW = (InsufficientFunds, LimitExceeded, RateMissing, AmountMissing)
# Nothing will change by itself: the bill is paused and the person told.
NOT_ANY_MORE = (WalletClosed, AccountClosed, PayeeClosed, PartyClosed)
FOLLOW_FIRST, FOLLOW_MOST = timedelta(seconds=10), timedelta(hours=1)

_PAID = (State.POSTED,)
_LOST = (State.FAILED, State.CANCELLED, State.EXPIRED, State.REVERSED)


def run_key(run: BillRun) -> str:
    return f"{run.bill_id}:{run.period}"


def bill_run(*, bill_id: UUID, period: str, now: datetime) -> datetime | None:
    """
    Do what a run needs now: pay it, try it again, or see what became of its payment. Safe to do any number of times.

    Returns when to look again, or None when it is decided.
    """
    try:
        return _attempt(bill_id, period, now)
    except HubError as error:
        # Behind the rollback of everything the attempt had begun.
        return _not_paid(bill_id, period, error, now)


@transaction.atomic
def _attempt(bill_id: UUID, period: str, now: datetime) -> datetime | None:
    bill, run = _locked(bill_id, period)
    if run is None or not run.is_open:
        return None
    if run.state == RunState.UNDER_WAY:
        return _follow(bill, run, now)
    if run.due_at > now:
        return run.due_at
    if bill.state != BillState.ACTIVE:
        _decide(bill, run, RunState.SKIPPED, now, code=bill.state)
        return None
    if run.amount is None:
        raise AmountMissing()
    run.payment = bill_pay(bill=bill, period=run.period, amount=run.amount, now=now)
    run.tries += 1
    if run.payment.state in _PAID:
        _decide(bill, run, RunState.PAID, now)
        return None
    _decide(bill, run, RunState.UNDER_WAY, now)
    return now + FOLLOW_FIRST


@transaction.atomic
def _not_paid(bill_id: UUID, period: str, error: HubError, now: datetime) -> datetime | None:
    bill, run = _locked(bill_id, period)
    if run is None or run.state not in (RunState.SCHEDULED, RunState.RETRYING):
        return None
    run.tries += 1
    if isinstance(error, NOT_NOW) and run.tries <= len(RETRY_DAYS):
        run.due_at = bill.plan.moment(bill.plan_today(now) + timedelta(days=RETRY_DAYS[run.tries - 1]))
        _decide(bill, run, RunState.RETRYING, now, code=error.code)
        return run.due_at
    _decide(bill, run, RunState.FAILED, now, code=error.code)
    if isinstance(error, NOT_ANY_MORE) and bill.state == BillState.ACTIVE:
        bill.state, bill.reason = BillState.PAUSED, error.code
        bill.save(update_fields=["state", "reason"])
        tell(bill, "paused", code=error.code)
    return None


def payment_followed(*, payment_id: UUID, now: datetime) -> None:
    """Something became of a payment: if a bill made it, its run follows, also one that had been paid before."""
    found = BillRun.objects.filter(payment_id=payment_id).values_list("bill_id", "period").first()
    if found is None:
        return
    with transaction.atomic():
        bill, run = _locked(*found)
        if run is not None and run.state in (RunState.UNDER_WAY, RunState.PAID):
            _follow(bill, run, now)


def _follow(bill: Bill, run: BillRun, now: datetime) -> datetime | None:
    assert run.payment_id is not None
    payment = Payment.objects.get(id=run.payment_id)
    if payment.state in _PAID:
        if run.state != RunState.PAID:
            _decide(bill, run, RunState.PAID, now)
        return None
    # A transfer that staff reversed was paid all the same.
    if payment.state in _LOST and not (payment.state == State.REVERSED and run.state == RunState.PAID):
        _decide(bill, run, RunState.FAILED, now, code=payment.failure_code or payment.state)
        return None
    return now + min(max((now - payment.created_at) / 2, FOLLOW_FIRST), FOLLOW_MOST)


def _locked(bill_id: UUID, period: str) -> tuple[Bill, BillRun | None]:
    """The bill's row is the lock; the run is read behind it, as it is then. A changed bill may have none for the period."""
    bill = Bill.objects.select_for_update(of=("self",)).select_related("wallet").get(id=bill_id)
    run = BillRun.objects.filter(bill_id=bill_id, period=period).first()
    if run is not None:
        run.bill = bill
    return bill, run


def _decide(bill: Bill, run: BillRun, state: RunState, now: datetime, *, code: str = "") -> None:
    """Move a run on, tell, and see to it that the next one is in line."""
    was_coming = run.state == RunState.SCHEDULED
    run.state, run.failure_code = state, code
    if not run.is_open:
        run.decided_at = now
    run.save(update_fields=["state", "failure_code", "decided_at", "due_at", "tries", "payment"])
    if state is not RunState.UNDER_WAY:
        tell(bill, state.value, run=run, code=code)
    following = plan_next(bill, after=run.on_date, now=now) if was_coming and bill.is_living else None
    if following is None and not run.is_open and bill.is_living:
        end_if_over(bill, now)


def end_if_over(bill: Bill, now: datetime) -> None:
    if bill.runs.filter(state__in=OPEN_RUNS).exists():
        return
    bill.state, bill.reason, bill.ended_at = BillState.ENDED, "completed", now
    bill.save(update_fields=["state", "reason", "ended_at"])
    tell(bill, "ended", code="completed")


def plan_next(bill: Bill, *, after: date | None, now: datetime) -> BillRun | None:
    """Put the first period behind `after` in line that has no run yet; None when the bill is over."""
    for slot in slots_of(bill, after, now):
        if BillRun.objects.filter(bill=bill, period=slot.period).exists():
            continue
        run = run_draft(bill, slot)
        run.save(force_insert=True)
        work = due.schedule(KIND, run_key=run_key(run), due_at=run.due_at, bill_id=bill.id, period=run.period)
        if (work.state, work.due_at) != (DueWork.State.WAITING, run.due_at):
            # The period was in line before, and the bill was changed since.
            due.reschedule(KIND, run_key=run_key(run), due_at=run.due_at, revive=True)
        return run
    return None


def run_draft(bill: Bill, slot: Slot) -> BillRun:
    """The run of a slot, not saved; the amount of an "up to" bill is not known yet."""
    amount = None if bill.is_up_to else bill.amount_minor
    return BillRun(bill=bill, period=slot.period, on_date=slot.on_date, pay_on=slot.pay_on, due_at=slot.due_at, amount_minor=amount)


def slots_of(bill: Bill, after: date | None, now: datetime) -> Iterator[Slot]:
    """The plan's slots; one whose working day lies before today (a bill set up on a Saturday for Sunday) goes to the next."""
    plan = bill.plan
    today = bill.plan_today(now)
    for slot in plan.slots(after=after):
        if slot.pay_on < today <= slot.on_date:
            pay_on = working_day(slot.on_date, Shift.AFTER, plan.country)
            slot = replace(slot, pay_on=pay_on, due_at=plan.moment(pay_on))
        yield slot


def tell(bill: Bill, what: str, *, run: BillRun | None = None, code: str = "") -> None:
    events.emit(f"payments.bill.{what}", party_id=bill.party_id, **fact(bill, run, code=code))


def fact(bill: Bill, run: BillRun | None = None, *, code: str = "") -> dict[str, str | int | UUID | None]:
    """What `payments.bill.<what>` carries: ids, amounts and codes."""
    about: dict[str, str | int | UUID | None] = {"bill_id": bill.id, "currency": bill.currency, "code": code}
    if run is not None:
        about |= {"run_id": run.id, "period": run.period, "payment_id": run.payment_id, "amount": run.amount_minor, "tries": run.tries}
        if run.state == RunState.RETRYING:
            about["again_at"] = run.due_at.isoformat()
    return about

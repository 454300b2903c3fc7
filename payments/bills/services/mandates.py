"""Setting bills up, changing, pausing and ending them: what a person decides, and their word for it."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import NoReverseMatch, reverse

from accounts import selectors as accounts
from accounts.approvals import Action, approval_request, approval_take
from accounts.errors import PayeeClosed, PayeeOwn
from accounts.models import Approval, Membership, Person
from compliance import limits
from compliance.errors import LimitExceeded
from compliance.models import Direction, Window
from core import due
from core.errors import HubError, NotFound
from core.idempotency import IdempotencyConflict, key_check
from core.money import CurrencyMismatch, Money, amount_check
from payments import exemptions
from payments.bills.errors import (
    AboveCap,
    AmountFixed,
    BillEnded,
    BillNotWaiting,
    DateInPast,
    DateTooFar,
    LastBeforeFirst,
    NameRequired,
    NothingComing,
    PayeeRequired,
    ScheduleInvalid,
)
from payments.bills.models import NAME_MAX, OPEN_RUNS, AmountKind, Bill, BillRun, BillState, RunState
from payments.bills.schedule import INTERVAL_MAX, Every, Shift, countries
from payments.bills.services.runs import KIND, plan_next, run_key, slots_of, tell
from payments.errors import PayeeIsSelf
from payments.services.movements import note_check, request_hash
from payments.services.payouts import bank_account_get, carried_check
from wallets import selectors as wallets
from wallets.errors import WalletClosed
from wallets.models import Wallet

APPROVAL_WAIT = timedelta(days=1)
AHEAD = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    What is agreed. `amount` is each run's, or with `up_to` the most of one. `anchor` is the day of the month (None: that of
    `first_on`); weeks keep the weekday of `first_on`. `at` is a time of day where the person lives.
    """

    name: str
    wallet_id: UUID
    amount: Money
    first_on: date
    up_to: bool = False
    note: str = ""
    every: Every = Every.MONTH
    interval: int = 1
    anchor: int | None = None
    last_on: date | None = None
    shift: Shift = Shift.NONE
    country: str = ""
    at: time = time(8)


@dataclass(frozen=True, slots=True)
class To:
    """Who is paid: `payee` is the e-mail address or handle of somebody here, `iban` and `holder` a bank account."""

    payee: str = ""
    iban: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class BillPreview:
    """What is shown before anything is agreed; `first` are the first days of paying."""

    bill: Bill
    payee_name: str
    payee_detail: str
    needs_approval: bool
    days: tuple[date, ...]


def bill_preview(*, by: Person, party_id: UUID, to: To, terms: Terms, now: datetime, present: bool = True) -> BillPreview:
    """
    Everything that can be checked before setting a bill up, without writing anything.

    :raises: what bill_create raises, but for approval.
    """
    accounts.party_get(by, party_id, role=Membership.Role.MEMBER)
    with transaction.atomic():
        bill = _draft(by, party_id, to, terms, now)
        name, detail = payee_words(bill)
        exempt = exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id)
        transaction.set_rollback(True)
    return BillPreview(bill, name, detail, not exempt, _first_days(bill, now))


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
    asked = request_hash(kind="bill", to=asdict(to), terms=_plain(terms))
    found = _replayed(party_id, idempotency_key, asked)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            bill = _draft(by, party_id, to, terms, now)
            bill.idempotency_key, bill.request_hash, bill.created_at = idempotency_key, asked, now
            if approval_id is not None:
                bill.approval = approval_take(approval_id, _action(bill), by, now)
                return _begin(bill, now)
            if exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id):
                return _begin(bill, now)
            bill.state, bill.expires_at = BillState.REQUIRES_APPROVAL, now + APPROVAL_WAIT
            bill.approval = approval_request(by, _action(bill), now, next_path=bill_page(bill))
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
    bill = _mine(by, bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL:
        wanted = approval_id or bill.approval_id
        if wanted is None or (bill.expires_at is not None and now >= bill.expires_at):
            raise BillNotWaiting()
        _can_be_paid(bill)
        bill.approval = approval_take(wanted, _action(bill), by, now)
        due.cancel("payments.bill_expire", run_key=str(bill.id))
        return _begin(bill, now)
    if bill.change and bill.is_living:
        wanted = approval_id or bill.change_approval_id
        if wanted is None:
            raise BillNotWaiting()
        changed = _changed(bill, _read(bill.change), by, now)
        changed.approval = approval_take(wanted, _action(changed, change=True), by, now)
        return _apply(changed, now)
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
    bill = _mine(by, bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL and not (bill.expires_at is not None and now >= bill.expires_at):
        bill.approval = approval_request(by, _action(bill), now, next_path=bill_page(bill))
        bill.save(update_fields=["approval"])
        return bill.approval
    if bill.change and bill.is_living:
        changed = _changed(bill, _read(bill.change), by, now)
        bill = Bill.objects.get(id=bill.id)
        bill.change_approval = approval_request(by, _action(changed, change=True), now, next_path=bill_page(bill))
        bill.save(update_fields=["change_approval"])
        return bill.change_approval
    raise BillNotWaiting()


@transaction.atomic
def bill_expire(*, bill_id: UUID, now: datetime) -> None:
    """End a bill nobody approved in time; anything else stays as it is."""
    bill = Bill.objects.select_for_update().get(id=bill_id)
    if bill.state == BillState.REQUIRES_APPROVAL:
        _end(bill, "expired", now)


def bill_change_preview(*, by: Person, bill_id: UUID, terms: Terms, now: datetime, present: bool = True) -> BillPreview:
    """:raises: what bill_change raises, but for approval."""
    with transaction.atomic():
        bill = _changed(_mine(by, bill_id), terms, by, now)
        name, detail = payee_words(bill)
        exempt = exemptions.bill_exempt(by=by, present=present, amount=bill.amount, payee_party=bill.payee_party_id)
        transaction.set_rollback(True)
    return BillPreview(bill, name, detail, not exempt, _first_days(bill, now))


@transaction.atomic
def bill_change(*, by: Person, bill_id: UUID, terms: Terms, now: datetime, present: bool = True) -> Bill:
    """
    Agree on other terms with the same payee, from the next payment on. What needs an approval (`bill.change` is set then)
    is as before until `bill_approve`; a new change takes the place of one that waits. Periods paid or skipped stay so.

    :raises NotFound: not there, or not theirs.
    :raises BillEnded: it is over.
    :raises: what bill_create raises about the terms.
    """
    bill = _mine(by, bill_id)
    before = terms_of(bill)
    changed = _changed(bill, terms, by, now)
    only_words = replace(before, name=terms.name, note=terms.note) == terms_of(changed)
    exempt = exemptions.bill_exempt(by=by, present=present, amount=changed.amount, payee_party=changed.payee_party_id)
    if only_words:
        changed.save()
        tell(changed, "changed")
        return changed
    if exempt:
        return _apply(changed, now)
    bill = Bill.objects.get(id=bill_id)
    bill.change = json.dumps(_plain(terms), sort_keys=True)
    bill.change_approval = approval_request(by, _action(changed, change=True), now, next_path=bill_page(bill))
    bill.save()
    return bill


@transaction.atomic
def bill_change_drop(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """Forget a change that waits for approval."""
    bill = _mine(by, bill_id)
    bill.change, bill.change_approval = "", None
    bill.save()
    return bill


@transaction.atomic
def bill_pause(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """
    Pay nothing until it is resumed; days that come meanwhile are skipped. Pausing twice changes nothing.

    :raises NotFound, BillEnded: not theirs, or over.
    """
    bill = _living(by, bill_id)
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
    bill = _living(by, bill_id)
    if bill.state == BillState.PAUSED:
        _can_be_paid(bill)
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
    bill = _living(by, bill_id)
    run = bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]).order_by("on_date").first()
    if run is None or (period and run.period != period):
        raise NothingComing()
    was_coming = run.state == RunState.SCHEDULED
    _skip(bill, run, "skipped", now)
    if was_coming and plan_next(bill, after=run.on_date, now=now) is None:
        _end(bill, "completed", now)
    return bill


@transaction.atomic
def bill_end(*, by: Person, bill_id: UUID, now: datetime) -> Bill:
    """
    End it for good; what is on its way to a bank still arrives. Ending twice changes nothing.

    :raises NotFound: not theirs.
    """
    bill = _mine(by, bill_id)
    if bill.state != BillState.ENDED:
        _end(bill, "ended", now)
    return bill


@transaction.atomic
def bills_end_all(*, party_id: UUID, now: datetime) -> int:
    """For a party that closes its account; returns how many were ended."""
    found = list(Bill.objects.select_for_update().filter(party_id=party_id).exclude(state=BillState.ENDED).order_by("id"))
    for bill in found:
        _end(bill, "account_closed", now)
    return len(found)


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


def terms_of(bill: Bill) -> Terms:
    return Terms(
        name=bill.name,
        note=bill.note,
        wallet_id=bill.wallet_id,
        amount=bill.amount,
        up_to=bill.is_up_to,
        every=Every(bill.every),
        interval=bill.interval,
        anchor=bill.anchor,
        first_on=bill.first_on,
        last_on=bill.last_on,
        shift=Shift(bill.shift),
        country=bill.country,
        at=bill.at,
    )


def payee_words(bill: Bill) -> tuple[str, str]:
    """The payee's name and a detail to recognise it by: a handle, or the IBAN."""
    if bill.payee_party_id is not None:
        payee = accounts.payee_get(bill.payee_party_id)
        return payee.display_name, f"@{payee.handle}" if payee.handle else ""
    assert bill.bank_account is not None
    return bill.bank_account.name, bill.bank_account.iban_grouped


def bill_page(bill: Bill) -> str:
    try:
        return reverse("bill", args=[bill.id])
    except NoReverseMatch:
        return ""


def _draft(by: Person, party_id: UUID, to: To, terms: Terms, now: datetime) -> Bill:
    """A bill that is not saved yet, with every check that can be made beforehand."""
    bill = Bill(party_id=party_id, by_person=by, state=BillState.ACTIVE, time_zone=by.time_zone)
    bill.created_at = now
    _payee_put(bill, to, now)
    _terms_put(bill, terms, now, fresh=True)
    return bill


def _payee_put(bill: Bill, to: To, now: datetime) -> None:
    if bool(to.payee.strip()) == bool(to.iban.strip() or to.holder.strip()):
        raise PayeeRequired()
    if not to.payee.strip():
        bill.bank_account = bank_account_get(party_id=bill.party_id, iban=to.iban, name=to.holder, now=now)
        return
    try:
        bill.payee_party_id = accounts.payee_find(to.payee, asking=bill.party_id).party_id
    except PayeeOwn as error:
        raise PayeeIsSelf() from error


def _terms_put(bill: Bill, terms: Terms, now: datetime, *, fresh: bool) -> None:
    name = " ".join(terms.name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise NameRequired()
    note_check(terms.note)
    amount_check(terms.amount)
    source = _wallet(bill.party_id, terms.wallet_id)
    if source.currency != terms.amount.currency:
        raise CurrencyMismatch(field="amount", expected=source.currency, found=terms.amount.currency)
    if bill.bank_account_id is not None:
        carried_check(terms.amount)
    _payment_limit_check(bill.party_id, terms.amount, now)
    _days_check(bill, terms, now, fresh=fresh)
    bill.name, bill.note, bill.wallet = name, terms.note.strip(), source
    bill.amount_kind = AmountKind.UP_TO if terms.up_to else AmountKind.FIXED
    bill.amount_minor, bill.currency = terms.amount.amount, terms.amount.currency
    bill.every, bill.interval = terms.every.value, terms.interval
    bill.anchor = terms.anchor or terms.first_on.day
    bill.first_on, bill.last_on = terms.first_on, terms.last_on
    bill.shift, bill.country, bill.at = terms.shift.value, terms.country, terms.at.replace(second=0, microsecond=0, tzinfo=None)
    if not _first_days(bill, now, count=1):
        raise LastBeforeFirst()


def _wallet(party_id: UUID, wallet_id: UUID) -> Wallet:
    source = wallets.wallet_get(party_id, wallet_id)
    if source.state != Wallet.State.OPEN:
        raise WalletClosed(field="wallet")
    return source


def _payment_limit_check(party_id: UUID, amount: Money, now: datetime) -> None:
    """What no single payment may be would fail on every day of the bill."""
    for line in limits.limits_for(party_id, now):
        if line.window is Window.PAYMENT and line.direction is Direction.OUT and limits.reference(amount) > line.limit:
            raise LimitExceeded(window=Window.PAYMENT, direction=Direction.OUT, limit=line.limit, left=line.limit)


def _days_check(bill: Bill, terms: Terms, now: datetime, *, fresh: bool) -> None:
    if not 1 <= terms.interval <= INTERVAL_MAX[terms.every.value]:
        raise ScheduleInvalid(field="interval")
    if terms.anchor is not None and not 1 <= terms.anchor <= 31:
        raise ScheduleInvalid(field="anchor")
    if terms.country and terms.country not in countries():
        raise ScheduleInvalid(field="country")
    today = bill.plan_today(now)
    if (fresh or terms.first_on != bill.first_on) and terms.first_on < today:
        raise DateInPast()
    if terms.first_on > today + AHEAD:
        raise DateTooFar()


def _first_days(bill: Bill, now: datetime, *, count: int = 4) -> tuple[date, ...]:
    """The next days of paying, as they would be; empty when there is none."""
    found = slots_of(bill, bill.plan_today(now) - timedelta(days=1), now)
    return tuple(slot.pay_on for slot in islice(found, count))


def _can_be_paid(bill: Bill) -> None:
    """:raises WalletClosed, PayeeClosed: one of the two sides is gone."""
    _wallet(bill.party_id, bill.wallet_id)
    if bill.payee_party_id is not None and not accounts.payee_is_open(bill.payee_party_id):
        raise PayeeClosed()


def _begin(bill: Bill, now: datetime) -> Bill:
    bill.state = BillState.ACTIVE
    if bill._state.adding:
        bill.save(force_insert=True)
    else:
        bill.save()
    tell(bill, "created")
    if plan_next(bill, after=bill.plan_today(now) - timedelta(days=1), now=now) is None:
        _end(bill, "completed", now)
    return bill


def _changed(bill: Bill, terms: Terms, by: Person, now: datetime) -> Bill:
    if not bill.is_living:
        raise BillEnded()
    bill.time_zone = by.time_zone
    _terms_put(bill, terms, now, fresh=False)
    return bill


def _apply(bill: Bill, now: datetime) -> Bill:
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
        _end(bill, "completed", now)
    elif planned is not None and said is not None and said <= bill.amount_minor:
        planned.amount_minor = said
        planned.save(update_fields=["amount_minor"])
    return bill


def _end(bill: Bill, reason: str, now: datetime) -> None:
    for run in bill.runs.filter(state__in=[RunState.SCHEDULED, RunState.RETRYING]):
        _skip(bill, run, reason, now, quiet=True)
    due.cancel("payments.bill_expire", run_key=str(bill.id))
    bill.state, bill.reason, bill.ended_at = BillState.ENDED, reason, now
    bill.change, bill.change_approval = "", None
    bill.save()
    tell(bill, "ended", code=reason)


def _skip(bill: Bill, run: BillRun, code: str, now: datetime, *, quiet: bool = False) -> None:
    run.bill = bill
    run.state, run.failure_code, run.decided_at = RunState.SKIPPED, code, now
    run.save(update_fields=["state", "failure_code", "decided_at"])
    due.cancel(KIND, run_key=run_key(run))
    if not quiet:
        tell(bill, "skipped", run=run, code=code)


def _action(bill: Bill, *, change: bool = False) -> Action:
    """What the person approves: this amount (or limit), to this payee, from this wallet, on these days."""
    return Action(
        kind="bill_change" if change else "bill",
        amount=bill.amount,
        payee=bill.payee_party_id,
        extra={
            "bill": str(bill.id) if change else None,
            "wallet": str(bill.wallet_id),
            "bank_account": str(bill.bank_account_id) if bill.bank_account_id else None,
            "amount_kind": bill.amount_kind,
            "every": f"{bill.interval} {bill.every} {bill.anchor}",
            "first_on": bill.first_on.isoformat(),
            "last_on": bill.last_on.isoformat() if bill.last_on else None,
            "at": f"{bill.at:%H:%M} {bill.time_zone} {bill.shift} {bill.country}",
        },
    )


def _replayed(party_id: UUID, key: str, asked: bytes) -> Bill | None:
    key_check(key)
    found = Bill.objects.filter(party_id=party_id, idempotency_key=key).first()
    if found is not None and not hmac.compare_digest(bytes(found.request_hash), asked):
        raise IdempotencyConflict()
    return found


def _plain(terms: Terms) -> dict[str, Any]:
    """Terms as JSON has them."""
    found: dict[str, Any] = {field.name: getattr(terms, field.name) for field in fields(terms)}
    return {
        **found,
        "wallet_id": str(terms.wallet_id),
        "amount": [terms.amount.amount, terms.amount.currency],
        "every": terms.every.value,
        "shift": terms.shift.value,
        "first_on": terms.first_on.isoformat(),
        "last_on": terms.last_on.isoformat() if terms.last_on else None,
        "at": f"{terms.at:%H:%M}",
    }


def _read(text: str) -> Terms:
    plain = json.loads(text)
    return Terms(
        **{
            **plain,
            "wallet_id": UUID(plain["wallet_id"]),
            "amount": Money(*plain["amount"]),
            "every": Every(plain["every"]),
            "shift": Shift(plain["shift"]),
            "first_on": date.fromisoformat(plain["first_on"]),
            "last_on": date.fromisoformat(plain["last_on"]) if plain["last_on"] else None,
            "at": time.fromisoformat(plain["at"]),
        }
    )


def _mine(by: Person, bill_id: UUID) -> Bill:
    found = Bill.objects.filter(id=bill_id).values_list("party_id", flat=True).first()
    if found is None or accounts.role_of(by, found) is None:
        raise NotFound()
    accounts.party_get(by, found, role=Membership.Role.MEMBER)
    locked = Bill.objects.select_for_update(of=("self",))
    return locked.select_related("wallet", "bank_account", "approval", "change_approval").get(id=bill_id)


def _living(by: Person, bill_id: UUID) -> Bill:
    bill = _mine(by, bill_id)
    if not bill.is_living:
        raise BillEnded()
    return bill

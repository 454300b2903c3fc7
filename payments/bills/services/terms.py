"""What a bill says: its terms and payee as they are typed, checked and put on a bill, and the action that a person approves."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from accounts import selectors as accounts
from accounts.approvals import Action
from accounts.errors import PayeeOwn
from accounts.models import Person
from compliance import limits
from compliance.errors import LimitExceeded
from compliance.models import Direction, Window
from core.money import CurrencyMismatch, Money, amount_check
from payments.bills.errors import (
    DateInPast,
    DateTooFar,
    LastBeforeFirst,
    NameRequired,
    PayeeRequired,
    ScheduleInvalid,
)
from payments.bills.models import NAME_MAX, AmountKind, Bill, BillState
from payments.bills.schedule import INTERVAL_MAX, Every, Shift, countries
from payments.bills.services.runs import slots_of
from payments.errors import PayeeIsSelf
from payments.services.bank_accounts import bank_account_get, carried_check
from payments.services.movements import note_check
from wallets import selectors as wallets
from wallets.errors import WalletClosed
from wallets.models import Wallet

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
    """What is shown before anything is agreed; `days` are the first days of paying."""

    bill: Bill
    payee_name: str
    payee_detail: str
    needs_approval: bool
    days: tuple[date, ...]


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


def action_of(bill: Bill, *, change: bool = False) -> Action:
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


def bill_draft(by: Person, party_id: UUID, to: To, terms: Terms, now: datetime) -> Bill:
    """A bill that is not saved yet, with every check that can be made beforehand."""
    bill = Bill(party_id=party_id, by_person=by, state=BillState.ACTIVE, time_zone=by.time_zone)
    bill.created_at = now
    _payee_put(bill, to, now)
    terms_put(bill, terms, now, fresh=True)
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


def terms_put(bill: Bill, terms: Terms, now: datetime, *, fresh: bool) -> None:
    """Check the terms and write them on the bill; `fresh` says that it is new, and its first day not past."""
    name = " ".join(terms.name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise NameRequired()
    note_check(terms.note)
    amount_check(terms.amount)
    source = wallet_open_of(bill.party_id, terms.wallet_id)
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
    if not first_days(bill, now, count=1):
        raise LastBeforeFirst()


def wallet_open_of(party_id: UUID, wallet_id: UUID) -> Wallet:
    """:raises WalletNotFound, WalletClosed: there is nothing to pay from."""
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


def first_days(bill: Bill, now: datetime, *, count: int = 4) -> tuple[date, ...]:
    """The next days of paying, as they would be; empty when there is none."""
    found = slots_of(bill, bill.plan_today(now) - timedelta(days=1), now)
    return tuple(slot.pay_on for slot in islice(found, count))


def terms_plain(terms: Terms) -> dict[str, Any]:
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


def terms_read(text: str) -> Terms:
    """Terms that were kept by `terms_plain`, as JSON."""
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

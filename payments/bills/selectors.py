"""Reading bills, always for one party."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from accounts import selectors as accounts
from accounts.models import Party
from core import crypto
from core.api.paging import older_than, place_pack, place_unpack
from core.errors import NotFound
from core.money import Money
from payments.bills.models import OPEN_RUNS, AmountKind, Bill, BillRun, BillState, RunState

# Periods looked ahead for one bill: two years of weeks.
AHEAD_MAX = 110
# Bills on a page, unless it is said otherwise.
PAGE = 50

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill as its payer sees it. `coming` is what happens next: a run in line, one tried again, or one on its way."""

    bill: Bill
    payee: str
    payee_detail: str
    coming: BillRun | None

    @property
    def id(self) -> UUID:
        return self.bill.id


@dataclass(frozen=True, slots=True)
class AskingView:
    """A bill as its payee sees it: nothing of what the payer keeps to themself, such as the limit."""

    id: UUID
    payer: str
    note: str
    is_up_to: bool
    currency: str
    period: str
    pay_on: date | None
    amount: Money | None
    """What this time's payment is; None while nobody has said."""


@dataclass(frozen=True, slots=True)
class Coming:
    """
    One payment ahead. `amount` is None when it is not known yet: then it is at most `at_most`. `is_sure` is False for those
    behind the next one, which a change of the bill may still move.
    """

    bill_id: UUID
    name: str
    payee: str
    wallet_id: UUID
    on: date
    due_at: datetime
    amount: Money | None
    at_most: Money
    is_retry: bool
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """`next_cursor` is empty at the end."""

    rows: list[Row]
    next_cursor: str


def bills_for(party_id: UUID, *, ended: bool = False, cursor: str = "", limit: int = PAGE) -> Page[BillView]:
    """
    The party's bills that are not over (or, with `ended`, that are), newest first.

    :raises CursorInvalid: not a cursor of this list.
    """
    rows = Bill.objects.filter(party_id=party_id).select_related("bank_account", "wallet")
    rows = rows.filter(state=BillState.ENDED) if ended else rows.exclude(state=BillState.ENDED)
    found, following = _page(rows, cursor, limit)
    return Page(_views(found), following)


def bill_get(party_id: UUID, bill_id: UUID) -> BillView:
    """:raises NotFound: not there, or somebody else's."""
    mine = Bill.objects.filter(id=bill_id, party_id=party_id)
    found = mine.select_related("bank_account", "wallet", "approval", "change_approval").first()
    if found is None:
        raise NotFound()
    return _views([found])[0]


def runs_of(bill: Bill, *, limit: int = 24) -> list[BillRun]:
    """The latest runs, the one that comes first."""
    return list(bill.runs.select_related("bill").order_by("-on_date")[:limit])


def bills_to(party_id: UUID, *, cursor: str = "", limit: int = PAGE) -> Page[AskingView]:
    """
    The "up to" bills by which others pay this party, newest first: it may say how much.

    :raises CursorInvalid: not a cursor of this list.
    """
    found, following = _page(_asking_of(party_id), cursor, limit)
    return Page(_askings(found), following)


def bill_asked(party_id: UUID, bill_id: UUID) -> AskingView:
    """:raises NotFound: not there, or this party is not its payee."""
    found = _askings(list(_asking_of(party_id).filter(id=bill_id)))
    if not found:
        raise NotFound()
    return found[0]


def bills_coming(party_id: UUID, start: date, end: date) -> list[Coming]:
    """
    Every payment of the party's active bills whose day is from `start` to `end`, both included, in order of time. Days are
    each bill's own (its time zone); a payment that is tried again stands on the day of its next try.
    """
    rows = list(Bill.objects.filter(party_id=party_id, state=BillState.ACTIVE).select_related("bank_account"))
    found: list[Coming] = []
    runs = BillRun.objects.filter(bill__in=rows, state__in=[RunState.SCHEDULED, RunState.RETRYING]).order_by("on_date")
    by_bill: dict[UUID, list[BillRun]] = {}
    for run in runs:
        by_bill.setdefault(run.bill_id, []).append(run)
    names = _payee_names(rows)
    for bill in rows:
        mine = by_bill.get(bill.id, [])
        for run in mine:
            run.bill = bill
            found.append(_of_run(bill, names[bill.id][0], run))
        if mine and mine[-1].state == RunState.SCHEDULED:
            found += _behind(bill, names[bill.id][0], mine[-1].on_date, end)
    return sorted((one for one in found if start <= one.on <= end), key=lambda one: (one.due_at, one.bill_id))


def _behind(bill: Bill, payee: str, after: date, end: date) -> list[Coming]:
    # A payment that goes to the working day before is made earlier than its own date.
    far = end + timedelta(days=15)
    slots = takewhile(lambda numbered: numbered[0] < AHEAD_MAX and numbered[1].on_date <= far, enumerate(bill.plan.slots(after=after)))
    amount = None if bill.is_up_to else bill.amount
    return [
        Coming(bill.id, bill.name, payee, bill.wallet_id, slot.pay_on, slot.due_at, amount, bill.amount, is_retry=False, is_sure=False)
        for _, slot in slots
    ]


def _of_run(bill: Bill, payee: str, run: BillRun) -> Coming:
    retry = run.state == RunState.RETRYING
    on = bill.plan_today(run.due_at) if retry else run.pay_on
    return Coming(bill.id, bill.name, payee, bill.wallet_id, on, run.due_at, run.amount, bill.amount, is_retry=retry, is_sure=True)


def _page(rows: QuerySet[Bill], cursor: str, limit: int) -> tuple[list[Bill], str]:
    before = place_unpack(cursor) if cursor else None
    found = list(older_than(rows, before).order_by("-created_at", "-id")[: limit + 1])
    shown = found[:limit]
    return shown, place_pack(shown[-1].created_at, shown[-1].id) if len(found) > limit else ""


def _asking_of(party_id: UUID) -> QuerySet[Bill]:
    return Bill.objects.filter(payee_party_id=party_id, state=BillState.ACTIVE, amount_kind=AmountKind.UP_TO)


def _askings(rows: list[Bill]) -> list[AskingView]:
    coming = _coming_runs(rows)
    names = accounts.party_display_names({bill.party_id for bill in rows})
    return [_asking(bill, names.get(bill.party_id, ""), coming.get(bill.id)) for bill in rows]


def _views(bills: Iterable[Bill]) -> list[BillView]:
    rows = list(bills)
    coming, names = _coming_runs(rows), _payee_names(rows)
    return [BillView(bill, *names[bill.id], coming.get(bill.id)) for bill in rows]


def _coming_runs(bills: list[Bill]) -> dict[UUID, BillRun]:
    found: dict[UUID, BillRun] = {}
    by_id = {bill.id: bill for bill in bills}
    for run in BillRun.objects.filter(bill__in=bills, state__in=OPEN_RUNS).order_by("-on_date"):
        run.bill = by_id[run.bill_id]
        found[run.bill_id] = run
    return found


def _payee_names(bills: list[Bill]) -> dict[UUID, tuple[str, str]]:
    """Name and detail (a handle, a shortened IBAN) of every bill's payee; two queries however many."""
    crypto.data_keys_warm({bill.party_id for bill in bills} | {bill.payee_party_id for bill in bills if bill.payee_party_id})
    parties = {party.id: party for party in Party.objects.filter(id__in={bill.payee_party_id for bill in bills if bill.payee_party_id})}
    found: dict[UUID, tuple[str, str]] = {}
    for bill in bills:
        party = parties.get(bill.payee_party_id) if bill.payee_party_id else None
        if party is not None:
            found[bill.id] = accounts.party_display_name(party), f"@{party.handle}" if party.handle else ""
        elif bill.bank_account is not None:
            found[bill.id] = bill.bank_account.name, bill.bank_account.iban_short
        else:
            found[bill.id] = "", ""
    return found


def _asking(bill: Bill, payer: str, run: BillRun | None) -> AskingView:
    return AskingView(
        id=bill.id,
        payer=payer,
        note=bill.note,
        is_up_to=bill.is_up_to,
        currency=bill.currency,
        period=run.period if run else "",
        pay_on=run.pay_on if run else None,
        amount=run.amount if run else None,
    )

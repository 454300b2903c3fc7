"""Reading payments, always for one party."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from accounts.models import Party
from core import crypto
from core.api.paging import older_than, place_pack, place_unpack
from core.errors import NotFound
from payments.models import OPEN_AT_PROVIDER, BankAccount, Kind, Payment, State
from payments.presenting import PaymentView, view_with_steps, views_of

PAGE_MAX = 100
# A text search opens names and notes one by one; it looks at so many payments for one page and says where it stopped.
SEARCH_WINDOW = 2000
SEARCH_BATCH = 200
# How far back those stand whom somebody may want to pay again.
RECENT_WINDOW = 200

# What a list shows of a payment without asking for each.
_SHOWN = ("provider", "approval", "bank_account")


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show. Days are whole days in `time_zone`, both ends included."""

    kind: str = ""
    direction: str = ""
    state: str = ""
    text: str = ""
    wallet_id: UUID | None = None
    from_date: date | None = None
    to_date: date | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class DayGroup:
    day: date
    rows: list[PaymentView]


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """`next_cursor` is empty at the end. `searched_to` is set when a text search stopped early: older payments were not looked at."""

    rows: list[PaymentView]
    next_cursor: str
    searched_to: datetime | None = None

    @property
    def days(self) -> list[DayGroup]:
        """The rows by day, in the zone that is active."""
        by_day = groupby(self.rows, key=lambda view: timezone.localtime(view.payment.created_at).date())
        return [DayGroup(day, list(rows)) for day, rows in by_day]


@dataclass(frozen=True, slots=True)
class Recent:
    """Somebody to pay again: `value` is what the form of the first step is sent."""

    name: str
    detail: str
    value: str


def payments_for(party_id: UUID, *, filters: Filters | None = None, cursor: str = "", limit: int = 50) -> PaymentPage:
    """
    The party's payments, newest first.

    :raises CursorInvalid: not a cursor of this list.
    """
    wanted = filters or Filters()
    limit = max(1, min(limit, PAGE_MAX))
    before = place_unpack(cursor) if cursor else None
    if wanted.text.strip():
        return _search(party_id, wanted, before, limit)
    found = newest(party_id, filters=wanted, before=before, limit=limit + 1)
    shown = found[:limit]
    return PaymentPage(rows=views_of(party_id, shown), next_cursor=_cursor(shown[-1]) if len(found) > limit else "")


def payment_get(party_id: UUID, payment_id: UUID) -> PaymentView:
    """
    One payment with its timeline.

    :raises NotFound: not there, or not one this party may know of.
    """
    payment = _known_to(party_id, {payment_id}).first()
    if payment is None:
        raise NotFound
    return view_with_steps(party_id, payment)


def payments_by_id(party_id: UUID, ids: Iterable[UUID]) -> dict[UUID, PaymentView]:
    """Those of the payments that this party may know of."""
    return {view.id: view for view in views_of(party_id, _known_to(party_id, set(ids)))}


def payments_latest(party_id: UUID, *, limit: int) -> list[PaymentView]:
    return views_of(party_id, newest(party_id, limit=limit))


def newest(party_id: UUID, *, filters: Filters | None = None, before: tuple[datetime, UUID] | None = None, limit: int) -> list[Payment]:
    """
    The rows themselves, newest first, older than `before` (created_at, id): two index scans of `limit` rows, one for every
    side, then the newest of both. One query with OR would read and sort all there is (15 times slower at 100,000).
    """
    filters = filters or Filters()
    sides = {"out": Payment.objects.all().out_of(party_id), "in": Payment.objects.all().into(party_id)}
    chosen = [sides[filters.direction]] if filters.direction in sides else list(sides.values())
    found: list[Payment] = []
    for side in chosen:
        rows = older_than(_filtered(side, filters), before)
        found += rows.select_related(*_SHOWN).order_by("-created_at", "-id")[:limit]
    return sorted(found, key=lambda payment: (payment.created_at, payment.id), reverse=True)[:limit]


def recent_payees(party_id: UUID, *, limit: int = 5) -> list[Recent]:
    """Whom this party paid last and can pay again by handle."""
    ids = _paid_last(party_id, Kind.TRANSFER, "payee_party_id")[: limit * 2]
    crypto.data_keys_warm(set(ids))
    parties = {party.id: party for party in Party.objects.filter(id__in=ids, state=Party.State.ACTIVE)}
    known = [parties[found] for found in ids if found in parties and parties[found].handle]
    return [Recent(accounts.party_display_name(party), f"@{party.handle}", f"@{party.handle}") for party in known[:limit]]


def recent_accounts(party_id: UUID, *, limit: int = 5) -> list[Recent]:
    """The bank accounts this party paid last."""
    ids = _paid_last(party_id, Kind.PAYOUT, "bank_account_id")[:limit]
    rows = {row.id: row for row in BankAccount.objects.filter(id__in=ids, party_id=party_id)}
    return [Recent(rows[found].name, rows[found].iban_short, str(found)) for found in ids if found in rows]


def bank_account_of(party_id: UUID, account_id: UUID) -> BankAccount:
    """:raises NotFound: not there, or not one this party has paid."""
    found = BankAccount.objects.filter(id=account_id, party_id=party_id).first()
    if found is None:
        raise NotFound
    return found


def closing_reasons(party_id: UUID) -> list[str]:
    """Why the party's account cannot be closed yet, in words for the person; for hub/wiring.py."""
    mine = Payment.objects.filter(Q(payer_party_id=party_id) | Q(payee_party_id=party_id))
    reasons = []
    if mine.filter(state__in=OPEN_AT_PROVIDER).exists():
        reasons.append(str(_("A payment by card or to a bank is still under way. Wait until it is done.")))
    if mine.filter(state=State.HELD).exists():
        reasons.append(str(_("A payment is held. Wait until it is decided.")))
    return reasons


def _known_to(party_id: UUID, ids: set[UUID]) -> Any:
    """The payments that are the party's own, or that it may know of as their payee."""
    mine = Payment.objects.filter(id__in=ids)
    return (mine.out_of(party_id) | mine.into(party_id)).select_related(*_SHOWN)


def _paid_last(party_id: UUID, kind: Kind, whom: str) -> list[UUID]:
    """Ids of those who were paid, the latest first, each once."""
    paid = Payment.objects.filter(payer_party_id=party_id, kind=kind, state=State.POSTED).order_by("-created_at", "-id")
    return [found for found in dict.fromkeys(paid.values_list(whom, flat=True)[:RECENT_WINDOW]) if found]


def _filtered(rows: Any, filters: Filters) -> Any:
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.wallet_id:
        rows = rows.filter(Q(wallet_from_id=filters.wallet_id) | Q(wallet_to_id=filters.wallet_id))
    zone = ZoneInfo(filters.time_zone)
    if filters.from_date:
        rows = rows.filter(created_at__gte=datetime.combine(filters.from_date, time.min, tzinfo=zone))
    if filters.to_date and filters.to_date < date.max:
        rows = rows.filter(created_at__lt=datetime.combine(filters.to_date + timedelta(days=1), time.min, tzinfo=zone))
    return rows


def _search(party_id: UUID, filters: Filters, before: tuple[datetime, UUID] | None, limit: int) -> PaymentPage:
    """Names and notes are encrypted, so the text is compared here, over a bounded number of payments."""
    words = crypto.fold(filters.text).split()
    found: list[PaymentView] = []
    for _start in range(0, SEARCH_WINDOW, SEARCH_BATCH):
        batch = views_of(party_id, newest(party_id, filters=filters, before=before, limit=SEARCH_BATCH))
        for view in batch:
            before = (view.payment.created_at, view.id)
            if all(word in _haystack(view) for word in words):
                found.append(view)
                if len(found) > limit:
                    return PaymentPage(rows=found[:limit], next_cursor=_cursor(found[limit - 1].payment))
        if len(batch) < SEARCH_BATCH:
            return PaymentPage(rows=found, next_cursor="")
    return PaymentPage(rows=found, next_cursor=place_pack(*before), searched_to=before[0]) if before else PaymentPage(found, "")


def _haystack(view: PaymentView) -> str:
    number = f"{view.payment.amount.decimal:f}"
    handle = f"@{view.handle}" if view.handle else ""
    parts: Iterable[object] = (
        view.counterparty,
        handle,
        view.sub,
        view.payment.note,
        view.label,
        view.state_label,
        number,
        number.replace(".", ","),
        view.payment.currency,
        view.payment.created_at.date().isoformat(),
    )
    return crypto.fold(" ".join(str(part) for part in parts))


def _cursor(payment: Payment) -> str:
    return place_pack(payment.created_at, payment.id)

"""Reading payments, always for one party."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from accounts.models import Party, Person
from core import crypto
from core.errors import InputInvalid, NotFound
from core.money import Money
from payments.errors import failure_text
from payments.models import OPEN_AT_PROVIDER, SETTLED, Kind, Payment, PaymentStep, State

PAGE_MAX = 100
# A text search opens names and notes one by one; it looks at so many payments for one page and says where it stopped.
SEARCH_WINDOW = 1000
SEARCH_BATCH = 200

_LABELS: dict[tuple[str, str], str | Promise] = {
    ("transfer", "in"): _("Received"),
    ("transfer", "out"): _("Sent"),
    ("top_up", "in"): _("Card top-up"),
    ("refund", "out"): _("Refund to card"),
    ("reversal", "in"): _("Payment returned to you"),
    ("reversal", "out"): _("Payment taken back"),
    ("payout", "out"): _("Payout"),
}
_CARD = _("Card")


class CursorInvalid(InputInvalid):
    """Not a cursor that this list has given out."""

    code = "cursor_invalid"
    default_field = "cursor"
    default_message = _("This page link is not valid any more. Start at the beginning.")


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
class StepView:
    at: datetime
    state: str
    label: str | Promise
    reason: str | Promise


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as one of its parties sees it. `amount` is signed: negative is money out of the reader's wallets."""

    id: UUID
    kind: str
    label: str | Promise
    direction: str
    state: str
    state_label: str | Promise
    amount: Money
    counterparty: str
    counterparty_id: UUID | None
    counterparty_handle: str
    note: str
    wallet_id: UUID | None
    created_at: datetime
    settled_at: datetime | None
    expires_at: datetime | None
    failure_code: str
    failure: str | Promise
    original_id: UUID | None
    counts: bool
    """Whether it has moved the reader's balance (and still does)."""
    asked_by_reader: bool
    """The reader's party asked for it and may approve or cancel it while it waits."""
    approval_id: UUID | None = None
    hosted_url: str = ""
    steps: tuple[StepView, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """`next_cursor` is empty at the end. `searched_to` is set when a text search stopped early: older payments were not looked at."""

    rows: list[PaymentView]
    next_cursor: str
    searched_to: datetime | None = None


def payments_for(party_id: UUID, *, filters: Filters | None = None, cursor: str = "", limit: int = 50) -> PaymentPage:
    """
    The party's payments, newest first.

    :raises CursorInvalid: not a cursor of this list.
    """
    wanted = filters or Filters()
    limit = max(1, min(limit, PAGE_MAX))
    before = _cursor_read(cursor) if cursor else None
    if wanted.text.strip():
        return _search(party_id, wanted, before, limit)
    found = newest(party_id, filters=wanted, before=before, limit=limit + 1)
    more = len(found) > limit
    found = found[:limit]
    return PaymentPage(rows=_views(party_id, found), next_cursor=_cursor(found[-1]) if more else "")


def activity_rows(party_id: UUID, *, limit: int = 5) -> list[PaymentView]:
    """The latest few, for the home page."""
    return payments_for(party_id, limit=limit).rows


def payment_get(party_id: UUID, payment_id: UUID) -> PaymentView:
    """
    One payment with its timeline.

    :raises NotFound: not there, or not one this party may know of.
    """
    mine = Payment.objects.filter(id=payment_id)
    payment = (mine.out_of(party_id) | mine.into(party_id)).select_related("provider").first()
    if payment is None:
        raise NotFound()
    steps = PaymentStep.objects.filter(payment=payment).order_by("id")
    return _view(party_id, payment, _names([payment], party_id), steps=tuple(_step(payment, step, party_id) for step in steps))


def payment_for_person(person: Person, payment_id: UUID) -> PaymentView:
    """
    One payment of any party the person acts for, seen by the payer's side if they act for both.

    :raises NotFound: not there, or not theirs.
    """
    parties = list(accounts.parties_for(person).values_list("id", flat=True))
    payment = Payment.objects.filter(id=payment_id).filter(Q(payer_party__in=parties) | Q(payee_party__in=parties)).first()
    if payment is None:
        raise NotFound()
    seen_as = payment.payer_party_id if payment.payer_party_id in parties else payment.payee_party_id
    assert seen_as is not None
    return payment_get(seen_as, payment_id)


def totals_in_and_out(party_id: UUID, *, since: datetime, until: datetime) -> dict[str, tuple[Money, Money]]:
    """What came in and went out of the party's wallets, by currency, between two moments: (in, out), both positive."""
    sums: dict[str, list[int]] = {}
    settled = Payment.objects.filter(state__in=SETTLED, settled_at__gte=since, settled_at__lt=until)
    for number, mine in enumerate((settled.filter(payee_party_id=party_id), settled.filter(payer_party_id=party_id))):
        for currency, minor in mine.values_list("currency", "amount_minor"):
            sums.setdefault(currency, [0, 0])[number] += minor
    return {currency: (Money(in_, currency), Money(out, currency)) for currency, (in_, out) in sums.items()}


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
        rows = _filtered(side, filters)
        if before is not None:
            rows = rows.filter(Q(created_at__lt=before[0]) | Q(created_at=before[0], id__lt=before[1]), created_at__lte=before[0])
        found += rows.select_related("provider", "approval", "bank_account").order_by("-created_at", "-id")[:limit]
    return sorted(found, key=lambda payment: (payment.created_at, payment.id), reverse=True)[:limit]


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
    looked, rows = 0, []
    while looked < SEARCH_WINDOW:
        batch = newest(party_id, filters=filters, before=before, limit=SEARCH_BATCH)
        for payment, view in zip(batch, _views(party_id, batch), strict=True):
            looked += 1
            before = (payment.created_at, payment.id)
            if all(word in _haystack(view) for word in words):
                rows.append(view)
                if len(rows) == limit:
                    return PaymentPage(rows=rows, next_cursor=_cursor(payment))
        if len(batch) < SEARCH_BATCH:
            return PaymentPage(rows=rows, next_cursor="")
    return PaymentPage(rows=rows, next_cursor=_cursor(payment), searched_to=payment.created_at)


def _haystack(view: PaymentView) -> str:
    number = f"{abs(view.amount.decimal):f}"
    handle = f"@{view.counterparty_handle}" if view.counterparty_handle else ""
    parts: Iterable[object] = (
        view.counterparty,
        handle,
        view.note,
        view.label,
        view.state_label,
        number,
        number.replace(".", ","),
        view.amount.currency,
        view.created_at.date().isoformat(),
    )
    return crypto.fold(" ".join(str(part) for part in parts))


def _views(party_id: UUID, payments: Sequence[Payment]) -> list[PaymentView]:
    names = _names(payments, party_id)
    return [_view(party_id, payment, names) for payment in payments]


def _names(payments: Sequence[Payment], party_id: UUID) -> dict[UUID, tuple[str, str]]:
    """Display name and handle of everybody on the other side; a list page costs two queries, however long."""
    others = {other for payment in payments if (other := _other(payment, party_id)) is not None}
    crypto.data_keys_warm({payment.party_id for payment in payments} | others)
    return {party.id: (accounts.party_display_name(party), party.handle) for party in Party.objects.filter(id__in=others)}


def _other(payment: Payment, party_id: UUID) -> UUID | None:
    return payment.payee_party_id if payment.payer_party_id == party_id else payment.payer_party_id


def _view(party_id: UUID, payment: Payment, names: dict[UUID, tuple[str, str]], *, steps: tuple[StepView, ...] = ()) -> PaymentView:
    out = payment.payer_party_id == party_id
    direction = "out" if out else "in"
    other = _other(payment, party_id)
    name, handle = names.get(other, ("", "")) if other else (_outside(payment), "")
    state = State(payment.state)
    reason = payment.failure_code if state not in SETTLED else ""
    return PaymentView(
        id=payment.id,
        kind=payment.kind,
        label=_LABELS.get((payment.kind, direction), Kind(payment.kind).label),
        direction=direction,
        state=payment.state,
        state_label=state.label,
        amount=-payment.amount if out else payment.amount,
        counterparty=name,
        counterparty_id=other,
        counterparty_handle=handle,
        note=payment.note,
        wallet_id=payment.wallet_from_id if out else payment.wallet_to_id,
        created_at=payment.created_at,
        settled_at=payment.settled_at,
        expires_at=payment.expires_at,
        failure_code=reason,
        failure=failure_text(reason),
        original_id=payment.original_id,
        counts=state in SETTLED,
        asked_by_reader=payment.party_id == party_id,
        approval_id=payment.approval_id if state is State.REQUIRES_APPROVAL and out else None,
        hosted_url=_hosted_url(payment),
        steps=steps,
    )


def _outside(payment: Payment) -> str:
    """The other side when it is no party of the hub."""
    return payment.bank_account.name if payment.bank_account is not None else str(_CARD)


def _hosted_url(payment: Payment) -> str:
    if payment.kind != Kind.TOP_UP or payment.state != State.WAITING:
        return ""
    return payment.provider.url


def _step(payment: Payment, step: PaymentStep, party_id: UUID) -> StepView:
    # Codes of staff's decisions are for staff; the payer's own failures are for the payer.
    shown = step.code if step.state not in SETTLED and payment.party_id == party_id else ""
    return StepView(at=step.at, state=step.state, label=step.label, reason=failure_text(shown))


def _cursor(payment: Payment) -> str:
    return base64.urlsafe_b64encode(f"{payment.created_at.isoformat()}|{payment.id}".encode()).decode().rstrip("=")


def _cursor_read(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _sep, last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a cursor's time is aware")
        return moment, UUID(last)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid() from error


def closing_reasons(party_id: UUID) -> list[str]:
    """Why the party's account cannot be closed yet, in words for the person; for hub/wiring.py."""
    mine = Payment.objects.filter(Q(payer_party_id=party_id) | Q(payee_party_id=party_id))
    reasons = []
    if mine.filter(state__in=OPEN_AT_PROVIDER).exists():
        reasons.append(str(_("A card payment is still under way. Wait until it is done.")))
    if mine.filter(state=State.HELD).exists():
        reasons.append(str(_("A payment is held. Wait until it is decided.")))
    return reasons

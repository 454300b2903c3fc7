"""Payments as one party sees them: who is on the other side, in or out, and what its state means in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import selectors as accounts
from accounts.models import Approval, Party
from core import clock, crypto
from core.errors import NotFound
from core.money import Money
from payments.errors import failure_text
from payments.models import OPEN_AT_PROVIDER, SETTLED, Kind, Payment, State
from payments.selectors import Filters, newest

# How far a search looks back: names and notes are encrypted, so every one is opened to be read.
SEARCH_ROWS = 2000
_CHUNK = 200

_TONES: dict[State, str] = {
    State.POSTED: "good",
    State.FAILED: "harm",
    State.EXPIRED: "",
    State.CANCELLED: "",
    State.REVERSED: "",
    State.REFUNDED: "",
}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment seen by `party_id`; `amount` is signed from there."""

    payment: Payment
    incoming: bool
    name: str
    handle: str = ""

    @property
    def amount(self) -> Money:
        return self.payment.amount if self.incoming else -self.payment.amount

    @property
    def settled(self) -> bool:
        return self.payment.state in SETTLED

    @property
    def under_way(self) -> bool:
        """Something will still happen without the person: the page looks again by itself."""
        return self.payment.state in OPEN_AT_PROVIDER

    @property
    def is_transfer(self) -> bool:
        return self.payment.kind == Kind.TRANSFER

    @property
    def is_top_up(self) -> bool:
        return self.payment.kind == Kind.TOP_UP

    @property
    def is_payout(self) -> bool:
        return self.payment.kind == Kind.PAYOUT

    @property
    def title(self) -> str:
        if self.payment.kind == Kind.TOP_UP:
            return _("Top-up by card")
        if self.payment.kind == Kind.REFUND:
            return _("Refund to card")
        if self.payment.bank_account is not None:
            return self.payment.bank_account.name
        return self.name or _("Closed account")

    @property
    def heading(self) -> str:
        """What the payment's own page is called."""
        if self.payment.kind == Kind.TRANSFER and self.payment.state == State.POSTED:
            return _("Money received") if self.incoming else _("Money sent")
        return {Kind.TOP_UP: _("Top-up"), Kind.REFUND: _("Refund"), Kind.REVERSAL: _("Payment undone")}.get(
            Kind(self.payment.kind), _("Payment")
        )

    @property
    def sub(self) -> str:
        """The small line below the title: the note, or what it was."""
        if self.payment.kind == Kind.REVERSAL:
            return _("Payment undone")
        if self.payment.kind == Kind.PAYOUT and self.payment.bank_account is not None:
            return f"{self.payment.bank_account.iban_short} · {self.payment.note}".removesuffix(" · ")
        if self.payment.kind == Kind.TRANSFER:
            return self.payment.note or (_("Received") if self.incoming else _("Sent"))
        return ""

    @property
    def icon(self) -> str:
        return {Kind.TOP_UP: "top-up", Kind.REFUND: "undo", Kind.REVERSAL: "undo"}.get(
            Kind(self.payment.kind), "in" if self.incoming else "out"
        )

    @property
    def tone(self) -> str:
        return _TONES.get(State(self.payment.state), "wait")

    @property
    def state_label(self) -> str | Promise:
        return State(self.payment.state).label

    @property
    def is_pending(self) -> bool:
        """Shown with its state in lists: not done, or undone."""
        return self.payment.state != State.POSTED

    @property
    def failure(self) -> str | Promise:
        return (
            failure_text(self.payment.failure_code)
            if self.payment.state in (State.FAILED, State.EXPIRED, State.HELD, State.CANCELLED)
            else ""
        )

    @property
    def needs_approval(self) -> bool:
        return self.payment.state == State.REQUIRES_APPROVAL and not self.incoming

    @property
    def is_approved(self) -> bool:
        """Confirmed on the approval page and still good; what is missing is to carry it out."""
        approval = self.payment.approval
        return bool(
            self.needs_approval and approval and approval.state == Approval.State.CONFIRMED and not approval.has_expired(clock.now())
        )

    @property
    def provider_url(self) -> str:
        """Where the card is typed, while the provider waits for it."""
        if self.payment.kind != Kind.TOP_UP or self.payment.state not in (State.PENDING, State.WAITING):
            return ""
        link = getattr(self.payment, "provider", None)
        return link.url if link else ""

    @property
    def steps(self) -> list[tuple[datetime, str | Promise, str | Promise, str]]:
        """The timeline, oldest first: when, what, why, and the state of the dot."""
        rows = list(self.payment.steps.order_by("id"))
        found = []
        for index, step in enumerate(rows):
            state, is_last = State(step.state), index == len(rows) - 1
            dot = "harm" if state is State.FAILED else "done" if not is_last or state not in _WAITING else "wait"
            found.append(
                (
                    step.at,
                    STEP_LABELS.get((self.payment.kind, state), state.label),
                    # Why it waited is of no use any more once it has gone on.
                    failure_text(step.code) if step.code and state in _ENDED and (state is not State.HELD or is_last) else "",
                    dot,
                )
            )
        return found


# Only where it ended does the code tell the person something; before that "could not be reached" would sound like an end.
_ENDED = (State.FAILED, State.EXPIRED, State.CANCELLED, State.HELD)
_WAITING = (*OPEN_AT_PROVIDER, State.REQUIRES_APPROVAL, State.HELD)
STEP_LABELS: dict[tuple[str, State], str | Promise] = {
    (Kind.TOP_UP, State.PENDING): gettext_lazy("Started"),
    (Kind.TOP_UP, State.WAITING): gettext_lazy("Waiting for the card"),
    (Kind.TOP_UP, State.POSTED): gettext_lazy("Paid in"),
    (Kind.PAYOUT, State.PENDING): gettext_lazy("Money set aside"),
    (Kind.PAYOUT, State.WAITING): gettext_lazy("The bank has the order"),
    (Kind.PAYOUT, State.UNKNOWN): gettext_lazy("Asking the bank"),
    (Kind.PAYOUT, State.POSTED): gettext_lazy("Paid out"),
    (Kind.PAYOUT, State.FAILED): gettext_lazy("Not paid out"),
    (Kind.TRANSFER, State.POSTED): gettext_lazy("Sent and received"),
    (Kind.TRANSFER, State.REQUIRES_APPROVAL): gettext_lazy("Asked for approval"),
}


@dataclass(frozen=True, slots=True)
class DayGroup:
    day: date
    rows: list[PaymentView]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[PaymentView]
    next_cursor: str
    searched_all: bool = True

    @property
    def days(self) -> list[DayGroup]:
        by_day = groupby(self.rows, key=lambda view: timezone.localtime(view.payment.created_at).date())
        return [DayGroup(day, list(rows)) for day, rows in by_day]


@dataclass(frozen=True, slots=True)
class Recent:
    name: str
    handle: str


def payment_view(party_id: UUID, payment_id: UUID) -> PaymentView:
    """:raises NotFound: not there, or none of theirs."""
    found = (
        Payment.objects.filter(_visible(party_id), id=payment_id)
        .select_related("approval", "provider", "wallet_from", "wallet_to", "bank_account")
        .first()
    )
    if found is None:
        raise NotFound
    return views_of(party_id, [found])[0]


def views_of(party_id: UUID, payments: Iterable[Payment]) -> list[PaymentView]:
    """Views with the names of the other sides: two queries however many there are."""
    payments = list(payments)
    names = accounts.party_display_names(
        {other for payment in payments if (other := _other(payment, party_id))} | {payment.party_id for payment in payments}
    )
    return [
        PaymentView(
            payment=payment,
            incoming=payment.payee_party_id == party_id,
            name=names.get(other, "") if (other := _other(payment, party_id)) else "",
        )
        for payment in payments
    ]


def views_by_id(party_id: UUID, ids: Iterable[UUID]) -> dict[UUID, PaymentView]:
    return {view.payment.id: view for view in views_of(party_id, Payment.objects.filter(_visible(party_id), id__in=set(ids)))}


def latest(party_id: UUID, *, limit: int) -> list[PaymentView]:
    return views_of(party_id, newest(party_id, limit=limit))


def activity_page(
    party_id: UUID, *, cursor: str = "", limit: int, q: str = "", direction: str = "", since: date | None = None, until: date | None = None
) -> Page:
    """Newest first. `cursor` is the id of the last row of the page before; one that makes no sense starts from the top."""
    filters = Filters(direction=direction, from_date=since, to_date=until, time_zone=timezone.get_current_timezone_name())
    before = _cursor_read(party_id, cursor)
    if not q:
        found = views_of(party_id, newest(party_id, filters=filters, before=before, limit=limit + 1))
        return Page(found[:limit], str(found[limit - 1].payment.id) if len(found) > limit else "")
    return _search(party_id, filters, before, q, limit)


def recent_payees(party_id: UUID, *, limit: int = 5) -> list[Recent]:
    """Whom this party paid last and can pay again by handle."""
    paid = Payment.objects.filter(payer_party_id=party_id, kind=Kind.TRANSFER, state=State.POSTED).order_by("-created_at", "-id")
    ids = list(dict.fromkeys(paid.values_list("payee_party_id", flat=True)[:_CHUNK]))[: limit * 2]
    crypto.data_keys_warm({found for found in ids if found})
    parties = {party.id: party for party in Party.objects.filter(id__in=ids, state=Party.State.ACTIVE)}
    known = [parties[found] for found in ids if found in parties and parties[found].handle]
    return [Recent(accounts.party_display_name(party), f"@{party.handle}") for party in known[:limit]]


def _visible(party_id: UUID) -> Q:
    # As in PaymentQuerySet.into: a payee never learns of what was not approved, or was given up.
    incoming = Q(payee_party_id=party_id) & (~Q(kind=Kind.TRANSFER) | Q(state__in=SETTLED))
    return Q(payer_party_id=party_id) | incoming


def _cursor_read(party_id: UUID, cursor: str) -> tuple[datetime, UUID] | None:
    try:
        return Payment.objects.filter(_visible(party_id), id=UUID(cursor)).values_list("created_at", "id").first() if cursor else None
    except ValueError:
        return None


def _search(party_id: UUID, filters: Filters, before: tuple[datetime, UUID] | None, q: str, limit: int) -> Page:
    words = crypto.fold(q).split()
    found: list[PaymentView] = []
    for _start in range(0, SEARCH_ROWS, _CHUNK):
        chunk = views_of(party_id, newest(party_id, filters=filters, before=before, limit=_CHUNK))
        for view in chunk:
            if all(word in _haystack(view) for word in words):
                found.append(view)
            if len(found) > limit:
                return Page(found[:limit], str(found[limit - 1].payment.id))
        if len(chunk) < _CHUNK:
            return Page(found, "")
        before = (chunk[-1].payment.created_at, chunk[-1].payment.id)
    return Page(found, "", searched_all=not newest(party_id, filters=filters, before=before, limit=1))


def _haystack(view: PaymentView) -> str:
    number = f"{view.payment.amount.decimal:f}"
    return crypto.fold(f"{view.title} {view.sub} {view.payment.note} {number} {number.replace('.', ',')} {view.payment.currency}")


def _other(payment: Payment, party_id: UUID) -> UUID | None:
    return payment.payer_party_id if payment.payee_party_id == party_id else payment.payee_party_id

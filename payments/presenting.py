"""A payment as one party sees it: who is on the other side, in or out, and what its state means in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import selectors as accounts
from accounts.models import Approval, Party
from core import clock, crypto
from core.money import Money
from payments.errors import failure_text
from payments.models import OPEN_AT_PROVIDER, SETTLED, Kind, Payment, PaymentStep, State

# Only where it ended does the code tell the person something; before that "could not be reached" would sound like an end.
_ENDED = (State.FAILED, State.EXPIRED, State.CANCELLED, State.HELD)
_WAITING = (*OPEN_AT_PROVIDER, State.REQUIRES_APPROVAL, State.HELD)
_TONES: dict[State, str] = {
    State.POSTED: "good",
    State.FAILED: "harm",
    State.EXPIRED: "",
    State.CANCELLED: "",
    State.REVERSED: "",
    State.REFUNDED: "",
}
_LABELS: dict[tuple[str, bool], str | Promise] = {
    (Kind.TRANSFER, True): gettext_lazy("Received"),
    (Kind.TRANSFER, False): gettext_lazy("Sent"),
    (Kind.TOP_UP, True): gettext_lazy("Top-up by card"),
    (Kind.REFUND, False): gettext_lazy("Refund to card"),
    (Kind.REVERSAL, True): gettext_lazy("Payment returned to you"),
    (Kind.REVERSAL, False): gettext_lazy("Payment taken back"),
    (Kind.PAYOUT, False): gettext_lazy("Sent to a bank account"),
}
_STEP_LABELS: dict[tuple[str, State], str | Promise] = {
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
    (Kind.PAYOUT, State.REQUIRES_APPROVAL): gettext_lazy("Asked for approval"),
}


@dataclass(frozen=True, slots=True)
class StepView:
    """One line of the timeline; `dot` is how its mark looks: done, wait or harm."""

    at: datetime
    state: str
    label: str | Promise
    reason: str | Promise
    dot: str


@dataclass(frozen=True, slots=True)
class PaymentView:
    """
    One payment seen by one of its parties. `name` and `handle` are of the other party, empty when it is none of the hub.
    `steps` are there when one payment was asked for, not in lists.
    """

    payment: Payment
    incoming: bool
    name: str
    handle: str = ""
    steps: tuple[StepView, ...] = ()

    @property
    def id(self) -> UUID:
        return self.payment.id

    @property
    def kind(self) -> str:
        return self.payment.kind

    @property
    def note(self) -> str:
        return self.payment.note

    @property
    def direction(self) -> str:
        return "in" if self.incoming else "out"

    @property
    def amount(self) -> Money:
        """Signed: negative is money out of the reader's wallets."""
        return self.payment.amount if self.incoming else -self.payment.amount

    @property
    def wallet_id(self) -> UUID | None:
        """The reader's own."""
        return self.payment.wallet_to_id if self.incoming else self.payment.wallet_from_id

    @property
    def counterparty_id(self) -> UUID | None:
        return self.payment.payer_party_id if self.incoming else self.payment.payee_party_id

    @property
    def counterparty(self) -> str:
        """The other side's name: a party's, a bank account's holder's, or that it is a card."""
        if self.counterparty_id is not None:
            return self.name
        return self.payment.bank_account.name if self.payment.bank_account is not None else _("Card")

    # --- where it stands

    @property
    def settled(self) -> bool:
        """It has moved the reader's balance."""
        return self.payment.state in SETTLED

    @property
    def under_way(self) -> bool:
        """Something will still happen without the person: the page looks again by itself."""
        return self.payment.state in OPEN_AT_PROVIDER

    @property
    def is_pending(self) -> bool:
        """Shown with its state in lists: not done, or undone."""
        return self.payment.state != State.POSTED

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
    def asked_by_reader(self) -> bool:
        """The reader's party asked for it and may approve or cancel it while it waits."""
        return self.payment.party_id == (self.payment.payee_party_id if self.incoming else self.payment.payer_party_id)

    @property
    def needs_approval(self) -> bool:
        return self.payment.state == State.REQUIRES_APPROVAL and not self.incoming

    @property
    def approval_id(self) -> UUID | None:
        return self.payment.approval_id if self.needs_approval else None

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
        if not self.is_top_up or self.payment.state not in (State.PENDING, State.WAITING):
            return ""
        link = getattr(self.payment, "provider", None)
        return link.url if link else ""

    # --- in words

    @property
    def label(self) -> str | Promise:
        """What it was, in a word or three."""
        return _LABELS.get((self.payment.kind, self.incoming), Kind(self.payment.kind).label)

    @property
    def title(self) -> str:
        if self.payment.kind in (Kind.TOP_UP, Kind.REFUND):
            return str(self.label)
        if self.payment.bank_account is not None:
            return self.payment.bank_account.name
        return self.name or _("Closed account")

    @property
    def heading(self) -> str:
        """What the payment's own page is called."""
        if self.payment.kind in (Kind.TRANSFER, Kind.PAYOUT) and self.payment.state == State.POSTED:
            return _("Money received") if self.incoming else _("Money sent")
        return {
            Kind.TOP_UP: _("Top-up"),
            Kind.REFUND: _("Refund"),
            Kind.REVERSAL: _("Payment undone"),
            Kind.PAYOUT: _("Bank transfer"),
        }.get(Kind(self.payment.kind), _("Payment"))

    @property
    def sub(self) -> str:
        """The small line below the title: the note, or what it was."""
        if self.payment.kind == Kind.REVERSAL:
            return _("Payment undone")
        if self.payment.bank_account is not None:
            return f"{self.payment.bank_account.iban_short} · {self.payment.note}".removesuffix(" · ")
        return self.payment.note or str(self.label) if self.is_transfer else ""

    @property
    def icon(self) -> str:
        return {Kind.TOP_UP: "top-up", Kind.REFUND: "undo", Kind.REVERSAL: "undo", Kind.PAYOUT: "bank"}.get(
            Kind(self.payment.kind), "in" if self.incoming else "out"
        )

    @property
    def tone(self) -> str:
        return _TONES.get(State(self.payment.state), "wait")

    @property
    def state_label(self) -> str | Promise:
        return State(self.payment.state).label

    @property
    def failure_code(self) -> str:
        return self.payment.failure_code if self.payment.state in _ENDED else ""

    @property
    def failure(self) -> str | Promise:
        return failure_text(self.failure_code)


def views_of(party_id: UUID, payments: Iterable[Payment]) -> list[PaymentView]:
    """Views with the names of the other sides: two queries however many there are, if their bank accounts are read along."""
    rows = list(payments)
    names = _names({other for row in rows if (other := _other(row, party_id))}, {row.party_id for row in rows})
    return [_view(party_id, row, names) for row in rows]


def view_with_steps(party_id: UUID, payment: Payment) -> PaymentView:
    """One payment with its timeline, oldest line first."""
    other = _other(payment, party_id)
    rows = list(PaymentStep.objects.filter(payment=payment).order_by("id"))
    return _view(party_id, payment, _names({other} if other else set(), {payment.party_id}), tuple(_steps(payment, rows)))


def _view(party_id: UUID, payment: Payment, names: dict[UUID, tuple[str, str]], steps: tuple[StepView, ...] = ()) -> PaymentView:
    other = _other(payment, party_id)
    name, handle = names.get(other, ("", "")) if other else ("", "")
    return PaymentView(payment=payment, incoming=payment.payee_party_id == party_id, name=name, handle=handle, steps=steps)


def _names(others: set[UUID], keys: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """Display name and handle of everybody on the other side; the keys of notes and names are fetched at once."""
    crypto.data_keys_warm(keys | others)
    return {party.id: (accounts.party_display_name(party), party.handle or "") for party in Party.objects.filter(id__in=others)}


def _other(payment: Payment, party_id: UUID) -> UUID | None:
    return payment.payer_party_id if payment.payee_party_id == party_id else payment.payee_party_id


def _steps(payment: Payment, rows: list[PaymentStep]) -> Iterable[StepView]:
    for place, step in enumerate(rows, start=1):
        state, is_last = State(step.state), place == len(rows)
        # Why it waited is of no use any more once it has gone on.
        shown = step.code if state in _ENDED and (state is not State.HELD or is_last) else ""
        yield StepView(
            at=step.at,
            state=step.state,
            label=_STEP_LABELS.get((payment.kind, state), state.label),
            reason=failure_text(shown),
            dot="harm" if state is State.FAILED else "wait" if is_last and state in _WAITING else "done",
        )

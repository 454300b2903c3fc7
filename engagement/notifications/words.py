"""
What a notice says, made from ids when it is shown: names, amounts and notes are read where they live, so that they
disappear with their owner. A page of notices costs a fixed number of queries for each party it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import devices
from accounts import selectors as accounts
from accounts.models import KnownDevice, Membership, PartnerApplication, Person
from core import crypto, formatting
from core.money import Money
from engagement.notifications.models import Notice
from payments import selectors as payments
from payments.presenting import PaymentView


@dataclass(frozen=True, slots=True)
class Sentence:
    """A translated text with named gaps. Names and amounts stand isolated in markup, so that their direction is their own."""

    template: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        language = get_language() or "en"
        return self.template.format(**{name: formatting.isolated(value, language) for name, value in self.values.items()})

    @property
    def html(self) -> SafeString:
        if not self.values:
            return format_html("{}", self.template)
        return format_html(self.template, **{name: format_html("<bdi>{}</bdi>", value) for name, value in self.values.items()})


@dataclass(frozen=True, slots=True)
class Words:
    sentence: Sentence
    sub: str | Promise = ""
    icon: str = "info"
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it; `party_name` is empty for their own party."""

    notice: Notice
    words: Words
    party_name: str

    @property
    def is_unread(self) -> bool:
        return self.notice.read_at is None


@dataclass
class _Facts:
    """What the notices of one page speak of, read at once."""

    person: Person
    payments: dict[tuple[UUID, UUID], PaymentView] = field(default_factory=dict)
    bills: dict[UUID, str] = field(default_factory=dict)
    runs: dict[UUID, Money] = field(default_factory=dict)
    devices: dict[UUID, str] = field(default_factory=dict)
    people: dict[UUID, str] = field(default_factory=dict)
    partners: dict[UUID, str] = field(default_factory=dict)
    parties: dict[UUID, str] = field(default_factory=dict)

    def payment(self, notice: Notice) -> PaymentView | None:
        wanted = _payment_id(notice)
        return self.payments.get((notice.party_id, wanted)) if wanted else None

    def amount(self, view: PaymentView) -> str:
        return self.money(view.payment.amount)

    def money(self, amount: Money) -> str:
        return formatting.HIDDEN if self.person.hide_amounts else formatting.money(amount, get_language() or "en")


def views_of(person: Person, notices: Iterable[Notice]) -> list[NoticeView]:
    notices = list(notices)
    facts = _facts(person, notices)
    return [
        NoticeView(
            notice=notice,
            words=_words(notice, facts),
            party_name="" if notice.party_id == person.party_id else facts.parties.get(notice.party_id, ""),
        )
        for notice in notices
    ]


def _words(notice: Notice, facts: _Facts) -> Words:
    make = _KINDS.get(notice.kind)
    return make(notice, facts) if make else Words(Sentence(_("Something about your account changed.")), href=_page("more"))


# --- what is read -----------------------------------------------------------------------------------------------------------


def _facts(person: Person, notices: list[Notice]) -> _Facts:
    facts = _Facts(person)
    by_party: dict[UUID, set[UUID]] = {}
    for notice in notices:
        if payment_id := _payment_id(notice):
            by_party.setdefault(notice.party_id, set()).add(payment_id)
    for party_id, ids in by_party.items():
        facts.payments |= {(party_id, payment_id): view for payment_id, view in payments.payments_by_id(party_id, ids).items()}
    facts.parties = accounts.party_display_names(others) if (others := {n.party_id for n in notices} - {person.party_id}) else {}
    if ids := _ids(notices, "bill_id"):
        facts.bills = _bill_names(ids)
    if ids := {run_id for notice in notices if not _payment_id(notice) and (run_id := _id(notice, "run_id"))}:
        facts.runs = _run_amounts(ids)
    if ids := {notice.subject_id for notice in notices if notice.kind == "new_device" and notice.subject_id}:
        # Opened with the reader's own key: a device is one person's.
        found = KnownDevice.objects.filter(person=person, id__in=ids).select_related("person")
        facts.devices = {row.id: devices.device_name(row.agent) for row in found}
    if ids := _ids(notices, "person_id"):
        people = list(Person.objects.filter(id__in=ids))
        crypto.data_keys_warm({row.party_id for row in people})
        facts.people = {row.id: row.name for row in people}
    if ids := _ids(notices, "application_id"):
        facts.partners = {row.id: str(row) for row in PartnerApplication.objects.filter(id__in=ids)}
    return facts


def _ids(notices: list[Notice], name: str) -> set[UUID]:
    return {UUID(notice.data[name]) for notice in notices if notice.data.get(name)}


def _id(notice: Notice, name: str) -> UUID | None:
    return UUID(notice.data[name]) if notice.data.get(name) else None


def _payment_id(notice: Notice) -> UUID | None:
    return notice.subject_id if notice.kind in _OF_PAYMENTS else _id(notice, "payment_id")


def _bill_names(ids: set[UUID]) -> dict[UUID, str]:
    bills: Any = apps.get_model("payments", "Bill")
    rows = list(bills.objects.filter(id__in=ids))
    crypto.data_keys_warm({row.party_id for row in rows})
    return {row.id: row.name for row in rows}


def _run_amounts(ids: set[UUID]) -> dict[UUID, Money]:
    """What the bills' runs were about, where that is known: nobody may have said how much."""
    runs: Any = apps.get_model("payments", "BillRun")
    rows = runs.objects.filter(id__in=ids, amount_minor__isnull=False).values_list("id", "amount_minor", "bill__currency")
    return {run_id: Money(minor, currency) for run_id, minor, currency in rows}


def _page(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


# --- what is said -----------------------------------------------------------------------------------------------------------


def _payment_page(notice: Notice, facts: _Facts) -> str:
    # The payment's page shows a person's own party; for others there is nothing to open yet.
    wanted = _payment_id(notice)
    return _page("payment", wanted) if wanted and notice.party_id == facts.person.party_id and facts.payment(notice) else ""


def _of_payment(
    with_facts: Callable[[], str],
    without: Callable[[], str],
    *,
    icon: str,
    tone: str = "",
    sub: Callable[[PaymentView], str | Promise] = lambda view: "",
) -> Callable[[Notice, _Facts], Words]:
    def make(notice: Notice, facts: _Facts) -> Words:
        view = facts.payment(notice)
        if view is None:
            return Words(Sentence(without()), icon=icon, tone=tone)
        sentence = Sentence(with_facts(), {"name": view.title, "amount": facts.amount(view)})
        return Words(sentence, sub=sub(view), icon=icon, tone=tone, href=_payment_page(notice, facts))

    return make


def _bill(
    with_facts: Callable[[], str], without: Callable[[], str], *, icon: str, tone: str, sub: Callable[[str, str], str]
) -> Callable[[Notice, _Facts], Words]:
    """`sub` is given the code and the day of the next try ("" without one)."""

    def make(notice: Notice, facts: _Facts) -> Words:
        bill_id, run_id, code = _id(notice, "bill_id"), _id(notice, "run_id"), str(notice.data.get("code", ""))
        name = facts.bills.get(bill_id, "") if bill_id else ""
        view, asked = facts.payment(notice), facts.runs.get(run_id) if run_id else None
        href = _payment_page(notice, facts) or (_page("bill", bill_id) if notice.party_id == facts.person.party_id else "")
        why = sub(code, _again_on(notice))
        if not name:
            return Words(Sentence(without()), sub=why, icon=icon, tone=tone, href=href)
        amount = facts.amount(view) if view is not None else facts.money(asked) if asked is not None else ""
        return Words(
            Sentence(with_facts(), {"bill": name}),
            sub=" · ".join(part for part in (amount, why) if part),
            icon=icon,
            tone=tone,
            href=href,
        )

    return make


def _again_on(notice: Notice) -> str:
    """The day of the next try, by the reader's clock."""
    again_at = notice.data.get("again_at")
    if not again_at:
        return ""
    return formatting.day(timezone.localtime(datetime.fromisoformat(str(again_at))).date(), get_language() or "en", "weekday")


def _retry(code: str, on: str) -> str:
    if code != "insufficient_funds":
        return _("We try again. Look at the bill to see why.")
    if not on:
        return _("There was not enough money. We try again; top up so that it succeeds.")
    return _("There was not enough money. We try again on {day}; top up so that it succeeds.").format(day=on)


def _fixed(text: Callable[[], str], *, icon: str, page: str, sub: Callable[[], str] = lambda: "", tone: str = "") -> Any:
    return lambda notice, facts: Words(Sentence(text()), sub=sub(), icon=icon, tone=tone, href=_page(page))


def _new_device(notice: Notice, facts: _Facts) -> Words:
    known = facts.devices.get(notice.subject_id, "") if notice.subject_id else ""
    sentence = Sentence(_("New sign-in: {device}"), {"device": known}) if known else Sentence(_("Somebody signed in from a new device."))
    sub = _("Was it not you? End that session, then change your password at once.")
    return Words(sentence, sub=sub, icon="devices", tone="wait", href=_page("sessions"))


def _level(notice: Notice, facts: _Facts) -> Words:
    return Words(
        Sentence(_("Your level is now {level}."), {"level": str(notice.data.get("level", ""))}),
        sub=_("Your limits have changed with it."),
        icon="gauge",
        tone="good",
        href=_page("limits"),
    )


def _role(notice: Notice) -> str:
    role = notice.data.get("role")
    return str(Membership.Role(role).label) if role in Membership.Role.values else ""


def _member(joined: bool) -> Callable[[Notice, _Facts], Words]:
    def make(notice: Notice, facts: _Facts) -> Words:
        who = _id(notice, "person_id")
        party = facts.parties.get(notice.party_id, "")
        if who == facts.person.id:
            text = _("You may now act for {party}.") if joined else _("You act for {party} no longer.")
            return Words(Sentence(text, {"party": party}), sub=_role(notice), icon="person")
        name = facts.people.get(who, "") if who else ""
        text = _("{name} may now act for {party}.") if joined else _("{name} acts for {party} no longer.")
        return Words(Sentence(text, {"name": name or _("Somebody"), "party": party}), sub=_role(notice), icon="person")

    return make


def _partner(granted: bool) -> Callable[[Notice, _Facts], Words]:
    def make(notice: Notice, facts: _Facts) -> Words:
        which = _id(notice, "application_id")
        name = (facts.partners.get(which, "") if which else "") or _("A program")
        text = _("{partner} has access to your account.") if granted else _("{partner} has no access any more.")
        return Words(Sentence(text, {"partner": name}), icon="book", href=_page("partners"))

    return make


_OF_PAYMENTS: Final = frozenset(
    {
        "received",
        "returned",
        "taken_back",
        "held",
        "released",
        "stopped",
        "payout_failed",
        "top_up_held",
        "top_up_failed",
        "top_up_released",
        "top_up_stopped",
        "approval",
    }
)

_KINDS: Final[dict[str, Callable[[Notice, _Facts], Words]]] = {
    "safeguarding_different": _fixed(
        lambda: _("Safeguarding: what lies at the banks is not what people are owed."),
        icon="alert",
        tone="harm",
        page="admin:wallets_safeguardingreport_changelist",
        sub=lambda: _("Look at today’s report at once."),
    ),
    "received": _of_payment(
        lambda: _("{name} sent you {amount}"), lambda: _("You received money."), icon="in", tone="good", sub=lambda view: view.payment.note
    ),
    "returned": _of_payment(
        lambda: _("{amount} that you sent to {name} came back"), lambda: _("A payment was returned to you."), icon="undo", tone="good"
    ),
    "taken_back": _of_payment(
        lambda: _("{amount} from {name} was taken back"),
        lambda: _("A payment that you received was taken back."),
        icon="undo",
        tone="wait",
        sub=lambda view: _("Support undid this payment. Ask them if you do not know why."),
    ),
    "held": _of_payment(
        lambda: _("Your payment of {amount} to {name} is being checked"),
        lambda: _("A payment is being checked."),
        icon="clock",
        tone="wait",
        sub=lambda view: _("Some payments are looked at before they go on. You need not do anything; we tell you what comes of it."),
    ),
    "released": _of_payment(
        lambda: _("Your payment of {amount} to {name} went through"),
        lambda: _("A payment that was checked went through."),
        icon="check",
        tone="good",
    ),
    "stopped": _of_payment(
        lambda: _("Your payment of {amount} to {name} was not carried out"),
        lambda: _("A payment was not carried out."),
        icon="cross",
        tone="harm",
        sub=lambda view: _("The money is still in your account."),
    ),
    "top_up_held": _of_payment(
        lambda: _("Your top-up of {amount} is kept safe and not in your account yet"),
        lambda: _("A top-up is kept safe and not in your account yet."),
        icon="clock",
        tone="wait",
        sub=lambda view: view.failure,
    ),
    "top_up_released": _of_payment(
        lambda: _("Your top-up of {amount} is in your account"), lambda: _("A top-up is in your account."), icon="check", tone="good"
    ),
    "top_up_stopped": _of_payment(
        lambda: _("Your top-up of {amount} was not put into your account"),
        lambda: _("A top-up was not put into your account."),
        icon="cross",
        tone="harm",
        sub=lambda view: view.failure,
    ),
    "top_up_failed": _of_payment(
        lambda: _("Your top-up of {amount} did not go through"),
        lambda: _("A top-up did not go through."),
        icon="cross",
        tone="harm",
        sub=lambda view: view.failure,
    ),
    "payout_failed": _of_payment(
        lambda: _("{amount} that you sent to {name} did not arrive at the bank"),
        lambda: _("A payment to a bank account did not arrive."),
        icon="undo",
        tone="harm",
        sub=lambda view: _("The money is in your account again."),
    ),
    "approval": _of_payment(
        lambda: _("Your payment of {amount} to {name} waits for your approval"),
        lambda: _("A payment waits for your approval."),
        icon="clock",
        tone="wait",
        sub=lambda view: _("Nothing moves until you approve it."),
    ),
    "bill_paid": _bill(lambda: _("{bill} is paid"), lambda: _("A bill is paid."), icon="check", tone="good", sub=lambda code, on: ""),
    "bill_retrying": _bill(
        lambda: _("{bill} could not be paid yet"),
        lambda: _("A bill could not be paid yet."),
        icon="clock",
        tone="wait",
        sub=_retry,
    ),
    "bill_failed": _bill(
        lambda: _("{bill} was not paid"),
        lambda: _("A bill was not paid."),
        icon="cross",
        tone="harm",
        sub=lambda code, on: _("We do not try again this time. Pay it yourself, or look at the bill."),
    ),
    "bill_paused": _bill(
        lambda: _("{bill} is paused"),
        lambda: _("A bill is paused."),
        icon="clock",
        tone="wait",
        sub=lambda code, on: _("It is not paid until you go on with it."),
    ),
    "bill_amount_refused": _bill(
        lambda: _("{bill} asks for more than you allow"),
        lambda: _("A bill asks for more than you allow."),
        icon="alert",
        tone="wait",
        sub=lambda code, on: _("It is above the limit that you set, so it is not paid by itself."),
    ),
    "new_device": _new_device,
    "password_changed": _fixed(
        lambda: _("Your password was changed"), icon="lock", page="sessions", sub=lambda: _("Your other sessions have ended.")
    ),
    "password_reset": _fixed(lambda: _("Your password was reset"), icon="lock", page="sessions", sub=lambda: _("All sessions have ended.")),
    "email_changed": _fixed(lambda: _("Your e-mail address was changed"), icon="shield", page="account_email"),
    "identity_declined": _fixed(
        lambda: _("Your identity details were declined"),
        icon="shield",
        tone="harm",
        page="identity",
        sub=lambda: _("You are back at level 3. See why, and give them again."),
    ),
    "webhook_disabled": _fixed(
        lambda: _("A webhook endpoint was switched off"),
        icon="alert",
        tone="harm",
        page="notices",
        sub=lambda: _("It failed for days. Mend it, switch it on again over the API, and send anew what was missed."),
    ),
    "level_changed": _level,
    "member_joined": _member(True),
    "member_left": _member(False),
    "partner_granted": _partner(True),
    "partner_revoked": _partner(False),
}

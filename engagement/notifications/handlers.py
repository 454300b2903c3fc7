"""Which event tells whom what; joined to the events in hub/wiring.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from accounts.models import Party, Person
from compliance.models import Level, PartyLevel
from core import clock, due
from core.models import Event
from engagement.notifications.services import notice_give
from engagement.notifications.topics import Channel, Topic
from payments.models import Payment, State

# Who is asked on the page they are on need not be told; who left it is.
APPROVAL_AFTER = timedelta(minutes=2)


def _uuid(event: Event, name: str) -> UUID:
    return UUID(str(event.data[name]))


def _party(event: Event) -> UUID:
    assert event.party_id is not None
    return event.party_id


def _give(
    event: Event,
    topic: Topic,
    kind: str,
    *,
    party_id: UUID | None = None,
    subject_id: UUID | None = None,
    people: list[Person] | None = None,
    channels: tuple[Channel, ...] = tuple(Channel),
    data: Mapping[str, str | int | None] | None = None,
) -> None:
    notice_give(
        party_id=party_id or _party(event),
        topic=topic,
        kind=kind,
        source_id=event.id,
        subject_id=subject_id,
        now=event.created_at,
        people=people,
        channels=channels,
        data=data,
    )


# --- money ------------------------------------------------------------------------------------------------------------------


def transfer_posted(event: Event) -> None:
    payment_id = _uuid(event, "payment_id")
    payment = Payment.objects.get(id=payment_id)
    if payment.payee_party_id:
        _give(event, Topic.RECEIVED, "received", party_id=payment.payee_party_id, subject_id=payment_id)
    if payment.payer_party_id and payment.steps.filter(state=State.HELD).exists():
        _give(event, Topic.HELD, "released", party_id=payment.payer_party_id, subject_id=payment_id)


def transfer_reversed(event: Event) -> None:
    payment = Payment.objects.get(id=_uuid(event, "payment_id"))
    if payment.payer_party_id:
        _give(event, Topic.RECEIVED, "returned", party_id=payment.payer_party_id, subject_id=payment.id)
    if payment.payee_party_id:
        _give(event, Topic.RECEIVED, "taken_back", party_id=payment.payee_party_id, subject_id=payment.id)


def payment_held(event: Event) -> None:
    """The one whose money it is: a payee learns of it when it arrives. Why it is held is nobody's to tell."""
    payment = Payment.objects.get(id=_uuid(event, "payment_id"))
    kind = "held" if payment.payer_party_id else "top_up_held"
    _give(event, Topic.HELD, kind, party_id=payment.party_id, subject_id=payment.id)


def payout_posted(event: Event) -> None:
    """Whoever sent it knows; but it may have been held in between."""
    payment_id = _uuid(event, "payment_id")
    if Payment.objects.filter(id=payment_id, steps__state=State.HELD).exists():
        _give(event, Topic.HELD, "released", subject_id=payment_id)


def payout_failed(event: Event) -> None:
    _give(event, Topic.RECEIVED, "payout_failed", subject_id=_uuid(event, "payment_id"))


def payment_stopped(event: Event) -> None:
    """Held, and then not carried out. Whoever cancels a payment of their own is not told of it."""
    payment = Payment.objects.get(id=_uuid(event, "payment_id"))
    if payment.steps.filter(state=State.HELD).exists():
        _give(event, Topic.HELD, "stopped", party_id=payment.party_id, subject_id=payment.id)


def top_up_failed(event: Event) -> None:
    _give(event, Topic.TOP_UP_FAILED, "top_up_failed", subject_id=_uuid(event, "payment_id"))


def top_up_posted(event: Event) -> None:
    """Whoever topped up knows; but it may have been held in between."""
    payment_id = _uuid(event, "payment_id")
    if Payment.objects.filter(id=payment_id, steps__state=State.HELD).exists():
        _give(event, Topic.HELD, "top_up_released", subject_id=payment_id)


def top_up_stopped(event: Event) -> None:
    """Held, and closed by staff."""
    _give(event, Topic.HELD, "top_up_stopped", subject_id=_uuid(event, "payment_id"))


def approval_wanted(event: Event) -> None:
    payment_id = _uuid(event, "payment_id")
    due.schedule(
        "engagement.approval_reminder",
        run_key=str(payment_id),
        due_at=event.created_at + APPROVAL_AFTER,
        payment_id=payment_id,
        event_id=event.id,
    )


def approval_remind(*, payment_id: UUID, event_id: UUID) -> None:
    """Tell the one who has to approve, if the payment still waits."""
    payment = Payment.objects.select_related("by_person__party").filter(id=payment_id, state=State.REQUIRES_APPROVAL).first()
    if payment is None or payment.by_person is None:
        return
    notice_give(
        party_id=payment.party_id,
        topic=Topic.APPROVAL,
        kind="approval",
        source_id=event_id,
        subject_id=payment_id,
        people=[payment.by_person],
        now=clock.now(),
    )


def _bill(event: Event, topic: Topic, kind: str, *more: str) -> None:
    data = {name: str(event.data[name]) for name in ("bill_id", "payment_id", "code", *more) if event.data.get(name)}
    _give(event, topic, kind, subject_id=UUID(data["bill_id"]), data=data)


def bill_paid(event: Event) -> None:
    _bill(event, Topic.BILL_PAID, "bill_paid")


def bill_failed(event: Event) -> None:
    _bill(event, Topic.BILL_FAILED, "bill_failed", "run_id")


def bill_retrying(event: Event) -> None:
    _bill(event, Topic.BILL_FAILED, "bill_retrying", "run_id", "again_at")


def bill_paused(event: Event) -> None:
    """Only what the hub paused by itself, and says why; a person knows what they did."""
    if event.data.get("code"):
        _bill(event, Topic.BILL_FAILED, "bill_paused")


def bill_amount_refused(event: Event) -> None:
    _bill(event, Topic.BILL_FAILED, "bill_amount_refused")


# --- account ----------------------------------------------------------------------------------------------------------------


def _person(event: Event) -> list[Person]:
    return list(Person.objects.select_related("party").filter(id=_uuid(event, "person_id"), is_active=True))


def new_device(event: Event) -> None:
    _give(event, Topic.NEW_DEVICE, "new_device", subject_id=_uuid(event, "device_id"), people=_person(event))


# allauth mails about these three itself, to the old address too where there is one.
def password_changed(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "password_changed", people=_person(event), channels=(Channel.IN_APP,))


def password_reset(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "password_reset", people=_person(event), channels=(Channel.IN_APP,))


def email_changed(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "email_changed", people=_person(event), channels=(Channel.IN_APP,))


def level_changed(event: Event) -> None:
    """Everybody begins at the strictest level; that one is no news."""
    party_id, level = _party(event), int(event.data["level"])
    if level == Level.EMAIL and PartyLevel.objects.filter(party_id=party_id).count() == 1:
        return
    _give(event, Topic.ACCOUNT, "level_changed", data={"level": level})


def identity_declined(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "identity_declined", subject_id=_uuid(event, "identity_id"))


def webhook_disabled(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "webhook_disabled", subject_id=_uuid(event, "endpoint_id"))


def member_joined(event: Event) -> None:
    _membership(event, "member_joined")


def member_left(event: Event) -> None:
    _membership(event, "member_left")


def _membership(event: Event, kind: str) -> None:
    """The party's administrators and the one it is about. Nobody joins a person's own party."""
    if Party.objects.filter(id=_party(event), kind=Party.Kind.PERSON).exists():
        return
    data: dict[str, str | int | None] = {"person_id": str(event.data["person_id"]), "role": event.data.get("role")}
    _give(event, Topic.ACCOUNT, kind, people=_person(event), data=data)
    _give(event, Topic.ACCOUNT, kind, data=data)


def partner_granted(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "partner_granted", data={"application_id": str(event.data["application_id"])})


def partner_revoked(event: Event) -> None:
    _give(event, Topic.ACCOUNT, "partner_revoked", data={"application_id": str(event.data["application_id"])})


# --- staff ------------------------------------------------------------------------------------------------------------------


def safeguarding_different(event: Event) -> None:
    """People's money and what lies at the banks differ: everybody in operations hears of it, whatever they have chosen."""
    for person in Person.objects.filter(is_staff=True, is_active=True, groups__name="operations"):
        _give(event, Topic.ACCOUNT, "safeguarding_different", party_id=person.party_id, people=[person])

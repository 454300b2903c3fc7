"""What this app holds about people: how it is handed out, and how it is erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Approval, KnownDevice, Membership, PartnerConsent, Party, Person, Session, TermsAcceptance, TotpDevice
from core import privacy
from core.errors import NotFound


def export_people(party_id: UUID) -> dict[str, Any]:
    party = Party.objects.filter(id=party_id).first()
    if party is None:
        raise NotFound
    person = Person.objects.filter(party=party).first()
    return {
        "party": {
            "id": str(party.id),
            "kind": party.kind,
            "name": party.name,
            "handle": party.handle,
            "state": party.state,
            "created_at": party.created_at.isoformat(),
            "closed_at": party.closed_at.isoformat() if party.closed_at else None,
        },
        "person": _person(person) if person else None,
        "members": [_membership(row) for row in Membership.objects.filter(party=party).order_by("active_from", "id")],
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": str(person.id),
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "time_zone": person.time_zone,
        "home_currency": person.home_currency,
        "theme": person.theme,
        "hide_amounts": person.hide_amounts,
        "created_at": person.created_at.isoformat(),
        "last_sign_in_at": person.last_login.isoformat() if person.last_login else None,
        "memberships": [_membership(row) for row in Membership.objects.filter(person=person).order_by("active_from", "id")],
        "accepted_terms": [
            {"document": row.slug, "version": row.version, "language": row.language, "accepted_at": row.accepted_at.isoformat()}
            for row in TermsAcceptance.objects.filter(person=person).order_by("accepted_at", "id")
        ],
        "authenticators": [
            {"name": row.name, "created_at": row.created_at.isoformat()} for row in TotpDevice.objects.filter(user=person).order_by("id")
        ],
        "sessions": [
            {"signed_in_at": row.created_at.isoformat(), "seen_at": row.seen_at.isoformat()}
            for row in Session.objects.filter(person=person).order_by("created_at", "id")
        ],
        "known_devices": [
            {"calls_itself": row.agent, "first_seen_at": row.first_seen_at.isoformat(), "seen_at": row.seen_at.isoformat()}
            for row in KnownDevice.objects.filter(person=person).order_by("first_seen_at", "id")
        ],
        "approvals": [
            {"kind": row.kind, "state": row.state, "created_at": row.created_at.isoformat()}
            for row in Approval.objects.filter(person=person).order_by("created_at", "id")
        ],
        "partner_consents": [
            {
                "partner": row.application.name,
                "party": str(row.party_id),
                "scopes": row.scopes,
                "granted_at": row.granted_at.isoformat(),
                "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
            }
            for row in PartnerConsent.objects.filter(person=person).select_related("application").order_by("granted_at", "id")
        ],
    }


def _membership(row: Membership) -> dict[str, Any]:
    return {
        "party": str(row.party_id),
        "role": row.role,
        "from": row.active_from.isoformat(),
        "to": row.active_to.isoformat() if row.active_to else None,
    }


def erase_people(party_id: UUID, now: datetime) -> None:
    """
    Clear what the party's data key does not cover: the address, the password, sessions and second factors.
    Names, handle and seeds become unreadable with the key. The handle's blind index stays taken: nobody inherits it.
    """
    from allauth.account.models import EmailAddress

    party = Party.objects.select_for_update().filter(id=party_id).first()
    if party is None:
        raise NotFound
    Party.objects.filter(id=party_id).update(
        state=Party.State.CLOSED, closed_at=party.closed_at or now, handle_index=None, name=b"", handle=b""
    )
    person = Person.objects.filter(party=party).first()
    if person is None:
        return
    Session.objects.filter(person=person).delete()
    KnownDevice.objects.filter(person=person).delete()
    TotpDevice.objects.filter(user=person).delete()
    EmailAddress.objects.filter(user=person).delete()
    Membership.objects.filter(person=person, active_to__isnull=True).update(active_to=now)
    person.set_unusable_password()
    Person.objects.filter(id=person.id).update(
        email=f"erased-{person.id}@erased.invalid",
        name=b"",
        password=person.password,
        is_active=False,
        is_staff=False,
        is_superuser=False,
        closed_at=person.closed_at or now,
        last_login=None,
    )


privacy.register(
    "accounts.people",
    export=export_people,
    erase=erase_people,
    retention="until the account is closed and the legal hold on payments (compliance) has passed",
    fields=(
        "accounts.person.email",
        "accounts.person.name",
        "accounts.party.name",
        "accounts.party.handle",
        "accounts.party.handle_index",
        "accounts.handleclaim.handle_index",
        "accounts.totpdevice.seed",
        "accounts.session.payload",
        "accounts.knowndevice.agent",
        "account.emailaddress.email",
    ),
)


def _party_of_person(some_id: UUID) -> UUID | None:
    return Person.objects.filter(id=some_id).values_list("party_id", flat=True).first()


privacy.owner_register(_party_of_person)

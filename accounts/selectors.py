"""Reads about people. Everything of somebody else's answers NotFound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import get_language

from accounts import sessions
from accounts.emails import email_canonical
from accounts.errors import EmailInvalid, PayeeClosed, PayeeOwn, PayeeUnknown, RoleForbidden
from accounts.models import HANDLE_INDEX, Approval, Membership, PartnerConsent, Party, Person, Session, Terms, TermsAcceptance
from accounts.values import email_checked, handle_canonical, handle_well_formed, public_name
from core import clock, crypto
from core.errors import NotFound

if TYPE_CHECKING:
    from accounts.models.people import MembershipQuerySet

# Who may do what for a party: each role may also do what the roles behind it may.
RANKS = {Membership.Role.VIEWER: 1, Membership.Role.MEMBER: 2, Membership.Role.ADMIN: 3, Membership.Role.OWNER: 4}


@dataclass(frozen=True)
class Payee:
    """Whom money would go to, as shown before sending. `email_hint` is only what the payer typed."""

    party_id: UUID
    display_name: str
    handle: str
    email_hint: str


@dataclass(frozen=True)
class SessionRow:
    id: UUID
    device: str
    signed_in_at: datetime
    seen_at: datetime
    is_current: bool


def person_by_email(text: str) -> Person | None:
    """Whoever signs in with this address, proved or not; None also for text that is no address."""
    try:
        return Person.objects.filter(email=email_checked(text)).first()
    except EmailInvalid:
        return None


def memberships_of(person: Person, *, at: datetime | None = None) -> MembershipQuerySet:
    found: MembershipQuerySet = Membership.objects.filter(person=person)
    return found.active(at or clock.now())


def parties_for(person: Person, *, at: datetime | None = None) -> QuerySet[Party]:
    """The parties a person acts for, their own first."""
    ids = memberships_of(person, at=at).values("party_id")
    return Party.objects.filter(id__in=ids).order_by("created_at", "id")


def role_of(person: Person, party_id: UUID, *, at: datetime | None = None) -> str | None:
    return memberships_of(person, at=at).filter(party_id=party_id).values_list("role", flat=True).first()


def party_get(person: Person, party_id: UUID, *, role: str = Membership.Role.VIEWER, at: datetime | None = None) -> Party:
    """
    A party the person acts for, in at least this role.

    :raises NotFound: not theirs, or not there.
    :raises RoleForbidden: theirs, but the role is too low.
    """
    membership = memberships_of(person, at=at).filter(party_id=party_id).select_related("party").first()
    if membership is None:
        raise NotFound
    if RANKS[Membership.Role(membership.role)] < RANKS[Membership.Role(role)]:
        raise RoleForbidden
    return membership.party


def members_of(party_id: UUID, *, at: datetime | None = None) -> QuerySet[Membership]:
    found: MembershipQuerySet = Membership.objects.filter(party_id=party_id)
    return found.active(at or clock.now()).select_related("person").order_by("active_from", "id")


def party_by_handle(text: str) -> Party | None:
    handle = handle_canonical(text)
    if not handle_well_formed(handle):
        return None
    return Party.objects.filter(handle_index=crypto.blind_index(HANDLE_INDEX, handle)).first()


def party_display_name(party: Party) -> str:
    """What others see: people by first name and initial, businesses and households by their name."""
    return public_name(party.name) if party.kind == Party.Kind.PERSON else party.name


def party_display_names(party_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Display names for a list page: two queries however many there are. Erased parties have no name."""
    ids = set(party_ids)
    crypto.data_keys_warm(ids)
    return {party.id: party_display_name(party) for party in Party.objects.filter(id__in=ids)}


def payee_find(text: str, *, asking: UUID | None = None) -> Payee:
    """
    The party behind an e-mail address or a handle ("@asa" or "asa").

    `asking` is the party that would pay. An address counts only once its owner has proved it: money must not reach
    somebody who merely signed up with another person's address.

    :raises PayeeUnknown: nobody has it.
    :raises PayeeClosed: they had it, and closed their account.
    :raises PayeeOwn: it is `asking` itself.
    """
    typed = text.strip()[:300]
    by_email = "@" in typed.removeprefix("@")
    party = _party_by_email(typed) if by_email else party_by_handle(typed)
    if party is None:
        raise PayeeUnknown
    if party.id == asking:
        raise PayeeOwn
    if not party.is_open:
        raise PayeeClosed
    return Payee(
        party_id=party.id,
        display_name=party_display_name(party),
        handle=party.handle,
        email_hint=email_canonical(typed) if by_email else "",
    )


def payee_get(party_id: UUID) -> Payee:
    """
    A payee already found, by id, for the page that asks for approval.

    :raises PayeeUnknown: not there.
    """
    party = Party.objects.filter(id=party_id).first()
    if party is None:
        raise PayeeUnknown
    return Payee(party_id=party.id, display_name=party_display_name(party), handle=party.handle, email_hint="")


def payee_is_open(party_id: UUID) -> bool:
    """Whether a payee that was found earlier can still be paid."""
    return Party.objects.filter(id=party_id, state=Party.State.ACTIVE).exists()


def _party_by_email(text: str) -> Party | None:
    from allauth.account.models import EmailAddress

    try:
        email = email_checked(text)
    except EmailInvalid:
        return None
    proved = EmailAddress.objects.filter(user_id=OuterRef("pk"), email=email, verified=True)
    person = Person.objects.filter(Exists(proved), email=email).select_related("party").first()
    return person.party if person else None


# --- terms ---------------------------------------------------------------------------------------------------------------


def terms_current(*, at: datetime | None = None) -> list[Terms]:
    """The newest effective version of each document, in the reader's language where there is a translation."""
    return [terms for slug in _slugs(at or clock.now()) if (terms := terms_get(slug, at=at)) is not None]


def terms_get(slug: str, *, version: int | None = None, language: str | None = None, at: datetime | None = None) -> Terms | None:
    at = at or clock.now()
    found = Terms.objects.filter(slug=slug, effective_from__lte=at)
    if version is None:
        version = found.aggregate(newest=Max("version"))["newest"]
    translations = {terms.language: terms for terms in found.filter(version=version)}
    wanted = (language or get_language() or "en").lower()
    return (
        translations.get(wanted)
        or translations.get(wanted.split("-")[0])
        or translations.get("en")
        or next(iter(translations.values()), None)
    )


def terms_missing(person: Person, *, at: datetime | None = None) -> list[Terms]:
    """Documents whose newest effective version the person has not accepted. One query when there is none."""
    accepted = TermsAcceptance.objects.filter(person=person, slug=OuterRef("slug"), version=OuterRef("version"))
    newer = Terms.objects.filter(slug=OuterRef("slug"), version__gt=OuterRef("version"), effective_from__lte=at or clock.now())
    missing = Terms.objects.filter(~Exists(accepted), ~Exists(newer), effective_from__lte=at or clock.now())
    slugs = sorted(set(missing.values_list("slug", flat=True)))
    return [terms for slug in slugs if (terms := terms_get(slug, at=at)) is not None]


def _slugs(at: datetime) -> list[str]:
    return sorted(
        set(Terms.objects.filter(effective_from__lte=at).values_list("slug", flat=True)), key=lambda slug: (slug != "terms-of-use", slug)
    )


# --- sessions ------------------------------------------------------------------------------------------------------------


def sessions_for(person: Person, *, current_key: str | None = None) -> list[SessionRow]:
    """Where the person is signed in, the current session first, then the newest."""
    current = sessions.key_hash(current_key) if current_key else b""
    rows = [
        SessionRow(
            id=row.id,
            device=str(sessions.payload_open(bytes(row.payload), bytes(row.key_hash)).get(sessions.DEVICE_KEY, "")),
            signed_in_at=row.created_at,
            seen_at=row.seen_at,
            is_current=bytes(row.key_hash) == current,
        )
        for row in Session.objects.filter(person=person, expires_at__gt=clock.now()).order_by("-seen_at", "-id")
    ]
    return sorted(rows, key=lambda row: not row.is_current)


def approval_get(person: Person, approval_id: UUID) -> Approval:
    """:raises NotFound: not there, or somebody else's."""
    approval = Approval.objects.filter(id=approval_id, person=person).first()
    if approval is None:
        raise NotFound
    return approval


# --- partners ------------------------------------------------------------------------------------------------------------


def partner_consents_for(person: Person) -> list[PartnerConsent]:
    """What the person allows partners at the moment, the newest first, with the partner and the party it is for."""
    found = PartnerConsent.objects.filter(person=person, revoked_at__isnull=True).select_related("application", "party")
    rows = list(found.order_by("-granted_at", "-id"))
    crypto.data_keys_warm({row.party_id for row in rows})
    return rows

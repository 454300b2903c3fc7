"""Businesses, households, who acts for them, and handles."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import selectors, values
from accounts.errors import AlreadyMember, HandleTaken, LastOwner, MembershipUnknown, PartyClosed
from accounts.models import HANDLE_INDEX, HandleClaim, Membership, Party, Person
from core import audit, crypto, events


def business_open(*, by: Person, name: str, now: datetime) -> Party:
    """A business owned by the person who opens it."""
    return _party_open(kind=Party.Kind.BUSINESS, by=by, name=name, now=now)


def household_open(*, by: Person, name: str, now: datetime) -> Party:
    """A household owned by the person who opens it."""
    return _party_open(kind=Party.Kind.HOUSEHOLD, by=by, name=name, now=now)


@transaction.atomic
def _party_open(*, kind: Party.Kind, by: Person, name: str, now: datetime) -> Party:
    party = Party.objects.create(kind=kind, name=values.name_checked(name), created_at=now)
    Membership.objects.create(party=party, person=by, role=Membership.Role.OWNER, active_from=now)
    audit.record("accounts.party.opened", actor=by, party_id=party.id, object_type="party", object_id=party.id, kind=kind.value)
    events.emit("accounts.party.opened", party_id=party.id, person_id=by.id, kind=kind.value)
    return party


@transaction.atomic
def membership_add(*, by: Person, party_id: UUID, person: Person, role: str, now: datetime) -> Membership:
    """
    Let a person act for a party. Administrators add members and viewers, owners add anybody.

    :raises NotFound: not a party of `by`.
    :raises RoleForbidden: `by` may not give this role.
    :raises PartyClosed: nobody acts for a closed party.
    :raises AlreadyMember: they already do.
    """
    wanted = Membership.Role(role)
    needed = Membership.Role.ADMIN if selectors.RANKS[wanted] < selectors.RANKS[Membership.Role.ADMIN] else Membership.Role.OWNER
    party = selectors.party_get(by, party_id, role=needed, at=now)
    if not party.is_open:
        raise PartyClosed
    try:
        with transaction.atomic():
            membership = Membership.objects.create(party=party, person=person, role=wanted, active_from=now)
    except IntegrityError:
        raise AlreadyMember from None
    audit.record(
        "accounts.membership.added", actor=by, party_id=party.id, object_type="membership", object_id=membership.id, role=wanted.value
    )
    events.emit("accounts.membership.added", party_id=party.id, person_id=person.id, role=wanted.value)
    return membership


@transaction.atomic
def membership_end(*, by: Person, membership_id: UUID, now: datetime) -> Membership:
    """
    End a membership: one's own, or somebody's in a party where `by` may add that role.

    :raises MembershipUnknown: not there, already ended, or of a party that is not theirs.
    :raises RoleForbidden: theirs, but the role is too low.
    :raises LastOwner: a party keeps one owner.
    """
    found = Membership.objects.filter(id=membership_id, active_to__isnull=True).first()
    if found is None or selectors.role_of(by, found.party_id, at=now) is None:
        raise MembershipUnknown
    # All members of the party in one order, so that two owners cannot leave at the same moment.
    members = list(Membership.objects.select_for_update().filter(party_id=found.party_id, active_to__isnull=True).order_by("id"))
    membership = next((member for member in members if member.id == membership_id), None)
    if membership is None:
        raise MembershipUnknown
    if membership.person_id != by.id:
        admin = selectors.RANKS[Membership.Role(membership.role)] < selectors.RANKS[Membership.Role.ADMIN]
        selectors.party_get(by, membership.party_id, role=Membership.Role.ADMIN if admin else Membership.Role.OWNER, at=now)
    if membership.role == Membership.Role.OWNER and sum(member.role == Membership.Role.OWNER for member in members) == 1:
        raise LastOwner
    membership.active_to = now
    membership.save(update_fields=["active_to"])
    audit.record("accounts.membership.ended", actor=by, party_id=membership.party_id, object_type="membership", object_id=membership.id)
    events.emit("accounts.membership.ended", party_id=membership.party_id, person_id=membership.person_id)
    return membership


@transaction.atomic
def handle_set(*, by: Person, party_id: UUID, handle: str, now: datetime) -> Party:
    """
    Take a handle, or give one up with an empty text. A handle once taken stays with its party.

    :raises HandleInvalid: wrong shape.
    :raises HandleTaken: another party's, now or ever, or reserved.
    :raises RoleForbidden: only owners and administrators choose it.
    """
    party = selectors.party_get(by, party_id, role=Membership.Role.ADMIN, at=now)
    if not party.is_open:
        raise PartyClosed
    canonical = values.handle_checked(handle) if handle.strip() else ""
    if canonical:
        _handle_claim(party, canonical, now)
    party.handle = canonical
    party.save(update_fields=["handle", "handle_index"])
    audit.record("accounts.handle.changed", actor=by, party_id=party.id, object_type="party", object_id=party.id)
    events.emit("accounts.party.changed", party_id=party.id)
    return party


def _handle_claim(party: Party, canonical: str, now: datetime) -> None:
    index = crypto.blind_index(HANDLE_INDEX, canonical)
    HandleClaim.objects.bulk_create([HandleClaim(party=party, handle_index=index, claimed_at=now)], ignore_conflicts=True)
    # After the insert the row is there, ours or an earlier one: of two who ask at once, the second waits and sees the first.
    if HandleClaim.objects.get(handle_index=index).party_id != party.id:
        raise HandleTaken

"""Sign-ups whose address nobody proved: after a while all that says who they were goes, and the address is free again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import HandleClaim, Membership, PartnerApplication, PartnerConsent, Person, TotpDevice
from core import audit, events, privacy
from core.models import AuditEntry

log = structlog.get_logger(__name__)


def sign_ups_forget(*, now: datetime, limit: int = 500) -> int:
    """
    Erase sign-ups that are older than `settings.HUB_SIGN_UP_KEPT_DAYS` and were never proved; returns how many.

    Each in a transaction of its own: one that cannot go is written to the log, and the others still do.
    """
    gone = 0
    for person_id in _unproved(now).order_by("created_at", "id").values_list("id", flat=True).iterator():
        try:
            gone += sign_up_forget(person_id=person_id, now=now)
        except Exception:
            log.exception("sign_up_not_forgotten", person_id=str(person_id))
        if gone >= limit:
            break
    return gone


@transaction.atomic
def sign_up_forget(*, person_id: UUID, now: datetime) -> bool:
    """
    Erase one sign-up, as `person_erase` does, and close its empty wallet. Rows that are append-only or that others point at
    stay, with ids and times only. False when there is a reason to keep it: the address was proved meanwhile, they have rights,
    money, a case or anything else that somebody made.
    """
    person = _unproved(now).select_for_update(of=("self",)).select_related("party").filter(id=person_id).first()
    if person is None or _has_left_traces(person) or privacy.kept_by(person.party_id):
        return False
    # Whoever types the code at this very moment waits here, and then finds no address to prove.
    list(EmailAddress.objects.select_for_update().filter(user=person))
    if EmailAddress.objects.filter(user=person, verified=True).exists():
        return False
    privacy.erase(person.party_id, now=now)
    audit.record("accounts.person.sign_up_forgotten", party_id=person.party_id, object_type="person", object_id=person.id)
    events.emit("accounts.person.closed", party_id=person.party_id, person_id=person.id)
    return True


def _unproved(now: datetime) -> QuerySet[Person]:
    """Old enough, never signed in, and an address that waits for its code: people whom the operator made have a proved one."""
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    return Person.objects.filter(
        Exists(addresses.filter(verified=False)),
        ~Exists(addresses.filter(verified=True)),
        created_at__lt=now - timedelta(days=settings.HUB_SIGN_UP_KEPT_DAYS),
        last_login__isnull=True,
        is_active=True,
        is_staff=False,
        is_superuser=False,
    )


def _has_left_traces(person: Person) -> bool:
    """What only somebody who was let in can have; a doubt keeps them."""
    party_id = person.party_id
    memberships = Membership.objects.filter(Q(person=person) | Q(party_id=party_id))
    proofs = AuditEntry.objects.filter(object_type="person", object_id=str(person.id), action="accounts.email.proved")
    found: tuple[QuerySet[Any], ...] = (
        memberships.exclude(person=person, party_id=party_id),
        proofs,
        PartnerApplication.objects.filter(Q(party_id=party_id) | Q(user=person)),
        PartnerConsent.objects.filter(Q(party_id=party_id) | Q(person=person)),
        HandleClaim.objects.filter(party_id=party_id),
        TotpDevice.objects.filter(user=person),
        person.groups.all(),
        person.user_permissions.all(),
    )
    return any(rows.exists() for rows in found)

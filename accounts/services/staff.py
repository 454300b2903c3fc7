"""Who is staff, and their second factor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import Person, TotpDevice
from accounts.models.factors import seed_new
from accounts.services.sessions import sessions_end_all
from core import audit


@transaction.atomic
def staff_appoint(*, person: Person, groups: Sequence[str], superuser: bool, now: datetime) -> TotpDevice:
    """
    Give a person exactly these groups and a new authenticator; older ones stop working and sessions end.
    The device's seed is shown once, by the caller.
    """
    person.is_staff, person.is_superuser = True, superuser
    person.save(update_fields=["is_staff", "is_superuser"])
    person.groups.set(Group.objects.filter(name__in=groups))
    TotpDevice.objects.filter(user=person).delete()
    device: TotpDevice = TotpDevice.objects.create(user=person, name="authenticator", seed=seed_new(), created_at=now)
    sessions_end_all(person=person)
    audit.record(
        "accounts.staff.appointed",
        party_id=person.party_id,
        object_type="person",
        object_id=person.id,
        groups=",".join(sorted(groups)),
        superuser="yes" if superuser else "no",
    )
    return device

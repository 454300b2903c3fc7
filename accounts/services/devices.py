"""Remembering the devices a person signs in from."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.known_devices import KEPT_FOR, token_hash
from accounts.models import KnownDevice, Person
from core import events


@transaction.atomic
def device_seen(*, person: Person, token: str, agent: str, now: datetime) -> KnownDevice:
    """
    A sign-in came from this device. Emits `accounts.session.new_device` when the person has others and this one is new;
    the very first device is where they signed up.
    """
    KnownDevice.objects.filter(person=person, seen_at__lt=now - KEPT_FOR).delete()
    hashed = token_hash(token)
    known = KnownDevice.objects.filter(person=person, token_hash=hashed).first()
    if known is not None:
        KnownDevice.objects.filter(pk=known.pk).update(seen_at=now)
        return known
    has_others = KnownDevice.objects.filter(person=person).exists()
    # Two sign-ins of one new device at the same moment: the first to commit keeps the row and tells.
    found, created = KnownDevice.objects.get_or_create(
        person=person, token_hash=hashed, defaults={"agent": agent[:300], "first_seen_at": now, "seen_at": now}
    )
    if created and has_others:
        events.emit("accounts.session.new_device", party_id=person.party_id, person_id=person.id, device_id=found.id)
    return found

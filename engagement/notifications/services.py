"""Telling people, marking what they read, and keeping what they chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation

from accounts import selectors as accounts
from accounts.models import Membership, Person
from accounts.values import time_zones
from core import audit
from core.errors import NotFound
from engagement.notifications import selectors
from engagement.notifications.letters import letter_send
from engagement.notifications.models import Notice, Preference
from engagement.notifications.topics import ABOUT, Channel, Topic

KEPT_FOR = timedelta(days=730)


def recipients(party_id: UUID, *, topic: Topic, at: datetime) -> list[Person]:
    """Who hears of it: the members of the party whose role is high enough, as long as they may sign in."""
    least = accounts.RANKS[Membership.Role(ABOUT[topic].role)]
    members = accounts.members_of(party_id, at=at).select_related("person__party")
    return [member.person for member in members if member.person.is_active and accounts.RANKS[Membership.Role(member.role)] >= least]


@transaction.atomic
def notice_give(
    *,
    party_id: UUID,
    topic: Topic,
    kind: str,
    source_id: UUID,
    now: datetime,
    subject_id: UUID | None = None,
    people: Iterable[Person] | None = None,
    channels: Iterable[Channel] = tuple(Channel),
    data: Mapping[str, str | int | None] | None = None,
) -> list[Notice]:
    """
    Tell the people concerned (the party's members, unless `people` names them) over the channels they want.

    Once per person, source and kind, however often it is called. `channels` leaves out what something else already sends.
    `data` holds ids and codes only.
    """
    people = recipients(party_id, topic=topic, at=now) if people is None else list(people)
    wanted = selectors.channels_of([person.id for person in people], topic)
    told = []
    for person in people:
        notice = Notice(
            party_id=party_id,
            person=person,
            topic=topic,
            kind=kind,
            subject_id=subject_id,
            data=dict(data or {}),
            source_id=source_id,
            created_at=now,
        )
        open_channels = wanted[person.id] & set(channels)
        if Channel.IN_APP in open_channels:
            Notice.objects.bulk_create([notice], ignore_conflicts=True)
        if Channel.EMAIL in open_channels:
            with _as(person):
                letter_send(notice)
        told.append(notice)
    return told


class _as:
    """The words of a mail are in the reader's language and time zone."""

    def __init__(self, person: Person) -> None:
        self.language = translation.override(person.language)
        self.zone = timezone.override(person.time_zone if person.time_zone in time_zones() else "UTC")

    def __enter__(self) -> None:
        self.language.__enter__()
        self.zone.__enter__()

    def __exit__(self, *error: object) -> None:
        self.zone.__exit__(*error)  # type: ignore[arg-type]
        self.language.__exit__(*error)  # type: ignore[arg-type]


def notice_read(*, person: Person, notice_id: UUID, now: datetime) -> Notice:
    """
    Mark one as read; again changes nothing.

    :raises NotFound: not there, or somebody else's.
    """
    notice = Notice.objects.filter(person=person, id=notice_id).first()
    if notice is None:
        raise NotFound
    if notice.read_at is None:
        # A moved clock may stand before the notice.
        notice.read_at = max(now, notice.created_at)
        notice.save(update_fields=["read_at"])
    return notice


def notices_read_all(*, person: Person, now: datetime) -> int:
    """Mark everything up to now as read; returns how many."""
    return Notice.objects.filter(person=person, read_at__isnull=True, created_at__lte=now).update(read_at=now)


@transaction.atomic
def preferences_save(*, person: Person, wanted: Mapping[tuple[Topic, Channel], bool], now: datetime) -> None:
    """Keep a person's choices. Topics that are always told are left alone, whatever is asked."""
    rows = [
        Preference(person=person, topic=topic, channel=channel, wanted=value, changed_at=now)
        for (topic, channel), value in wanted.items()
        if not ABOUT[topic].always
    ]
    Preference.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["person", "topic", "channel"], update_fields=["wanted", "changed_at"]
    )
    audit.record("engagement.preferences.changed", actor=person, party_id=person.party_id, object_type="person", object_id=person.id)


def notices_forget(*, now: datetime, limit: int = 5000) -> int:
    """Delete notices that nobody needs any more; returns how many."""
    old = Notice.objects.filter(created_at__lt=now - KEPT_FOR).values("id")[:limit]
    return Notice.objects.filter(id__in=old).delete()[0]

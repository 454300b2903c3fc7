"""Reading notices, always for one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Person
from engagement.notifications.models import Notice, Preference
from engagement.notifications.topics import ABOUT, Channel, Topic
from engagement.notifications.words import NoticeView, views_of

# More than this is shown as "99+": counting on would read every row of somebody who never looks.
UNREAD_SHOWN = 99


@dataclass(frozen=True, slots=True)
class DayGroup:
    day: Any
    rows: list[NoticeView]


@dataclass(frozen=True, slots=True)
class NoticePage:
    """`next_cursor` is empty on the last page."""

    rows: list[NoticeView]
    next_cursor: str

    @property
    def days(self) -> list[DayGroup]:
        by_day = groupby(self.rows, key=lambda view: timezone.localtime(view.notice.created_at).date())
        return [DayGroup(day, list(rows)) for day, rows in by_day]


def unread_count(person: Person) -> int:
    """How many wait to be read, at most UNREAD_SHOWN + 1."""
    return Notice.objects.filter(person=person, read_at__isnull=True)[: UNREAD_SHOWN + 1].count()


def notices_for(person: Person, *, cursor: str = "", limit: int = 30, unread: bool = False) -> NoticePage:
    """Newest first. `cursor` is the id of the last row of the page before; one that makes no sense starts from the top."""
    found = Notice.objects.filter(person=person)
    if unread:
        found = found.filter(read_at__isnull=True)
    if (last := _cursor_read(person, cursor)) is not None:
        found = found.before(last.created_at, last.id)
    rows = list(found.select_related("party").order_by("-created_at", "-id")[: limit + 1])
    return NoticePage(views_of(person, rows[:limit]), str(rows[limit - 1].id) if len(rows) > limit else "")


def _cursor_read(person: Person, cursor: str) -> Notice | None:
    try:
        return Notice.objects.filter(person=person, id=UUID(cursor)).only("id", "created_at").first() if cursor else None
    except ValueError:
        return None


def channels_of(person_ids: Iterable[UUID], topic: Topic) -> dict[UUID, set[Channel]]:
    """The channels each person wants for a topic: all of them, but for those they switched off."""
    wanted = {person_id: set(Channel) for person_id in person_ids}
    if not ABOUT[topic].always:
        for row in Preference.objects.filter(person_id__in=list(wanted), topic=topic, wanted=False):
            wanted[row.person_id].discard(Channel(row.channel))
    return wanted


def preferences_for(person: Person) -> dict[tuple[Topic, Channel], bool]:
    """Every topic and channel with what holds for this person."""
    chosen = {(row.topic, row.channel): row.wanted for row in Preference.objects.filter(person=person)}
    return {(topic, channel): chosen.get((topic, channel), True) for topic in Topic for channel in Channel}

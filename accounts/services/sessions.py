"""Ending sessions: one, the others, or all."""

from __future__ import annotations

from uuid import UUID

from accounts import sessions
from accounts.models import Person, Session
from core import audit
from core.errors import NotFound


def session_end(*, person: Person, session_id: UUID) -> None:
    """:raises NotFound: not theirs, or already over."""
    deleted, _rows = Session.objects.filter(person=person, id=session_id).delete()
    if not deleted:
        raise NotFound
    audit.record("accounts.session.ended", actor=person, party_id=person.party_id, object_type="session", object_id=session_id)


def sessions_end_others(*, person: Person, current_key: str) -> int:
    """End every session but the one with this key; returns how many ended."""
    ended, _rows = Session.objects.filter(person=person).exclude(key_hash=sessions.key_hash(current_key)).delete()
    audit.record("accounts.sessions.ended", actor=person, party_id=person.party_id, object_type="person", object_id=person.id, count=ended)
    return ended


def sessions_end_all(*, person: Person) -> int:
    ended, _rows = Session.objects.filter(person=person).delete()
    return ended

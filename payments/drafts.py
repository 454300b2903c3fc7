"""What somebody has typed so far on the pages of sending: kept in their session (encrypted), one entry a payment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from core.ids import uuid7

_SESSION_KEY = "send_drafts"
# Several tabs may be open; a session is not a place to keep more.
_KEPT = 5


@dataclass
class Draft:
    """`key` makes sending it twice one payment; it changes whenever the draft does."""

    payee: str
    amount: str = ""
    wallet: str = ""
    note: str = ""
    id: str = field(default_factory=lambda: str(uuid7()))
    key: str = field(default_factory=lambda: str(uuid7()))

    def change(self, **changes: str) -> Draft:
        for name, value in changes.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.key = str(uuid7())
        return self


def draft_save(session: SessionBase, draft: Draft) -> Draft:
    drafts: dict[str, dict[str, str]] = {**session.get(_SESSION_KEY, {})}
    drafts.pop(draft.id, None)
    drafts[draft.id] = asdict(draft)
    session[_SESSION_KEY] = dict(list(drafts.items())[-_KEPT:])
    return draft


def draft_get(session: SessionBase, draft_id: UUID) -> Draft | None:
    found = session.get(_SESSION_KEY, {}).get(str(draft_id))
    return Draft(**found) if found else None

"""What somebody has typed so far on the pages of a new bill: kept in their session (encrypted), one entry a bill."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from core.ids import uuid7

_SESSION_KEY = "bill_drafts"
_KEPT = 3


@dataclass
class BillDraft:
    """`terms` is the form of the terms as it was posted; `key` makes sending it twice one bill and changes with the draft."""

    payee: str = ""
    iban: str = ""
    holder: str = ""
    bill: str = ""
    terms: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid7()))
    key: str = field(default_factory=lambda: str(uuid7()))


def draft_save(session: SessionBase, draft: BillDraft) -> BillDraft:
    drafts: dict[str, dict[str, object]] = {**session.get(_SESSION_KEY, {})}
    if drafts.get(draft.id) not in (None, asdict(draft)):
        draft.key = str(uuid7())
    drafts.pop(draft.id, None)
    drafts[draft.id] = asdict(draft)
    session[_SESSION_KEY] = dict(list(drafts.items())[-_KEPT:])
    return draft


def draft_get(session: SessionBase, draft_id: UUID) -> BillDraft | None:
    found = session.get(_SESSION_KEY, {}).get(str(draft_id))
    return BillDraft(**found) if found else None

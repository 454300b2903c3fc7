"""What somebody has typed so far on the pages of paying: kept in their session (encrypted), one entry a payment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from core.ids import uuid7


@dataclass(kw_only=True)
class Draft:
    """`key` makes sending it twice one payment; it changes whenever the draft does."""

    id: str = field(default_factory=lambda: str(uuid7()))
    key: str = field(default_factory=lambda: str(uuid7()))


@dataclass(kw_only=True)
class AmountDraft(Draft):
    """`amount` as it was typed, from the wallet of that id."""

    amount: str = ""
    wallet: str = ""
    note: str = ""

    @property
    def typed(self) -> dict[str, str]:
        """As the form of the amount was posted."""
        return {"amount": self.amount, "wallet": self.wallet, "note": self.note}


@dataclass(kw_only=True)
class SendDraft(AmountDraft):
    payee: str = ""


@dataclass(kw_only=True)
class BankDraft(AmountDraft):
    iban: str = ""
    holder: str = ""


Kept = TypeVar("Kept", bound=Draft)


class Drafts(Generic[Kept]):
    """The drafts of one kind in a session: several tabs may be open, but a session is not a place to keep many."""

    def __init__(self, kind: type[Kept], session_key: str, *, kept: int = 5) -> None:
        self._kind, self._session_key, self._kept = kind, session_key, kept

    def save(self, session: SessionBase, draft: Kept) -> Kept:
        drafts: dict[str, dict[str, Any]] = {**session.get(self._session_key, {})}
        if drafts.pop(draft.id, None) not in (None, asdict(draft)):
            draft.key = str(uuid7())
        drafts[draft.id] = asdict(draft)
        session[self._session_key] = dict(list(drafts.items())[-self._kept :])
        return draft

    def get(self, session: SessionBase, draft_id: UUID) -> Kept | None:
        found = session.get(self._session_key, {}).get(str(draft_id))
        return self._kind(**found) if found else None


SENDING = Drafts(SendDraft, "send_drafts")
BANK = Drafts(BankDraft, "bank_drafts")

"""What happens to stored verdicts outside the screening process: asking for one, marking one as outdated, clearing entries."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from accounts.models import Party
from compliance.identity.selectors import identity_current
from compliance.screening.models import Clearance, Verdict
from core import crypto, due

SCREEN_PARTY = "compliance.screen_party"


def screening_ask(party_id: UUID, *, cause: str, now: datetime) -> None:
    """Have the screening process look at the party; `cause` (an event's or a case's id) makes asking twice for one reason once."""
    due.schedule(SCREEN_PARTY, run_key=f"{party_id}:{cause}", due_at=now, party_id=party_id)


def verdict_outdate(party_id: UUID) -> None:
    """The name has changed: what was found about the old one says nothing. A hit stays a hit."""
    Verdict.objects.filter(party_id=party_id, state=Verdict.State.CLEAR).update(state=Verdict.State.OUTDATED)


def names_of(party: Party) -> list[str]:
    """The name the party goes by here, and the legal one of its identity data where that is another."""
    identity = identity_current(party.id)
    names = [party.name, identity.legal_name if identity else ""]
    return list({crypto.fold(name): name for name in reversed(names) if name.strip()}.values())[::-1]


def name_index(party: Party) -> bytes:
    return crypto.blind_index("compliance.clearance.name", "\n".join(names_of(party)))


def verdict_release(party_id: UUID, *, case_id: UUID, now: datetime) -> None:
    """Staff have found that the party is none of the entries that its verdict names."""
    verdict = Verdict.objects.select_for_update().select_related("party").filter(party_id=party_id).first()
    if verdict is None or verdict.state != Verdict.State.HIT:
        return
    name = name_index(verdict.party)
    Clearance.objects.bulk_create(
        [
            Clearance(
                party_id=party_id,
                source=match["source"],
                entry_id=match["entry_id"],
                entry_digest=match["digest"],
                name_index=name,
                case_id=case_id,
                created_at=now,
            )
            for match in json.loads(verdict.matches or "[]")
        ],
        ignore_conflicts=True,
    )
    verdict.state, verdict.matches = Verdict.State.CLEAR, ""
    verdict.save()

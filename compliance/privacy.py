"""What compliance keeps about a party, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from compliance.cases.models import Case
from compliance.models import PartyLevel, Usage, Verdict
from core import privacy


def export(party_id: UUID) -> dict[str, Any]:
    return {
        "levels": [
            {
                "level": row.level,
                "from": row.active_from.isoformat(),
                "until": row.active_to.isoformat() if row.active_to else None,
                "reason": row.reason,
            }
            for row in PartyLevel.objects.filter(party_id=party_id).order_by("active_from", "id")
        ],
        "usage": [
            {
                "direction": row.direction,
                "window": row.window,
                "starts_on": row.starts_on.isoformat(),
                "amount": row.amount_minor,
                "currency": row.currency,
            }
            for row in Usage.objects.filter(party_id=party_id).order_by("starts_on", "direction", "window")
        ],
    }


def erase(party_id: UUID, now: datetime) -> None:
    """Levels and sums carry no personal text, and the law asks to keep how a customer was rated."""


privacy.register("compliance", export=export, erase=erase, retention="Levels and counted sums: five years after the account is closed.")


def screening_export(party_id: UUID) -> dict[str, Any]:
    """That and when the name was compared with sanctions lists. What was found and what staff decided may not be told."""
    verdict = Verdict.objects.filter(party_id=party_id).first()
    return {"screened_at": verdict.screened_at.isoformat() if verdict else None}


def screening_keeps(party_id: UUID) -> bool:
    """Whether a case about the party waits for staff: what they have to look at must not become unreadable under their eyes."""
    return Case.objects.filter(party_id=party_id, state=Case.State.OPEN).exists()


def screening_erase(party_id: UUID, now: datetime) -> None:
    """Quoted names and staff's notes become unreadable with the party's key; that there was a case must be kept."""


privacy.register(
    "compliance.screening",
    export=screening_export,
    erase=screening_erase,
    keeps=screening_keeps,
    retention="Verdicts and cases: five years after the account is closed.",
    fields=("compliance.verdict.matches", "compliance.case.note"),
)

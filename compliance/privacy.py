"""What compliance keeps about a party, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from compliance.models import PartyLevel, Usage
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

"""What this app keeps about people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core import privacy
from engagement.models import Notice, Preference


def export_notices(party_id: UUID) -> dict[str, Any]:
    return {
        "notices": [
            {
                "kind": row.kind,
                "about": str(row.subject_id) if row.subject_id else None,
                "created_at": row.created_at.isoformat(),
                "read_at": row.read_at.isoformat() if row.read_at else None,
            }
            for row in Notice.objects.filter(person__party_id=party_id).order_by("created_at", "id")
        ],
        "choices": [
            {"topic": row.topic, "channel": row.channel, "wanted": row.wanted}
            for row in Preference.objects.filter(person__party_id=party_id).order_by("topic", "channel")
        ],
    }


def erase_notices(party_id: UUID, now: datetime) -> None:
    Notice.objects.filter(person__party_id=party_id).delete()
    Preference.objects.filter(person__party_id=party_id).delete()


privacy.register(
    "engagement.notices",
    export=export_notices,
    erase=erase_notices,
    retention="Notices: two years (ids and codes; the words are made when they are shown). Choices: until the account is erased.",
)

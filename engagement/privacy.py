"""What this app keeps about people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core import privacy
from engagement.models import Notice, Preference, WebhookDelivery, WebhookEndpoint, WebhookSecret


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


def export_webhooks(party_id: UUID) -> dict[str, Any]:
    """A party's own endpoints, and what was told about it to programs of others."""
    return {
        "endpoints": [
            {"address": row.url, "events": row.events, "state": row.state, "created_at": row.created_at.isoformat()}
            for row in WebhookEndpoint.objects.filter(application__party_id=party_id)
            .select_related("application")
            .order_by("created_at", "id")
        ],
        "told_to_partners": [
            {"partner": str(row.endpoint.application), "event": row.event_type, "at": row.created_at.isoformat(), "state": row.state}
            for row in WebhookDelivery.objects.filter(party_id=party_id)
            .select_related("endpoint__application")
            .order_by("created_at", "id")
        ],
    }


def erase_webhooks(party_id: UUID, now: datetime) -> None:
    WebhookSecret.objects.filter(endpoint__application__party_id=party_id).delete()
    WebhookEndpoint.objects.filter(application__party_id=party_id).update(
        url=b"", state=WebhookEndpoint.State.DISABLED, disabled_reason="deleted", deleted_at=now
    )


privacy.register(
    "engagement.webhooks",
    export=export_webhooks,
    erase=erase_webhooks,
    retention="Messages and their log: 90 days. Endpoints: until they are deleted.",
    fields=("engagement.webhookendpoint.url", "engagement.webhooksecret.secret"),
)

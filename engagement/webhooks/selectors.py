"""Reading endpoints and deliveries, always of one application."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import PartnerApplication, PartnerConsent
from accounts.oauth import PartnerScopes
from core.errors import NotFound
from engagement.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret


def endpoints_of(application_id: UUID) -> QuerySet[WebhookEndpoint]:
    found = WebhookEndpoint.objects.filter(application_id=application_id, deleted_at__isnull=True)
    return found.select_related("application").order_by("created_at", "id")


def endpoint_get(application_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """:raises NotFound: not there, deleted, or another application's."""
    found = endpoints_of(application_id).filter(id=endpoint_id).first()
    if found is None:
        raise NotFound
    return found


def deliveries_of(endpoint: WebhookEndpoint, *, before: tuple[datetime, UUID] | None = None, limit: int) -> list[WebhookDelivery]:
    """Newest first, with their log."""
    found = WebhookDelivery.objects.filter(endpoint=endpoint)
    if before is not None:
        found = found.filter(Q(created_at__lt=before[0]) | Q(created_at=before[0], id__lt=before[1]))
    return list(found.prefetch_related("log").order_by("-created_at", "-id")[:limit])


def delivery_get(application_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """:raises NotFound: not there, or another application's."""
    found = WebhookDelivery.objects.filter(id=delivery_id, endpoint__application_id=application_id, endpoint__deleted_at__isnull=True)
    delivery = found.select_related("endpoint__application").first()
    if delivery is None:
        raise NotFound
    return delivery


def secrets_at(endpoint: WebhookEndpoint, moment: datetime) -> list[WebhookSecret]:
    """Those that hold, the newest first."""
    found = WebhookSecret.objects.filter(endpoint=endpoint, active_from__lte=moment)
    held = found.filter(Q(active_to__isnull=True) | Q(active_to__gt=moment))
    return list(held.select_related("endpoint__application").order_by("-active_from", "-id"))


def may_know(application: PartnerApplication, party_id: UUID, scope: str) -> bool:
    """Whether a partner may see this of a party: its own, or one that a member lets it see."""
    if not application.is_active:
        return False
    if application.party_id == party_id:
        return scope in PartnerScopes().get_available_scopes(application)
    consents = PartnerConsent.objects.filter(application=application, party_id=party_id, revoked_at__isnull=True, person__is_active=True)
    return any(scope in scopes.split() for scopes in consents.values_list("scopes", flat=True))


def endpoints_for(party_id: UUID, *, event_type: str, scope: str) -> list[WebhookEndpoint]:
    """Where this event of this party is told: active endpoints that want it, of partners that may know it."""
    consented = PartnerConsent.objects.filter(party_id=party_id, revoked_at__isnull=True).values("application_id")
    found = WebhookEndpoint.objects.filter(
        Q(application__party_id=party_id) | Q(application_id__in=consented), state=WebhookEndpoint.State.ACTIVE, deleted_at__isnull=True
    ).select_related("application")
    return [endpoint for endpoint in found.order_by("id") if endpoint.wants(event_type) and may_know(endpoint.application, party_id, scope)]

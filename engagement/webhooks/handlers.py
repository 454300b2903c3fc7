"""An event of the hub becomes one message for every endpoint that wants it and may know of it."""

from __future__ import annotations

from uuid import UUID

from core.models import Event
from engagement.webhooks import selectors, services
from engagement.webhooks.types import TYPES, EventType
from payments.models import Payment


def publish(event: Event) -> None:
    kind = TYPES[event.name]
    for party_id in _parties(event, kind):
        for endpoint in selectors.endpoints_for(party_id, event_type=kind.name, scope=kind.scope):
            services.delivery_add(
                endpoint=endpoint,
                source_id=event.id,
                party_id=party_id,
                event_type=kind.name,
                scope=kind.scope,
                data=_data(event, kind, party_id),
                at=event.created_at,
            )


def _parties(event: Event, kind: EventType) -> list[UUID]:
    """In order of their ids, so that two events lock endpoints in one order."""
    found = {event.party_id}
    if kind.both:
        payment = Payment.objects.filter(id=event.data["payment_id"]).only("payer_party_id", "payee_party_id").first()
        found |= {payment.payer_party_id, payment.payee_party_id} if payment else set()
    return sorted(party_id for party_id in found if party_id is not None)


def _data(event: Event, kind: EventType, party_id: UUID) -> dict[str, str | int]:
    """Ids and the state, nothing more: whoever wants the rest asks the API, under its rights of that moment."""
    data: dict[str, str | int] = {"party_id": str(party_id)}
    if kind.subject:
        data |= {"id": str(event.data[kind.subject]), "state": kind.state}
    if kind.name == "level.changed":
        data["level"] = int(event.data["level"])
    return data

"""News from providers: verified, stored once, answered; processed later by due work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import due
from core.crypto import SYSTEM_OWNER
from payments.gateways import gateway as gateway_named
from payments.gateways.base import GatewayEvent, Topic
from payments.models import Kind, Payment, ProviderEvent
from payments.services.refunds import refund_refresh
from payments.services.top_ups import top_up_news

_KINDS = {Topic.CHECKOUT: Kind.TOP_UP, Topic.REFUND: Kind.REFUND}


def webhook_receive(*, gateway: str, body: bytes, headers: Mapping[str, str], now: datetime) -> ProviderEvent | None:
    """
    Store a message, once for each id the provider gave it. Nothing else happens here and no network is used.

    Returns the stored message, or None when it was stored before.

    :raises KeyError: no such provider.
    :raises WebhookForged: not signed by the provider.
    """
    event = gateway_named(gateway).event_parse(body=body, headers=headers, now=now)
    payment = _payment_of(gateway, event)
    stored = ProviderEvent(
        gateway=gateway,
        event_id=event.id,
        name=event.name,
        owner_id=_customer(payment) if payment else SYSTEM_OWNER,
        body=body.decode(),
        payment=payment,
        received_at=now,
    )
    with transaction.atomic():
        ProviderEvent.objects.bulk_create([stored], ignore_conflicts=True)
        if not ProviderEvent.objects.filter(id=stored.id).exists():
            return None
        due.schedule("payments.webhook_process", run_key=str(stored.id), due_at=now, event_id=stored.id)
    return stored


def webhook_process(*, event_id: UUID, now: datetime) -> ProviderEvent:
    """
    Look at what the message is about, at the provider. Doing it twice, late or out of order changes nothing.

    :raises GatewayError: the provider did not answer; the caller tries again.
    """
    stored = ProviderEvent.objects.select_related("payment").get(id=event_id)
    if stored.state != ProviderEvent.State.RECEIVED:
        return stored
    event = gateway_named(stored.gateway).event_read(stored.body.encode())
    payment = stored.payment or _payment_of(stored.gateway, event)
    if payment is None:
        return _finish(stored, ProviderEvent.State.IGNORED, now)
    if payment.kind == Kind.TOP_UP:
        top_up_news(payment_id=payment.id, object_id=event.object_id, now=now)
    else:
        refund_refresh(payment_id=payment.id, now=now)
    stored.payment = payment
    return _finish(stored, ProviderEvent.State.DONE, now)


def _finish(stored: ProviderEvent, state: ProviderEvent.State, now: datetime) -> ProviderEvent:
    stored.state, stored.processed_at = state, now
    stored.save(update_fields=["state", "processed_at", "payment"])
    return stored


def _customer(payment: Payment) -> UUID:
    """Whom the message is about: a refund is asked for by staff, but it is the customer's card."""
    customer = payment.payee_party_id or payment.payer_party_id
    return customer or payment.party_id


def _payment_of(gateway: str, event: GatewayEvent) -> Payment | None:
    """By the provider's id, else by our own, which the provider repeats: the id may not have reached us yet."""
    kind = _KINDS.get(event.topic)
    if kind is None:
        return None
    ours = Payment.objects.filter(kind=kind, provider__gateway=gateway)
    found = ours.filter(provider__object_id=event.object_id).first() if event.object_id else None
    try:
        return found or ours.filter(id=UUID(event.reference)).first()
    except ValueError:
        return None

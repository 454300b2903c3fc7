"""Endpoints, their secrets, and sending: one try of one delivery."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from standardwebhooks import Webhook

from accounts.models import PartnerApplication, Person
from core import audit, clock, due, events
from core.errors import NotFound
from core.ids import uuid7
from engagement.webhooks import selectors, wire
from engagement.webhooks.errors import EndpointDisabled, EndpointsTooMany, EventTypeUnknown
from engagement.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret, WebhookTry
from engagement.webhooks.types import NAMES, PING

KIND: Final = "engagement.webhook"
ENDPOINTS_MAX: Final = 10
# After a failure: seconds until the next try. Then it is given up; about three days in all.
LADDER: Final = (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
# After a failure of the endpoint nothing else is tried there for so long: seconds by failures in a row.
REST: Final = (5, 10, 60, 300, 900, 1800)
# A time-out costs the worker its whole length, so one is enough to let the endpoint rest.
REST_AFTER_TIMEOUT: Final = 60
DISABLE_AFTER = timedelta(days=5)
OLD_SECRET_HOLDS = timedelta(hours=24)
DELIVERIES_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class EndpointCreated:
    """The secret is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


@transaction.atomic
def endpoint_create(
    *, application: PartnerApplication, url: str, event_types: Iterable[str] = (), by: Person | None = None, now: datetime
) -> EndpointCreated:
    """
    Tell a partner's program at this address; no `event_types` means all.

    :raises AddressForbidden: not an address on the public internet. A name that is not known yet is accepted.
    :raises EventTypeUnknown, EndpointsTooMany:
    """
    wanted = _types_checked(event_types)
    _address_check(url)
    # The application's row is the lock: two calls at once do not pass the limit together.
    PartnerApplication.objects.select_for_update().get(pk=application.pk)
    if selectors.endpoints_of(application.id).count() >= ENDPOINTS_MAX:
        raise EndpointsTooMany(limit=ENDPOINTS_MAX)
    endpoint = WebhookEndpoint.objects.create(application=application, url=url, events=wanted, created_at=now)
    secret = _secret_add(endpoint, now)
    _record("created", endpoint, by)
    return EndpointCreated(endpoint, secret)


def _types_checked(event_types: Iterable[str]) -> list[str]:
    wanted = sorted(set(event_types))
    if unknown := [name for name in wanted if name not in NAMES]:
        raise EventTypeUnknown(unknown=unknown)
    return wanted


def _address_check(url: str) -> None:
    """Refuse at once what would never be sent to; a name that does not answer now may do so later."""
    wire.url_check(url)
    try:
        wire.target_of(url)
    except OSError:
        return


def _secret_add(endpoint: WebhookEndpoint, now: datetime) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    WebhookSecret.objects.create(endpoint=endpoint, secret=secret, active_from=now)
    return secret


def _record(what: str, endpoint: WebhookEndpoint, by: Person | None, **data: str | int) -> None:
    audit.record(
        f"engagement.webhook.{what}", actor=by, party_id=endpoint.party_id, object_type="webhook_endpoint", object_id=endpoint.id, **data
    )


@transaction.atomic
def endpoint_change(
    *, endpoint: WebhookEndpoint, url: str | None = None, event_types: Iterable[str] | None = None, enabled: bool | None = None,
    by: Person | None = None,
) -> WebhookEndpoint:  # fmt: skip
    """
    Change what is given. Switching on forgets the failures before.

    :raises AddressForbidden, EventTypeUnknown:
    """
    if url is not None:
        _address_check(url)
        endpoint.url = url
    if event_types is not None:
        endpoint.events = _types_checked(event_types)
    if enabled is not None:
        endpoint.state = WebhookEndpoint.State.ACTIVE if enabled else WebhookEndpoint.State.DISABLED
        endpoint.disabled_reason = "" if enabled else "partner" if by is None else "staff"
    if enabled or url is not None:
        endpoint.failing_since, endpoint.failures, endpoint.rest_until = None, 0, None
    endpoint.save()
    _record("changed", endpoint, by)
    return endpoint


@transaction.atomic
def endpoint_delete(*, endpoint: WebhookEndpoint, now: datetime, by: Person | None = None) -> None:
    """Nothing is sent there any more; the log stays for staff until it is forgotten."""
    endpoint.deleted_at, endpoint.state, endpoint.disabled_reason = now, WebhookEndpoint.State.DISABLED, "deleted"
    endpoint.save()
    WebhookSecret.objects.filter(endpoint=endpoint).delete()
    _record("deleted", endpoint, by)


@transaction.atomic
def secret_rotate(*, endpoint: WebhookEndpoint, now: datetime, by: Person | None = None) -> str:
    """
    A new secret; the one before signs along with it for a day, so that the receiver can change over. Older ones end at once.
    """
    WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    WebhookSecret.objects.filter(endpoint=endpoint, active_to__gt=now).update(active_to=now)
    WebhookSecret.objects.filter(endpoint=endpoint, active_to__isnull=True).update(active_to=now + OLD_SECRET_HOLDS)
    secret = _secret_add(endpoint, now)
    _record("secret_rotated", endpoint, by)
    return secret


# --- putting in line --------------------------------------------------------------------------------------------------------


@transaction.atomic
def delivery_add(
    *,
    endpoint: WebhookEndpoint,
    source_id: UUID,
    party_id: UUID | None,
    event_type: str,
    scope: str,
    data: dict[str, str | int],
    at: datetime,
) -> WebhookDelivery | None:
    """Put one message in line; None when it is there already. `data` holds ids and states."""
    payload = {"type": event_type, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    delivery = WebhookDelivery(
        endpoint=endpoint, source_id=source_id, party_id=party_id, event_type=event_type, scope=scope, payload=payload, created_at=at
    )
    try:
        with transaction.atomic():
            delivery.save(force_insert=True)
    except IntegrityError:
        return None
    due.schedule(KIND, run_key=str(delivery.id), due_at=clock.now(), delivery_id=delivery.id)
    return delivery


def ping(*, endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery:
    """
    A message without news, to try an endpoint out.

    :raises EndpointDisabled: nothing is sent there.
    """
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise EndpointDisabled
    delivery = delivery_add(
        endpoint=endpoint, source_id=uuid7(), party_id=None, event_type=PING, scope="", data={"endpoint_id": str(endpoint.id)}, at=now
    )
    assert delivery is not None
    return delivery


@transaction.atomic
def delivery_resend(*, delivery: WebhookDelivery, now: datetime, by: Person | None = None) -> WebhookDelivery:
    """
    Send once more, whatever became of it, under the same message id: the receiver sees that it is the same.

    :raises EndpointDisabled: nothing is sent there.
    """
    if delivery.endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise EndpointDisabled
    delivery.state, delivery.rung = WebhookDelivery.State.WAITING, 0
    delivery.save(update_fields=["state", "rung"])
    if not due.reschedule(KIND, run_key=str(delivery.id), due_at=now, revive=True):
        due.schedule(KIND, run_key=str(delivery.id), due_at=now, delivery_id=delivery.id)
    _record("resent", delivery.endpoint, by, delivery_id=str(delivery.id))
    return delivery


# --- sending ----------------------------------------------------------------------------------------------------------------


def delivery_try(*, delivery_id: UUID) -> datetime | None:
    """
    One try, outside any transaction. Returns when to try again, None at the end of it.

    While the endpoint rests after a failure nothing is tried: the message waits for its turn without costing anything.
    """
    delivery = WebhookDelivery.objects.select_related("endpoint__application").filter(id=delivery_id).first()
    if delivery is None or delivery.state != WebhookDelivery.State.WAITING:
        return None
    now, endpoint = clock.now(), delivery.endpoint
    if endpoint.state != WebhookEndpoint.State.ACTIVE or not _still_allowed(delivery):
        return _end(delivery, WebhookDelivery.State.DROPPED)
    if endpoint.rest_until is not None and endpoint.rest_until > now:
        # Not all at the same moment when the rest is over.
        return endpoint.rest_until + timedelta(seconds=secrets.randbelow(10))
    body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False).encode()
    answer = wire.post(endpoint.url, body, _headers(delivery, body, now))
    return _settle(delivery, answer, clock.now())


def _still_allowed(delivery: WebhookDelivery) -> bool:
    """A consent that was taken back since the event stops its news at once."""
    return delivery.party_id is None or selectors.may_know(delivery.endpoint.application, delivery.party_id, delivery.scope)


def _headers(delivery: WebhookDelivery, body: bytes, now: datetime) -> dict[str, str]:
    # The receiver compares with its own clock, which no development clock moves.
    moment = clock.real()
    signatures = [
        Webhook(row.secret).sign(delivery.message_id, moment, body.decode()) for row in selectors.secrets_at(delivery.endpoint, now)
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Hub-Webhooks/1",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@transaction.atomic
def _settle(delivery: WebhookDelivery, answer: wire.Answer, now: datetime) -> datetime | None:
    WebhookTry.objects.create(delivery=delivery, at=now, status=answer.status, error=answer.error, took_ms=answer.took_ms)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(tries=F("tries") + 1, rung=F("rung") + 1)
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("application").get(pk=delivery.endpoint_id)
    if answer.good:
        if endpoint.failing_since is not None:
            endpoint.failing_since, endpoint.failures, endpoint.rest_until = None, 0, None
            endpoint.save(update_fields=["failing_since", "failures", "rest_until"])
        return _end(delivery, WebhookDelivery.State.DELIVERED, now)
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    rest = REST[min(endpoint.failures, len(REST)) - 1]
    endpoint.rest_until = now + timedelta(seconds=max(rest, REST_AFTER_TIMEOUT) if answer.error == "timeout" else rest)
    endpoint.save(update_fields=["failures", "failing_since", "rest_until"])
    # 410 Gone is the receiver's way to say "never again".
    if endpoint.state == WebhookEndpoint.State.ACTIVE and (answer.status == 410 or now - endpoint.failing_since >= DISABLE_AFTER):
        _disable(endpoint, "gone" if answer.status == 410 else "failing")
        return _end(delivery, WebhookDelivery.State.FAILED)
    if delivery.rung >= len(LADDER):
        return _end(delivery, WebhookDelivery.State.FAILED)
    return now + timedelta(seconds=LADDER[delivery.rung])


def _end(delivery: WebhookDelivery, state: WebhookDelivery.State, at: datetime | None = None) -> datetime | None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state, delivered_at=at)
    return None


def _disable(endpoint: WebhookEndpoint, reason: str) -> None:
    endpoint.state, endpoint.disabled_reason = WebhookEndpoint.State.DISABLED, reason
    endpoint.save(update_fields=["state", "disabled_reason"])
    _record("disabled", endpoint, None, reason=reason)
    events.emit("engagement.webhook.disabled", party_id=endpoint.party_id, endpoint_id=endpoint.id, reason=reason)


def deliveries_forget(*, now: datetime, limit: int = 5000) -> int:
    """Delete old messages with their log; returns how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=now - DELIVERIES_KEPT).values("id")[:limit]
    return WebhookDelivery.objects.filter(id__in=old).delete()[0]


def application_get(application_id: UUID) -> PartnerApplication:
    found = PartnerApplication.objects.filter(id=application_id, is_active=True).first()
    if found is None:
        raise NotFound
    return found

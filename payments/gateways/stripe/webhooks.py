"""Verifying and reading Stripe's events."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import stripe

from payments.gateways.base import GatewayEvent, Topic, WebhookForged

SIGNATURE_HEADER = "Stripe-Signature"
# Stripe signs anew at every attempt, so an honest late delivery is never an old signature.
TOLERANCE_SECONDS = 300

_CHECKOUT_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    }
)
_REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})


def verify(body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime) -> None:
    """
    :raises WebhookForged: missing, wrong or old signature.
    """
    header = headers.get(SIGNATURE_HEADER) or headers.get(SIGNATURE_HEADER.lower()) or ""
    try:
        # The time is checked below against our own clock, which can be moved in development.
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        signed_at = int(next(part.split("=", 1)[1] for part in header.split(",") if part.strip().startswith("t=")))
    except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError, StopIteration) as error:
        raise WebhookForged("signature") from error
    if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise WebhookForged("old")


def read(body: bytes) -> GatewayEvent:
    """
    :raises WebhookForged: not an event of Stripe's, though the signature fitted.
    """
    try:
        data = json.loads(body)
        event_id, name, thing = data["id"], data["type"], data["data"]["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise WebhookForged("shape") from error
    if not (isinstance(event_id, str) and isinstance(name, str) and isinstance(thing, dict) and 0 < len(event_id) <= 255):
        raise WebhookForged("shape")
    return GatewayEvent(id=event_id, name=name[:80], topic=_topic(name), object_id=_text(thing.get("id")), reference=_reference(thing))


def _topic(name: str) -> Topic:
    if name in _CHECKOUT_EVENTS:
        return Topic.CHECKOUT
    return Topic.REFUND if name in _REFUND_EVENTS else Topic.OTHER


def _reference(thing: Mapping[str, Any]) -> str:
    metadata = thing.get("metadata")
    noted = metadata.get("payment") if isinstance(metadata, dict) else None
    return _text(thing.get("client_reference_id") or noted)


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 255 else ""


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """The header Stripe would send; for the tests of this gateway."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    return f"t={stamp},v1={digest}"

"""The Stripe gateway, through the official library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import requests
import stripe
from django.conf import settings
from django.db import connection

from core import clock
from core.money import Money
from payments.gateways.base import (
    Checkout,
    CheckoutState,
    GatewayEvent,
    GatewayRefused,
    GatewayTimeout,
    GatewayUnavailable,
    Refund,
    RefundState,
)
from payments.gateways.stripe import webhooks
from payments.gateways.stripe.amounts import from_stripe, to_stripe

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionListParams

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
# Stripe allows a page to live from 30 minutes to 24 hours; pages through at most this many sessions to find a lost one.
FIND_PAGES = 20

_LANGUAGES: dict[str, Literal["en", "sv", "zh"]] = {"en": "en", "sv": "sv", "zh-hans": "zh"}
_REFUND_STATES = {
    "succeeded": RefundState.DONE,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
}


class StripeGateway:
    name = "stripe"

    def __init__(self, *, secret_key: str, webhook_secret: str, api_base: str = "", timeout: tuple[float, float] | None = None) -> None:
        self._webhook_secret = webhook_secret
        self._secret_key = secret_key
        self._client = stripe.StripeClient(
            secret_key or "not-configured",
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=timeout or (CONNECT_SECONDS, READ_SECONDS)),
        )

    def amount_check(self, amount: Money) -> None:
        if not self._secret_key:
            raise GatewayUnavailable("provider_not_configured")
        to_stripe(amount)

    def checkout_create(
        self, *, reference: UUID, amount: Money, title: str, language: str, success_url: str, cancel_url: str, expires_at: datetime
    ) -> Checkout:
        known_as = {"payment": str(reference)}
        wish: SessionCreateParams = {
            "mode": "payment",
            # Not payment_method_types, which the API version of this library does not know any more.
            "allowed_payment_method_types": ["card"],
            "client_reference_id": str(reference),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": amount.currency.lower(),
                        "unit_amount": to_stripe(amount),
                        "product_data": {"name": title},
                    },
                }
            ],
            "metadata": known_as,
            "payment_intent_data": {"metadata": known_as},
            "locale": _LANGUAGES.get(language.lower(), "auto"),
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(clock.outside(expires_at).timestamp()),
        }
        with self._asking():
            return _checkout(self._client.v1.checkout.sessions.create(wish, {"idempotency_key": f"checkout:{reference}"}))

    def checkout_get(self, checkout_id: str) -> Checkout:
        with self._asking():
            # Only the payment behind the page tells whether slow money is still coming.
            return _checkout(self._client.v1.checkout.sessions.retrieve(checkout_id, {"expand": ["payment_intent"]}))

    def checkout_find(self, *, reference: UUID, since: datetime, until: datetime) -> Checkout | None:
        wish: SessionListParams = {"created": {"gte": int(since.timestamp()), "lte": int(until.timestamp())}, "limit": 100}
        with self._asking():
            listed = self._client.v1.checkout.sessions.list(wish)
            found = _first(listed, lambda one: one.client_reference_id == str(reference))
            return _checkout(found) if found is not None else None

    def checkout_expire(self, checkout_id: str) -> Checkout:
        with self._asking():
            return _checkout(self._client.v1.checkout.sessions.expire(checkout_id))

    def refund_create(self, *, reference: UUID, provider_payment: str, amount: Money) -> Refund:
        number = to_stripe(amount)
        with self._asking():
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": provider_payment,
                    "amount": number,
                    "reason": "requested_by_customer",
                    "metadata": {"payment": str(reference)},
                },
                {"idempotency_key": f"refund:{reference}"},
            )
            return _refund(refund)

    def refund_get(self, refund_id: str) -> Refund:
        with self._asking():
            return _refund(self._client.v1.refunds.retrieve(refund_id))

    def refund_find(self, *, reference: UUID, provider_payment: str) -> Refund | None:
        with self._asking():
            listed = self._client.v1.refunds.list({"payment_intent": provider_payment, "limit": 100})
            found = _first(listed, lambda one: _metadata(one).get("payment") == str(reference))
            return _refund(found) if found is not None else None

    def balances(self) -> list[Money]:
        with self._asking():
            balance = self._client.v1.balance.retrieve()
            sums: dict[str, Money] = {}
            parts: list[Any] = [*balance.available, *balance.pending]
            for one in parts:
                money = from_stripe(one.amount, one.currency)
                sums[money.currency] = sums[money.currency] + money if money.currency in sums else money
            return list(sums.values())

    def event_parse(self, *, body: bytes, headers: Mapping[str, str], now: datetime) -> GatewayEvent:
        webhooks.verify(body, headers, secret=self._webhook_secret, now=now)
        return webhooks.read(body)

    def event_read(self, body: bytes) -> GatewayEvent:
        return webhooks.read(body)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Stripe's errors sorted by the one thing that matters: did anything happen over there?"""
        if in_transaction():
            raise RuntimeError("no network inside a transaction: commit first, then ask")
        if not self._secret_key:
            raise GatewayUnavailable("provider_not_configured")
        try:
            yield
        except stripe.APIConnectionError as error:
            if _never_connected(error):
                raise GatewayUnavailable("provider_unreachable") from error
            raise GatewayTimeout("provider_timeout") from error
        except stripe.RateLimitError as error:
            raise GatewayUnavailable("provider_busy") from error
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            raise GatewayUnavailable("provider_credentials") from error
        except stripe.IdempotencyError as error:
            # Our key is in use, or was used with other words: the answer is at the provider, not in this error.
            raise GatewayTimeout("provider_key_in_use") from error
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            raise GatewayRefused(error.code or "provider_refused") from error
        except (stripe.StripeError, AttributeError, KeyError, TypeError, ValueError) as error:
            # A 5xx, or an answer of a shape we do not know.
            raise GatewayTimeout("provider_fault") from error


def in_transaction() -> bool:
    return connection.in_atomic_block


def _never_connected(error: BaseException) -> bool:
    """Whether the failure came before the first byte was sent."""
    cause = error.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    reason: object = (
        getattr(cause.args[0], "reason", None) if isinstance(cause, requests.exceptions.ConnectionError) and cause.args else None
    )
    # urllib3's NewConnectionError, told by name because requests does not re-export it.
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _first(listed: Any, wanted: Callable[[Any], bool]) -> Any | None:
    for number, one in enumerate(listed.auto_paging_iter()):
        if wanted(one):
            return one
        if number >= FIND_PAGES * 100:
            raise GatewayTimeout("provider_list_too_long")
    return None


def _id(thing: Any) -> str:
    """Stripe answers either an id or, when expanded, the object."""
    return thing if isinstance(thing, str) else (thing.id if thing is not None else "")


def _metadata(thing: Any) -> dict[str, str]:
    found = thing.metadata
    return dict(found.to_dict()) if found is not None else {}


def _checkout(session: stripe.checkout.Session) -> Checkout:
    if session.amount_total is None or session.currency is None:
        raise ValueError("a checkout session without an amount")
    state = _checkout_state(session)
    return Checkout(
        id=session.id,
        reference=session.client_reference_id or "",
        state=state,
        amount=from_stripe(session.amount_total, session.currency),
        url=session.url or "",
        provider_payment=_id(session.payment_intent),
        failure_code=_failure_code(session.payment_intent) if state is CheckoutState.FAILED else "",
    )


def _checkout_state(session: stripe.checkout.Session) -> CheckoutState:
    if session.payment_status == "paid":
        return CheckoutState.PAID
    if session.status == "expired":
        return CheckoutState.EXPIRED
    if session.status != "complete":
        return CheckoutState.OPEN
    behind = session.payment_intent
    gone = isinstance(behind, stripe.PaymentIntent) and behind.status in ("requires_payment_method", "canceled")
    return CheckoutState.FAILED if gone else CheckoutState.PROCESSING


def _failure_code(behind: object) -> str:
    error = getattr(behind, "last_payment_error", None)
    return (getattr(error, "code", None) or "payment_failed")[:40]


def _refund(refund: stripe.Refund) -> Refund:
    return Refund(
        id=refund.id,
        reference=_metadata(refund).get("payment", ""),
        state=_REFUND_STATES.get(refund.status or "pending", RefundState.PENDING),
        amount=from_stripe(refund.amount, refund.currency),
        failure_code=getattr(refund, "failure_reason", None) or "",
    )


def gateway_from_settings() -> StripeGateway:
    return StripeGateway(
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
        api_base=settings.STRIPE_API_BASE,
    )

"""
What the hub asks of a payment provider, in its own words.

A provider is a folder beside this file; nothing outside that folder imports the provider's SDK. Every call that changes
something at the provider carries *our* id as its idempotency key, so a repeated call is the same call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from core.money import Money


class GatewayError(Exception):
    """The provider did not do what was asked. `code` is ours or the provider's machine code, never its text."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class GatewayUnavailable(GatewayError):
    """The request did not reach the provider, or it declined to look at it: nothing happened there."""


class GatewayTimeout(GatewayError):
    """No answer that can be trusted: what was asked may or may not have happened. Ask again, never guess."""


class GatewayRefused(GatewayError):
    """The provider looked at the request and refused it: nothing happened, and repeating it will not help."""


class WebhookForged(Exception):
    """The body was not signed by the provider, or was signed too long ago."""


class CheckoutState(Enum):
    OPEN = "open"
    PROCESSING = "processing"
    """The person is done; the money is on its way but not sure yet."""
    PAID = "paid"
    FAILED = "failed"
    """The person was done, and the money did not come after all."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of the provider's on which a person pays us. `reference` is our payment's id as the provider repeats it."""

    id: str
    reference: str
    state: CheckoutState
    amount: Money
    url: str = ""
    provider_payment: str = ""
    failure_code: str = ""


class RefundState(Enum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    reference: str
    state: RefundState
    amount: Money
    failure_code: str = ""


class Topic(Enum):
    CHECKOUT = "checkout"
    REFUND = "refund"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """
    A piece of news from the provider. It says *what to look at*, never what is true: the receiver asks the provider for
    the object named here, so that a late or reordered event cannot move anything backwards.
    """

    id: str
    name: str
    topic: Topic
    object_id: str = ""
    reference: str = ""


class BankTransferState(Enum):
    ACCEPTED = "accepted"
    """The bank will carry it out, and may still find that it cannot."""
    SETTLED = "settled"
    RETURNED = "returned"
    """The other bank did not take it, or sent it back later."""


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """An order to a bank. `reference` is our payment's id as the bank repeats it."""

    id: str
    reference: str
    state: BankTransferState
    amount: Money
    return_code: str = ""


class BankGateway(Protocol):
    """A bank that carries our transfers out. Raises what Gateway raises; never called inside a transaction."""

    name: str

    def amount_check(self, amount: Money) -> None:
        """
        Whether the bank can carry this amount at all; no network.

        :raises GatewayRefused: a currency the bank does not have.
        """

    def transfer_create(self, *, reference: UUID, amount: Money, iban: str, name: str, text: str) -> BankTransfer:
        """Order a transfer. Repeating the call with the same reference, however late, is the same order."""

    def transfer_get(self, transfer_id: str) -> BankTransfer: ...

    def transfer_find(self, *, reference: UUID) -> BankTransfer | None:
        """The order given under our reference, when its id never reached us."""

    def balances(self) -> list[Money]:
        """What lies on our account there now, one amount a currency."""


class Gateway(Protocol):
    """Raises GatewayUnavailable, GatewayTimeout or GatewayRefused. Never called inside a transaction."""

    name: str

    def amount_check(self, amount: Money) -> None:
        """
        Whether the provider can carry this amount at all; no network.

        :raises GatewayRefused: a currency or precision the provider does not have.
        :raises GatewayUnavailable: there is no account at this provider.
        """

    def checkout_create(
        self, *, reference: UUID, amount: Money, title: str, language: str, success_url: str, cancel_url: str, expires_at: datetime
    ) -> Checkout:
        """Open a hosted page. Repeating the call with the same reference answers the same page."""

    def checkout_get(self, checkout_id: str) -> Checkout: ...

    def checkout_find(self, *, reference: UUID, since: datetime, until: datetime) -> Checkout | None:
        """The page opened for our reference in a span of time, when its id never reached us."""

    def checkout_expire(self, checkout_id: str) -> Checkout:
        """Close the page so that nobody can pay on it any more."""

    def refund_create(self, *, reference: UUID, provider_payment: str, amount: Money) -> Refund:
        """Send money back. Repeating the call with the same reference is the same refund."""

    def refund_get(self, refund_id: str) -> Refund: ...

    def refund_find(self, *, reference: UUID, provider_payment: str) -> Refund | None: ...

    def balances(self) -> list[Money]:
        """What the provider holds for us now, what it has not paid out yet included; one amount a currency."""

    def event_parse(self, *, body: bytes, headers: Mapping[str, str], now: datetime) -> GatewayEvent:
        """
        Verify the raw body and read it.

        :raises WebhookForged: the signature does not fit, or is too old.
        """

    def event_read(self, body: bytes) -> GatewayEvent:
        """Read a body that was verified when it was stored."""

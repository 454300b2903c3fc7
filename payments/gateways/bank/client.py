"""
The bank's HTTP API, in JSON: POST /bank/v1/transfers with our id as Idempotency-Key, GET by its id or by ours, and
GET /bank/v1/balances.

The sandbox speaks it; for a real bank an adapter of the operator's does (docs/payments.md, "The bank").
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

import requests
from django.conf import settings
from django.db import connection

from core.errors import HubError
from core.money import Money
from payments.gateways.base import BankTransfer, BankTransferState, GatewayRefused, GatewayTimeout, GatewayUnavailable

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
CURRENCIES = frozenset({"EUR", "SEK", "NOK", "DKK", "GBP", "CHF", "USD", "PLN", "CZK"})

_STATES = {
    "accepted": BankTransferState.ACCEPTED,
    "settled": BankTransferState.SETTLED,
    "returned": BankTransferState.RETURNED,
}


class HttpBank:
    name = "bank"

    def __init__(self, *, base: str, key: str) -> None:
        self._base, self._key = base, key

    def amount_check(self, amount: Money) -> None:
        if amount.currency not in CURRENCIES:
            raise GatewayRefused("currency_not_supported")

    def transfer_create(self, *, reference: UUID, amount: Money, iban: str, name: str, text: str) -> BankTransfer:
        order = {"amount": amount.amount, "currency": amount.currency, "creditor": {"iban": iban, "name": name}, "text": text}
        return _read(self._ask("POST", "", json=order, headers={"Idempotency-Key": str(reference)}))

    def transfer_get(self, transfer_id: str) -> BankTransfer:
        return _read(self._ask("GET", f"/{quote(transfer_id, safe='')}"))

    def transfer_find(self, *, reference: UUID) -> BankTransfer | None:
        found = self._ask("GET", "", params={"client_id": str(reference)}).get("transfers")
        if not isinstance(found, list):
            raise GatewayTimeout("bank_fault")
        return _read(found[0]) if found else None

    def balances(self) -> list[Money]:
        found = self._ask("GET", "", place="balances").get("balances")
        try:
            return [Money(one["amount"], one["currency"]) for one in found]  # type: ignore[union-attr]
        except (TypeError, KeyError, HubError) as error:
            raise GatewayTimeout("bank_fault") from error

    def _ask(
        self, method: str, path: str, *, place: str = "transfers", headers: dict[str, str] | None = None, **more: Any
    ) -> dict[str, Any]:
        """The answer, or an error sorted by the one thing that matters: did anything happen over there?"""
        if in_transaction():
            raise RuntimeError("no network inside a transaction: commit first, then ask")
        if not self._base:
            raise GatewayUnavailable("bank_not_configured")
        try:
            answer = requests.request(
                method,
                f"{self._base}/bank/v1/{place}{path}",
                headers={"Authorization": f"Bearer {self._key}", **(headers or {})},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                **more,
            )
            body = answer.json() if answer.content else {}
        except requests.ConnectTimeout as error:
            raise GatewayUnavailable("bank_unreachable") from error
        except requests.RequestException as error:
            raise (GatewayUnavailable if _never_connected(error) else GatewayTimeout)("bank_unreachable") from error
        except ValueError as error:
            raise GatewayTimeout("bank_fault") from error
        if answer.status_code in (401, 403, 429):
            raise GatewayUnavailable("bank_credentials" if answer.status_code != 429 else "bank_busy")
        if answer.status_code in (404, 409) or answer.status_code >= 500 or not isinstance(body, dict):
            # 409: our id names another order there. Only looking it up tells what happened.
            raise GatewayTimeout("bank_fault")
        if answer.status_code not in (200, 201):
            raise GatewayRefused(_code(body))
        return body


def in_transaction() -> bool:
    return connection.in_atomic_block


def _never_connected(error: BaseException) -> bool:
    """Whether the failure came before the first byte was sent."""
    reason = getattr(error.args[0], "reason", None) if isinstance(error, requests.ConnectionError) and error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _code(body: dict[str, Any]) -> str:
    error = body.get("error")
    return str(error.get("code", "bank_refused") if isinstance(error, dict) else "bank_refused")[:40]


def _read(body: dict[str, Any]) -> BankTransfer:
    try:
        return BankTransfer(
            id=str(body["id"]),
            reference=str(body["client_id"]),
            state=_STATES[body["state"]],
            amount=Money(body["amount"], body["currency"]),
            return_code=str(body["return_code"] or "")[:40],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GatewayTimeout("bank_fault") from error


def gateway_from_settings() -> HttpBank:
    return HttpBank(base=settings.BANK_API_BASE, key=settings.BANK_API_KEY)

"""The API of wallets, their history, and the currencies they can be in."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core import clock
from core.api import MoneyField, parse
from core.api.paging import CursorInvalid, PageInput, cursor_pack, cursor_unpack, page_answer, page_body, page_of
from core.api.scopes import WALLETS_READ, WALLETS_WRITE
from core.api.views import ApiView
from core.money import CURRENCIES
from wallets import selectors, services
from wallets.models import Wallet
from wallets.selectors import Balance, EntryRow

SEQ_MAX = 2**63 - 1


class BalanceSerializer(serializers.Serializer[Any]):
    posted = MoneyField(signed=True, help_text="What it holds outside of pots.")
    held = MoneyField(signed=True, help_text="What of it is set aside.")
    available = MoneyField(signed=True, help_text="What can be spent.")
    pots = MoneyField(signed=True, help_text="What lies in its pots.")
    total = MoneyField(signed=True, help_text="available + held + pots.")


class WalletSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    currency = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=Wallet.State.choices)
    balance = BalanceSerializer()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class EntrySerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField(help_text="The line's number in this wallet, from 1.")
    amount = MoneyField(signed=True, help_text="Negative is money out.")
    balance = MoneyField(signed=True, help_text="After this line.")
    created_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField()
    payment_id = serializers.UUIDField(allow_null=True, help_text="The payment it belongs to.")


class CurrencySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    exponent = serializers.IntegerField(help_text="Digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.")
    numeric = serializers.CharField()


def _wallet_body(wallet: Wallet, balance: Balance) -> Any:
    body = {field: getattr(wallet, field) for field in ("id", "currency", "name", "state", "opened_at", "closed_at")}
    return WalletSerializer({**body, "balance": balance}).data


def _eur(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


WALLET = {
    "id": "0199b2c4-8d5e-7000-8000-0000000000f1",
    "currency": "EUR",
    "name": "",
    "state": "open",
    "balance": {"posted": _eur(5000), "held": _eur(0), "available": _eur(5000), "pots": _eur(2000), "total": _eur(7000)},
    "opened_at": "2026-03-11T12:00:00.000000Z",
    "closed_at": None,
}
ENTRY = {
    "seq": 1,
    "amount": _eur(5000),
    "balance": _eur(5000),
    "created_at": "2026-03-11T12:05:00.000000Z",
    "effective_at": "2026-03-11T12:05:00.000000Z",
    "payment_id": "0199b2c4-8d5e-7000-8000-0000000000a1",
}


class WalletsInput(PageInput):
    state = serializers.ChoiceField(choices=["open", "all"], required=False, default="open")


class WalletOpenInput(serializers.Serializer[Any]):
    currency = serializers.CharField(max_length=3, help_text="ISO 4217.")


class WalletsView(PartyView):
    tag = "Wallets"
    scopes: ClassVar = {"GET": WALLETS_READ, "POST": WALLETS_WRITE}

    @extend_schema(
        operation_id="wallet_list",
        summary="Wallets, oldest first",
        parameters=[WalletsInput],
        responses=page_of(WalletSerializer),
        examples=[OpenApiExample("One wallet", value={"items": [WALLET], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        data = parse(WalletsInput, request, query=True)
        found = list(selectors.wallets_for(self.party_id, closed=data["state"] == "all"))
        after = cursor_unpack(data["cursor"], UUID)[0] if "cursor" in data else None
        start = next((place + 1 for place, wallet in enumerate(found) if wallet.id == after), len(found)) if after else 0
        rows = found[start : start + data["limit"] + 1]
        balances = selectors.balances_of(rows)
        return page_answer(
            rows,
            limit=data["limit"],
            body=lambda wallet: _wallet_body(wallet, balances[wallet.id]),
            cursor=lambda wallet: cursor_pack(str(wallet.id)),
        )

    @extend_schema(
        operation_id="wallet_open",
        summary="Open a wallet",
        description="One open wallet a currency: asking for one that is there answers it.",
        request=WalletOpenInput,
        responses={201: WalletSerializer},
        examples=[
            OpenApiExample("Euro", value={"currency": "EUR"}, request_only=True),
            OpenApiExample("Open", value=WALLET, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        wallet = services.wallet_open(party_id=self.party_id, currency=parse(WalletOpenInput, request)["currency"], now=clock.now())
        body = _wallet_body(wallet, selectors.balance_of(wallet))
        return Response(body, status=201, headers={"Location": f"/api/v1/wallets/{wallet.id}"})


class WalletView(PartyView):
    tag = "Wallets"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="wallet_read",
        summary="One wallet and its balance",
        responses=WalletSerializer,
        examples=[OpenApiExample("A wallet", value=WALLET, response_only=True)],
    )
    def get(self, request: Request, wallet_id: UUID) -> Response:
        wallet = selectors.wallet_get(self.party_id, wallet_id)
        return Response(_wallet_body(wallet, selectors.balance_of(wallet)))


class WalletCloseView(PartyView):
    tag = "Wallets"
    scopes: ClassVar = {"POST": WALLETS_WRITE}

    @extend_schema(
        operation_id="wallet_close",
        summary="Close an empty wallet for good",
        request=None,
        responses=WalletSerializer,
        examples=[
            OpenApiExample(
                "Closed",
                value={
                    **WALLET,
                    "state": "closed",
                    "balance": dict.fromkeys(("posted", "held", "available", "pots", "total"), _eur(0)),
                    "closed_at": "2026-04-01T08:00:00.000000Z",
                },
                response_only=True,
            )
        ],
    )
    def post(self, request: Request, wallet_id: UUID) -> Response:
        wallet = services.wallet_close(wallet=selectors.wallet_get(self.party_id, wallet_id), now=clock.now())
        return Response(_wallet_body(wallet, selectors.balance_of(wallet)))


class EntriesView(PartyView):
    tag = "Wallets"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="wallet_entries",
        summary="A wallet's history, newest first",
        parameters=[PageInput],
        responses=page_of(EntrySerializer),
        examples=[OpenApiExample("A page", value={"items": [ENTRY], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request, wallet_id: UUID) -> Response:
        data = parse(PageInput, request, query=True)
        wallet = selectors.wallet_get(self.party_id, wallet_id)
        before = _seq(data["cursor"]) if "cursor" in data else None
        rows = selectors.entries_for(wallet, before_seq=before, limit=data["limit"] + 1)
        return page_answer(rows, limit=data["limit"], body=_entry_body, cursor=lambda row: cursor_pack(row.seq))


def _entry_body(row: EntryRow) -> Any:
    body = {field: getattr(row, field) for field in ("seq", "amount", "balance", "created_at", "effective_at")}
    return EntrySerializer({**body, "payment_id": row.meta.get("payment")}).data


def _seq(cursor: str) -> int:
    seq: int = cursor_unpack(cursor, int)[0]
    if not 0 < seq <= SEQ_MAX:
        raise CursorInvalid
    return seq


class CurrenciesView(ApiView):
    tag = "Wallets"

    @extend_schema(
        operation_id="currency_list",
        summary="The currencies of ISO 4217 and their minor units",
        responses=page_of(CurrencySerializer),
        examples=[
            OpenApiExample(
                "The first", value={"items": [{"code": "AED", "exponent": 2, "numeric": "784"}], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        rows = [
            CurrencySerializer({"code": c.code, "exponent": c.exponent, "numeric": f"{c.numeric:03}"}).data for c in CURRENCIES.values()
        ]
        return Response(page_body(rows, next_cursor=None))

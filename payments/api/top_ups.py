"""The API of money put in by card."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView, service_key
from core import clock
from core.api import MoneyField, idempotent, key_of, parse
from core.api.paging import page_of
from core.api.scopes import TOP_UPS_READ, TOP_UPS_WRITE
from payments import selectors, services
from payments.api.shapes import (
    PAYMENT,
    WALLET,
    ListInput,
    PaymentDetailSerializer,
    PaymentSerializer,
    created,
    listed,
    payment_body,
    payment_list,
    payment_of_kind,
)
from payments.models import Kind, State
from wallets import selectors as wallets

TOP_UP = {
    **PAYMENT,
    "kind": "top_up",
    "direction": "in",
    "state": "waiting",
    "amount": {"amount": 5000, "currency": "EUR"},
    "counterparty": {"party_id": None, "display_name": "Card", "handle": None},
    "note": "",
    "settled_at": None,
    "expires_at": "2026-03-11T13:00:00.000000Z",
    "checkout_url": "https://checkout.example/pay/cs_1",
    "steps": [{"at": "2026-03-11T12:00:00.000000Z", "state": "pending"}, {"at": "2026-03-11T12:00:01.000000Z", "state": "waiting"}],
}


class TopUpInput(serializers.Serializer[Any]):
    wallet_id = serializers.UUIDField(help_text="The wallet to put the money into.")
    amount = MoneyField(help_text="In the wallet's currency.")


class TopUpsView(PartyView):
    tag = "Top-ups"
    scopes: ClassVar = {"GET": TOP_UPS_READ, "POST": TOP_UPS_WRITE}

    @extend_schema(
        operation_id="top_up_list",
        summary="Top-ups, newest first",
        parameters=[ListInput],
        responses=page_of(PaymentSerializer),
        examples=listed(TOP_UP),
    )
    def get(self, request: Request) -> Response:
        return payment_list(self, request, Kind.TOP_UP)

    @extend_schema(
        operation_id="top_up_start",
        summary="Put money in by card",
        description=(
            "201 with `checkout_url`: send the person to the provider's page, cards are never typed here. "
            "202 when the provider has not answered yet; read the top-up until it waits."
        ),
        request=TopUpInput,
        responses={201: PaymentDetailSerializer, 202: PaymentDetailSerializer},
        examples=[
            OpenApiExample("Top up 50 EUR", value={"wallet_id": WALLET, "amount": {"amount": 5000, "currency": "EUR"}}, request_only=True),
            OpenApiExample("Waits for the card", value=TOP_UP, response_only=True, status_codes=["201"]),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        data = parse(TopUpInput, request)
        wallet = wallets.wallet_get(self.party_id, data["wallet_id"])
        started = services.top_up_start(
            by=self.person,
            wallet_id=wallet.id,
            amount=data["amount"],
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
        )
        unsure = started.payment.state in (State.PENDING, State.UNKNOWN, State.HELD)
        return created(selectors.payment_get(self.party_id, started.payment.id), status=202 if unsure else 201)


class TopUpView(PartyView):
    tag = "Top-ups"
    scopes: ClassVar = {"GET": TOP_UPS_READ}

    @extend_schema(
        operation_id="top_up_read",
        summary="One top-up with its timeline",
        responses=PaymentDetailSerializer,
        examples=[OpenApiExample("A top-up", value=TOP_UP, response_only=True)],
    )
    def get(self, request: Request, top_up_id: UUID) -> Response:
        return Response(payment_body(payment_of_kind(self.party_id, top_up_id, Kind.TOP_UP)))

"""The API of transfers between parties of the hub."""

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
from core.api.scopes import TRANSFERS_READ, TRANSFERS_WRITE
from payments import selectors, services
from payments.api.shapes import (
    PAYMENT,
    WAITING,
    WALLET,
    CompleteInput,
    ListInput,
    PaymentDetailSerializer,
    PaymentSerializer,
    asked_by,
    listed,
    movement_answer,
    payment_body,
    payment_list,
    payment_of_kind,
)
from payments.models import NOTE_MAX, Kind


class TransferInput(serializers.Serializer[Any]):
    wallet_id = serializers.UUIDField(help_text="The wallet to pay from.")
    payee = serializers.CharField(max_length=300, help_text="An e-mail address or a handle.")
    amount = MoneyField(help_text="In the wallet's currency.")
    note = serializers.CharField(max_length=NOTE_MAX, required=False, allow_blank=True, default="", help_text="The payee reads it.")
    approval_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of an approval the person has confirmed for exactly this."
    )


class TransfersView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"GET": TRANSFERS_READ, "POST": TRANSFERS_WRITE}

    @extend_schema(
        operation_id="transfer_list",
        summary="Transfers, newest first",
        parameters=[ListInput],
        responses=page_of(PaymentSerializer),
        examples=listed(PAYMENT),
    )
    def get(self, request: Request) -> Response:
        return payment_list(self, request, Kind.TRANSFER)

    @extend_schema(
        operation_id="transfer_send",
        summary="Send money to a person or a business",
        description=(
            "201 when it is done. 202 when a person has to approve it (`approval.url`; afterwards call complete) or when it is held. "
            "Over a partner's token every transfer asks for approval; in a person's own session small ones do not."
        ),
        request=TransferInput,
        responses={201: PaymentDetailSerializer, 202: PaymentDetailSerializer},
        examples=[
            OpenApiExample(
                "Send 20 EUR",
                value={"wallet_id": WALLET, "payee": "@bo", "amount": {"amount": 2000, "currency": "EUR"}, "note": "Lunch"},
                request_only=True,
            ),
            OpenApiExample("Done", value=PAYMENT, response_only=True, status_codes=["201"]),
            OpenApiExample("Waits for approval", value=WAITING, response_only=True, status_codes=["202"]),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        data = parse(TransferInput, request)
        movement = services.transfer_send(
            by=self.person,
            party_id=self.party_id,
            source_wallet_id=data["wallet_id"],
            payee=data["payee"],
            amount=data["amount"],
            note=data["note"],
            approval_id=data["approval_id"],
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
            present=self.is_present,
        )
        return movement_answer(self.party_id, movement)


class TransferView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"GET": TRANSFERS_READ}

    @extend_schema(
        operation_id="transfer_read",
        summary="One transfer with its timeline",
        responses=PaymentDetailSerializer,
        examples=[OpenApiExample("A transfer", value=PAYMENT, response_only=True)],
    )
    def get(self, request: Request, transfer_id: UUID) -> Response:
        return Response(payment_body(payment_of_kind(self.party_id, transfer_id, Kind.TRANSFER)))


class TransferCompleteView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"POST": TRANSFERS_WRITE}

    @extend_schema(
        operation_id="transfer_complete",
        summary="Go on with a transfer that a person has approved",
        description="Everything is checked again. The page the person approves on may have done it already; then this answers 201 too.",
        request=CompleteInput,
        responses={201: PaymentDetailSerializer, 202: PaymentDetailSerializer},
        examples=[OpenApiExample("Done", value=PAYMENT, response_only=True, status_codes=["201"])],
    )
    @idempotent
    def post(self, request: Request, transfer_id: UUID) -> Response:
        data = parse(CompleteInput, request)
        asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        movement = services.transfer_approve(by=self.person, payment_id=transfer_id, approval_id=data["approval_id"], now=clock.now())
        return movement_answer(self.party_id, movement)


class TransferApprovalView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"POST": TRANSFERS_WRITE}

    @extend_schema(
        operation_id="transfer_approval_request",
        summary="Ask for approval again, after the five minutes of the last one",
        request=None,
        responses={202: PaymentDetailSerializer},
        examples=[OpenApiExample("Waits for approval", value=WAITING, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        return movement_answer(self.party_id, services.transfer_approval_request(by=self.person, payment_id=transfer_id, now=clock.now()))


class TransferCancelView(PartyView):
    tag = "Transfers"
    scopes: ClassVar = {"POST": TRANSFERS_WRITE}

    @extend_schema(
        operation_id="transfer_cancel",
        summary="Give up a transfer that waits for approval",
        request=None,
        responses=PaymentDetailSerializer,
        examples=[OpenApiExample("Cancelled", value={**PAYMENT, "state": "cancelled", "settled_at": None}, response_only=True)],
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        services.transfer_cancel(by=self.person, payment_id=transfer_id, now=clock.now())
        return Response(payment_body(selectors.payment_get(self.party_id, transfer_id)))

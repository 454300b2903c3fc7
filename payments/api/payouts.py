"""The API of money sent to bank accounts."""

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
from core.api.scopes import PAYOUTS_READ, PAYOUTS_WRITE
from payments import selectors, services
from payments.api.shapes import (
    APPROVAL,
    PAYMENT,
    WALLET,
    CompleteInput,
    ListInput,
    PayoutDetailSerializer,
    PayoutSerializer,
    asked_by,
    created,
    listed,
    payment_body,
    payment_list,
    payment_of_kind,
)
from payments.errors import BankRefused
from payments.models import HOLDER_MAX, NOTE_MAX, Kind, State
from payments.services import Movement

PAYOUT = {
    **PAYMENT,
    "kind": "payout",
    "state": "waiting",
    "counterparty": {"party_id": None, "display_name": "Land Lord", "handle": None},
    "bank_account": {"iban": "DE89370400440532013000", "holder": "Land Lord"},
    "note": "Rent",
    "settled_at": None,
    "steps": [{"at": "2026-03-11T12:00:00.000000Z", "state": "pending"}, {"at": "2026-03-11T12:00:01.000000Z", "state": "waiting"}],
}
WAITING = {
    **PAYOUT,
    "state": "requires_approval",
    "expires_at": "2026-03-12T12:00:00.000000Z",
    "approval": APPROVAL,
    "steps": [{"at": "2026-03-11T12:00:00.000000Z", "state": "requires_approval"}],
}
# The bank has the order: what is left is up to the banks.
_ORDERED = (State.WAITING, State.POSTED)


class PayoutInput(serializers.Serializer[Any]):
    wallet_id = serializers.UUIDField(help_text="The wallet to pay from.")
    iban = serializers.CharField(max_length=50, help_text="Blanks do not matter.")
    holder = serializers.CharField(max_length=HOLDER_MAX, help_text="The name of the account's holder.")
    amount = MoneyField(help_text="In the wallet's currency.")
    note = serializers.CharField(
        max_length=NOTE_MAX, required=False, allow_blank=True, default="", help_text="What stands on the receiver's statement."
    )
    approval_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of an approval the person has confirmed for exactly this."
    )


class PayoutsView(PartyView):
    tag = "Payouts"
    scopes: ClassVar = {"GET": PAYOUTS_READ, "POST": PAYOUTS_WRITE}

    @extend_schema(
        operation_id="payout_list",
        summary="Payouts to bank accounts, newest first",
        parameters=[ListInput],
        responses=page_of(PayoutSerializer),
        examples=listed(PAYOUT),
    )
    def get(self, request: Request) -> Response:
        return payment_list(self, request, Kind.PAYOUT, PayoutSerializer)

    @extend_schema(
        operation_id="payout_send",
        summary="Send money to a bank account",
        description=(
            "201 when the bank has the order; it settles or is returned later, which the payout and a webhook tell. 202 when a person has "
            "to approve it (`approval.url`; afterwards call complete), when it is held, or while the bank has not answered. 422 "
            "`bank_refused` when the bank refused it at once: `provider_code` says why, `payment` is the failed payout. Over a partner's "
            "token every payout asks for approval; in a person's own session small ones do not."
        ),
        request=PayoutInput,
        responses={201: PayoutDetailSerializer, 202: PayoutDetailSerializer},
        examples=[
            OpenApiExample(
                "Send 20 EUR to a bank account",
                value={
                    "wallet_id": WALLET,
                    "iban": "DE89 3704 0044 0532 0130 00",
                    "holder": "Land Lord",
                    "amount": {"amount": 2000, "currency": "EUR"},
                    "note": "Rent",
                },
                request_only=True,
            ),
            OpenApiExample("The bank has the order", value=PAYOUT, response_only=True, status_codes=["201"]),
            OpenApiExample("Waits for approval", value=WAITING, response_only=True, status_codes=["202"]),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        data = parse(PayoutInput, request)
        movement = services.payout_send(
            by=self.person,
            party_id=self.party_id,
            source_wallet_id=data["wallet_id"],
            iban=data["iban"],
            name=data["holder"],
            amount=data["amount"],
            note=data["note"],
            approval_id=data["approval_id"],
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
            present=self.is_present,
        )
        return _answer(self.party_id, movement)


class PayoutView(PartyView):
    tag = "Payouts"
    scopes: ClassVar = {"GET": PAYOUTS_READ}

    @extend_schema(
        operation_id="payout_read",
        summary="One payout with its timeline",
        responses=PayoutDetailSerializer,
        examples=[OpenApiExample("A payout", value=PAYOUT, response_only=True)],
    )
    def get(self, request: Request, payout_id: UUID) -> Response:
        return Response(payment_body(payment_of_kind(self.party_id, payout_id, Kind.PAYOUT), PayoutDetailSerializer))


class PayoutCompleteView(PartyView):
    tag = "Payouts"
    scopes: ClassVar = {"POST": PAYOUTS_WRITE}

    @extend_schema(
        operation_id="payout_complete",
        summary="Go on with a payout that a person has approved",
        description="Everything is checked again. The page the person approves on may have done it already; then this answers as it did.",
        request=CompleteInput,
        responses={201: PayoutDetailSerializer, 202: PayoutDetailSerializer},
        examples=[OpenApiExample("The bank has the order", value=PAYOUT, response_only=True, status_codes=["201"])],
    )
    @idempotent
    def post(self, request: Request, payout_id: UUID) -> Response:
        data = parse(CompleteInput, request)
        asked_by(self.party_id, payout_id, Kind.PAYOUT)
        movement = services.payout_approve(by=self.person, payment_id=payout_id, approval_id=data["approval_id"], now=clock.now())
        return _answer(self.party_id, movement)


class PayoutApprovalView(PartyView):
    tag = "Payouts"
    scopes: ClassVar = {"POST": PAYOUTS_WRITE}

    @extend_schema(
        operation_id="payout_approval_request",
        summary="Ask for approval again, after the five minutes of the last one",
        request=None,
        responses={202: PayoutDetailSerializer},
        examples=[OpenApiExample("Waits for approval", value=WAITING, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, payout_id: UUID) -> Response:
        asked_by(self.party_id, payout_id, Kind.PAYOUT)
        return _answer(self.party_id, services.payout_approval_request(by=self.person, payment_id=payout_id, now=clock.now()))


class PayoutCancelView(PartyView):
    tag = "Payouts"
    scopes: ClassVar = {"POST": PAYOUTS_WRITE}

    @extend_schema(
        operation_id="payout_cancel",
        summary="Give up a payout that waits for approval",
        request=None,
        responses=PayoutDetailSerializer,
        examples=[OpenApiExample("Cancelled", value={**PAYOUT, "state": "cancelled"}, response_only=True)],
    )
    def post(self, request: Request, payout_id: UUID) -> Response:
        asked_by(self.party_id, payout_id, Kind.PAYOUT)
        services.payout_cancel(by=self.person, payment_id=payout_id, now=clock.now())
        return Response(payment_body(selectors.payment_get(self.party_id, payout_id), PayoutDetailSerializer))


def _answer(party_id: UUID, movement: Movement) -> Response:
    """
    201 when the bank has the order, 202 when it has not yet; 200 for what is over when the call is repeated.

    :raises BankRefused: the bank said no just now.
    """
    payment = movement.payment
    if payment.state == State.FAILED and not movement.replayed:
        view = selectors.payment_get(party_id, payment.id)
        raise BankRefused(
            view.failure,
            field="iban" if view.failure_code == "AC01" else None,
            provider_code=view.failure_code,
            payment=str(payment.id),
        )
    is_over = payment.state in (State.FAILED, State.EXPIRED, State.CANCELLED)
    status = 201 if payment.state in _ORDERED else 200 if is_over else 202
    return created(selectors.payment_get(party_id, payment.id), status=status, serializer=PayoutDetailSerializer)

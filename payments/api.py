"""The API of transfers, top-ups and everything that moved."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView, service_key
from core import clock
from core.api import MoneyField, idempotent, key_of, parse
from core.api.paging import PageInput, page_body, page_of
from core.api.scopes import TOP_UPS_READ, TOP_UPS_WRITE, TRANSFERS_READ, TRANSFERS_WRITE, WALLETS_READ
from core.errors import NotFound
from payments import selectors, services
from payments.models import NOTE_MAX, Kind, State
from payments.selectors import Filters, PaymentPage, PaymentView
from payments.services import Movement, Outcome
from wallets import selectors as wallets

ID = "0199b2c4-8d5e-7000-8000-0000000000a1"
WALLET = "0199b2c4-8d5e-7000-8000-0000000000f1"


class CounterpartySerializer(serializers.Serializer[Any]):
    party_id = serializers.UUIDField(allow_null=True, help_text="null when the other side is a card.")
    display_name = serializers.CharField()
    handle = serializers.CharField(allow_null=True)


class ApprovalSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.URLField(help_text="Send the person there; afterwards complete the transfer.")


class FailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class StepSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=State.choices)


class PaymentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    direction = serializers.ChoiceField(choices=["out", "in"])
    state = serializers.ChoiceField(choices=State.choices)
    amount = MoneyField(help_text="Always positive; `direction` says which way.")
    wallet_id = serializers.UUIDField(allow_null=True)
    counterparty = CounterpartySerializer()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when it waits.")
    failure = FailureSerializer(allow_null=True)
    original_id = serializers.UUIDField(allow_null=True, help_text="What a reversal or a refund undoes.")
    approval = ApprovalSerializer(allow_null=True, help_text="While it waits for a person's approval.")
    checkout_url = serializers.URLField(allow_null=True, help_text="Where the card is charged, while a top-up waits.")


class PaymentDetailSerializer(PaymentSerializer):
    steps = StepSerializer(many=True)


def _body(view: PaymentView, *, detail: bool = True) -> Any:
    serializer = PaymentDetailSerializer if detail else PaymentSerializer
    return serializer(
        {
            "id": view.id,
            "kind": view.kind,
            "direction": view.direction,
            "state": view.state,
            "amount": view.amount if view.direction == "in" else -view.amount,
            "wallet_id": view.wallet_id,
            "counterparty": {
                "party_id": view.counterparty_id,
                "display_name": view.counterparty,
                "handle": view.counterparty_handle or None,
            },
            "note": view.note,
            "created_at": view.created_at,
            "settled_at": view.settled_at,
            "expires_at": view.expires_at,
            "failure": {"code": view.failure_code, "detail": str(view.failure)} if view.failure_code else None,
            "original_id": view.original_id,
            "approval": {"id": view.approval_id, "url": settings.HUB_PUBLIC_URL + reverse("approve", args=[view.approval_id])}
            if view.approval_id
            else None,
            "checkout_url": view.hosted_url or None,
            "steps": view.steps,
        }
    ).data


def _page(found: PaymentPage) -> Response:
    return Response(page_body([_body(row, detail=False) for row in found.rows], next_cursor=found.next_cursor or None))


PAYMENT = {
    "id": ID,
    "kind": "transfer",
    "direction": "out",
    "state": "posted",
    "amount": {"amount": 2000, "currency": "EUR"},
    "wallet_id": WALLET,
    "counterparty": {"party_id": "0199b2c4-8d5e-7000-8000-00000000000b", "display_name": "Bo E.", "handle": "bo"},
    "note": "Lunch",
    "created_at": "2026-03-11T12:00:00.000000Z",
    "settled_at": "2026-03-11T12:00:00.000000Z",
    "expires_at": None,
    "failure": None,
    "original_id": None,
    "approval": None,
    "checkout_url": None,
    "steps": [{"at": "2026-03-11T12:00:00.000000Z", "state": "posted"}],
}
_APPROVAL = {"id": "0199b2c4-8d5e-7000-8000-0000000000c1", "url": "https://hub.example/approve/0199b2c4-8d5e-7000-8000-0000000000c1/"}
WAITING = {**PAYMENT, "state": "requires_approval", "settled_at": None, "expires_at": "2026-03-12T12:00:00.000000Z", "approval": _APPROVAL}
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


class ListInput(PageInput):
    direction = serializers.ChoiceField(choices=["out", "in"], required=False, default="")
    state = serializers.ChoiceField(choices=State.choices, required=False, default="")


class ActivityInput(ListInput):
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, default="")
    wallet_id = serializers.UUIDField(required=False, default=None)
    text = serializers.CharField(max_length=100, required=False, default="", help_text="Words of names, notes and amounts.")
    from_date = serializers.DateField(required=False, default=None, help_text="First day, in the person's time zone.")
    to_date = serializers.DateField(required=False, default=None, help_text="Last day.")


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
        examples=[
            OpenApiExample(
                "A page", value={"items": [{k: v for k, v in PAYMENT.items() if k != "steps"}], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return _list(self, request, kind=Kind.TRANSFER)

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
        return _movement(self.party_id, movement)


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
        return Response(_body(_get(self.party_id, transfer_id, Kind.TRANSFER)))


class CompleteInput(serializers.Serializer[Any]):
    approval_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The one asked for last, unless you say another one."
    )


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
        _asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        movement = services.transfer_approve(by=self.person, payment_id=transfer_id, approval_id=data["approval_id"], now=clock.now())
        return _movement(self.party_id, movement)


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
        _asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        return _movement(self.party_id, services.transfer_approval_request(by=self.person, payment_id=transfer_id, now=clock.now()))


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
        _asked_by(self.party_id, transfer_id, Kind.TRANSFER)
        services.transfer_cancel(by=self.person, payment_id=transfer_id, now=clock.now())
        return Response(_body(selectors.payment_get(self.party_id, transfer_id)))


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
        examples=[
            OpenApiExample(
                "A page", value={"items": [{k: v for k, v in TOP_UP.items() if k != "steps"}], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return _list(self, request, kind=Kind.TOP_UP)

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
        return _created(selectors.payment_get(self.party_id, started.payment.id), status=202 if unsure else 201)


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
        return Response(_body(_get(self.party_id, top_up_id, Kind.TOP_UP)))


class ActivityView(PartyView):
    tag = "Activity"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="activity_list",
        summary="Everything that moved or waits, newest first",
        parameters=[ActivityInput],
        responses=page_of(PaymentSerializer),
        examples=[
            OpenApiExample(
                "A page",
                value={"items": [{k: v for k, v in PAYMENT.items() if k != "steps"}], "next_cursor": "MjAyNi0wMy0xMVQxMjowMDowMA"},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        data = parse(ActivityInput, request, query=True)
        caller = self.caller.person
        filters = Filters(
            **{name: data[name] for name in ("kind", "direction", "state", "text", "wallet_id", "from_date", "to_date")},
            time_zone=caller.time_zone if caller else settings.HUB_TIME_ZONE,
        )
        return _page(selectors.payments_for(self.party_id, filters=filters, cursor=data.get("cursor", ""), limit=data["limit"]))


def _list(view: PartyView, request: Request, *, kind: Kind) -> Response:
    data = parse(ListInput, request, query=True)
    filters = Filters(kind=kind, direction=data["direction"], state=data["state"])
    return _page(selectors.payments_for(view.party_id, filters=filters, cursor=data.get("cursor", ""), limit=data["limit"]))


def _get(party_id: UUID, payment_id: UUID, kind: Kind) -> PaymentView:
    view = selectors.payment_get(party_id, payment_id)
    if view.kind != kind:
        raise NotFound
    return view


def _asked_by(party_id: UUID, payment_id: UUID, kind: Kind) -> None:
    """A payee knows of a transfer too, but only who asked for it decides on it."""
    if not _get(party_id, payment_id, kind).asked_by_reader:
        raise NotFound


def _movement(party_id: UUID, movement: Movement) -> Response:
    """201 done, 202 not yet, 200 when the same key had its answer long ago and the payment has moved on since."""
    status = {Outcome.POSTED: 201, Outcome.REQUIRES_APPROVAL: 202, Outcome.HELD: 202}.get(movement.outcome, 200)
    return _created(selectors.payment_get(party_id, movement.payment.id), status=status)


def _created(view: PaymentView, *, status: int) -> Response:
    folder = "top-ups" if view.kind == Kind.TOP_UP else "transfers"
    return Response(_body(view), status=status, headers={"Location": f"/api/v1/{folder}/{view.id}"})

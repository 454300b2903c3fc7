"""What a payment looks like over the API, and the pieces that its operations share."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core.api import MoneyField, parse
from core.api.paging import PageInput, page_body
from core.errors import NotFound
from payments import selectors
from payments.models import Kind, State
from payments.presenting import PaymentView
from payments.selectors import Filters, PaymentPage
from payments.services import Movement, Outcome

ID: Final = "0199b2c4-8d5e-7000-8000-0000000000a1"
WALLET: Final = "0199b2c4-8d5e-7000-8000-0000000000f1"
_FOLDERS = {Kind.TOP_UP: "top-ups", Kind.PAYOUT: "payouts"}


class CounterpartySerializer(serializers.Serializer[Any]):
    party_id = serializers.UUIDField(allow_null=True, help_text="null when the other side is a card or a bank account.")
    display_name = serializers.CharField()
    handle = serializers.CharField(allow_null=True)


class ApprovalSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.URLField(help_text="Send the person there; afterwards complete the payment.")


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


class BankAccountSerializer(serializers.Serializer[Any]):
    iban = serializers.CharField()
    holder = serializers.CharField()


class PayoutSerializer(PaymentSerializer):
    bank_account = BankAccountSerializer()


class PayoutDetailSerializer(PayoutSerializer):
    steps = StepSerializer(many=True)


class ListInput(PageInput):
    direction = serializers.ChoiceField(choices=["out", "in"], required=False, default="")
    state = serializers.ChoiceField(choices=State.choices, required=False, default="")


class CompleteInput(serializers.Serializer[Any]):
    approval_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The one asked for last, unless you say another one."
    )


def payment_body(view: PaymentView, serializer: type[PaymentSerializer] = PaymentDetailSerializer) -> Any:
    payment = view.payment
    fields: dict[str, Any] = {
        "id": view.id,
        "kind": payment.kind,
        "direction": view.direction,
        "state": payment.state,
        "amount": payment.amount,
        "wallet_id": view.wallet_id,
        "counterparty": {"party_id": view.counterparty_id, "display_name": view.counterparty, "handle": view.handle or None},
        "note": payment.note,
        "created_at": payment.created_at,
        "settled_at": payment.settled_at,
        "expires_at": payment.expires_at,
        "failure": {"code": view.failure_code, "detail": str(view.failure)} if view.failure_code else None,
        "original_id": payment.original_id,
        "approval": _approval(view.approval_id),
        "checkout_url": view.provider_url or None,
        "steps": view.steps,
    }
    if payment.bank_account is not None:
        fields["bank_account"] = {"iban": payment.bank_account.iban, "holder": payment.bank_account.name}
    return serializer(fields).data


def _approval(approval_id: UUID | None) -> dict[str, Any] | None:
    if approval_id is None:
        return None
    return {"id": approval_id, "url": settings.HUB_PUBLIC_URL + reverse("approve", args=[approval_id])}


def payment_page(found: PaymentPage, serializer: type[PaymentSerializer] = PaymentSerializer) -> Response:
    return Response(page_body([payment_body(row, serializer) for row in found.rows], next_cursor=found.next_cursor or None))


def payment_list(view: PartyView, request: Request, kind: Kind, serializer: type[PaymentSerializer] = PaymentSerializer) -> Response:
    """The list of one kind, newest first."""
    data = parse(ListInput, request, query=True)
    filters = Filters(kind=kind, direction=data["direction"], state=data["state"])
    return payment_page(
        selectors.payments_for(view.party_id, filters=filters, cursor=data.get("cursor", ""), limit=data["limit"]), serializer
    )


def payment_of_kind(party_id: UUID, payment_id: UUID, kind: Kind) -> PaymentView:
    view = selectors.payment_get(party_id, payment_id)
    if view.payment.kind != kind:
        raise NotFound
    return view


def asked_by(party_id: UUID, payment_id: UUID, kind: Kind) -> None:
    """A payee knows of a transfer too, but only who asked for it decides on it."""
    if not payment_of_kind(party_id, payment_id, kind).asked_by_reader:
        raise NotFound


def movement_answer(party_id: UUID, movement: Movement) -> Response:
    """201 done, 202 not yet, 200 when the same key had its answer long ago and the payment has moved on since."""
    status = {Outcome.POSTED: 201, Outcome.REQUIRES_APPROVAL: 202, Outcome.HELD: 202}.get(movement.outcome, 200)
    return created(selectors.payment_get(party_id, movement.payment.id), status=status)


def created(view: PaymentView, *, status: int, serializer: type[PaymentSerializer] = PaymentDetailSerializer) -> Response:
    folder = _FOLDERS.get(Kind(view.payment.kind), "transfers")
    return Response(payment_body(view, serializer), status=status, headers={"Location": f"/api/v1/{folder}/{view.id}"})


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
APPROVAL: Final = {"id": "0199b2c4-8d5e-7000-8000-0000000000c1", "url": "https://hub.example/approve/0199b2c4-8d5e-7000-8000-0000000000c1/"}
WAITING = {**PAYMENT, "state": "requires_approval", "settled_at": None, "expires_at": "2026-03-12T12:00:00.000000Z", "approval": APPROVAL}


def listed(example: dict[str, Any], *, next_cursor: str | None = None) -> list[OpenApiExample]:
    """The example of a page with one row; lists have no timeline."""
    row = {name: value for name, value in example.items() if name != "steps"}
    return [OpenApiExample("A page", value={"items": [row], "next_cursor": next_cursor}, response_only=True)]

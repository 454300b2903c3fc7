"""The API of pots."""

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
from core.api.paging import PageInput, cursor_pack, cursor_unpack, page_answer, page_of
from core.api.scopes import POTS_READ, POTS_WRITE
from wallets import selectors as wallets
from wallets.pots import selectors, services
from wallets.pots.models import Pot
from wallets.pots.selectors import PotView


class PotSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    wallet_id = serializers.UUIDField()
    name = serializers.CharField()
    balance = MoneyField(signed=True, help_text="What is in it.")
    goal = MoneyField(allow_null=True)
    goal_on = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=Pot.State.choices)
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class PotInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=400, help_text="At most 40 characters.")
    goal = MoneyField(required=False, allow_null=True, help_text="In the wallet's currency.")
    goal_on = serializers.DateField(required=False, allow_null=True, help_text="Only with a goal.")


class PotAmountInput(serializers.Serializer[Any]):
    amount = MoneyField()


class PotsInput(PageInput):
    state = serializers.ChoiceField(choices=["open", "all"], required=False, default="open")


POT = {
    "id": "0199b2c4-8d5e-7000-8000-0000000000c1",
    "wallet_id": "0199b2c4-8d5e-7000-8000-0000000000f1",
    "name": "Holiday",
    "balance": {"amount": 25000, "currency": "EUR"},
    "goal": {"amount": 80000, "currency": "EUR"},
    "goal_on": "2026-07-01",
    "state": "open",
    "opened_at": "2026-03-11T12:00:00.000000Z",
    "closed_at": None,
}
_ASKED = {"name": "Holiday", "goal": {"amount": 80000, "currency": "EUR"}, "goal_on": "2026-07-01"}
_EXAMPLES = [OpenApiExample("A pot", value=POT, response_only=True)]


def _body(view: PotView) -> Any:
    fields = ("id", "wallet_id", "name", "goal", "goal_on", "state", "opened_at", "closed_at")
    return PotSerializer({**{field: getattr(view.pot, field) for field in fields}, "balance": view.balance}).data


def _described(data: dict[str, Any]) -> dict[str, Any]:
    return {"name": data["name"], "goal": data.get("goal"), "goal_on": data.get("goal_on")}


class PotsView(PartyView):
    tag = "Pots"
    scopes: ClassVar = {"GET": POTS_READ, "POST": POTS_WRITE}

    @extend_schema(
        operation_id="pot_list",
        summary="A wallet's pots, oldest first",
        parameters=[PotsInput],
        responses=page_of(PotSerializer),
        examples=[OpenApiExample("One pot", value={"items": [POT], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request, wallet_id: UUID) -> Response:
        data = parse(PotsInput, request, query=True)
        wallet = wallets.wallet_get(self.party_id, wallet_id)
        after = cursor_unpack(data["cursor"], UUID)[0] if "cursor" in data else None
        views = selectors.views_of(selectors.pots_for(wallet.id, closed=data["state"] == "all", after=after)[: data["limit"] + 1])
        return page_answer(views, limit=data["limit"], body=_body, cursor=lambda view: cursor_pack(str(view.pot.id)))

    @extend_schema(
        operation_id="pot_open",
        summary="Open a pot",
        request=PotInput,
        responses={201: PotSerializer},
        examples=[OpenApiExample("Holiday", value=_ASKED, request_only=True), *_EXAMPLES],
    )
    @idempotent
    def post(self, request: Request, wallet_id: UUID) -> Response:
        pot = services.pot_open(
            party_id=self.party_id,
            wallet_id=wallet_id,
            **_described(parse(PotInput, request)),
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
        )
        return Response(_body(selectors.view_of(pot)), status=201, headers={"Location": f"/api/v1/pots/{pot.id}"})


class PotOneView(PartyView):
    tag = "Pots"
    scopes: ClassVar = {"GET": POTS_READ, "PUT": POTS_WRITE}

    @extend_schema(operation_id="pot_read", summary="One pot and what is in it", responses=PotSerializer, examples=_EXAMPLES)
    def get(self, request: Request, pot_id: UUID) -> Response:
        return Response(_body(selectors.view_of(selectors.pot_get(self.party_id, pot_id))))

    @extend_schema(
        operation_id="pot_change",
        summary="Give a pot another name and goal",
        description="What is left out of the goal is taken off.",
        request=PotInput,
        responses=PotSerializer,
        examples=[OpenApiExample("Holiday", value=_ASKED, request_only=True), *_EXAMPLES],
    )
    def put(self, request: Request, pot_id: UUID) -> Response:
        data = _described(parse(PotInput, request))
        return Response(_body(selectors.view_of(services.pot_change(party_id=self.party_id, pot_id=pot_id, **data, now=clock.now()))))


class _PotMoveView(PartyView):
    """Within one wallet: no approval, because nobody else can gain."""

    tag = "Pots"
    scopes: ClassVar = {"POST": POTS_WRITE}

    def move(self, service: Any, request: Request, pot_id: UUID) -> Response:
        pot = service(
            party_id=self.party_id,
            pot_id=pot_id,
            amount=parse(PotAmountInput, request)["amount"],
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
        )
        return Response(_body(selectors.view_of(pot)))


_MOVED = [OpenApiExample("50 EUR", value={"amount": {"amount": 5000, "currency": "EUR"}}, request_only=True), *_EXAMPLES]


class PotPutView(_PotMoveView):
    @extend_schema(
        operation_id="pot_put",
        summary="Move money from the wallet into the pot",
        request=PotAmountInput,
        responses=PotSerializer,
        examples=_MOVED,
    )
    @idempotent
    def post(self, request: Request, pot_id: UUID) -> Response:
        return self.move(services.pot_put, request, pot_id)


class PotTakeView(_PotMoveView):
    @extend_schema(
        operation_id="pot_take",
        summary="Move money from the pot back to the wallet",
        request=PotAmountInput,
        responses=PotSerializer,
        examples=_MOVED,
    )
    @idempotent
    def post(self, request: Request, pot_id: UUID) -> Response:
        return self.move(services.pot_take, request, pot_id)


class PotCloseView(PartyView):
    tag = "Pots"
    scopes: ClassVar = {"POST": POTS_WRITE}

    @extend_schema(
        operation_id="pot_close",
        summary="Close a pot; what is in it goes back to the wallet",
        request=None,
        responses=PotSerializer,
        examples=[
            OpenApiExample(
                "Closed",
                value={**POT, "balance": {"amount": 0, "currency": "EUR"}, "state": "closed", "closed_at": "2026-07-02T08:00:00.000000Z"},
                response_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, pot_id: UUID) -> Response:
        return Response(_body(selectors.view_of(services.pot_close(party_id=self.party_id, pot_id=pot_id, now=clock.now()))))

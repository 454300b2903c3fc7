"""The API of everything that moved or waits, of all kinds together."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core.api import parse
from core.api.paging import page_of
from core.api.scopes import WALLETS_READ
from payments import selectors
from payments.api.shapes import PAYMENT, ListInput, PaymentSerializer, listed, payment_page
from payments.models import Kind
from payments.selectors import Filters


class ActivityInput(ListInput):
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, default="")
    wallet_id = serializers.UUIDField(required=False, default=None)
    text = serializers.CharField(max_length=100, required=False, default="", help_text="Words of names, notes and amounts.")
    from_date = serializers.DateField(required=False, default=None, help_text="First day, in the person's time zone.")
    to_date = serializers.DateField(required=False, default=None, help_text="Last day.")


class ActivityView(PartyView):
    tag = "Activity"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="activity_list",
        summary="Everything that moved or waits, newest first",
        parameters=[ActivityInput],
        responses=page_of(PaymentSerializer),
        examples=listed(PAYMENT, next_cursor="MjAyNi0wMy0xMVQxMjowMDowMA"),
    )
    def get(self, request: Request) -> Response:
        data = parse(ActivityInput, request, query=True)
        caller = self.caller.person
        filters = Filters(
            **{name: data[name] for name in ("kind", "direction", "state", "text", "wallet_id", "from_date", "to_date")},
            time_zone=caller.time_zone if caller else settings.HUB_TIME_ZONE,
        )
        return payment_page(selectors.payments_for(self.party_id, filters=filters, cursor=data.get("cursor", ""), limit=data["limit"]))

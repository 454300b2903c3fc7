"""The API of limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from compliance import limits
from compliance.models import Window
from core import clock
from core.api import MoneyField
from core.api.scopes import LIMITS_READ
from core.money import Money


class LimitSerializer(serializers.Serializer[Any]):
    window = serializers.ChoiceField(choices=Window.choices)
    direction = serializers.ChoiceField(choices=["out", "in"], allow_null=True, help_text="null for what may be held in all.")
    limit = MoneyField(signed=True)
    used = MoneyField(signed=True, allow_null=True, help_text="null where nothing is counted: one payment.")
    left = MoneyField(signed=True, allow_null=True)


class LimitsSerializer(serializers.Serializer[Any]):
    level = serializers.IntegerField(help_text="3: e-mail address only, 2: identity data checked, 1: verified by staff.")
    limits = LimitSerializer(many=True, help_text="In the reference currency; days and months are those of the operator's time zone.")


def _eur(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


class LimitsView(PartyView):
    """`balance_of` is given by whoever mounts it: compliance knows no wallets."""

    tag = "Limits"
    scopes: ClassVar = {"GET": LIMITS_READ}
    balance_of: Callable[[UUID], Money | None] | None = None

    @extend_schema(
        operation_id="limits_read",
        summary="What may still be moved",
        responses=LimitsSerializer,
        examples=[
            OpenApiExample(
                "Level 3",
                value={
                    "level": 3,
                    "limits": [
                        {"window": "payment", "direction": "out", "limit": _eur(15000), "used": None, "left": None},
                        {"window": "day", "direction": "out", "limit": _eur(15000), "used": _eur(2000), "left": _eur(13000)},
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        balance = self.balance_of(self.party_id) if self.balance_of else None
        rows = [
            {"window": row.window.value, "direction": row.direction.value or None, "limit": row.limit, "used": row.used, "left": row.left}
            for row in limits.limits_for(self.party_id, now, balance=balance)
        ]
        return Response(LimitsSerializer({"level": int(limits.level_for(self.party_id, now)), "limits": rows}).data)

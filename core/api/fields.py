"""Serializer fields of the API's own shapes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.errors import HubError
from core.money import Money, amount_check, currency_check


@extend_schema_field(
    {
        "type": "object",
        "required": ["amount", "currency"],
        "properties": {
            "amount": {"type": "integer", "format": "int64", "description": "Minor units", "example": 1250},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "example": "EUR"},
        },
        "additionalProperties": False,
    }
)
class MoneyField(serializers.Field[Money, Any, dict[str, Any], Any]):
    """`{"amount": 1250, "currency": "EUR"}` in minor units; input must be positive unless `signed`."""

    default_error_messages = {
        # Twice the braces: the serializer formats its messages.
        "shape": _('Send an object like {{"amount": 1250, "currency": "EUR"}}, the amount in minor units.'),
        "whole": _("The amount must be a whole number of minor units."),
    }

    def __init__(self, *, signed: bool = False, **kwargs: Any) -> None:
        self.signed = signed
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, dict) or set(data) != {"amount", "currency"} or not isinstance(data["currency"], str):
            self.fail("shape")
        if type(data["amount"]) is not int:
            self.fail("whole")
        try:
            code = currency_check(data["currency"])
            money = Money(data["amount"], code)
            return money if self.signed else amount_check(money)
        except HubError as error:
            raise serializers.ValidationError(str(error.message), code=error.code) from error

    def to_representation(self, value: Money) -> dict[str, Any]:
        return {"amount": value.amount, "currency": value.currency}


@extend_schema_field({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "examples": ["08:00"]})
class TimeOfDayField(serializers.TimeField):
    """Hours and minutes on somebody's clock. Not JSON Schema's "time", which has seconds and an offset."""

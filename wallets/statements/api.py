"""The API of statements."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core import clock
from core.api import MoneyField, parse
from core.api.paging import CursorInvalid, PageInput, cursor_pack, cursor_unpack
from core.api.scopes import WALLETS_READ
from core.errors import InputInvalid
from wallets import selectors as wallets
from wallets.statements import documents, proof, selectors
from wallets.statements.documents import Format
from wallets.statements.periods import FIRST_DAY, LAST_DAY, Period
from wallets.statements.selectors import Line, Statement

SEQ_MAX = 2**63 - 1


class ZoneUnknown(InputInvalid):
    code = "time_zone_unknown"
    default_field = "time_zone"


class StatementInput(PageInput):
    time_zone = serializers.CharField(
        max_length=64, required=False, help_text="Whose days are meant; your own by default. For example Europe/Stockholm."
    )
    format = serializers.ChoiceField(choices=["json", *Format.values], required=False, default="json")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # "from" is a word of Python's, so these two cannot be attributes.
        days = {
            "from": serializers.DateField(help_text="The first day."),
            "to": serializers.DateField(help_text="The last day; it belongs to the period."),
        }
        return {**days, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not FIRST_DAY <= attrs["from"] <= attrs["to"] <= LAST_DAY:
            raise serializers.ValidationError({"to": serializers.ErrorDetail("The last day is before the first.", code="period_invalid")})
        return attrs


class StatementLineSerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField(help_text="The line's number in this wallet.")
    transfer_id = serializers.IntegerField(help_text="The ledger's own id of the movement, for which a proof can be had.")
    booked_at = serializers.DateTimeField()
    amount = MoneyField(signed=True)
    balance = MoneyField(signed=True, help_text="After this line.")
    kind = serializers.CharField(help_text="`transfer`, `top_up`, `payout`, `pot` and so on.")
    counterparty = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    payment_id = serializers.UUIDField(allow_null=True)


class StatementSerializer(serializers.Serializer[Any]):
    """`opening` + `money_in` - `money_out` = `closing`."""

    opening = MoneyField(signed=True)
    money_in = MoneyField(signed=True)
    money_out = MoneyField(signed=True)
    closing = MoneyField(signed=True)
    lines = serializers.IntegerField(help_text="How many lines the whole period has.")
    complete = serializers.BooleanField(help_text="False while the last day has not ended.")
    proof = serializers.CharField()
    items = StatementLineSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


def _eur(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


STATEMENT = {
    "opening": _eur(0),
    "money_in": _eur(5000),
    "money_out": _eur(0),
    "closing": _eur(5000),
    "lines": 1,
    "complete": True,
    "proof": "Seal 17, 5f0c1122334455667788aabb; last transfer 48213",
    "items": [
        {
            "seq": 1,
            "transfer_id": 48213,
            "booked_at": "2026-03-11T12:05:00.000000Z",
            "amount": _eur(5000),
            "balance": _eur(5000),
            "kind": "top_up",
            "counterparty": "",
            "note": "",
            "payment_id": "0199b2c4-8d5e-7000-8000-0000000000a1",
        }
    ],
    "next_cursor": None,
}


class StatementsView(PartyView):
    tag = "Wallets"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="wallet_statement",
        summary="A wallet's statement of a period, oldest line first",
        description="As JSON in pages, or whole as a file: `pdf`, `csv`, `ofx` (2.2) or `camt053` (camt.053.001.08).",
        parameters=[StatementInput],
        responses={
            (200, "application/json"): StatementSerializer,
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
            (200, "application/x-ofx"): OpenApiResponse(OpenApiTypes.STR),
            (200, "application/xml"): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[OpenApiExample("March", value=STATEMENT, response_only=True, media_type="application/json")],
    )
    def get(self, request: Request, wallet_id: UUID) -> HttpResponseBase:
        data = parse(StatementInput, request, query=True)
        wallet = wallets.wallet_get(self.party_id, wallet_id)
        period = Period(data["from"], data["to"], self._zone(data.get("time_zone")))
        statement = selectors.statement_for(wallet, period, now=clock.now())
        if data["format"] == "json":
            return Response(_body(statement, data))
        made = documents.document(statement, Format(data["format"]), language=get_language() or "en", now=clock.now())
        return FileResponse(made.file, as_attachment=True, filename=made.name, content_type=made.content_type)

    def _zone(self, wanted: str | None) -> str:
        if wanted is None:
            return str(getattr(self.caller.person, "time_zone", "") or "UTC")
        try:
            return str(ZoneInfo(wanted))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # also what zoneinfo says to "../etc/passwd" and to a folder
            raise ZoneUnknown() from error


def _body(statement: Statement, data: dict[str, Any]) -> Any:
    after = cursor_unpack(data["cursor"], int)[0] if "cursor" in data else None
    if after is not None and not 0 < after <= SEQ_MAX:
        raise CursorInvalid
    shown = list(selectors.lines(statement, after=after, limit=data["limit"]))
    more = bool(shown) and shown[-1].entry.seq < statement.last
    return StatementSerializer(
        {
            **{name: getattr(statement, name) for name in ("opening", "money_in", "money_out", "closing", "complete")},
            "lines": statement.count,
            "proof": proof.reference(statement),
            "items": [_line(line) for line in shown],
            "next_cursor": cursor_pack(shown[-1].entry.seq) if more else None,
        }
    ).data


def _line(line: Line) -> dict[str, Any]:
    return {
        "seq": line.entry.seq,
        "transfer_id": line.entry.transfer_id,
        "booked_at": line.entry.created_at,
        "amount": line.entry.amount,
        "balance": line.entry.balance,
        **{name: getattr(line.text, name) for name in ("kind", "counterparty", "note")},
        "payment_id": line.entry.meta.get("payment"),
    }

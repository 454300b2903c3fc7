"""The API of the feed, its categories, budgets and what is safe to spend."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from budgeting import selectors, services
from budgeting.categorise import CATEGORIES, Why
from budgeting.models import Kind
from budgeting.selectors import ItemView, MonthView, SafeToSpend
from core import clock
from core.api import MoneyField, parse
from core.api.paging import PageInput, page_body, page_of
from core.api.scopes import BUDGETS_READ, BUDGETS_WRITE
from core.api.views import ApiView

CODES = [(code, code) for code in CATEGORIES]


class CategorySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField(help_text="In the language asked for.")
    spending = serializers.BooleanField(help_text="Whether it counts as spent, and can have a budget.")


class FeedItemSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount = MoneyField(signed=True, help_text="Negative is money out.")
    home_amount = MoneyField(signed=True, allow_null=True, help_text="In the home currency; null when there is no rate.")
    rate_date = serializers.DateField(allow_null=True, help_text="Of the rate that was used; null when none was needed.")
    at = serializers.DateTimeField()
    on_date = serializers.DateField(help_text="The day in the time zone of whoever keeps the books.")
    counterparty = serializers.CharField(allow_blank=True)
    merchant = serializers.CharField(allow_blank=True, help_text="The cleaned name of a merchant.")
    category = serializers.ChoiceField(choices=CODES)
    why = serializers.ChoiceField(choices=[(why.value, why.value) for why in Why], help_text="Why it is in its category.")


class BudgetSerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=CODES)
    budget = MoneyField(allow_null=True)
    spent = MoneyField(signed=True, help_text="What went out less what came back.")
    left = MoneyField(signed=True, allow_null=True)
    left_per_day = MoneyField(
        signed=True, allow_null=True, help_text="For each day that is left, today included; null when the month is over."
    )
    state = serializers.ChoiceField(choices=[("ok", "ok"), ("near", "near"), ("over", "over")], allow_null=True)


class BudgetMonthSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    currency = serializers.CharField()
    income = MoneyField(signed=True)
    spent = MoneyField(signed=True)
    days_left = serializers.IntegerField()
    rate_date = serializers.DateField(allow_null=True, help_text="The oldest rate that was used.")
    left_out = serializers.IntegerField(help_text="Payments in currencies without a rate.")
    budgets = BudgetSerializer(many=True)


class BillLineSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    on_date = serializers.DateField()
    amount = MoneyField()
    home_amount = MoneyField(signed=True, allow_null=True)


class SafeToSpendSerializer(serializers.Serializer[Any]):
    amount = MoneyField(signed=True, help_text="balance - held - pots - bills.")
    balance = MoneyField(signed=True)
    held = MoneyField(signed=True, help_text="Set aside for payments under way.")
    pots = MoneyField(signed=True, help_text="Put into pots.")
    bills = MoneyField(signed=True, help_text="Due up to and including `until`.")
    bill_lines = BillLineSerializer(many=True)
    until = serializers.DateField(help_text="The day before the next income, else the last day of the month.")
    income_on = serializers.DateField(allow_null=True, help_text="When the next regular income is expected.")
    days = serializers.IntegerField()
    per_day = MoneyField(signed=True, allow_null=True)
    rate_date = serializers.DateField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="Currencies without a rate, left out.")


class FeedInput(PageInput):
    category = serializers.ChoiceField(choices=CODES, required=False)
    since = serializers.DateField(required=False, help_text="The first day.")
    before = serializers.DateField(required=False, help_text="The day after the last.")


class MonthInput(serializers.Serializer[Any]):
    month = serializers.RegexField(r"^(19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])$", required=False, help_text="2026-03; this month by default.")


class FilingInput(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=CODES)
    always = serializers.BooleanField(default=False, help_text="Everything of this merchant or person, past and to come.")


class BudgetInput(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=CODES)
    amount = MoneyField(allow_null=True, help_text="In the home currency; null takes the budget away.")


class BudgetsInput(serializers.Serializer[Any]):
    budgets = serializers.ListField(child=BudgetInput(), min_length=1, max_length=len(CODES))

    def validate_budgets(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({budget["category"] for budget in value}) < len(value):
            raise serializers.ValidationError(_("Name every category once."))
        return value


def _eur(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


ITEM = {
    "id": "0199b2c4-8d5e-7000-8000-0000000000d1",
    "payment_id": "0199b2c4-8d5e-7000-8000-0000000000a1",
    "kind": "transfer_out",
    "amount": _eur(-2000),
    "home_amount": _eur(-2000),
    "rate_date": None,
    "at": "2026-03-11T12:00:00.000000Z",
    "on_date": "2026-03-11",
    "counterparty": "Bo E.",
    "merchant": "",
    "category": "eating_out",
    "why": "note",
}
MONTH = {
    "month": "2026-03",
    "currency": "EUR",
    "income": _eur(250000),
    "spent": _eur(2000),
    "days_left": 21,
    "rate_date": None,
    "left_out": 0,
    "budgets": [
        {"category": "eating_out", "budget": _eur(6300), "spent": _eur(2000), "left": _eur(4300), "left_per_day": _eur(204), "state": "ok"}
    ],
}
SAFE = {
    "amount": _eur(73000),
    "balance": _eur(98000),
    "held": _eur(0),
    "pots": _eur(0),
    "bills": _eur(25000),
    "bill_lines": [{"name": "Electricity", "on_date": "2026-03-20", "amount": _eur(25000), "home_amount": _eur(25000)}],
    "until": "2026-03-24",
    "income_on": "2026-03-25",
    "days": 14,
    "per_day": _eur(5214),
    "rate_date": None,
    "missing": [],
}


def _item_body(view: ItemView) -> Any:
    item = view.item
    body = {
        field: getattr(item, field) for field in ("id", "payment_id", "kind", "amount", "rate_date", "at", "on_date", "merchant", "why")
    }
    return FeedItemSerializer(
        {**body, "home_amount": item.home, "counterparty": view.name or item.counterparty, "category": item.filed.code}
    ).data


def _month_body(view: MonthView) -> Any:
    return BudgetMonthSerializer(
        {
            "month": f"{view.month:%Y-%m}",
            "currency": view.currency,
            "income": view.income,
            "spent": view.spent,
            "days_left": view.days_left,
            "rate_date": view.rate_date,
            "left_out": view.missing,
            "budgets": [
                {
                    "category": row.category.code,
                    "budget": row.budget,
                    "spent": row.spent,
                    "left": row.left,
                    "left_per_day": view.left_per_day(row.left),
                    "state": row.state or None,
                }
                for row in view.rows
            ],
        }
    ).data


def _safe_body(safe: SafeToSpend) -> Any:
    fields = ("amount", "balance", "held", "pots", "bills", "until", "income_on", "days", "per_day", "rate_date")
    return SafeToSpendSerializer(
        {
            **{field: getattr(safe, field) for field in fields},
            "missing": list(safe.missing),
            "bill_lines": [
                {"name": line.bill.name, "on_date": line.bill.on, "amount": line.bill.amount, "home_amount": line.home}
                for line in safe.lines
            ],
        }
    ).data


class CategoriesView(ApiView):
    tag = "Budgets"
    scopes: ClassVar = {"GET": BUDGETS_READ}

    @extend_schema(
        operation_id="category_list",
        summary="The categories of the feed",
        responses=page_of(CategorySerializer),
        examples=[
            OpenApiExample(
                "The first",
                value={"items": [{"code": "groceries", "name": "Groceries", "spending": True}], "next_cursor": None},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        rows = [CategorySerializer({"code": c.code, "name": str(c.name), "spending": c.spending}).data for c in CATEGORIES.values()]
        return Response(page_body(rows, next_cursor=None))


class FeedView(PartyView):
    tag = "Budgets"
    scopes: ClassVar = {"GET": BUDGETS_READ}

    @extend_schema(
        operation_id="feed_list",
        summary="All transactions with their categories, newest first",
        parameters=[FeedInput],
        responses=page_of(FeedItemSerializer),
        examples=[OpenApiExample("A page", value={"items": [ITEM], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        data = parse(FeedInput, request, query=True)
        page = selectors.feed_for(
            self.party_id,
            category=data.get("category", ""),
            since=data.get("since"),
            before=data.get("before"),
            cursor=data.get("cursor", ""),
            limit=data["limit"],
        )
        return Response(page_body([_item_body(view) for view in page.rows], next_cursor=page.next_cursor or None))


class FeedItemView(PartyView):
    tag = "Budgets"
    scopes: ClassVar = {"GET": BUDGETS_READ}

    @extend_schema(
        operation_id="feed_read",
        summary="One transaction",
        responses=FeedItemSerializer,
        examples=[OpenApiExample("A transaction", value=ITEM, response_only=True)],
    )
    def get(self, request: Request, item_id: UUID) -> Response:
        return Response(_item_body(selectors.item_view(self.party_id, item_id)))


class FilingView(PartyView):
    tag = "Budgets"
    scopes: ClassVar = {"POST": BUDGETS_WRITE}

    @extend_schema(
        operation_id="feed_file",
        summary="File a transaction under another category",
        description="With `always`, everything of its merchant or person: a rule that comes before anything the hub thinks.",
        request=FilingInput,
        responses=FeedItemSerializer,
        examples=[
            OpenApiExample("Always", value={"category": "gifts", "always": True}, request_only=True),
            OpenApiExample("Filed", value={**ITEM, "category": "gifts", "why": "rule"}, response_only=True),
        ],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        item = services.item_file(party_id=self.party_id, item_id=item_id, **parse(FilingInput, request), now=clock.now())
        return Response(_item_body(selectors.views_of(self.party_id, [item])[0]))


class BudgetsView(PartyView):
    tag = "Budgets"
    scopes: ClassVar = {"GET": BUDGETS_READ, "POST": BUDGETS_WRITE}

    @extend_schema(
        operation_id="budget_list",
        summary="A month of spending beside its budgets",
        parameters=[MonthInput],
        responses=BudgetMonthSerializer,
        examples=[OpenApiExample("A month", value=MONTH, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        wanted = parse(MonthInput, request, query=True).get("month")
        return Response(self._month(date.fromisoformat(f"{wanted}-01") if wanted else None))

    @extend_schema(
        operation_id="budget_set",
        summary="Set monthly budgets from this month on",
        description="Categories that are not named stay as they are.",
        request=BudgetsInput,
        responses=BudgetMonthSerializer,
        examples=[
            OpenApiExample("Set", value={"budgets": [{"category": "eating_out", "amount": _eur(6300)}]}, request_only=True),
            OpenApiExample("A month", value=MONTH, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        asked = parse(BudgetsInput, request)["budgets"]
        services.budgets_set(party_id=self.party_id, amounts={row["category"]: row["amount"] for row in asked}, now=clock.now())
        return Response(self._month(None))

    def _month(self, month: date | None) -> Any:
        keeper, now = selectors.keeper_of(self.party_id), clock.now()
        today = selectors.today_of(now, keeper)
        return _month_body(selectors.month_view(self.party_id, keeper, month=month or today.replace(day=1), today=today))


class SafeToSpendView(PartyView):
    tag = "Budgets"
    scopes: ClassVar = {"GET": BUDGETS_READ}

    @extend_schema(
        operation_id="safe_to_spend",
        summary="What can be spent until the next income",
        description="balance - held - bills due before the next regular income, or until the end of the month when none is expected.",
        responses=SafeToSpendSerializer,
        examples=[OpenApiExample("Until payday", value=SAFE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response(_safe_body(selectors.safe_to_spend(self.party_id, selectors.keeper_of(self.party_id), now=clock.now())))

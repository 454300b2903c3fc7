"""The API of bills."""

from __future__ import annotations

from datetime import time
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
from core.api import MoneyField, TimeOfDayField, idempotent, key_of, parse
from core.api.paging import PageInput, page_body, page_of
from core.api.scopes import BILLS_READ, BILLS_WRITE
from payments.bills import selectors, services
from payments.bills.models import NAME_MAX, NOTE_MAX, AmountKind, BillRun, BillState, EveryChoice, RunState, ShiftChoice
from payments.bills.schedule import Every, Shift
from payments.bills.selectors import BillView
from payments.bills.services import Terms, To
from payments.models import HOLDER_MAX

BILL_ID = "0199b2c4-8d5e-7000-8000-0000000000d1"
WALLET = "0199b2c4-8d5e-7000-8000-0000000000f1"
COMING_DAYS_MAX = 366


class BillScheduleSerializer(serializers.Serializer[Any]):
    every = serializers.ChoiceField(choices=EveryChoice.choices, default="month")
    interval = serializers.IntegerField(min_value=1, max_value=52, default=1, help_text="Every so many weeks or months.")
    day_of_month = serializers.IntegerField(
        min_value=1,
        max_value=31,
        required=False,
        allow_null=True,
        default=None,
        help_text="Months only; that of `first_on` when left out. In a shorter month it is the last day.",
    )
    first_on = serializers.DateField(help_text="Nothing is paid before this day.")
    last_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="Nor after this one.")
    shift = serializers.ChoiceField(choices=ShiftChoice.choices, default="none", help_text="When the day is a weekend or a holiday.")
    country = serializers.CharField(max_length=2, required=False, allow_blank=True, default="", help_text="Whose holidays count, ISO 3166.")
    at = TimeOfDayField(default=time(8), help_text="Time of day in the person's time zone.", format="%H:%M")


class BillPayeeSerializer(serializers.Serializer[Any]):
    party_id = serializers.UUIDField(allow_null=True, help_text="null for a bank account.")
    display_name = serializers.CharField()
    detail = serializers.CharField(help_text="A handle, or the IBAN shortened.")


class BillRunSerializer(serializers.Serializer[Any]):
    period = serializers.CharField(help_text="`2026-03`, or the day of a weekly bill. Each is paid once.")
    state = serializers.ChoiceField(choices=RunState.choices)
    pay_on = serializers.DateField()
    due_at = serializers.DateTimeField(help_text="When it is tried next.")
    amount = MoneyField(allow_null=True, help_text="null while nobody has said how much.")
    payment_id = serializers.UUIDField(allow_null=True)
    failure_code = serializers.CharField(allow_blank=True)


class BillApprovalSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.URLField(help_text="Send the person there; afterwards complete the bill.")


class BillSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=BillState.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it is paused or ended, as a code.")
    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    wallet_id = serializers.UUIDField()
    payee = BillPayeeSerializer()
    amount = MoneyField(help_text="Of each payment, or the most of one.")
    amount_kind = serializers.ChoiceField(choices=AmountKind.choices)
    schedule = BillScheduleSerializer()
    time_zone = serializers.CharField()
    next = BillRunSerializer(allow_null=True)
    approval = BillApprovalSerializer(allow_null=True, help_text="While it, or a change of it, waits for a person's approval.")
    created_at = serializers.DateTimeField()


class BillDetailSerializer(BillSerializer):
    runs = BillRunSerializer(many=True, help_text="The latest 24, newest first.")


class ComingSerializer(serializers.Serializer[Any]):
    bill_id = serializers.UUIDField()
    name = serializers.CharField()
    payee = serializers.CharField()
    wallet_id = serializers.UUIDField()
    on = serializers.DateField()
    due_at = serializers.DateTimeField()
    amount = MoneyField(allow_null=True)
    at_most = MoneyField()
    is_retry = serializers.BooleanField()


class ComingListSerializer(serializers.Serializer[Any]):
    items = ComingSerializer(many=True)


RUN = {
    "period": "2026-03",
    "state": "scheduled",
    "pay_on": "2026-03-31",
    "due_at": "2026-03-31T06:00:00.000000Z",
    "amount": {"amount": 2000, "currency": "EUR"},
    "payment_id": None,
    "failure_code": "",
}
SCHEDULE = {
    "every": "month",
    "interval": 1,
    "day_of_month": 31,
    "first_on": "2026-03-31",
    "last_on": None,
    "shift": "after",
    "country": "SE",
    "at": "08:00",
}
BILL = {
    "id": BILL_ID,
    "state": "active",
    "reason": "",
    "name": "Rent",
    "note": "Flat 3",
    "wallet_id": WALLET,
    "payee": {"party_id": "0199b2c4-8d5e-7000-8000-00000000000b", "display_name": "Bo E.", "detail": "@bo"},
    "amount": {"amount": 2000, "currency": "EUR"},
    "amount_kind": "fixed",
    "schedule": SCHEDULE,
    "time_zone": "Europe/Stockholm",
    "next": RUN,
    "approval": None,
    "created_at": "2026-03-11T12:00:00.000000Z",
}
DETAIL = {**BILL, "runs": [RUN]}
COMING = {
    "bill_id": BILL_ID,
    "name": "Rent",
    "payee": "Bo E.",
    "wallet_id": WALLET,
    "on": "2026-03-31",
    "due_at": "2026-03-31T06:00:00.000000Z",
    "amount": {"amount": 2000, "currency": "EUR"},
    "at_most": {"amount": 2000, "currency": "EUR"},
    "is_retry": False,
}


def _run(run: BillRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    names = ("period", "state", "pay_on", "due_at", "amount", "payment_id", "failure_code")
    return {name: getattr(run, name) for name in names}


def _plain(view: BillView) -> dict[str, Any]:
    bill = view.bill
    waiting = bill.approval_id if bill.state == BillState.REQUIRES_APPROVAL else bill.change_approval_id if bill.change else None
    return {
        "id": bill.id,
        "state": bill.state,
        "reason": bill.reason,
        "name": bill.name,
        "note": bill.note,
        "wallet_id": bill.wallet_id,
        "payee": {"party_id": bill.payee_party_id, "display_name": view.payee, "detail": view.payee_detail},
        "amount": bill.amount,
        "amount_kind": bill.amount_kind,
        "schedule": {
            "every": bill.every,
            "interval": bill.interval,
            "day_of_month": bill.anchor if bill.every == EveryChoice.MONTH else None,
            "first_on": bill.first_on,
            "last_on": bill.last_on,
            "shift": bill.shift,
            "country": bill.country,
            "at": bill.at,
        },
        "time_zone": bill.time_zone,
        "next": _run(view.coming),
        "approval": {"id": waiting, "url": settings.HUB_PUBLIC_URL + reverse("approve", args=[waiting])} if waiting else None,
        "created_at": bill.created_at,
    }


def _detail(party_id: UUID, bill_id: UUID, *, status: int = 200) -> Response:
    view = selectors.bill_get(party_id, bill_id)
    body = BillDetailSerializer({**_plain(view), "runs": [_run(run) for run in selectors.runs_of(view.bill)]}).data
    return Response(body, status=status, headers={"Location": f"/api/v1/bills/{bill_id}"} if status == 201 else None)


class BillTermsInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_MAX, help_text="What it is for; only the payer sees it.")
    note = serializers.CharField(max_length=NOTE_MAX, required=False, allow_blank=True, default="", help_text="The payee reads it.")
    wallet_id = serializers.UUIDField(help_text="The wallet to pay from.")
    amount = MoneyField(help_text="In the wallet's currency.")
    amount_kind = serializers.ChoiceField(choices=AmountKind.choices, default="fixed")
    schedule = BillScheduleSerializer()


class BillInput(BillTermsInput):
    payee = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="", help_text="An e-mail address or a handle, or else:"
    )
    iban = serializers.CharField(max_length=50, required=False, allow_blank=True, default="", help_text="of a bank account")
    holder = serializers.CharField(max_length=HOLDER_MAX, required=False, allow_blank=True, default="", help_text="and its holder's name.")


def _terms(data: dict[str, Any]) -> Terms:
    schedule = data["schedule"]
    return Terms(
        name=data["name"],
        note=data["note"],
        wallet_id=data["wallet_id"],
        amount=data["amount"],
        up_to=data["amount_kind"] == AmountKind.UP_TO,
        every=Every(schedule["every"]),
        interval=schedule["interval"],
        anchor=schedule["day_of_month"] if schedule["every"] == EveryChoice.MONTH else None,
        first_on=schedule["first_on"],
        last_on=schedule["last_on"],
        shift=Shift(schedule["shift"]),
        country=schedule["country"],
        at=schedule["at"],
    )


class ComingInput(serializers.Serializer[Any]):
    from_date = serializers.DateField(help_text="First day.")
    to_date = serializers.DateField(help_text="Last day, at most a year later.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if not 0 <= (data["to_date"] - data["from_date"]).days <= COMING_DAYS_MAX:
            raise serializers.ValidationError({"to_date": "from the first day on, and at most a year later"})
        return data


class BillsInput(PageInput):
    ended = serializers.BooleanField(required=False, default=False, help_text="Those that are over instead.")


class BillsView(PartyView):
    tag = "Bills"
    scopes: ClassVar = {"GET": BILLS_READ, "POST": BILLS_WRITE}

    @extend_schema(
        operation_id="bill_list",
        summary="Bills that are not over, newest first",
        parameters=[BillsInput],
        responses=page_of(BillSerializer),
        examples=[OpenApiExample("Bills", value={"items": [BILL], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        data = parse(BillsInput, request, query=True)
        found = selectors.bills_for(self.party_id, ended=data["ended"], cursor=data.get("cursor", ""), limit=data["limit"])
        items = [BillSerializer(_plain(view)).data for view in found.rows]
        return Response(page_body(items, next_cursor=found.next_cursor or None))

    @extend_schema(
        operation_id="bill_create",
        summary="Have something paid on its days",
        description=(
            "201 when it is active. 202 when a person has to approve it (`approval.url`; afterwards call complete). Each payment then "
            "goes by that approval, up to `amount`. Without enough money it is tried again the next day and two days later."
        ),
        request=BillInput,
        responses={201: BillDetailSerializer, 202: BillDetailSerializer},
        examples=[
            OpenApiExample(
                "Rent on the last day of the month",
                value={
                    "name": "Rent",
                    "note": "Flat 3",
                    "payee": "@bo",
                    "wallet_id": WALLET,
                    "amount": {"amount": 2000, "currency": "EUR"},
                    "schedule": {"day_of_month": 31, "first_on": "2026-03-31", "shift": "after", "country": "SE"},
                },
                request_only=True,
            ),
            OpenApiExample("Active", value=DETAIL, response_only=True, status_codes=["201"]),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        data = parse(BillInput, request)
        bill = services.bill_create(
            by=self.person,
            party_id=self.party_id,
            to=To(payee=data["payee"], iban=data["iban"], holder=data["holder"]),
            terms=_terms(data),
            idempotency_key=service_key(self.caller, key_of(request)),
            now=clock.now(),
            present=self.is_present,
        )
        return _detail(self.party_id, bill.id, status=202 if bill.state == BillState.REQUIRES_APPROVAL else 201)


class BillsComingView(PartyView):
    tag = "Bills"
    scopes: ClassVar = {"GET": BILLS_READ}

    @extend_schema(
        operation_id="bill_coming",
        summary="What will be paid between two days",
        parameters=[ComingInput],
        responses=ComingListSerializer,
        examples=[OpenApiExample("Coming", value={"items": [COMING]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        data = parse(ComingInput, request, query=True)
        found = selectors.bills_coming(self.party_id, data["from_date"], data["to_date"])
        return Response(ComingListSerializer({"items": found}).data)


class BillApiView(PartyView):
    tag = "Bills"
    scopes: ClassVar = {"GET": BILLS_READ, "PUT": BILLS_WRITE}

    @extend_schema(
        operation_id="bill_read",
        summary="One bill with its latest payments",
        responses=BillDetailSerializer,
        examples=[OpenApiExample("A bill", value=DETAIL, response_only=True)],
    )
    def get(self, request: Request, bill_id: UUID) -> Response:
        return _detail(self.party_id, bill_id)

    @extend_schema(
        operation_id="bill_change",
        summary="Agree on other terms, from the next payment on",
        description="The payee stays. 202 when a person has to approve the change; until then all is as before.",
        request=BillTermsInput,
        responses={200: BillDetailSerializer, 202: BillDetailSerializer},
        examples=[OpenApiExample("Changed", value=DETAIL, response_only=True, status_codes=["200"])],
    )
    def put(self, request: Request, bill_id: UUID) -> Response:
        selectors.bill_get(self.party_id, bill_id)
        terms = _terms(parse(BillTermsInput, request))
        bill = services.bill_change(by=self.person, bill_id=bill_id, terms=terms, now=clock.now(), present=self.is_present)
        return _detail(self.party_id, bill_id, status=202 if bill.change else 200)


class _ActView(PartyView):
    """One thing that is done to a bill; doing it twice is doing it once."""

    tag = "Bills"
    scopes: ClassVar = {"POST": BILLS_WRITE}
    service: ClassVar[Any]

    def act(self, bill_id: UUID) -> Response:
        selectors.bill_get(self.party_id, bill_id)
        type(self).service(by=self.person, bill_id=bill_id, now=clock.now())
        return _detail(self.party_id, bill_id)


_DONE = [OpenApiExample("The bill", value=DETAIL, response_only=True)]


class BillCompleteView(_ActView):
    service = staticmethod(services.bill_approve)

    @extend_schema(
        operation_id="bill_complete",
        summary="Go on with a bill, or a change, that a person has approved",
        request=None,
        responses=BillDetailSerializer,
        examples=_DONE,
    )
    def post(self, request: Request, bill_id: UUID) -> Response:
        return self.act(bill_id)


class BillPauseView(_ActView):
    service = staticmethod(services.bill_pause)

    @extend_schema(operation_id="bill_pause", summary="Pay nothing for now", request=None, responses=BillDetailSerializer, examples=_DONE)
    def post(self, request: Request, bill_id: UUID) -> Response:
        return self.act(bill_id)


class BillResumeView(_ActView):
    service = staticmethod(services.bill_resume)

    @extend_schema(operation_id="bill_resume", summary="Pay again", request=None, responses=BillDetailSerializer, examples=_DONE)
    def post(self, request: Request, bill_id: UUID) -> Response:
        return self.act(bill_id)


class BillEndView(_ActView):
    service = staticmethod(services.bill_end)

    @extend_schema(operation_id="bill_end", summary="End it for good", request=None, responses=BillDetailSerializer, examples=_DONE)
    def post(self, request: Request, bill_id: UUID) -> Response:
        return self.act(bill_id)


class SkipInput(serializers.Serializer[Any]):
    period = serializers.CharField(max_length=10, help_text="Of the payment to leave out, as `next` names it.")


class BillSkipView(PartyView):
    tag = "Bills"
    scopes: ClassVar = {"POST": BILLS_WRITE}

    @extend_schema(
        operation_id="bill_skip", summary="Leave out the next payment", request=SkipInput, responses=BillDetailSerializer, examples=_DONE
    )
    def post(self, request: Request, bill_id: UUID) -> Response:
        data = parse(SkipInput, request)
        selectors.bill_get(self.party_id, bill_id)
        services.bill_skip_next(by=self.person, bill_id=bill_id, period=data["period"], now=clock.now())
        return _detail(self.party_id, bill_id)


class BillAmountInput(serializers.Serializer[Any]):
    amount = MoneyField()
    period = serializers.CharField(max_length=10, required=False, default="", help_text="Which payment; the next when left out.")


class BillAmountView(PartyView):
    tag = "Bills"
    scopes: ClassVar = {"PUT": BILLS_WRITE}

    @extend_schema(
        operation_id="bill_amount_set",
        summary="Say how much the next payment is",
        description=(
            "For bills of `up_to`, by the payer or by a business or person that is paid. More than the payer allowed is `above_cap`, and "
            "the payer is told that it was asked for."
        ),
        request=BillAmountInput,
        responses=BillRunSerializer,
        examples=[OpenApiExample("The payment", value=RUN, response_only=True)],
    )
    def put(self, request: Request, bill_id: UUID) -> Response:
        data = parse(BillAmountInput, request)
        run = services.bill_amount_set(by=self.person, bill_id=bill_id, amount=data["amount"], period=data["period"], now=clock.now())
        return Response(BillRunSerializer(_run(run)).data)

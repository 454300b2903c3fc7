from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from core.api import MoneyField, idempotent, parse
from core.api.access import Caller
from core.api.problems import exception_handler
from core.errors import HubError, NotFound
from core.models import IdempotencyKey
from core.money import AMOUNT_MAX, AmountNotPositive, Money


class Holder(serializers.Serializer[Any]):
    amount = MoneyField()
    note = serializers.CharField(required=False, max_length=5)


class TestMoneyField:
    def refused(self, value: object) -> list[str]:
        serializer = Holder(data={"amount": value})
        assert not serializer.is_valid()
        return [str(detail.code) for detail in serializer.errors["amount"]]

    def test_reads_and_writes_minor_units(self) -> None:
        serializer = Holder(data={"amount": {"amount": 1250, "currency": "eur"}})
        assert serializer.is_valid()
        assert serializer.validated_data["amount"] == Money(1250, "EUR")
        assert Holder({"amount": Money(-5, "JPY")}).data["amount"] == {"amount": -5, "currency": "JPY"}

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (12, "shape"),
            ("12 EUR", "shape"),
            ([], "shape"),
            ({}, "shape"),
            ({"amount": 1}, "shape"),
            ({"amount": 1, "currency": "EUR", "x": 1}, "shape"),
            ({"amount": 1, "currency": 978}, "shape"),
            ({"amount": 1, "currency": None}, "shape"),
            ({"amount": 12.5, "currency": "EUR"}, "whole"),
            ({"amount": 12.0, "currency": "EUR"}, "whole"),
            ({"amount": True, "currency": "EUR"}, "whole"),
            ({"amount": "1250", "currency": "EUR"}, "whole"),
            ({"amount": float("inf"), "currency": "EUR"}, "whole"),
            ({"amount": None, "currency": "EUR"}, "whole"),
            ({"amount": 0, "currency": "EUR"}, "amount_not_positive"),
            ({"amount": -1, "currency": "EUR"}, "amount_not_positive"),
            ({"amount": AMOUNT_MAX + 1, "currency": "EUR"}, "amount_too_large"),
            ({"amount": 2**63, "currency": "EUR"}, "amount_too_large"),
            ({"amount": 1, "currency": "XXX"}, "currency_unknown"),
            ({"amount": 1, "currency": "\ud800"}, "currency_unknown"),
            ({"amount": 1, "currency": "EUR" * 1000}, "currency_unknown"),
        ],
    )
    def test_names_what_is_wrong(self, value: object, code: str) -> None:
        assert self.refused(value) == [code]

    def test_takes_signed_amounts_where_told(self) -> None:
        field = MoneyField(signed=True)
        assert field.run_validation({"amount": -5, "currency": "EUR"}) == Money(-5, "EUR")


class Closed(HubError):
    code = "wallet_closed"
    http_status = 409
    default_message = gettext_lazy("This account is closed.")
    default_field = "source"


class Busy(HubError):
    code = "busy"
    http_status = 503


def problem(error: Exception) -> tuple[int, dict[str, Any], Response]:
    response = exception_handler(error, {})
    assert response is not None
    return response.status_code, json.loads(JSONRenderer().render(response.data)), response


class TestProblems:
    def test_of_a_refusal(self) -> None:
        status, body, response = problem(Closed(wallet="w1"))
        assert status == 409
        assert body == {
            "type": "urn:hub:problem:wallet_closed",
            "title": "Wallet closed",
            "status": 409,
            "code": "wallet_closed",
            "detail": "This account is closed.",
            "wallet": "w1",
            "errors": [{"field": "source", "code": "wallet_closed", "detail": "This account is closed."}],
        }
        assert response.content_type == "application/problem+json"

    def test_says_when_to_come_back(self) -> None:
        assert problem(Busy(retry_after=7))[2].headers["Retry-After"] == "7"
        assert problem(exceptions.Throttled(wait=2.2))[2].headers["Retry-After"] == "3"

    def test_of_what_is_not_there_or_not_yours(self) -> None:
        for error in (NotFound(), Http404("party 5 of Asa"), exceptions.NotFound("party 5 of Asa")):
            status, body, _ = problem(error)
            assert (status, body["code"]) == (404, "not_found")
        assert "Asa" not in json.dumps(problem(Http404("party 5 of Asa"))[1])

    def test_of_a_body_names_every_field(self) -> None:
        class Deep(serializers.Serializer[Any]):
            holders = Holder(many=True)
            name = serializers.CharField()

        serializer = Deep(data={"holders": [{"amount": {"amount": 1, "currency": "EUR"}}, {"amount": 5, "note": "too long"}]})
        with pytest.raises(exceptions.ValidationError) as caught:
            serializer.is_valid(raise_exception=True)
        status, body, _ = problem(caught.value)
        assert (status, body["code"]) == (422, "invalid")
        assert {(error["field"], error["code"]) for error in body["errors"]} == {
            ("holders.1.amount", "shape"),
            ("holders.1.note", "max_length"),
            ("name", "required"),
        }

    def test_of_one_wrong_field_carries_its_code(self) -> None:
        error = exceptions.ValidationError({"amount": [exceptions.ErrorDetail("no", code="amount_not_positive")]})
        assert problem(error)[1]["code"] == "amount_not_positive"

    @pytest.mark.parametrize("detail", ["plain", ["one", "two"], {"non_field_errors": ["x"]}, {"a": {"b": ["c"]}}, [{"a": ["b"]}, {}]])
    def test_of_any_shape_of_errors(self, detail: Any) -> None:
        status, body, _ = problem(exceptions.ValidationError(detail))
        assert status == 422
        assert body["errors"]

    def test_of_an_unknown_fault_is_none(self) -> None:
        assert exception_handler(ValueError("secret"), {}) is None


class Answer(APIView):
    permission_classes = [AllowAny]
    calls = 0
    act: Callable[[Request], Response] = staticmethod(lambda request: Response({"id": uuid4()}, status=201))

    @idempotent
    def post(self, request: Request) -> Response:
        type(self).calls += 1
        return type(self).act(request)


@pytest.fixture
def answer() -> type[Answer]:
    class Fresh(Answer):
        calls = 0

    return Fresh


def call(view: type[APIView], *, key: str | None = "k", body: object = None, who: int = 1, path: str = "/x") -> HttpResponse:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    request = APIRequestFactory().post(path, body if body is not None else {"a": 1}, format="json", **headers)
    person = type("P", (), {"pk": UUID(int=who), "is_authenticated": True})()
    caller: Any = Caller(scopes=frozenset(), person=person)
    force_authenticate(request, user=person, token=caller)
    response: HttpResponse = view.as_view()(request)
    response.render()  # type: ignore[attr-defined]
    return response


class TestIdempotent:
    def test_needs_a_key(self, db: None, answer: type[Answer]) -> None:
        response = call(answer, key=None)
        assert response.status_code == 400
        assert json.loads(response.content)["code"] == "idempotency_key_required"
        assert answer.calls == 0

    def test_replays_the_same_bytes(self, db: None, answer: type[Answer]) -> None:
        first, second = call(answer), call(answer)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert answer.calls == 1

    def test_stores_what_only_the_renderer_can_write(self, db: None, answer: type[Answer], now: datetime) -> None:
        answer.act = staticmethod(lambda request: Response({"at": now, "id": UUID(int=7), "text": gettext_lazy("Hello")}))
        assert call(answer).content == call(answer).content

    def test_refuses_another_body_and_another_path(self, db: None, answer: type[Answer]) -> None:
        call(answer)
        for other in (call(answer, body={"a": 2}), call(answer, path="/y")):
            assert other.status_code == 409
            assert json.loads(other.content)["code"] == "idempotency_conflict"
        assert answer.calls == 1

    def test_keeps_callers_apart(self, db: None, answer: type[Answer]) -> None:
        call(answer)
        call(answer, who=2)
        assert answer.calls == 2

    def test_replays_a_refusal_as_a_problem(self, db: None, answer: type[Answer]) -> None:
        def refuse(request: Request) -> Response:
            raise AmountNotPositive

        answer.act = staticmethod(refuse)
        first, second = call(answer), call(answer)
        assert (first.status_code, second.status_code, answer.calls) == (422, 422, 1)
        assert first.content == second.content
        assert second.headers["Content-Type"] == "application/problem+json"

    def test_runs_again_after_a_fault(self, db: None, answer: type[Answer]) -> None:
        def break_down(request: Request) -> Response:
            raise ZeroDivisionError

        answer.act = staticmethod(break_down)
        with pytest.raises(ZeroDivisionError):
            call(answer)
        answer.act = staticmethod(lambda request: Response({}, status=503))
        assert call(answer).status_code == 503
        answer.act = staticmethod(lambda request: Response({}, status=201))
        assert call(answer).status_code == 201
        assert answer.calls == 3

    def test_tells_a_repeat_to_wait_while_the_first_runs(self, db: None, answer: type[Answer]) -> None:
        def again(request: Request) -> Response:
            inner = call(answer)
            return Response({"status": inner.status_code, "after": int(inner.headers["Retry-After"])})

        answer.act = staticmethod(again)
        body = json.loads(call(answer).content)
        assert body["status"] == 409
        assert 1 <= body["after"] <= 60
        assert IdempotencyKey.objects.count() == 1


class TestParse:
    class View(APIView):
        permission_classes = [AllowAny]

        def post(self, request: Request) -> Response:
            return Response({"currency": parse(Holder, request)["amount"].currency})

    def post(self, body: bytes, kind: str = "application/json") -> HttpResponse:
        request = APIRequestFactory().generic("POST", "/x", body, content_type=kind)  # type: ignore[arg-type]
        response: HttpResponse = self.View.as_view()(request)
        response.render()  # type: ignore[attr-defined]
        return response

    def test_gives_the_checked_values(self) -> None:
        assert json.loads(self.post(b'{"amount": {"amount": 1, "currency": "SEK"}}').content) == {"currency": "SEK"}

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 422),
            (b"null", 422),
            (b"[]", 422),
            (b'"text"', 422),
            (b"5", 422),
            (b"{", 400),
            (b"\xff\xfe", 400),
            (b'{"amount": NaN}', 400),
            (b'{"amount": {"amount": 1e400, "currency": "EUR"}}', 422),
            (b'{"amount": {"amount": ' + b"9" * 5000 + b', "currency": "EUR"}}', 400),
            (b"[" * 60_000, 400),
            (b"[" * 3_000_000, 413),
            (b'{"note": "\\ud800", "amount": {"amount": 1, "currency": "EUR"}}', 400),
            (b'{"note": "a\\u0000", "amount": {"amount": 1, "currency": "EUR"}}', 422),
        ],
    )
    def test_refuses_anything_else_without_a_fault(self, body: bytes, status: int) -> None:
        response = self.post(body)
        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert json.loads(response.content)["code"]

    def test_refuses_other_kinds_of_bodies(self) -> None:
        assert self.post(b"a=1", "application/x-www-form-urlencoded").status_code == 415

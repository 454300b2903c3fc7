"""What every call has in common: problems, quotas, caching, addresses that are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from core.api import quota
from core.api.paging import CursorInvalid, cursor_pack, cursor_unpack
from core.db import scope_current
from tests.unit.api.conftest import Api
from wallets.models import Wallet

pytestmark = pytest.mark.django_db


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= set(body)
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:hub:problem:{code}")
    return body


class TestAddresses:
    @pytest.mark.parametrize(
        "path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/me", "/api/v1/wallets/", "/api/v1/wallets/x", "/api/v1/transfers/1"]
    )
    @pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
    def test_that_are_not_there_answer_a_problem(self, as_asa: Api, path: str, method: str) -> None:
        answer = getattr(as_asa.client, method)(path, headers=as_asa.headers)
        assert answer.status_code in (404, 405)
        assert answer["Content-Type"] == "application/problem+json"

    def test_take_no_other_method(self, as_asa: Api) -> None:
        for method in ("put", "patch", "delete", "options"):
            answer = getattr(as_asa.client, method)("/api/v1/wallets", headers=as_asa.headers)
            problem(answer, 405, "method_not_allowed")
            assert answer["Allow"].startswith("GET, POST")

    def test_answer_head_like_get(self, as_asa: Api) -> None:
        assert as_asa.client.head("/api/v1/me", headers=as_asa.headers).status_code == 200


class TestBodies:
    def post(self, api: Api, raw: bytes, kind: str = "application/json") -> Any:
        return api.client.post("/api/v1/transfers", raw, content_type=kind, headers={**api.headers, "Idempotency-Key": "k"})

    @pytest.mark.parametrize(
        "raw",
        [
            b"{",
            b"",
            b"\xff\xfe",
            b'{"a": NaN}',
            b'{"a": Infinity}',
            b"[" * 60_000,
            b'{"a": "\\ud800"}',
            b'{"a": ' + b"9" * 5_000 + b"}",
            b"\x00",
            b"'a'",
        ],
        ids=lambda raw: repr(raw[:12]),
    )
    def test_that_are_not_json_are_refused(self, as_asa: Api, raw: bytes) -> None:
        answer = self.post(as_asa, raw)
        assert (answer.status_code, answer.json()["code"]) in ((400, "json_invalid"), (422, "invalid"))

    @pytest.mark.parametrize(
        "raw", [b"[]", b"null", b'"x"', b"5", b"true", b'{"amount": 1e400}', b'{"amount": {"amount": 1e400, "currency": "EUR"}}']
    )
    def test_of_the_wrong_shape_are_refused(self, as_asa: Api, raw: bytes) -> None:
        assert self.post(as_asa, raw).status_code == 422

    def test_that_are_too_large_are_refused(self, as_asa: Api) -> None:
        body = problem(self.post(as_asa, b'{"a": "' + b"x" * 70_000 + b'"}'), 413, "body_too_large")
        assert body["limit_bytes"] == 64 * 1024

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x", "application/xml"]
    )
    def test_of_another_kind_are_refused(self, as_asa: Api, kind: str) -> None:
        answer = as_asa.client.generic(
            "POST", "/api/v1/transfers", b"a=1", content_type=kind, headers={**as_asa.headers, "Idempotency-Key": "k"}
        )
        assert answer.status_code in (400, 415)
        assert answer["Content-Type"] == "application/problem+json"

    def test_may_say_their_charset(self, as_asa: Api) -> None:
        assert self.post(as_asa, b"{}", "application/json; charset=utf-8").status_code == 422

    def test_name_every_wrong_field(self, as_asa: Api) -> None:
        body = problem(self.post(as_asa, b"{}"), 422, "invalid")
        assert {(error["field"], error["code"]) for error in body["errors"]} == {
            ("wallet_id", "required"),
            ("payee", "required"),
            ("amount", "required"),
        }

    def test_whatever_is_accepted_is_json(self, as_asa: Api) -> None:
        as_asa.headers["Accept"] = "text/html"
        assert as_asa.get("/me", format="xml")["Content-Type"] == "application/json"


class TestFaults:
    def test_say_nothing_about_the_inside(self, as_asa: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: Any) -> None:
            raise RuntimeError("a secret of the inside")

        monkeypatch.setattr("accounts.api._parties", broken)
        as_asa.client.raise_request_exception = False
        answer = as_asa.get("/me")
        problem(answer, 500, "internal")
        assert "secret" not in answer.content.decode()

    def test_free_the_key(self, as_asa: Api, asa_wallet: Wallet, bo_wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
        as_asa.client.raise_request_exception = False
        body = {"wallet_id": str(asa_wallet.id), "payee": "@boek", "amount": {"amount": 100, "currency": "EUR"}}
        with monkeypatch.context() as patch:
            patch.setattr("payments.services.transfer_send", lambda **_: 1 / 0)
            assert as_asa.post("/transfers", body, key="k").status_code == 500
        assert as_asa.post("/transfers", body, key="k").status_code == 201

    def test_before_any_view_are_problems_too(self, db: None) -> None:
        problem(Client().get("/api/v1/me", headers={"host": "evil.example"}), 400, "bad_request")


class TestHeaders:
    def test_forbid_keeping_what_belongs_to_a_person(self, as_asa: Api, nobody: Api) -> None:
        for answer in (as_asa.get("/me"), nobody.get("/me"), as_asa.get("/nothing")):
            assert answer["Cache-Control"] == "no-store"

    def test_carry_an_id_for_support(self, as_asa: Api) -> None:
        assert as_asa.get("/me")["X-Request-Id"]


class TestScope:
    def test_the_database_is_told_who_asks(self, as_asa: Api, asa: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[Any] = []

        def watched(*args: Any, **more: Any) -> Any:
            seen.append(scope_current())
            return Wallet.objects.none()

        monkeypatch.setattr("wallets.api.selectors.wallets_for", watched)
        as_asa.get("/wallets")
        assert seen == [asa.party_id]
        assert scope_current() is None


@pytest.fixture
def ten_calls(settings: Any) -> None:
    settings.HUB_API_QUOTA_PERSON = settings.HUB_API_QUOTA_ANONYMOUS = 10


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands in the middle of a window until it is moved."""
    moment = [1_800_000_030.0]
    monkeypatch.setattr("core.api.quota.time.time", lambda: moment[0])

    def move(seconds: float) -> None:
        moment[0] += seconds

    return move


class TestQuota:
    @pytest.fixture(params=["redis", "no redis", "dead redis"])
    def limit(self, request: pytest.FixtureRequest, settings: Any, ten_calls: None, monkeypatch: pytest.MonkeyPatch) -> int:
        """How many calls are allowed: all with Redis, a quarter without."""
        if request.param == "redis":
            if not settings.REDIS_URL:
                pytest.skip("REDIS_URL is not set")
            caches["quota"].clear()
            return 10
        settings.REDIS_URL = "" if request.param == "no redis" else "redis://127.0.0.1:1/0"
        if request.param == "dead redis":
            settings.CACHES = {
                **settings.CACHES,
                "quota": {
                    **settings.CACHES["quota"],
                    "BACKEND": "django.core.cache.backends.redis.RedisCache",
                    "LOCATION": settings.REDIS_URL,
                },
            }
        return 2

    def test_is_counted_and_shown(self, as_asa: Api, limit: int, one_window: Callable[[float], None]) -> None:
        answers = [as_asa.get("/me") for _call in range(limit + 1)]
        assert [answer.status_code for answer in answers] == [200] * limit + [429]
        assert answers[0]["RateLimit-Limit"] == str(limit)
        assert [answer["RateLimit-Remaining"] for answer in answers] == [str(max(0, left)) for left in range(limit - 1, -2, -1)]
        assert answers[0]["RateLimit-Policy"] == f'"person";q={limit};w=60'
        assert answers[0]["RateLimit"] == f'"person";r={limit - 1};t=30'
        assert answers[0]["RateLimit-Reset"] == "30"
        problem(answers[-1], 429, "throttled")
        assert answers[-1]["Retry-After"] == "30"

    def test_begins_anew_with_the_next_minute(self, as_asa: Api, limit: int, one_window: Callable[[float], None]) -> None:
        for _call in range(limit + 1):
            last = as_asa.get("/me")
        assert last.status_code == 429
        one_window(30)
        assert as_asa.get("/me").status_code == 200

    def test_is_each_callers_own(
        self, as_asa: Api, as_bo: Api, partner_of_asa: Callable[..., Api], limit: int, one_window: Callable[[float], None]
    ) -> None:
        for _call in range(limit + 1):
            as_asa.get("/me")
        assert as_bo.get("/me").status_code == 200
        assert partner_of_asa("profile:read").get("/me").status_code == 200

    def test_counts_guesses_by_address(self, limit: int, db: None, one_window: Callable[[float], None]) -> None:
        guesses = [Api(headers={"Authorization": f"Bearer guess{turn}"}).get("/me").status_code for turn in range(limit + 1)]
        assert guesses == [401] * limit + [429]
        assert Api().get("/nothing").status_code == 429

    def test_a_dead_redis_is_left_alone_for_a_while(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        tries: list[str] = []

        class Dead:
            def add(self, *args: Any, **kwargs: Any) -> bool:
                tries.append("add")
                raise ConnectionError

        monkeypatch.setattr(quota, "caches", {"quota": Dead()})
        for _call in range(3):
            quota.spend("x", name="person", limit=8)
        assert tries == ["add"]


class TestCursors:
    def test_come_back_as_they_went(self) -> None:
        assert cursor_unpack(cursor_pack(5, "x"), int, str) == [5, "x"]

    @pytest.mark.parametrize("cursor", ["", "!", "W10", "eyJhIjoxfQ", "WzEuNV0", "WzEsMl0", "bnVsbA"])
    def test_of_another_kind_are_refused(self, cursor: str) -> None:
        with pytest.raises(CursorInvalid):
            cursor_unpack(cursor, int)

"""Signing up and in over the API: the pages' rules, as a conversation."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Person, TermsAcceptance
from core.api.scopes import SCOPES, WEBHOOKS_MANAGE
from core.models import DueWork
from tests.unit.api.conftest import AUTH, PASSWORD, Api, session_api

pytestmark = pytest.mark.django_db

ASA = {
    "email": "asa@example.com",
    "password": PASSWORD,
    "name": "Åsa Lindgren",
    "home_currency": "SEK",
    "terms": True,
    "time_zone": "Europe/Stockholm",
}


def auth(api: Api, step: str, body: Any = None) -> Any:
    return api.post(f"{AUTH}/{step}", body, key=None)


def newest_code() -> str:
    mail = json.loads(DueWork.objects.filter(kind="core.mail").order_by("created_at", "id").last().secret)  # type: ignore[union-attr]
    found = re.search(r"^\d{6}$", mail["text"], re.MULTILINE)
    assert found, mail["text"]
    return found.group()


@pytest.fixture
def waiting() -> Api:
    """Signed up, the code not yet typed."""
    api = Api()
    answer = auth(api, "signup", ASA)
    assert answer.status_code == 401
    api.headers["X-Session-Token"] = answer.json()["meta"]["session_token"]
    return api


class TestSignUp:
    def test_records_what_the_page_records(self, waiting: Api) -> None:
        person = Person.objects.get(email="asa@example.com")
        assert (person.name, person.home_currency, person.time_zone) == ("Åsa Lindgren", "SEK", "Europe/Stockholm")
        assert {row.slug for row in TermsAcceptance.objects.filter(person=person)} == {"terms-of-use", "privacy"}

    def test_needs_the_code_from_the_mail(self, waiting: Api) -> None:
        assert waiting.get("/me").json()["code"] == "session_invalid"
        wrong = auth(waiting, "email/verify", {"key": "000000"})
        assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "incorrect_code")
        done = auth(waiting, "email/verify", {"key": newest_code()})
        assert done.status_code == 200
        waiting.headers["X-Session-Token"] = done.json()["meta"]["session_token"]
        assert waiting.get("/me").json()["person"]["email"] == "asa@example.com"

    def test_takes_a_code_in_persian_digits(self, waiting: Api) -> None:
        code = newest_code().translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert auth(waiting, "email/verify", {"key": code}).status_code == 200

    def test_ends_after_too_many_wrong_codes(self, waiting: Api) -> None:
        code = newest_code()
        for _try in range(6):
            auth(waiting, "email/verify", {"key": "000000"})
        assert auth(waiting, "email/verify", {"key": code}).status_code == 409

    def test_sends_another_code_when_asked(self, waiting: Api) -> None:
        assert auth(waiting, "email/verify/resend").status_code in (200, 429)

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"terms": False}, "terms"),
            ({"terms": None}, "terms"),
            ({"name": ""}, "name"),
            ({"name": "\u202e"}, "name"),
            ({"password": "short"}, "password"),
            ({"password": "Lindgren Åsa"}, "password"),
            ({"password": None}, "password"),
            ({"email": "not an address"}, "email"),
            ({"email": {"a": 1}}, "email"),
            ({"home_currency": "XXX"}, "home_currency"),
            ({"home_currency": ["EUR"]}, "home_currency"),
        ],
    )
    def test_refuses_what_the_page_refuses(self, db: None, change: dict[str, Any], param: str) -> None:
        answer = auth(Api(), "signup", {**ASA, **change})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["param"] == param
        assert not Person.objects.exists()

    def test_does_not_tell_who_is_here(self, asa: Person) -> None:
        known, new = auth(Api(), "signup", ASA), auth(Api(), "signup", {**ASA, "email": "new@example.com"})
        assert known.status_code == new.status_code == 401
        assert known.json()["data"] == new.json()["data"]


class TestSignIn:
    def test_gives_a_token(self, asa: Person) -> None:
        answer = auth(Api(), "login", {"email": " ASA@example.com", "password": PASSWORD})
        assert answer.status_code == 200
        assert Api(headers={"X-Session-Token": answer.json()["meta"]["session_token"]}).get("/me").status_code == 200

    @pytest.mark.parametrize(
        "body", [{"email": "asa@example.com", "password": "wrong password"}, {"email": "no@example.com", "password": PASSWORD}]
    )
    def test_refuses_wrong_pairs_alike(self, asa: Person, body: dict[str, str]) -> None:
        answer = auth(Api(), "login", body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "email_password_mismatch")

    def test_ends_with_signing_out(self, as_asa: Api) -> None:
        gone = as_asa.client.delete(f"{AUTH}/session", headers=as_asa.headers)
        assert gone.status_code == 401
        assert as_asa.get("/me").status_code == 401

    def test_needs_no_csrf_token_and_sets_no_cookie(self, asa: Person) -> None:
        strict = Api(client=Client(enforce_csrf_checks=True))
        answer = auth(strict, "login", {"email": "asa@example.com", "password": PASSWORD})
        assert answer.status_code == 200
        assert not answer.cookies


class TestWhatIsOffered:
    @pytest.mark.parametrize(
        "path", ["auth/password/request", "account/email", "account/password/change", "auth/sessions", "config", "auth/phone/verify"]
    )
    def test_is_no_more_than_needed(self, as_asa: Api, path: str) -> None:
        assert as_asa.get(f"/api/v1/auth/app/v1/{path}").status_code == 404

    @pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff", b'{"email": "\\ud800", "password": "\\ud800"}', b"[" * 50_000, b""])
    @pytest.mark.parametrize("step", ["signup", "login", "email/verify"])
    def test_survives_broken_bodies(self, db: None, step: str, raw: bytes) -> None:
        answer = Client().post(f"{AUTH}/{step}", raw, content_type="application/json")
        assert answer.status_code in (400, 409)

    def test_session_tokens_of_nobody_are_gone(self, db: None) -> None:
        api = Api(headers={"X-Session-Token": "x" * 32})
        assert api.get(f"{AUTH}/session").status_code == 410

    def test_the_session_says_who_it_is(self, as_asa: Api, asa: Person) -> None:
        answer = as_asa.get(f"{AUTH}/session")
        assert (answer.status_code, answer.json()["data"]["user"]["id"]) == (200, str(asa.id))

    def test_a_browsers_cookie_is_not_asked(self, asa: Person) -> None:
        cookies = Api()
        cookies.client.force_login(asa)
        assert cookies.get(f"{AUTH}/session").status_code == 401

    def test_who_is_signed_in_does_not_sign_in_again(self, as_asa: Api) -> None:
        assert auth(as_asa, "login", {"email": "asa@example.com", "password": PASSWORD}).status_code == 409


def test_session_api_is_what_signing_in_gives(asa: Person) -> None:
    """Every scope that is a person's to use: webhooks are for programs with credentials of their own."""
    assert session_api(asa).get("/me").json()["scopes"] == sorted(set(SCOPES) - {WEBHOOKS_MANAGE})

"""OAuth 2 by RFC 9700: what is offered, and every way around it that must be shut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.core.exceptions import ValidationError
from django.test import Client
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.models import PartnerConsent, Party, Person
from accounts.privacy import export_people
from accounts.services import (
    PartnerCreated,
    consent_grant,
    consent_revoke,
    household_open,
    membership_add,
    partner_create,
    person_deactivate,
)
from accounts.tasks import tokens_clear
from core import clock
from core.errors import NotFound
from core.models import AuditEntry
from tests.unit.api.conftest import REDIRECT, Api, Pkce, authorize_query, bearer, consent_code, machine, token_call, token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(asa: Person) -> Client:
    client = Client()
    client.force_login(asa)
    return client


@pytest.fixture
def pkce() -> Pkce:
    return Pkce()


def exchange(partner: PartnerCreated, code: str, pkce: Pkce, **changes: Any) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": pkce.verifier, **changes}
    return token_call(partner, **form)


class TestConsentPage:
    def test_says_who_asks_for_what_and_for_whom(self, browser: Client, partner: PartnerCreated, pkce: Pkce) -> None:
        page = browser.get("/o/authorize/", authorize_query(partner, pkce))
        assert page.status_code == 200
        text = page.content.decode()
        assert "Ledger Books" in text
        assert "See wallets, balances and their history" in text
        assert "Åsa Lindgren" in text

    def test_lets_its_form_leave_to_the_partner_only(self, browser: Client, partner: PartnerCreated, pkce: Pkce) -> None:
        policy = browser.get("/o/authorize/", authorize_query(partner, pkce))["Content-Security-Policy"]
        assert "form-action 'self' https://partner.example;" in policy + ";"

    def test_asks_again_even_when_told_not_to(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        exchange(partner, code, pkce)
        assert browser.get("/o/authorize/", authorize_query(partner, pkce, approval_prompt="auto")).status_code == 200

    def test_sends_strangers_to_the_sign_in_page(self, client: Client, partner: PartnerCreated, pkce: Pkce) -> None:
        answer = client.get("/o/authorize/", authorize_query(partner, pkce))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/auth/sign-in/?next=/o/authorize/")

    def test_offers_the_parties_a_person_may_act_for(
        self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person, bo: Person, shop: Party
    ) -> None:
        home = household_open(by=bo, name="Bo's home", now=clock.now())
        membership_add(by=bo, party_id=home.id, person=asa, role="viewer", now=clock.now())
        text = browser.get("/o/authorize/", authorize_query(partner, pkce)).content.decode()
        assert "Lind&#x27;s Shop" in text
        assert "Bo&#x27;s home" not in text

    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uri": "https://partner.example/callback/"},
            {"redirect_uri": "https://partner.example/callback?x=1"},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": "https://partner.example/callback#x"},
            {"client_id": "nobody"},
            {"client_id": "\x00"},
        ],
        ids=lambda changes: str(changes),
    )
    def test_refuses_on_its_own_page_what_may_be_a_trap(
        self, browser: Client, partner: PartnerCreated, pkce: Pkce, changes: dict[str, str]
    ) -> None:
        answer = browser.get("/o/authorize/", authorize_query(partner, pkce, **changes))
        assert answer.status_code == 400
        assert "This request cannot be used" in answer.content.decode()

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unauthorized_client"),
            ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
            ({"scope": "wallets:read admin"}, "invalid_scope"),
            ({"scope": "wallets:read webhooks:manage"}, "invalid_scope"),
        ],
    )
    def test_tells_the_partner_what_is_not_offered(
        self, browser: Client, partner: PartnerCreated, pkce: Pkce, changes: dict[str, Any], error: str
    ) -> None:
        answer = browser.get("/o/authorize/", authorize_query(partner, pkce, **changes))
        assert answer.status_code == 302
        assert answer["Location"].startswith(REDIRECT)
        assert f"error={error}" in answer["Location"]

    def test_refuses_plain_pkce(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        query = consent_code(browser, partner, pkce, asa.party_id, code_challenge_method="plain", code_challenge=pkce.verifier)
        assert query["error"] == "invalid_request"
        assert not PartnerConsent.objects.exists()

    def test_takes_no_for_an_answer(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        query = consent_code(browser, partner, pkce, asa.party_id, allow="")
        assert query["error"] == "access_denied"
        assert not PartnerConsent.objects.exists()

    def test_answers_with_its_issuer(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        assert consent_code(browser, partner, pkce, asa.party_id)["iss"] == "http://localhost:8000"

    @pytest.mark.parametrize("change", [{"client_id": "nobody"}, {"client_id": ""}, {"party": "not a party"}])
    def test_survives_a_forged_form(
        self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person, change: dict[str, str]
    ) -> None:
        form = {**authorize_query(partner, pkce), "party": str(asa.party_id), "allow": "true", **change}
        assert browser.post("/o/authorize/", form).status_code == 400

    def test_consents_for_no_party_of_somebody_else(self, browser: Client, partner: PartnerCreated, pkce: Pkce, bo: Person) -> None:
        form = {**authorize_query(partner, pkce), "party": str(bo.party_id), "allow": "true"}
        assert browser.post("/o/authorize/", form).status_code == 400
        assert not get_grant_model().objects.exists()


class TestCode:
    def test_becomes_a_token_that_reads(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        answer = exchange(partner, code, pkce)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["expires_in"], body["token_type"], body["scope"]) == (900, "Bearer", "profile:read wallets:read")
        me = bearer(body["access_token"]).get("/me").json()
        assert me["person"]["email"] == "asa@example.com"
        assert [party["id"] for party in me["parties"]] == [str(asa.party_id)]
        assert AuditEntry.objects.filter(action="accounts.partner_consent.granted", party_id=asa.party_id).count() == 1

    def test_keeps_what_it_was_restricted_to(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        elsewhere = "https://other.example/api"
        code = consent_code(browser, partner, pkce, asa.party_id, resource=elsewhere)["code"]
        token = exchange(partner, code, pkce).json()["access_token"]
        assert get_access_token_model().objects.get().resource == [elsewhere]
        assert bearer(token).get("/me").status_code == 401

    def test_is_good_once(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        exchange(partner, code, pkce)
        assert exchange(partner, code, pkce).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        "changes", [{"code_verifier": "x" * 50}, {"code_verifier": ""}, {"redirect_uri": "https://partner.example/other"}]
    )
    def test_is_bound_to_who_asked(
        self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person, changes: dict[str, str]
    ) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        assert exchange(partner, code, pkce, **changes).status_code == 400

    def test_is_useless_without_the_secret(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": pkce.verifier}
        assert token_call(partner, secret="wrong", **form).status_code == 401
        assert machine().post("/o/token/", {**form, "client_id": partner.application.client_id}).status_code == 401

    def test_is_useless_to_another_partner(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person, bo: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        other = partner_create(name="Other", redirect_uris=[REDIRECT], party=bo.party, now=clock.now())
        assert exchange(other, code, pkce).status_code == 400


class TestRefresh:
    @pytest.fixture
    def tokens(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> dict[str, str]:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        found: dict[str, str] = exchange(partner, code, pkce).json()
        return found

    def refresh(self, partner: PartnerCreated, token: str) -> Any:
        return token_call(partner, grant_type="refresh_token", refresh_token=token)

    def test_rotates(self, partner: PartnerCreated, tokens: dict[str, str]) -> None:
        answer = self.refresh(partner, tokens["refresh_token"])
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != tokens["refresh_token"]
        assert bearer(tokens["access_token"]).get("/me").status_code == 401
        assert bearer(answer.json()["access_token"]).get("/me").status_code == 200

    def test_ends_the_family_when_an_old_one_is_used_again(self, partner: PartnerCreated, tokens: dict[str, str]) -> None:
        newer = self.refresh(partner, tokens["refresh_token"]).json()
        assert self.refresh(partner, tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert self.refresh(partner, newer["refresh_token"]).json()["error"] == "invalid_grant"
        assert bearer(newer["access_token"]).get("/me").status_code == 401

    def test_is_for_nobody_who_may_not_sign_in(self, partner: PartnerCreated, tokens: dict[str, str], asa: Person) -> None:
        person_deactivate(person=asa, by=None, now=clock.now(), reason="test")
        assert bearer(tokens["access_token"]).get("/me").status_code == 401
        assert self.refresh(partner, tokens["refresh_token"]).json()["error"] == "invalid_grant"

    def test_ends_with_the_consent(self, partner: PartnerCreated, tokens: dict[str, str], asa: Person) -> None:
        consent_revoke(person=asa, consent_id=PartnerConsent.objects.get().id, now=clock.now())
        assert bearer(tokens["access_token"]).get("/me").status_code == 401
        assert self.refresh(partner, tokens["refresh_token"]).json()["error"] == "invalid_grant"

    def test_ends_when_the_partner_is_switched_off(self, partner: PartnerCreated, tokens: dict[str, str]) -> None:
        partner.application.is_active = False
        partner.application.save()
        assert bearer(tokens["access_token"]).get("/me").status_code == 401
        assert self.refresh(partner, tokens["refresh_token"]).status_code == 401

    def test_can_be_revoked_by_its_partner_only(self, partner: PartnerCreated, tokens: dict[str, str], bo: Person) -> None:
        other = partner_create(name="Other", redirect_uris=[REDIRECT], party=bo.party, now=clock.now())
        revoke = {"token": tokens["refresh_token"]}
        for who, left in ((other, 200), (partner, 401)):
            client_id, secret = who.application.client_id, who.client_secret
            assert machine().post("/o/revoke_token/", {**revoke, "client_id": client_id, "client_secret": secret}).status_code == 200
            assert bearer(tokens["access_token"]).get("/me").status_code == left


class TestClientCredentials:
    def test_act_for_the_partners_own_party(self, partner: PartnerCreated, bo: Person) -> None:
        answer = token_call(partner, grant_type="client_credentials", scope="profile:read wallets:read")
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
        me = bearer(answer.json()["access_token"]).get("/me").json()
        assert me["person"] is None
        assert me["application"]["name"] == "Ledger Books"
        assert [party["id"] for party in me["parties"]] == [str(bo.party_id)]

    def test_without_a_scope_read_the_profile_only(self, partner: PartnerCreated) -> None:
        assert token_call(partner, grant_type="client_credentials").json()["scope"] == "profile:read"

    def test_get_no_scope_the_partner_is_not_allowed(self, bo: Person) -> None:
        narrow = partner_create(name="Narrow", redirect_uris=[], party=bo.party, scopes=["limits:read"], now=clock.now())
        assert token_call(narrow, grant_type="client_credentials", scope="limits:read").status_code == 200
        assert token_call(narrow, grant_type="client_credentials", scope="wallets:read").json()["error"] == "invalid_scope"

    def test_manage_their_own_webhooks_which_nobody_consents_to(self, partner: PartnerCreated, asa: Person) -> None:
        answer = token_call(partner, grant_type="client_credentials", scope="webhooks:manage")
        assert (answer.status_code, answer.json()["scope"]) == (200, "webhooks:manage")
        what: dict[str, Any] = {"person": asa, "application": partner.application, "party_id": asa.party_id}
        consent = consent_grant(**what, scopes=["webhooks:manage", "limits:read"], now=clock.now())
        assert consent.scopes == "limits:read"

    def test_cannot_ask_for_people_without_a_redirect_address(self, browser: Client, bo: Person, pkce: Pkce) -> None:
        own = partner_create(name="Own", redirect_uris=[], party=bo.party, now=clock.now())
        assert browser.get("/o/authorize/", authorize_query(own, pkce)).status_code == 400


class TestTokenAddress:
    @pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "", "\x00"])
    def test_offers_nothing_else(self, partner: PartnerCreated, grant: str) -> None:
        answer = token_call(partner, grant_type=grant, username="asa@example.com", password="x", device_code="x")
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")

    @pytest.mark.parametrize("basic", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic AAAA", "Bearer x"])
    def test_survives_broken_credentials(self, db: None, basic: str) -> None:
        answer = machine().post("/o/token/", {"grant_type": "client_credentials"}, headers={"Authorization": basic})
        assert answer.status_code == 401

    def test_slows_down_whoever_guesses(self, partner: PartnerCreated, settings: Any) -> None:
        settings.REDIS_URL, settings.HUB_API_QUOTA_ANONYMOUS = "", 8
        statuses = [machine().post("/o/token/", {"grant_type": "x"}).status_code for _ in range(3)]
        assert statuses == [400, 400, 429]


class TestStorage:
    def test_keeps_hashes_only(self, browser: Client, partner: PartnerCreated, pkce: Pkce, asa: Person) -> None:
        code = consent_code(browser, partner, pkce, asa.party_id)["code"]
        assert get_grant_model().objects.get().code == hashlib.sha256(code.encode()).hexdigest()
        body = exchange(partner, code, pkce).json()
        access, refresh = get_access_token_model().objects.get(), get_refresh_token_model().objects.get()
        assert (access.token, refresh.token) == ("", "")
        assert access.token_checksum == hashlib.sha256(body["access_token"].encode()).hexdigest()
        partner.application.refresh_from_db()
        assert identify_hasher(partner.application.client_secret)
        assert partner.client_secret not in partner.application.client_secret


class TestIntrospection:
    def test_knows_a_partners_own_tokens_only(self, partner: PartnerCreated, bo: Person) -> None:
        token = token_call(partner, grant_type="client_credentials", scope="limits:read").json()["access_token"]
        other = partner_create(name="Other", redirect_uris=[], party=bo.party, now=clock.now())
        for who, active in ((partner, True), (other, False)):
            asked = {"token": token, "client_id": who.application.client_id, "client_secret": who.client_secret}
            answer = machine().post("/o/introspect/", asked)
            assert answer.json()["active"] is active
            assert "username" not in answer.json()

    def test_is_closed_to_strangers(self, db: None) -> None:
        assert machine().post("/o/introspect/", {"token": "x"}).status_code == 401
        assert machine().get("/o/introspect/?token=x").status_code == 405


class TestAddresses:
    def test_are_the_few_that_are_needed(self, client: Client, asa: Person) -> None:
        client.force_login(asa)
        for path in ("applications/", "applications/register/", "authorized_tokens/", "device/", "userinfo/", "logout/", "register/"):
            assert client.get(f"/o/{path}").status_code == 404

    def test_are_published(self, client: Client) -> None:
        body = client.get("/.well-known/oauth-authorization-server").json()
        assert body["issuer"] == "http://localhost:8000"
        assert body["response_types_supported"] == ["code"]
        assert body["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]
        assert body["code_challenge_methods_supported"] == ["S256"]
        assert body["token_endpoint"] == "http://localhost:8000/o/token/"
        assert "registration_endpoint" not in body


class TestPartnerCreate:
    @pytest.mark.parametrize(
        "uri", ["ftp://partner.example/", "https://*.example/cb", "partner.example", "https://partner.example/#x", "javascript:alert(1)"]
    )
    def test_refuses_a_redirect_address_that_is_not_exact(self, bo: Person, uri: str) -> None:
        with pytest.raises(ValidationError):
            partner_create(name="X", redirect_uris=[uri], party=bo.party, now=clock.now())

    def test_wants_somebody_of_the_party_to_answer_for_it(self, asa: Person, bo: Person) -> None:
        with pytest.raises(NotFound):
            partner_create(name="X", redirect_uris=[], party=bo.party, answers=asa, now=clock.now())


class TestConsent:
    def test_reaches_one_party_only(self, partner_of_asa: Callable[..., Api], asa: Person, shop: Party, bo: Person) -> None:
        api = partner_of_asa("profile:read", "transfers:write")
        assert api.get("/payees", query="bo@example.com").status_code == 200
        assert api.get("/payees", query="bo@example.com", party=str(shop.id)).status_code == 404
        assert api.get("/payees", query="asa@example.com", party=str(bo.party_id)).status_code == 404

    def test_bounds_older_tokens(self, partner_of_asa: Callable[..., Api], bo: Person) -> None:
        api = partner_of_asa("profile:read", "transfers:write", consented="profile:read")
        answer = api.get("/payees", query="bo@example.com")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    def test_belongs_to_the_person(self, partner_of_asa: Callable[..., Api], bo: Person) -> None:
        partner_of_asa("profile:read")
        with pytest.raises(NotFound):
            consent_revoke(person=bo, consent_id=PartnerConsent.objects.get().id, now=clock.now())


class TestHousekeeping:
    def test_forgets_what_expired_and_keeps_what_lives(self, partner: PartnerCreated, asa: Person) -> None:
        token_for(partner.application, asa, "profile:read", expired=True)
        living = token_for(partner.application, asa, "profile:read")
        tokens_clear()
        assert get_access_token_model().objects.count() == 1
        consent_grant(person=asa, application=partner.application, party_id=asa.party_id, scopes=["profile:read"], now=clock.now())
        assert bearer(living).get("/me").status_code == 200


def test_a_person_gets_their_consents_with_their_data(partner_of_asa: Callable[..., Api], asa: Person) -> None:
    partner_of_asa("profile:read")
    exported = export_people(asa.party_id)["person"]["partner_consents"]
    assert [(row["partner"], row["scopes"], row["revoked_at"]) for row in exported] == [("Ledger Books", "profile:read", None)]

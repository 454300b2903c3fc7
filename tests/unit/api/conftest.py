"""Callers of every kind: a person's own app, a partner with a person's consent, a partner for itself, nobody."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.models import PartnerApplication, Party, Person
from accounts.services import PartnerCreated, business_open, consent_grant, handle_set, partner_create, person_sign_up
from core import clock
from core.api import quota
from core.api.scopes import SCOPES
from core.ids import uuid7
from core.money import Money
from wallets import ledger
from wallets.models import Wallet
from wallets.services import wallet_open

PASSWORD = "copper lantern drifting"
REDIRECT = "https://partner.example/callback"
AUTH = "/api/v1/auth/app/v1/auth"


@pytest.fixture(autouse=True)
def _no_limits_left_over(request: pytest.FixtureRequest) -> Iterator[None]:
    if "db" in request.fixturenames or "fresh_db" in request.fixturenames:
        cache.clear()
    quota._local.counts.clear()
    yield
    quota._rests_until = 0.0


@dataclass
class Api:
    """A caller of the API; every call is JSON, every move of money gets a key."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(_full(path), query, headers=self.headers)

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(_full(path), json.dumps(body), content_type="application/json", headers=self.headers)

    def post(self, path: str, body: Any = None, *, key: str | None = "", party: str = "", headers: dict[str, str] | None = None) -> Any:
        sent = {**self.headers, **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key or secrets.token_hex(8)
        where = _full(path) + (f"?party={party}" if party else "")
        return self.client.post(where, json.dumps(body if body is not None else {}), content_type="application/json", headers=sent)


def _full(path: str) -> str:
    return path if path.startswith(("/api", "/o/", "/.well")) else f"/api/v1{path}"


def session_api(person: Person) -> Api:
    """As after signing in over the API, without the password hashing."""
    client = Client()
    client.force_login(person)
    return Api(headers={"X-Session-Token": client.session.session_key or ""})


def token_for(application: PartnerApplication, person: Person | None, scopes: str, *, expired: bool = False) -> str:
    raw = secrets.token_urlsafe(24)
    token = get_access_token_model()(
        application=application, user=person, scope=scopes, expires=timezone.now() + timedelta(minutes=-1 if expired else 15)
    )
    token._raw_token, token.token = raw, ""
    token.save()
    return raw


def bearer(token: str) -> Api:
    return Api(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def sign_up(db: None) -> Callable[..., Person]:
    def make(email: str, name: str, **fields: Any) -> Person:
        return person_sign_up(email=email, name=name, password=PASSWORD, email_proved=True, now=clock.now(), **fields)

    return make


@pytest.fixture
def asa(sign_up: Callable[..., Person]) -> Person:
    return sign_up("asa@example.com", "Åsa Lindgren")


@pytest.fixture
def bo(sign_up: Callable[..., Person]) -> Person:
    return sign_up("bo@example.com", "Bo Ek")


@pytest.fixture
def officer(sign_up: Callable[..., Person]) -> Person:
    return sign_up("officer@example.com", "Olle Officer", is_staff=True)


@pytest.fixture
def shop(asa: Person) -> Party:
    return business_open(by=asa, name="Lind's Shop", now=clock.now())


@pytest.fixture
def partner(bo: Person) -> PartnerCreated:
    """Owned by Bo's own party; Bo answers for it."""
    return partner_create(name="Ledger Books", redirect_uris=[REDIRECT], party=bo.party, answers=bo, now=clock.now())


@pytest.fixture
def as_asa(asa: Person) -> Api:
    return session_api(asa)


@pytest.fixture
def as_bo(bo: Person) -> Api:
    return session_api(bo)


@pytest.fixture
def nobody(db: None) -> Api:
    return Api()


@pytest.fixture
def partner_of_asa(partner: PartnerCreated, asa: Person) -> Callable[..., Api]:
    """The partner with Åsa's consent for her own party, with these scopes."""

    def make(*scopes: str, consented: str = "") -> Api:
        wanted = scopes or tuple(SCOPES)
        consent_grant(
            person=asa, application=partner.application, party_id=asa.party_id, scopes=consented.split() or wanted, now=clock.now()
        )
        return bearer(token_for(partner.application, asa, " ".join(wanted)))

    return make


@pytest.fixture
def partner_itself(partner: PartnerCreated) -> Callable[..., Api]:
    def make(*scopes: str) -> Api:
        return bearer(token_for(partner.application, None, " ".join(scopes or tuple(SCOPES))))

    return make


# --- the OAuth dance, as a partner's program does it ------------------------------------------------------------------------


@dataclass
class Pkce:
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


def authorize_query(partner: PartnerCreated, pkce: Pkce, **changes: Any) -> dict[str, str]:
    query = {
        "response_type": "code",
        "client_id": partner.application.client_id,
        "redirect_uri": REDIRECT,
        "scope": "profile:read wallets:read",
        "state": "xyz",
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in query.items() if value is not None}


def consent_code(
    browser: Client, partner: PartnerCreated, pkce: Pkce, party_id: Any, *, allow: str = "true", **changes: Any
) -> dict[str, str]:
    """Agree on the consent page; returns the query that the partner's callback is called with."""
    form = {**authorize_query(partner, pkce, **changes), "party": str(party_id), "allow": allow}
    answer = browser.post("/o/authorize/", form)
    assert answer.status_code == 302, answer.content
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def machine() -> Client:
    """A program has no cookies, so nothing may ask it for a CSRF token."""
    return Client(enforce_csrf_checks=True)


def token_call(partner: PartnerCreated, *, secret: str | None = None, **form: str) -> Any:
    password = secret if secret is not None else partner.client_secret
    basic = base64.b64encode(f"{partner.application.client_id}:{password}".encode()).decode()
    return machine().post("/o/token/", form, headers={"Authorization": f"Basic {basic}"})


# --- people with money ------------------------------------------------------------------------------------------------------


def wallet_with(person: Person, minor: int = 0, currency: str = "EUR") -> Wallet:
    wallet = wallet_open(party_id=person.party_id, currency=currency, now=clock.now())
    if minor:
        source = ledger.system_account("provider:test", currency)
        ledger.post(debit=source, credit=wallet.account, amount=Money(minor, currency), key=f"fund:{uuid7()}", now=clock.now())
    return wallet


def eur(minor: Any) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}


@pytest.fixture
def asa_wallet(asa: Person) -> Wallet:
    handle_set(by=asa, party_id=asa.party_id, handle="asa", now=clock.now())
    return wallet_with(asa, 100_00)


@pytest.fixture
def bo_wallet(bo: Person) -> Wallet:
    handle_set(by=bo, party_id=bo.party_id, handle="boek", now=clock.now())
    return wallet_with(bo)

"""The first day of two people over the API, then of a partner: only HTTP, as their programs would do it."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests

from accounts.models import Person
from accounts.services import PartnerCreated, partner_create
from core import clock
from core.db import SYSTEM, scope
from tests.live import LiveHub, eventually

PASSWORD = "three unrelated words 42"
CALLBACK = "https://partner.example/callback"


@dataclass
class App:
    """A program with one token."""

    hub: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self.hub}/api/v1{path}", params=query, headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *, key: str = "") -> requests.Response:
        headers = {**self.headers, "Idempotency-Key": key or secrets.token_hex(8)}
        return requests.post(f"{self.hub}/api/v1{path}", json=body, headers=headers, timeout=20)

    def total(self) -> int:
        return sum(row["balance"]["available"]["amount"] for row in self.get("/wallets")["items"])


def signed_up(hub: LiveHub, email: str, name: str) -> App:
    auth = "/auth/app/v1/auth"
    app = App(hub.url)
    form = {"email": email, "password": PASSWORD, "name": name, "home_currency": "EUR", "terms": True}
    pending = app.post(f"{auth}/signup", form)
    assert pending.status_code == 401
    assert {"id": "verify_email", "is_pending": True} in pending.json()["data"]["flows"]
    app.headers["X-Session-Token"] = pending.json()["meta"]["session_token"]
    done = app.post(f"{auth}/email/verify", {"key": hub.code_for(email)})
    assert done.status_code == 200, done.text
    app.headers["X-Session-Token"] = done.json()["meta"]["session_token"]
    return app


def card_typed(url: str, number: str) -> None:
    """The provider's page, as a browser without scripts sends it."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=10)
        action = re.search(r"<form[^>]*action=\"([^\"]*)\"", page.text)
        hidden = dict(re.findall(r"<input[^>]*type=\"hidden\"[^>]*name=\"([^\"]+)\"[^>]*value=\"([^\"]*)\"", page.text))
        card = {"number": number, "expiry": "12/40", "cvc": "123", "name": "A Person"}
        browser.post(urljoin(url, action[1] if action else ""), data={**hidden, **card}, allow_redirects=False, timeout=10)


@pytest.mark.timeout(120)
def test_two_people_over_the_api(live_hub: LiveHub) -> None:
    # Both open an account with the code from their mail; each has a first wallet.
    asa, bo = signed_up(live_hub, "asa@example.com", "Åsa Lind"), signed_up(live_hub, "bo@example.com", "Bo Ek")
    wallet = asa.get("/wallets")["items"][0]
    assert (wallet["currency"], wallet["balance"]["available"]["amount"]) == ("EUR", 0)

    # Level 3 and its limits.
    limits = asa.get("/limits")
    assert limits["level"] == 3
    day = next(row for row in limits["limits"] if (row["direction"], row["window"]) == ("in", "day"))
    assert day["left"] == {"amount": 150_00, "currency": "EUR"}

    # 50 euro by card on the provider's own page; the webhook brings the money.
    started = asa.post("/top-ups", {"wallet_id": wallet["id"], "amount": {"amount": 50_00, "currency": "EUR"}})
    assert started.status_code == 201, started.text
    top_up = started.json()
    card_typed(top_up["checkout_url"], "4242 4242 4242 4242")
    posted = eventually(lambda: (found := asa.get(f"/top-ups/{top_up['id']}"))["state"] == "posted" and found, why="the top-up")
    assert [step["state"] for step in posted["steps"]] == ["pending", "waiting", "posted"]
    assert asa.total() == 50_00

    # 20 euro to Bo: whom, then how much. Sent twice under one key, paid once.
    assert asa.get("/payees", query="bo@example.com")["display_name"] == "Bo E."
    body = {"wallet_id": wallet["id"], "payee": "bo@example.com", "amount": {"amount": 20_00, "currency": "EUR"}, "note": "Lunch"}
    first, second = asa.post("/transfers", body, key="lunch"), asa.post("/transfers", body, key="lunch")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()

    # Both sides see it.
    assert (asa.total(), bo.total()) == (30_00, 20_00)
    theirs = bo.get("/activity")["items"][0]
    assert (theirs["direction"], theirs["note"], theirs["counterparty"]["display_name"]) == ("in", "Lunch", "Åsa L.")
    entries = asa.get(f"/wallets/{wallet['id']}/entries")["items"]
    assert [(row["amount"]["amount"], row["balance"]["amount"]) for row in entries] == [(-20_00, 30_00), (50_00, 50_00)]

    # A payment above what is exempt waits for the page; nothing has moved.
    bo_wallet = bo.get("/wallets")["items"][0]["id"]
    more = asa.post("/transfers", {**body, "amount": {"amount": 30_01, "currency": "EUR"}})
    assert (more.status_code, more.json()["code"]) == (409, "insufficient_funds")
    assert bo.get(f"/wallets/{bo_wallet}")["balance"]["posted"]["amount"] == 20_00


@pytest.mark.timeout(120)
def test_a_partner_with_consent_and_for_itself(live_hub: LiveHub) -> None:
    asa, bo = signed_up(live_hub, "asa@example.com", "Åsa Lind"), signed_up(live_hub, "bo@example.com", "Bo Ek")
    wallet = asa.get("/wallets")["items"][0]["id"]
    started = asa.post("/top-ups", {"wallet_id": wallet, "amount": {"amount": 50_00, "currency": "EUR"}}).json()
    card_typed(started["checkout_url"], "4242 4242 4242 4242")
    eventually(lambda: asa.total() == 50_00, why="the top-up")
    partner = _partner_of_bo()

    # The metadata says where to go.
    metadata = requests.get(f"{live_hub.url}/.well-known/oauth-authorization-server", timeout=10).json()
    assert urlsplit(metadata["authorization_endpoint"]).path == "/o/authorize/"

    # Åsa signs in in her browser and agrees; the partner gets a code and exchanges it.
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    code = _agreed(live_hub, partner, "asa@example.com", challenge)
    tokens = _token(live_hub, partner, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)
    app = App(live_hub.url, {"Authorization": f"Bearer {tokens['access_token']}"})
    assert app.get("/me")["person"]["name"] == "Åsa Lind"
    assert app.total() == 50_00

    # It asks for a payment; Åsa approves it on her own page; then it is done.
    body = {"wallet_id": wallet, "payee": "bo@example.com", "amount": {"amount": 5_00, "currency": "EUR"}}
    waiting = app.post("/transfers", body)
    assert waiting.status_code == 202, waiting.text
    _approved(live_hub, waiting.json()["approval"]["url"], "asa@example.com")
    done = app.post(f"/transfers/{waiting.json()['id']}/complete", {})
    assert (done.status_code, done.json()["state"]) == (201, "posted")
    assert bo.total() == 5_00

    # Tokens rotate; an old one used again ends them all.
    newer = _token(live_hub, partner, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (
        _token(live_hub, partner, status=400, grant_type="refresh_token", refresh_token=tokens["refresh_token"])["error"] == "invalid_grant"
    )
    gone = requests.get(f"{live_hub.url}/api/v1/me", headers={"Authorization": f"Bearer {newer['access_token']}"}, timeout=10)
    assert gone.status_code == 401

    # For itself the partner acts for Bo's party, whose person approves.
    own = _token(live_hub, partner, grant_type="client_credentials", scope="profile:read wallets:read transfers:write")
    itself = App(live_hub.url, {"Authorization": f"Bearer {own['access_token']}"})
    assert itself.total() == 5_00
    bo_wallet = itself.get("/wallets")["items"][0]["id"]
    asked = itself.post("/transfers", {"wallet_id": bo_wallet, "payee": "asa@example.com", "amount": {"amount": 1_00, "currency": "EUR"}})
    assert (asked.status_code, asked.json()["state"]) == (202, "requires_approval")


def _partner_of_bo() -> PartnerCreated:
    with scope(SYSTEM):
        bo = Person.objects.get(email="bo@example.com")
        return partner_create(name="Ledger Books", redirect_uris=[CALLBACK], party=bo.party, answers=bo, now=clock.now())


def _form(page: requests.Response) -> dict[str, str]:
    inputs = re.findall(r"<input[^>]*>", page.text)
    found = [(re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs if 'type="hidden"' in one]
    return {name[1]: unescape(value[1]) if value else "" for name, value in found if name}


def _browser(hub: LiveHub, email: str, next_path: str) -> tuple[requests.Session, requests.Response]:
    """Signed in with the password, and sent on to where the person wanted to go."""
    browser = requests.Session()
    page = browser.get(f"{hub.url}{next_path}", timeout=10)
    assert urlsplit(page.url).path == "/auth/sign-in/"
    answer = browser.post(page.url, data={**_form(page), "login": email, "password": PASSWORD}, headers={"Referer": page.url}, timeout=10)
    assert answer.status_code == 200, answer.text
    return browser, answer


def _agreed(hub: LiveHub, partner: PartnerCreated, email: str, challenge: str) -> str:
    query = {
        "response_type": "code",
        "client_id": partner.application.client_id,
        "redirect_uri": CALLBACK,
        "scope": "profile:read wallets:read transfers:write",
        "state": "abc",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    path = f"/o/authorize/?{urlencode(query)}"
    browser, page = _browser(hub, email, path)
    assert "Ledger Books asks for access" in page.text
    answer = browser.post(page.url, data={**_form(page), "allow": "true"}, headers={"Referer": page.url}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert answer.headers["Location"].startswith(CALLBACK)
    assert back["state"] == ["abc"]
    return back["code"][0]


def _approved(hub: LiveHub, url: str, email: str) -> None:
    browser, page = _browser(hub, email, urlsplit(url).path)
    answer = browser.post(page.url, data={**_form(page), "password": PASSWORD}, headers={"Referer": page.url}, timeout=10)
    assert answer.status_code == 200, answer.text


def _token(hub: LiveHub, partner: PartnerCreated, *, status: int = 200, **form: str) -> Any:
    answer = requests.post(f"{hub.url}/o/token/", data=form, auth=(partner.application.client_id, partner.client_secret), timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json()

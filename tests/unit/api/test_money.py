"""Wallets, transfers, top-ups, activity and limits over the API: what they answer, and every bad input by its own name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.approvals import approval_confirm
from accounts.models import Approval, Person
from core import clock
from core.models import IdempotencyKey
from payments import gateways
from payments.models import Payment
from tests.unit.api.conftest import PASSWORD, Api, eur, wallet_with
from tests.unit.sandbox import outside
from wallets.models import Wallet
from wallets.selectors import balance_of

# Fixed, so that parallel processes collect the same tests.
NOBODYS = "0199a1b2-0000-7000-8000-000000000000"

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(as_asa: Api, asa_wallet: Wallet, bo_wallet: Wallet) -> Callable[..., Any]:
    def run(amount: Any = None, *, api: Api | None = None, key: str = "", **changes: Any) -> Any:
        body = {
            "wallet_id": str(asa_wallet.id),
            "payee": "@boek",
            "amount": eur(20_00) if amount is None else amount,
            "note": "Lunch",
            **changes,
        }
        return (api or as_asa).post("/transfers", body, key=key)

    return run


class TestWallets:
    def test_open_and_list(self, as_asa: Api, asa: Person) -> None:
        made = as_asa.post("/wallets", {"currency": "sek"})
        assert made.status_code == 201
        assert made["Location"] == f"/api/v1/wallets/{made.json()['id']}"
        assert made.json()["balance"]["available"] == {"amount": 0, "currency": "SEK"}
        assert as_asa.post("/wallets", {"currency": "SEK"}).json()["id"] == made.json()["id"]

    @pytest.mark.parametrize(
        "body", [{}, {"currency": ""}, {"currency": "XXX"}, {"currency": 5}, {"currency": None}, {"currency": "EURO"}, [], "x"]
    )
    def test_need_a_currency(self, as_asa: Api, body: Any) -> None:
        assert as_asa.post("/wallets", body).status_code == 422

    def test_close_once_and_empty_only(self, as_asa: Api, asa: Person, asa_wallet: Wallet) -> None:
        assert as_asa.post(f"/wallets/{asa_wallet.id}/close").json()["code"] == "wallet_not_empty"
        empty = wallet_with(asa, 0, "SEK")
        closed = as_asa.post(f"/wallets/{empty.id}/close")
        assert (closed.status_code, closed.json()["state"]) == (200, "closed")
        assert as_asa.post(f"/wallets/{empty.id}/close").json()["code"] == "wallet_closed"
        assert [row["currency"] for row in as_asa.get("/wallets").json()["items"]] == ["EUR"]
        assert [row["currency"] for row in as_asa.get("/wallets", state="all").json()["items"]] == ["EUR", "SEK"]

    def test_are_paged(self, as_asa: Api, asa: Person) -> None:
        for code in ("EUR", "SEK", "JPY"):
            wallet_with(asa, 0, code)
        first = as_asa.get("/wallets", limit=2).json()
        second = as_asa.get("/wallets", limit=2, cursor=first["next_cursor"]).json()
        assert [row["currency"] for row in first["items"] + second["items"]] == ["EUR", "SEK", "JPY"]
        assert second["next_cursor"] is None


class TestEntries:
    def test_are_paged_and_add_up(self, as_asa: Api, asa_wallet: Wallet, send: Callable[..., Any]) -> None:
        for minor in (1_00, 2_00, 3_00):
            assert send(eur(minor)).status_code == 201
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = as_asa.get(f"/wallets/{asa_wallet.id}/entries", limit=3, **cursor).json()
            seen += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert [row["amount"]["amount"] for row in seen] == [-3_00, -2_00, -1_00, 100_00]
        assert [row["balance"]["amount"] for row in seen] == [94_00, 97_00, 99_00, 100_00]
        assert UUID(seen[0]["payment_id"])

    @pytest.mark.parametrize(
        "cursor", ["x", "WzBd", "Wy0xXQ", "W10", "WzFlOTld", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OV0", "é", "\x00", "W" * 400]
    )
    def test_refuse_a_cursor_that_is_not_ours(self, as_asa: Api, asa_wallet: Wallet, cursor: str) -> None:
        for path in (f"/wallets/{asa_wallet.id}/entries", "/wallets", "/activity", "/transfers"):
            answer = as_asa.get(path, cursor=cursor)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "cursor"

    @pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1e3", "99999999999999999999"])
    def test_refuse_a_wild_limit(self, as_asa: Api, asa_wallet: Wallet, limit: str) -> None:
        assert as_asa.get(f"/wallets/{asa_wallet.id}/entries", limit=limit).status_code == 422


class TestTransfers:
    def test_small_ones_are_done_at_once(self, as_asa: Api, as_bo: Api, send: Callable[..., Any], bo: Person, asa: Person) -> None:
        answer = send()
        assert answer.status_code == 201
        body = answer.json()
        assert answer["Location"] == f"/api/v1/transfers/{body['id']}"
        assert (body["state"], body["direction"], body["amount"], body["note"]) == ("posted", "out", eur(20_00), "Lunch")
        assert body["counterparty"] == {"party_id": str(bo.party_id), "display_name": "Bo E.", "handle": "boek"}
        other = as_bo.get(f"/transfers/{body['id']}").json()
        assert (other["direction"], other["amount"], other["counterparty"]["display_name"]) == ("in", eur(20_00), "Åsa L.")
        assert as_bo.get("/activity").json()["items"][0]["id"] == body["id"]

    def test_larger_ones_wait_for_a_person(self, as_asa: Api, send: Callable[..., Any], asa: Person, bo_wallet: Wallet) -> None:
        answer = send(eur(40_00))
        body = answer.json()
        assert (answer.status_code, body["state"]) == (202, "requires_approval")
        assert body["approval"]["url"] == f"http://localhost:8000/approve/{body['approval']['id']}/"
        too_soon = as_asa.post(f"/transfers/{body['id']}/complete")
        assert (too_soon.status_code, too_soon.json()["code"]) == (409, "approval_invalid")
        approval_confirm(asa, UUID(body["approval"]["id"]), password=PASSWORD, now=clock.now())
        done = as_asa.post(f"/transfers/{body['id']}/complete")
        assert (done.status_code, done.json()["state"]) == (201, "posted")
        assert balance_of(bo_wallet).posted.amount == 40_00

    def test_can_be_given_up(self, as_asa: Api, as_bo: Api, send: Callable[..., Any]) -> None:
        waiting = send(eur(40_00)).json()["id"]
        assert as_bo.post(f"/transfers/{waiting}/cancel").status_code == 404
        assert as_asa.post(f"/transfers/{waiting}/cancel").json()["state"] == "cancelled"
        assert as_asa.post(f"/transfers/{waiting}/complete").json()["code"] == "payment_not_waiting"

    def test_ask_again_for_a_late_approval(self, as_asa: Api, send: Callable[..., Any]) -> None:
        first = send(eur(40_00)).json()
        Approval.objects.update(created_at=clock.now() - timedelta(hours=1), expires_at=clock.now() - timedelta(minutes=50))
        again = as_asa.post(f"/transfers/{first['id']}/approval")
        assert again.status_code == 202
        assert again.json()["approval"]["id"] != first["approval"]["id"]

    def test_a_payee_cannot_complete_them(self, as_bo: Api, send: Callable[..., Any]) -> None:
        assert as_bo.post(f"/transfers/{send().json()['id']}/complete").status_code == 404

    def test_over_a_partner_always_ask_the_person(self, partner_of_asa: Callable[..., Api], send: Callable[..., Any]) -> None:
        assert send(eur(1), api=partner_of_asa("transfers:write")).status_code == 202

    @pytest.mark.parametrize(
        ("amount", "code"),
        [
            (eur(0), "amount_not_positive"),
            (eur(-1), "amount_not_positive"),
            (eur(2**63), "amount_too_large"),
            (eur(10**15 + 1), "amount_too_large"),
            (eur(1.5), "whole"),
            (eur("20.00"), "whole"),
            (eur("۲۰"), "whole"),
            (eur(True), "whole"),
            (eur(None), "whole"),
            ({"amount": 1}, "shape"),
            ({"amount": 1, "currency": "EUR", "more": 1}, "shape"),
            ({"amount": 1, "currency": None}, "shape"),
            ("20.00", "shape"),
            (2000, "shape"),
            ([], "shape"),
            ({"amount": 1, "currency": "XXX"}, "currency_unknown"),
            ({"amount": 1, "currency": "SEK"}, "currency_mismatch"),
        ],
    )
    def test_refuse_each_bad_amount_by_its_name(self, send: Callable[..., Any], amount: Any, code: str) -> None:
        answer = send(amount)
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] == code
        assert answer.json()["errors"][0]["field"] == "amount"
        assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"payee": "@nobody"}, 404, "payee_unknown"),
            ({"payee": "nobody@example.com"}, 404, "payee_unknown"),
            ({"payee": "@asa"}, 422, "payee_is_self"),
            ({"payee": "asa@example.com"}, 422, "payee_is_self"),
            ({"payee": ""}, 422, "blank"),
            ({"payee": None}, 422, "null"),
            ({"payee": "\x00"}, 422, "null_characters_not_allowed"),
            ({"payee": "x" * 301}, 422, "max_length"),
            ({"payee": ["@boek"]}, 422, "invalid"),
            ({"note": "x" * 141}, 422, "max_length"),
            ({"wallet_id": NOBODYS}, 404, "wallet_not_found"),
            ({"wallet_id": "x"}, 422, "invalid"),
            ({"wallet_id": [5]}, 422, "invalid"),
            ({"approval_id": NOBODYS}, 409, "approval_invalid"),
            ({"amount": eur(100_01)}, 409, "insufficient_funds"),
            ({"amount": eur(151_00)}, 422, "limit_exceeded"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_refuse_everything_else_by_its_name(self, send: Callable[..., Any], changes: dict[str, Any], status: int, code: str) -> None:
        answer = send(**changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"

    def test_tell_what_is_left_of_a_limit(self, send: Callable[..., Any]) -> None:
        body = send(eur(151_00)).json()
        assert (body["window"], body["limit"], body["left"], body["currency"]) == ("payment", 150_00, 150_00, "EUR")

    def test_refuse_a_closed_wallet(self, as_asa: Api, asa: Person, bo_wallet: Wallet) -> None:
        closed = wallet_with(asa, 0, "SEK")
        as_asa.post(f"/wallets/{closed.id}/close")
        answer = as_asa.post("/transfers", {"wallet_id": str(closed.id), "payee": "@boek", "amount": {"amount": 1, "currency": "SEK"}})
        assert (answer.status_code, answer.json()["code"]) == (409, "wallet_closed")

    def test_refuse_a_closed_payee(self, send: Callable[..., Any], bo: Person) -> None:
        from accounts.services import account_close

        account_close(person=bo, password=PASSWORD, now=clock.now())
        assert send().json()["code"] == "payee_closed"

    def test_pay_nobody_from_somebody_elses_wallet(self, send: Callable[..., Any], bo_wallet: Wallet) -> None:
        assert send(wallet_id=str(bo_wallet.id), payee="@asa").json()["code"] == "wallet_not_found"

    def test_are_not_top_ups(self, as_asa: Api, send: Callable[..., Any]) -> None:
        sent = send().json()["id"]
        assert as_asa.get(f"/top-ups/{sent}").status_code == 404
        assert as_asa.get("/top-ups").json()["items"] == []
        assert [row["id"] for row in as_asa.get("/transfers", direction="out", state="posted").json()["items"]] == [sent]
        assert as_asa.get("/transfers", direction="in").json()["items"] == []


class TestIdempotency:
    def test_the_same_call_gets_the_same_answer(self, send: Callable[..., Any], asa_wallet: Wallet) -> None:
        first, second = send(key="lunch"), send(key="lunch")
        assert second.status_code == first.status_code == 201
        assert second.json() == first.json()
        assert second["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert balance_of(asa_wallet).posted.amount == 80_00

    def test_another_body_under_the_same_key_is_refused(self, send: Callable[..., Any], asa_wallet: Wallet) -> None:
        send(key="lunch")
        answer = send(eur(5_00), key="lunch")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        assert balance_of(asa_wallet).posted.amount == 80_00

    def test_a_refusal_is_an_answer_too(self, send: Callable[..., Any]) -> None:
        first, second = send(payee="@nobody", key="k"), send(payee="@nobody", key="k")
        assert first.json() == second.json()
        assert (second.status_code, second["Content-Type"]) == (404, "application/problem+json")

    def test_a_call_that_still_runs_is_told_to_wait(self, send: Callable[..., Any]) -> None:
        send(key="lunch")
        IdempotencyKey.objects.update(status=None, locked_until=clock.real() + timedelta(seconds=30))
        answer = send(key="lunch")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_running")
        assert 1 <= int(answer["Retry-After"]) <= 30

    def test_two_people_may_use_the_same_key(self, send: Callable[..., Any], as_bo: Api, bo_wallet: Wallet) -> None:
        assert send(key="1").status_code == 201
        answer = as_bo.post("/transfers", {"wallet_id": str(bo_wallet.id), "payee": "@asa", "amount": eur(1_00)}, key="1")
        assert answer.status_code == 201

    @pytest.mark.parametrize(
        ("key", "code"), [(None, "idempotency_key_required"), (" ", "idempotency_key_required"), ("x" * 256, "idempotency_key_invalid")]
    )
    @pytest.mark.parametrize("path", ["/transfers", "/top-ups"])
    def test_a_key_is_needed(self, as_asa: Api, path: str, key: str | None, code: str) -> None:
        answer = as_asa.post(path, {}, key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_is_kept_per_party(self, as_asa: Api, send: Callable[..., Any], asa_wallet: Wallet, shop: Any) -> None:
        send(key="1")
        body = {"wallet_id": str(asa_wallet.id), "payee": "@boek", "amount": eur(20_00), "note": "Lunch"}
        assert as_asa.post("/transfers", body, key="1", party=str(shop.id)).json()["code"] == "idempotency_conflict"


@pytest.fixture(scope="module")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[outside.Sandbox]:
    sandbox = outside.Sandbox(tmp_path_factory.mktemp("provider"), "http://127.0.0.1:9/webhooks/stripe/")
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def provider(db: None, _sandbox: outside.Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[outside.Sandbox]:
    monkeypatch.setattr("payments.gateways.stripe.client.in_transaction", lambda: False)
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = _sandbox.url, outside.KEY, outside.SECRET
    gateways.gateway.cache_clear()
    yield _sandbox
    gateways.gateway.cache_clear()


class TestTopUps:
    @pytest.fixture(autouse=True)
    def _configured(self, settings: Any) -> Iterator[None]:
        """With a key there is a provider; only the tests that take `provider` reach one."""
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = outside.KEY, "http://127.0.0.1:1"
        gateways.gateway.cache_clear()
        yield
        gateways.gateway.cache_clear()

    def test_begin_on_the_providers_page(self, as_asa: Api, as_bo: Api, asa_wallet: Wallet, provider: outside.Sandbox) -> None:
        answer = as_asa.post("/top-ups", {"wallet_id": str(asa_wallet.id), "amount": eur(50_00)}, key="t")
        body = answer.json()
        assert (answer.status_code, body["state"], body["kind"], body["direction"]) == (201, "waiting", "top_up", "in")
        assert body["checkout_url"].startswith(provider.url)
        assert as_asa.post("/top-ups", {"wallet_id": str(asa_wallet.id), "amount": eur(50_00)}, key="t").json() == body
        assert as_asa.get(f"/top-ups/{body['id']}").json() == body
        assert as_bo.get(f"/top-ups/{body['id']}").status_code == 404
        assert as_asa.get(f"/transfers/{body['id']}").status_code == 404
        assert [row["id"] for row in as_asa.get("/top-ups").json()["items"]] == [body["id"]]

    def test_are_unknown_while_the_provider_is_away(
        self, as_asa: Api, asa_wallet: Wallet, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("payments.gateways.stripe.client.in_transaction", lambda: False)
        settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = f"http://127.0.0.1:{outside.free_port()}", outside.KEY
        gateways.gateway.cache_clear()
        answer = as_asa.post("/top-ups", {"wallet_id": str(asa_wallet.id), "amount": eur(50_00)})
        gateways.gateway.cache_clear()
        assert (answer.status_code, answer.json()["state"], answer.json()["checkout_url"]) == (202, "unknown", None)

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"amount": eur(0)}, 422, "amount_not_positive"),
            ({"amount": {"amount": 500, "currency": "SEK"}}, 422, "currency_mismatch"),
            ({"amount": eur(151_00)}, 422, "limit_exceeded"),
            ({"amount": eur(2**63)}, 422, "amount_too_large"),
            ({"wallet_id": NOBODYS}, 404, "wallet_not_found"),
            ({"wallet_id": None}, 422, "null"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_refuse_by_name(self, as_asa: Api, asa_wallet: Wallet, changes: dict[str, Any], status: int, code: str) -> None:
        answer = as_asa.post("/top-ups", {"wallet_id": str(asa_wallet.id), "amount": eur(50_00), **changes})
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_fill_nobody_elses_wallet(self, as_asa: Api, bo_wallet: Wallet) -> None:
        assert as_asa.post("/top-ups", {"wallet_id": str(bo_wallet.id), "amount": eur(50_00)}).json()["code"] == "wallet_not_found"


class TestActivity:
    def test_can_be_filtered(self, as_asa: Api, send: Callable[..., Any], asa_wallet: Wallet) -> None:
        send(eur(1_00), note="Coffee")
        send(eur(2_00), note="Tea")
        today = clock.now().date().isoformat()

        def notes(**query: str) -> list[str]:
            return [row["note"] for row in as_asa.get("/activity", **query).json()["items"]]

        assert notes() == ["Tea", "Coffee"]
        assert notes(text="coffee") == ["Coffee"]
        assert notes(kind="top_up") == notes(direction="in") == notes(state="held") == notes(to_date="2020-01-01") == []
        assert notes(kind="transfer", direction="out", state="posted", wallet_id=str(asa_wallet.id), from_date=today) == ["Tea", "Coffee"]

    @pytest.mark.parametrize(
        "query",
        [
            {"kind": "x"},
            {"direction": "up"},
            {"state": "x"},
            {"wallet_id": "x"},
            {"from_date": "x"},
            {"to_date": "2026-02-30"},
            {"text": "\x00"},
            {"limit": "x"},
        ],
        ids=str,
    )
    def test_names_a_wrong_filter(self, as_asa: Api, query: dict[str, str]) -> None:
        answer = as_asa.get("/activity", **query)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == next(iter(query))

    @pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
    def test_survives_the_ends_of_time(self, as_asa: Api, date: str) -> None:
        assert as_asa.get("/activity", from_date=date, to_date=date).status_code in (200, 422)


class TestLimits:
    def test_show_what_is_used_and_left(self, as_asa: Api, send: Callable[..., Any]) -> None:
        send()
        body = as_asa.get("/limits").json()
        assert body["level"] == 3
        rows = {(row["direction"], row["window"]): row for row in body["limits"]}
        assert rows["out", "day"] == {"window": "day", "direction": "out", "limit": eur(150_00), "used": eur(20_00), "left": eur(130_00)}
        assert rows["out", "payment"]["used"] is None
        assert (rows[None, "balance"]["limit"], rows[None, "balance"]["used"]) == (eur(500_00), eur(80_00))


class TestPayees:
    def test_are_found_by_address_and_handle(self, as_asa: Api, bo: Person, bo_wallet: Wallet) -> None:
        for query in ("bo@example.com", "BO@example.com ", "@boek", "boek"):
            assert as_asa.get("/payees", query=query).json() == {"party_id": str(bo.party_id), "display_name": "Bo E.", "handle": "boek"}

    @pytest.mark.parametrize(
        ("query", "code"),
        [("@nobody", "payee_unknown"), ("", "blank"), ("asa@example.com", "payee_is_self"), ("\x00", "null_characters_not_allowed")],
    )
    def test_or_refused_by_name(self, as_asa: Api, query: str, code: str) -> None:
        assert as_asa.get("/payees", query=query).json()["code"] == code

    def test_cannot_be_tried_in_bulk(self, as_asa: Api, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.REDIS_URL = ""
        monkeypatch.setattr("accounts.api.LOOKUPS_PER_MINUTE", 8)
        statuses = [as_asa.get("/payees", query=f"nobody{turn}@example.com").status_code for turn in range(3)]
        assert statuses == [404, 404, 429]


def test_currencies_know_their_minor_units(as_asa: Api) -> None:
    rows = {row["code"]: row for row in as_asa.get("/currencies").json()["items"]}
    assert (rows["JPY"]["exponent"], rows["EUR"]["exponent"], rows["KWD"]["exponent"]) == (0, 2, 3)
    assert rows["ALL"]["numeric"] == "008"


def test_answers_are_plain_json(as_asa: Api, send: Callable[..., Any]) -> None:
    assert json.loads(send().content)["created_at"].endswith("Z")

"""Payouts over the API, against the sandbox's bank: what they answer, and every refusal by its own name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.approvals import approval_confirm
from accounts.models import Person
from core import clock
from payments import gateways
from payments.models import Payment
from payments.services import payout_check
from tests.unit.api.conftest import PASSWORD, Api, eur, wallet_with
from tests.unit.sandbox import outside
from wallets.models import Wallet
from wallets.selectors import balance_of

pytestmark = pytest.mark.django_db
GOOD = "DE89 3704 0044 0532 0130 00"
CLOSED, REFUSED = "DE41370400440000000001", "DE84370400440000000003"


@pytest.fixture(scope="module")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[outside.Sandbox]:
    sandbox = outside.Sandbox(tmp_path_factory.mktemp("bank"), "http://127.0.0.1:9/webhooks/stripe/")
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def bank(db: None, _sandbox: outside.Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[outside.Sandbox]:
    outer = len(connection.atomic_blocks)
    monkeypatch.setattr("payments.gateways.bank.client.in_transaction", lambda: len(connection.atomic_blocks) > outer)
    monkeypatch.setattr("payments.gateways.bank.client.READ_SECONDS", 1.0)
    settings.BANK_API_BASE, settings.BANK_API_KEY = _sandbox.url, "bk_test_of_these_tests"
    gateways.bank_gateway.cache_clear()
    _sandbox.control("reset")
    yield _sandbox
    gateways.bank_gateway.cache_clear()


@pytest.fixture
def send(as_asa: Api, asa_wallet: Wallet) -> Callable[..., Any]:
    def run(amount: Any = None, *, api: Api | None = None, key: str | None = "", **changes: Any) -> Any:
        body = {"wallet_id": str(asa_wallet.id), "iban": GOOD, "holder": "Land Lord", "amount": amount or eur(20_00), "note": "Rent"}
        return (api or as_asa).post("/payouts", {**body, **changes}, key=key)

    return run


def followed(bank: outside.Sandbox, payout_id: str) -> None:
    bank.control("settle")
    payout_check(payment_id=UUID(payout_id), now=clock.now())


class TestPayouts:
    def test_small_ones_go_to_the_bank_at_once(
        self, as_asa: Api, as_bo: Api, send: Callable[..., Any], bank: outside.Sandbox, asa_wallet: Wallet
    ) -> None:
        answer = send()
        body = answer.json()
        assert (answer.status_code, body["state"], body["kind"], body["direction"]) == (201, "waiting", "payout", "out")
        assert answer["Location"] == f"/api/v1/payouts/{body['id']}"
        assert body["bank_account"] == {"iban": "DE89370400440532013000", "holder": "Land Lord"}
        assert body["counterparty"] == {"party_id": None, "display_name": "Land Lord", "handle": None}
        followed(bank, body["id"])
        read = as_asa.get(f"/payouts/{body['id']}").json()
        assert (read["state"], [step["state"] for step in read["steps"]]) == ("posted", ["pending", "waiting", "posted"])
        assert balance_of(asa_wallet).posted.amount == 80_00
        assert as_bo.get(f"/payouts/{body['id']}").status_code == 404
        assert as_asa.get(f"/transfers/{body['id']}").status_code == 404

    def test_larger_ones_wait_for_a_person(
        self, as_asa: Api, send: Callable[..., Any], asa: Person, bank: outside.Sandbox, asa_wallet: Wallet
    ) -> None:
        answer = send(eur(40_00))
        body = answer.json()
        assert (answer.status_code, body["state"]) == (202, "requires_approval")
        assert body["approval"]["url"] == f"http://localhost:8000/approve/{body['approval']['id']}/"
        too_soon = as_asa.post(f"/payouts/{body['id']}/complete")
        assert (too_soon.status_code, too_soon.json()["code"]) == (409, "approval_invalid")
        again = as_asa.post(f"/payouts/{body['id']}/approval")
        assert (again.status_code, again.json()["approval"]["id"] != body["approval"]["id"]) == (202, True)
        approval_confirm(asa, UUID(again.json()["approval"]["id"]), password=PASSWORD, now=clock.now())
        done = as_asa.post(f"/payouts/{body['id']}/complete")
        assert (done.status_code, done.json()["state"]) == (201, "waiting")
        assert as_asa.post(f"/payouts/{body['id']}/complete").status_code == 201
        assert balance_of(asa_wallet).held.amount == 40_00

    def test_can_be_given_up(self, as_asa: Api, as_bo: Api, send: Callable[..., Any], bank: outside.Sandbox) -> None:
        waiting = send(eur(40_00)).json()["id"]
        assert as_bo.post(f"/payouts/{waiting}/cancel").status_code == 404
        assert as_asa.post(f"/payouts/{waiting}/cancel").json()["state"] == "cancelled"
        assert as_asa.post(f"/payouts/{waiting}/complete").json()["code"] == "payment_not_waiting"

    def test_over_a_partner_always_ask_the_person(
        self, partner_of_asa: Callable[..., Api], send: Callable[..., Any], bank: outside.Sandbox
    ) -> None:
        assert send(eur(1), api=partner_of_asa("payouts:write")).status_code == 202

    def test_a_transfer_is_no_payout(self, as_asa: Api, asa_wallet: Wallet, bo_wallet: Wallet) -> None:
        sent = as_asa.post("/transfers", {"wallet_id": str(asa_wallet.id), "payee": "@boek", "amount": eur(40_00)}).json()["id"]
        for act in ("approval", "complete", "cancel"):
            assert as_asa.post(f"/payouts/{sent}/{act}").status_code == 404
        assert as_asa.get(f"/payouts/{sent}").status_code == 404
        assert as_asa.get("/payouts").json()["items"] == []


class TestTheBanksAnswers:
    def test_a_refusal_says_why_and_gives_the_money_back(
        self, as_asa: Api, send: Callable[..., Any], bank: outside.Sandbox, asa_wallet: Wallet
    ) -> None:
        answer = send(iban=REFUSED, key="k")
        body = answer.json()
        assert (answer.status_code, body["code"], body["provider_code"]) == (422, "bank_refused", "AC01")
        assert body["errors"][0]["field"] == "iban"
        failed = as_asa.get(f"/payouts/{body['payment']}").json()
        assert (failed["state"], failed["failure"]["code"]) == ("failed", "AC01")
        assert (balance_of(asa_wallet).posted.amount, balance_of(asa_wallet).held.amount) == (100_00, 0)
        assert send(iban=REFUSED, key="k").json() == body

    def test_one_that_is_returned_is_failed_with_its_reason(
        self, as_asa: Api, send: Callable[..., Any], bank: outside.Sandbox, asa_wallet: Wallet
    ) -> None:
        body = send(iban=CLOSED).json()
        followed(bank, body["id"])
        read = as_asa.get(f"/payouts/{body['id']}").json()
        assert (read["state"], read["failure"]["code"], balance_of(asa_wallet).available.amount) == ("failed", "AC04", 100_00)

    def test_no_answer_is_202_and_found_out_later(
        self, as_asa: Api, send: Callable[..., Any], bank: outside.Sandbox, asa_wallet: Wallet
    ) -> None:
        bank.faults(bank_create="timeout_after_commit", seconds=3, count=1)
        answer = send()
        assert (answer.status_code, answer.json()["state"], answer.json()["failure"]) == (202, "unknown", None)
        followed(bank, answer.json()["id"])
        assert as_asa.get(f"/payouts/{answer.json()['id']}").json()["state"] == "posted"


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "status", "code", "field"),
        [
            ({"iban": "DE89370400440532013001"}, 422, "iban_invalid", "iban"),
            ({"iban": "hello"}, 422, "iban_invalid", "iban"),
            ({"iban": ""}, 422, "blank", "iban"),
            ({"iban": "x" * 51}, 422, "max_length", "iban"),
            ({"holder": ""}, 422, "blank", "holder"),
            ({"holder": "x" * 71}, 422, "max_length", "holder"),
            ({"holder": "a\u0007b"}, 422, "holder_required", "holder"),
            ({"note": "x" * 141}, 422, "max_length", "note"),
            ({"amount": eur(0)}, 422, "amount_not_positive", "amount"),
            ({"amount": {"amount": 100, "currency": "SEK"}}, 422, "currency_mismatch", "amount"),
            ({"amount": eur(100_01)}, 409, "insufficient_funds", "amount"),
            ({"amount": eur(151_00)}, 422, "limit_exceeded", "amount"),
            ({"wallet_id": str(UUID(int=1))}, 404, "wallet_not_found", None),
            ({"approval_id": str(UUID(int=1))}, 409, "approval_invalid", None),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_have_a_name_and_a_field(
        self,
        send: Callable[..., Any],
        bank: outside.Sandbox,
        asa_wallet: Wallet,
        changes: dict[str, Any],
        status: int,
        code: str,
        field: str | None,
    ) -> None:
        answer = send(**changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"
        if field:
            assert answer.json()["errors"][0]["field"] == field
        assert not Payment.objects.exists()
        assert balance_of(asa_wallet).available.amount == 100_00

    def test_a_currency_the_bank_does_not_carry(self, send: Callable[..., Any], asa: Person, bank: outside.Sandbox) -> None:
        yen = wallet_with(asa, 5000, "JPY")
        answer = send({"amount": 100, "currency": "JPY"}, wallet_id=str(yen.id))
        assert (answer.status_code, answer.json()["code"]) == (422, "bank_refused")

    def test_from_somebody_elses_wallet(self, send: Callable[..., Any], bo_wallet: Wallet) -> None:
        assert send(wallet_id=str(bo_wallet.id)).json()["code"] == "wallet_not_found"


class TestKeys:
    def test_one_key_is_one_payout(self, send: Callable[..., Any], bank: outside.Sandbox, asa_wallet: Wallet) -> None:
        first, second = send(key="rent"), send(key="rent")
        assert (second.status_code, second.json(), second["Idempotent-Replayed"]) == (201, first.json(), "true")
        assert (Payment.objects.count(), balance_of(asa_wallet).held.amount) == (1, 20_00)
        other = send(eur(5_00), key="rent")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    def test_one_is_needed(self, send: Callable[..., Any]) -> None:
        assert send(key=None).json()["code"] == "idempotency_key_required"


class TestList:
    def test_is_paged_newest_first(self, as_asa: Api, send: Callable[..., Any], bank: outside.Sandbox) -> None:
        made = []
        for minor in (1_00, 2_00, 3_00):
            made.append(send(eur(minor)).json()["id"])
            time.sleep(0.002)
        first = as_asa.get("/payouts", limit=2).json()
        second = as_asa.get("/payouts", limit=2, cursor=first["next_cursor"]).json()
        assert [row["id"] for row in first["items"] + second["items"]] == made[::-1]
        assert second["next_cursor"] is None
        assert "steps" not in first["items"][0]
        assert as_asa.get("/payouts", state="posted").json()["items"] == []
        assert as_asa.get("/payouts", cursor="x").status_code == 422

    def test_stands_in_the_activity_without_the_account_number(self, as_asa: Api, send: Callable[..., Any], bank: outside.Sandbox) -> None:
        send()
        [row] = as_asa.get("/activity").json()["items"]
        assert (row["kind"], row["counterparty"]["display_name"]) == ("payout", "Land Lord")
        assert "DE89" not in str(row)

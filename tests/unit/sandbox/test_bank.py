"""The sandbox's bank, over its wire."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.unit.sandbox import outside
from tests.unit.sandbox.outside import eventually

KEY = "bk_test_of_these_tests"
GOOD = "DE89370400440532013000"
CLOSED, LATE, REFUSED, LATER = "DE41370400440000000001", "DE14370400440000000002", "DE84370400440000000003", "DE57370400440000000004"


def order(sandbox: outside.Sandbox, *, client_id: str = "one", iban: str = GOOD, timeout: float = 5, key: str = KEY, **more: Any) -> Any:
    body = {"amount": 1250, "currency": "EUR", "creditor": {"name": "Landlord", "iban": iban}, "text": "Rent", **more}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": client_id}
    return requests.post(f"{sandbox.url}/bank/v1/transfers", json=body, headers=headers, timeout=timeout)


def look(sandbox: outside.Sandbox, path: str = "", **query: str) -> Any:
    answer = requests.get(f"{sandbox.url}/bank/v1/transfers{path}", params=query, headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
    return answer.json()


class TestOrder:
    def test_is_accepted_and_settles(self, sandbox: outside.Sandbox) -> None:
        answer = order(sandbox)
        assert answer.status_code == 201
        found = answer.json()
        assert (found["state"], found["client_id"], found["amount"]) == ("accepted", "one", 1250)
        eventually(lambda: look(sandbox, f"/{found['id']}")["state"] == "settled")

    def test_the_same_id_is_the_same_order(self, sandbox: outside.Sandbox) -> None:
        first, second = order(sandbox), order(sandbox)
        assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
        assert order(sandbox, amount=1).json()["error"]["code"] == "key_conflict"
        assert [found["id"] for found in look(sandbox, client_id="one")["transfers"]] == [first.json()["id"]]
        assert look(sandbox, client_id="two") == {"transfers": []}

    @pytest.mark.parametrize(
        ("wrong", "status", "code"),
        [
            ({"amount": 0}, 422, "amount_invalid"),
            ({"amount": 1.5}, 422, "amount_invalid"),
            ({"currency": "JPY"}, 422, "currency_not_supported"),
            ({"iban": "DE89370400440532013001"}, 422, "iban_invalid"),
            ({"iban": REFUSED}, 422, "AC01"),
            ({"creditor": "x"}, 422, "invalid"),
            ({"text": "x" * 141}, 422, "invalid"),
            ({"client_id": ""}, 400, "key_required"),
            ({"key": "sk_test_x"}, 401, "unauthorized"),
        ],
    )
    def test_refuses_by_name(self, sandbox: outside.Sandbox, wrong: dict[str, Any], status: int, code: str) -> None:
        answer = order(sandbox, **wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert look(sandbox, client_id="one") == {"transfers": []}


class TestOutcomes:
    def test_returns_come_at_once_later_or_by_hand(self, sandbox: outside.Sandbox) -> None:
        closed = order(sandbox, client_id="closed", iban=CLOSED).json()["id"]
        later = order(sandbox, client_id="later", iban=LATER).json()["id"]
        good = order(sandbox, client_id="good").json()["id"]
        sandbox.control("settle")
        assert (look(sandbox, f"/{closed}")["state"], look(sandbox, f"/{closed}")["return_code"]) == ("returned", "AC04")
        assert look(sandbox, f"/{good}")["state"] == "settled"
        sandbox.control("settle")
        assert look(sandbox, f"/{later}")["state"] == "returned"
        assert sandbox.control(f"bank/{good}/return")["return_code"] == "MS03"
        assert look(sandbox, f"/{good}")["state"] == "returned"

    def test_faults(self, sandbox: outside.Sandbox) -> None:
        sandbox.faults(bank_create="timeout_after_commit", seconds=5, count=1)
        began = time.monotonic()
        with pytest.raises(requests.Timeout):
            order(sandbox, timeout=0.5)
        assert time.monotonic() - began < 3
        assert len(look(sandbox, client_id="one")["transfers"]) == 1
        sandbox.faults(bank_create="error_500", count=1)
        assert order(sandbox, client_id="two").status_code == 500
        assert look(sandbox, client_id="two") == {"transfers": []}
        sandbox.faults(bank_outcome="returned", count=1)
        found = order(sandbox, client_id="three").json()["id"]
        sandbox.control("settle")
        assert look(sandbox, f"/{found}")["state"] == "returned"

    def test_survives_a_kill(self, own_sandbox: outside.Sandbox) -> None:
        found = order(own_sandbox, iban=LATE).json()["id"]
        own_sandbox.kill()
        own_sandbox.start()
        own_sandbox.control("settle")
        assert look(own_sandbox, f"/{found}")["state"] == "settled"


def test_the_statement_shows_what_left(sandbox: outside.Sandbox) -> None:
    order(sandbox)
    text = requests.get(f"{sandbox.url}/bank/", timeout=5).text
    assert "Landlord" in text
    assert "DE89 3704 0044 0532 0130 00" in text

"""The API of pots."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.conftest import Api, eur
from wallets.models import Wallet

pytestmark = pytest.mark.django_db


def opened(api: Api, wallet: Wallet, **more: object) -> dict[str, Any]:
    answer = api.post(f"/wallets/{wallet.id}/pots", {"name": "Holiday", **more})
    assert answer.status_code == 201, answer.json()
    assert answer["Location"] == f"/api/v1/pots/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


def test_a_pot_from_opening_to_closing(as_asa: Api, asa_wallet: Wallet) -> None:
    pot = opened(as_asa, asa_wallet, goal=eur(80_00), goal_on="2090-01-01")
    assert (pot["balance"], pot["goal"], pot["goal_on"]) == (eur(0), eur(80_00), "2090-01-01")
    where = f"/pots/{pot['id']}"
    assert as_asa.post(f"{where}/put", {"amount": eur(30_00)}).json()["balance"] == eur(30_00)
    assert as_asa.post(f"{where}/take", {"amount": eur(10_00)}).json()["balance"] == eur(20_00)
    changed = as_asa.put(where, {"name": "Rent"}).json()
    assert (changed["name"], changed["goal"], changed["goal_on"]) == ("Rent", None, None)
    found = as_asa.get(f"/wallets/{asa_wallet.id}").json()["balance"]
    assert (found["available"], found["pots"], found["total"]) == (eur(80_00), eur(20_00), eur(100_00))
    closed = as_asa.post(f"{where}/close").json()
    assert (closed["state"], closed["balance"]) == ("closed", eur(0))
    assert as_asa.get(f"/wallets/{asa_wallet.id}/pots").json()["items"] == []
    assert len(as_asa.get(f"/wallets/{asa_wallet.id}/pots", state="all").json()["items"]) == 1


def test_a_move_is_done_once_for_a_key(as_asa: Api, asa_wallet: Wallet) -> None:
    where = f"/pots/{opened(as_asa, asa_wallet)['id']}/put"
    first = as_asa.post(where, {"amount": eur(30_00)}, key="k")
    second = as_asa.post(where, {"amount": eur(30_00)}, key="k")
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert as_asa.post(where, {"amount": eur(31_00)}, key="k").json()["code"] == "idempotency_conflict"
    assert as_asa.post(where, {"amount": eur(30_00)}, key=None).json()["code"] == "idempotency_key_required"
    assert as_asa.get(f"/wallets/{asa_wallet.id}").json()["balance"]["pots"] == eur(30_00)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "required"),
        ({"name": "x" * 41}, 422, "pot_name_invalid"),
        ({"name": "x", "goal_on": "2090-01-01"}, 422, "pot_goal_invalid"),
        ({"name": "x", "goal": {"amount": 1, "currency": "SEK"}}, 422, "currency_mismatch"),
        ({"name": "x", "goal": {"amount": 0, "currency": "EUR"}}, 422, "amount_not_positive"),
    ],
)
def test_what_cannot_be_is_refused(as_asa: Api, asa_wallet: Wallet, body: dict[str, Any], status: int, code: str) -> None:
    answer = as_asa.post(f"/wallets/{asa_wallet.id}/pots", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_too_much_and_a_closed_pot_are_refused(as_asa: Api, asa_wallet: Wallet) -> None:
    where = f"/pots/{opened(as_asa, asa_wallet)['id']}"
    assert as_asa.post(f"{where}/put", {"amount": eur(100_01)}).json()["code"] == "insufficient_funds"
    assert as_asa.post(f"{where}/take", {"amount": eur(1)}).json()["code"] == "insufficient_funds"
    as_asa.post(f"{where}/close")
    assert as_asa.post(f"{where}/put", {"amount": eur(1)}).json()["code"] == "pot_closed"


def test_pages_follow_each_other(as_asa: Api, asa_wallet: Wallet) -> None:
    ids = [opened(as_asa, asa_wallet)["id"] for _ in range(3)]
    first = as_asa.get(f"/wallets/{asa_wallet.id}/pots", limit=2).json()
    rest = as_asa.get(f"/wallets/{asa_wallet.id}/pots", limit=2, cursor=first["next_cursor"]).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == ids
    assert rest["next_cursor"] is None

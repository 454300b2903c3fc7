"""Bills over the API: what they answer, and every bad input by its own name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.approvals import approval_confirm
from accounts.models import Person
from core import clock
from payments.bills.models import Bill, BillRun
from payments.bills.services import bill_run
from tests.unit.api.conftest import PASSWORD, Api, eur
from wallets.models import Wallet
from wallets.selectors import balance_of

pytestmark = pytest.mark.django_db
NOBODYS = "0199a1b2-0000-7000-8000-000000000000"


def day(ahead: int) -> str:
    return (clock.now() + timedelta(days=ahead)).date().isoformat()


@pytest.fixture
def body(asa_wallet: Wallet, bo_wallet: Wallet) -> dict[str, Any]:
    return {
        "name": "Rent",
        "note": "Flat",
        "payee": "@boek",
        "wallet_id": str(asa_wallet.id),
        "amount": eur(20_00),
        "schedule": {"first_on": day(3)},
    }


@pytest.fixture
def create(as_asa: Api, body: dict[str, Any]) -> Callable[..., Any]:
    return lambda **changes: as_asa.post("/bills", {**body, **changes})


class TestBills:
    def test_set_up_read_list_and_paid(self, as_asa: Api, create: Callable[..., Any], bo_wallet: Wallet) -> None:
        made = create()
        assert (made.status_code, made.json()["state"]) == (201, "active")
        assert made["Location"] == f"/api/v1/bills/{made.json()['id']}"
        assert made.json()["next"]["pay_on"] == day(3)
        [listed] = as_asa.get("/bills").json()["items"]
        assert {**listed, "runs": made.json()["runs"]} == made.json()
        run = BillRun.objects.get()
        bill_run(bill_id=run.bill_id, period=run.period, now=run.due_at)
        assert balance_of(bo_wallet).posted.amount == 20_00
        assert [one["state"] for one in as_asa.get(f"/bills/{made.json()['id']}").json()["runs"]] == ["scheduled", "paid"]

    def test_a_large_one_waits_for_approval(self, as_asa: Api, asa: Person, create: Callable[..., Any]) -> None:
        made = create(amount=eur(90_00))
        assert made.status_code == 202
        where = f"/bills/{made.json()['id']}/complete"
        assert as_asa.post(where).json()["code"] == "approval_invalid"
        approval_confirm(asa, made.json()["approval"]["id"], password=PASSWORD, now=clock.now())
        assert as_asa.post(where).json()["state"] == "active"

    def test_a_partner_always_asks(self, partner_of_asa: Callable[..., Api], body: dict[str, Any]) -> None:
        assert partner_of_asa("bills:read", "bills:write").post("/bills", {**body, "amount": eur(1)}).status_code == 202

    def test_coming(self, as_asa: Api, create: Callable[..., Any]) -> None:
        create(schedule={"first_on": day(3), "every": "week"})
        found = as_asa.get("/bills/coming", from_date=day(0), to_date=day(20)).json()["items"]
        assert [one["on"] for one in found] == [day(3), day(10), day(17)]
        assert as_asa.get("/bills/coming", from_date=day(0), to_date=day(400)).status_code == 422
        assert as_asa.get("/bills/coming", from_date="2026-02-30", to_date=day(4)).status_code == 422

    def test_pause_skip_change_and_end(self, as_asa: Api, create: Callable[..., Any], body: dict[str, Any]) -> None:
        made = create().json()
        where = f"/bills/{made['id']}"
        assert as_asa.post(f"{where}/pause").json()["state"] == "paused"
        assert as_asa.post(f"{where}/resume").json()["state"] == "active"
        period = made["next"]["period"]
        assert as_asa.post(f"{where}/skip", {"period": period}).json()["next"]["period"] != period
        assert as_asa.post(f"{where}/skip", {"period": period}).json()["code"] == "bill_nothing_coming"
        terms = {name: value for name, value in body.items() if name != "payee"}
        assert as_asa.put(where, {**terms, "amount": eur(25_00)}).json()["amount"] == eur(25_00)
        assert as_asa.put(where, {**terms, "amount": eur(90_00)}).status_code == 202
        assert as_asa.post(f"{where}/end").json()["state"] == "ended"
        assert as_asa.post(f"{where}/pause").json()["code"] == "bill_ended"

    def test_the_payee_asks_for_an_amount_up_to_the_limit(self, as_bo: Api, as_asa: Api, create: Callable[..., Any]) -> None:
        where = f"/bills/{create(amount_kind='up_to').json()['id']}/amount"
        assert as_bo.put(where, {"amount": eur(12_00)}).json()["amount"] == eur(12_00)
        assert as_bo.put(where, {"amount": eur(20_01)}).json()["code"] == "above_cap"
        assert as_asa.put(where, {"amount": eur(0)}).status_code == 422

    def test_is_nobody_elses(self, as_bo: Api, create: Callable[..., Any]) -> None:
        where = f"/bills/{create().json()['id']}"
        assert as_bo.get(where).status_code == 404
        for act in ("pause", "resume", "end", "complete"):
            assert as_bo.post(f"{where}/{act}").status_code == 404
        assert as_bo.get("/bills").json() == {"items": [], "next_cursor": None}

    def test_are_paged_and_the_ended_ones_apart(self, as_asa: Api, create: Callable[..., Any]) -> None:
        made = [create().json()["id"] for _ in range(3)]
        first = as_asa.get("/bills", limit=2).json()
        second = as_asa.get("/bills", limit=2, cursor=first["next_cursor"]).json()
        assert sorted(row["id"] for row in first["items"] + second["items"]) == sorted(made)
        as_asa.post(f"/bills/{made[0]}/end")
        assert [row["id"] for row in as_asa.get("/bills", ended="true").json()["items"]] == [made[0]]
        assert as_asa.get("/bills", cursor="x").status_code == 422


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"payee": "@nobody"}, "payee_unknown"),
        ({"payee": ""}, "bill_payee_required"),
        ({"payee": "", "iban": "DE00", "holder": "X"}, "iban_invalid"),
        ({"schedule": {"first_on": "2026-02-30"}}, "invalid"),
        ({"schedule": {"first_on": "2020-01-31"}}, "date_in_past"),
        ({"schedule": {"first_on": date.max.isoformat()}}, "date_too_far"),
        ({"schedule": {"first_on": "+3", "country": "QQ"}}, "schedule_invalid"),
        ({"schedule": {"first_on": "+3", "last_on": "+2"}}, "last_before_first"),
        ({"amount": {"amount": 100, "currency": "SEK"}}, "currency_mismatch"),
        ({"amount": {"amount": 10**11, "currency": "EUR"}}, "limit_exceeded"),
        ({"wallet_id": NOBODYS}, "wallet_not_found"),
    ],
)
def test_bad_input_has_a_name(create: Callable[..., Any], wrong: dict[str, Any], code: str) -> None:
    if "schedule" in wrong:
        wrong = {"schedule": {name: day(int(text)) if text[0] == "+" else text for name, text in wrong["schedule"].items()}}
    answer = create(**wrong)
    assert (answer.status_code >= 400, answer.json()["code"]) == (True, code)
    assert not Bill.objects.exists()

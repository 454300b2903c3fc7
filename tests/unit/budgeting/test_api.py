"""The feed, budgets and what is safe to spend over the API. Who may call what is in tests/unit/api/test_access.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from budgeting import services
from core import clock
from tests.unit.api.conftest import Api, session_api
from tests.unit.budgeting.conftest import Customer, Pay, items_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_march(db: None, now: datetime) -> None:
    clock.offset_set(now - clock.real())


@pytest.fixture
def api(ada: Customer) -> Api:
    return session_api(ada.person)


def test_the_feed_comes_page_by_page(api: Api, ada: Customer, bo: Customer, pay: Pay) -> None:
    for index in range(5):
        pay(ada, bo, 1_00 + index, "Lunch" if index % 2 else "")
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        body = api.get("/feed", limit=2, **cursor).json()
        seen += [item["amount"]["amount"] for item in body["items"]]
        if body["next_cursor"] is None:
            break
        cursor = {"cursor": body["next_cursor"]}
    assert seen == [-1_04, -1_03, -1_02, -1_01, -1_00]
    lunches = api.get("/feed", category="eating_out", since="2026-03-11", before="2026-03-12").json()["items"]
    assert [(item["category"], item["why"], item["counterparty"], item["on_date"]) for item in lunches] == [
        ("eating_out", "note", "Bosse E.", "2026-03-11")
    ] * 2
    assert api.get("/feed", before="2026-03-11").json()["items"] == []
    assert len(api.get("/feed", since="0001-01-01", before="9999-12-31").json()["items"]) == 5


@pytest.mark.parametrize(
    ("query", "named"),
    [({"cursor": "x"}, "cursor"), ({"category": "yachts"}, "category"), ({"since": "yesterday"}, "since"), ({"limit": 0}, "limit")],
)
def test_the_feed_refuses_nonsense(api: Api, query: dict[str, Any], named: str) -> None:
    answer = api.get("/feed", **query)
    assert answer.status_code == 422
    assert named in answer.content.decode()


def test_filing_one_and_always(api: Api, ada: Customer, bo: Customer, pay: Pay) -> None:
    pay(ada, bo, 1_00, "Lunch")
    pay(ada, bo, 2_00)
    first = items_of(ada)[0]
    assert api.get(f"/feed/{first.id}").json()["category"] == "eating_out"
    assert api.post(f"/feed/{first.id}/category", {"category": "gifts"}).json()["why"] == "chosen"
    assert api.post(f"/feed/{items_of(ada)[1].id}/category", {"category": "family", "always": True}).json()["why"] == "rule"
    assert [item.category for item in items_of(ada)] == ["gifts", "family"]
    assert api.post(f"/feed/{first.id}/category", {"category": "yachts"}).status_code == 422
    assert api.post(f"/feed/{uuid4()}/category", {"category": "gifts"}).status_code == 404
    assert session_api(bo.person).get(f"/feed/{first.id}").status_code == 404


def test_budgets_of_a_month(api: Api, ada: Customer, bo: Customer, pay: Pay) -> None:
    pay(ada, bo, 21_00, "Lunch")
    wanted = [{"category": "eating_out", "amount": {"amount": 63_00, "currency": "EUR"}}, {"category": "cash", "amount": None}]
    body = api.post("/budgets", {"budgets": wanted}).json()
    assert body == api.get("/budgets", month="2026-03").json()
    row = next(row for row in body["budgets"] if row["category"] == "eating_out")
    assert (row["spent"]["amount"], row["left"]["amount"], row["left_per_day"]["amount"], row["state"]) == (21_00, 42_00, 2_00, "ok")
    assert (body["month"], body["days_left"], body["currency"]) == ("2026-03", 21, "EUR")
    assert next(row for row in api.get("/budgets", month="2026-02").json()["budgets"] if row["category"] == "eating_out")["budget"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"budgets": []},
        {"budgets": [{"category": "cash"}]},
        {"budgets": [{"category": "cash", "amount": {"amount": 0, "currency": "EUR"}}]},
        {"budgets": [{"category": "cash", "amount": {"amount": 1, "currency": "SEK"}}]},
        {"budgets": [{"category": "income", "amount": {"amount": 1, "currency": "EUR"}}]},
        {"budgets": [{"category": "cash", "amount": None}, {"category": "cash", "amount": None}]},
    ],
)
def test_budgets_refuse_nonsense(api: Api, body: Any) -> None:
    assert api.post("/budgets", body).status_code == 422


@pytest.mark.parametrize("month", ["2026", "2026-13", "x", "0000-01", "9999-12"])
def test_months_refuse_nonsense(api: Api, month: str) -> None:
    assert api.get("/budgets", month=month).status_code == 422


def test_safe_to_spend_adds_up(api: Api, ada: Customer) -> None:
    body = api.get("/safe-to-spend").json()
    amount = {name: body[name]["amount"] for name in ("amount", "balance", "held", "bills", "per_day")}
    assert amount == {"amount": 1000_00, "balance": 1000_00, "held": 0, "bills": 0, "per_day": 1000_00 // 21}
    assert (body["until"], body["income_on"], body["days"]) == ("2026-03-31", None, 21)


def test_the_categories_say_what_counts_as_spent(api: Api) -> None:
    items = {item["code"]: item for item in api.get("/categories").json()["items"]}
    assert items["groceries"] == {"code": "groceries", "name": "Groceries", "spending": True}
    assert items["income"]["spending"] is False


def test_rebuilding_by_command(ada: Customer, bo: Customer, pay: Pay, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    pay(ada, bo, 1_00)
    call_command("feed_rebuild", "--json")
    assert capsys.readouterr().out.strip() == '{"payments": 1}'
    call_command("feed_rebuild", "--party", str(bo.party_id))
    with pytest.raises(SystemExit) as ended:
        call_command("feed_rebuild", "--party", "x")
    assert ended.value.code == 2
    assert services.feed_rebuild() == 1

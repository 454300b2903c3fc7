"""Pages of planning without a browser: what they say, who may see them, and how few queries they take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from budgeting import services
from budgeting.models import Budget, FeedItem, Rule
from core import clock, crypto
from tests.pages.test_without_a_browser import client_of
from tests.unit.budgeting.conftest import Customer, Pay, eur, items_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_march(db: None, now: datetime) -> None:
    """Ten days of the month are over, twenty-one are left."""
    clock.offset_set(now - clock.real())


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


class TestPlan:
    def test_says_what_is_left_and_how_much_that_is_a_day(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 21_00, "Lunch")
        services.budgets_set(party_id=ada.party_id, amounts={"eating_out": eur(63_00)}, now=now)
        text = page(client_of(ada), "/plan/")
        assert "€42.00" in text
        assert "€2.00" in text
        assert "21 days that are left" in text
        assert "Eating out is the largest part: €21.00 of €21.00, 100%" in text
        assert "€979.00" in text

    def test_says_by_how_much_a_budget_is_passed(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 25_00, "Lunch")
        services.budgets_set(party_id=ada.party_id, amounts={"eating_out": eur(20_00)}, now=now)
        text = page(client_of(ada), "/plan/")
        assert "€5.00" in text
        assert "over" in text

    def test_goes_back_to_other_months(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 7_77, "Lunch", at=datetime(2026, 2, 3, 12, tzinfo=UTC))
        client = client_of(ada)
        assert "€7.77" not in page(client, "/plan/")
        february = page(client, "/plan/?month=2026-02")
        assert "€7.77" in february
        assert "February 2026" in february
        assert "Safe to spend" not in february

    @pytest.mark.parametrize("query", ["month=x", "month=2026-13", "month=9999-12", "month=0000-00", "month=%00", "month=2026-3"])
    def test_takes_nonsense_for_this_month(self, ada: Customer, query: str) -> None:
        assert "March 2026" in page(client_of(ada), f"/plan/?{query}")

    def test_hides_amounts_on_the_server(self, ada: Customer, bo: Customer, pay: Pay, now: datetime) -> None:
        pay(ada, bo, 21_00, "Lunch")
        services.budgets_set(party_id=ada.party_id, amounts={"eating_out": eur(63_00)}, now=now)
        client = client_of(ada)
        client.post("/hide-amounts/", {"next": "/plan/"})
        item = items_of(ada)[0]
        for path in ("/plan/", "/plan/categories/eating_out/", f"/plan/items/{item.id}/", "/plan/budgets/", "/"):
            text = page(client, path)
            for amount in ("21.00", "42.00", "979.00", "2.00<"):
                assert amount not in text, (path, amount)
            assert 'value="2100"' not in text

    def test_is_few_queries_whatever_has_happened(
        self, ada: Customer, bo: Customer, pay: Pay, now: datetime, django_assert_max_num_queries: Any
    ) -> None:
        for index in range(20):
            pay(ada, bo, 1_00 + index, ("Lunch", "Rent", "", "Cinema")[index % 4])
        services.budgets_set(party_id=ada.party_id, amounts={"eating_out": eur(63_00), "leisure": eur(5_00)}, now=now)
        client = client_of(ada)
        for path in ("/plan/", "/plan/categories/eating_out/", "/plan/budgets/", "/plan/rules/"):
            page(client, path)
            crypto._uncommitted.owners.clear()
            page(client, path)
            with django_assert_max_num_queries(16):
                page(client, path)


class TestBudgets:
    def test_one_form_sets_changes_and_takes_away(self, ada: Customer, now: datetime) -> None:
        client = client_of(ada)
        assert client.post("/plan/budgets/", {"groceries": "300", "eating_out": "45,50"})["Location"] == "/plan/"
        assert 'value="45.50"' in page(client, "/plan/budgets/")
        client.post("/plan/budgets/", {"groceries": "", "eating_out": "45.50"})
        text = page(client, "/plan/budgets/")
        assert 'value="300.00"' not in text
        assert 'value="45.50"' in text
        assert Budget.objects.count() == 2

    def test_past_months_keep_what_held_then(self, ada: Customer, now: datetime) -> None:
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(100_00)}, now=now - timedelta(days=40))
        services.budgets_set(party_id=ada.party_id, amounts={"groceries": eur(200_00)}, now=now)
        client = client_of(ada)
        assert "€100.00" in page(client, "/plan/?month=2026-02")
        assert "€200.00" in page(client, "/plan/")
        assert "Set your first budget" in page(client, "/plan/?month=2025-12")

    @pytest.mark.parametrize("typed", ["-1", "0", "abc", "1,234", "9" * 40, "\x00", "1e9"])
    def test_refuses_at_the_field_and_keeps_what_was_typed(self, ada: Customer, typed: str) -> None:
        answer = client_of(ada).post("/plan/budgets/", {"groceries": typed, "leisure": "12"})
        text = answer.content.decode()
        assert answer.status_code == 422
        assert 'href="#id_groceries"' in text
        assert 'value="12"' in text
        assert not Budget.objects.exists()


class TestFiling:
    def test_from_the_payment_to_its_category_and_a_rule(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        payment = pay(ada, bo, 21_00, "Lunch")
        client = client_of(ada)
        assert f"/plan/payments/{payment.id}/" in page(client, f"/activity/{payment.id}/")
        where = client.get(f"/plan/payments/{payment.id}/")["Location"]
        assert "A word in the note." in page(client, where)
        assert client.post(where, {"category": "leisure"})["Location"] == where
        text = page(client, where)
        assert "Filed under Leisure." in text
        assert "You chose it" in text
        client.post(where, {"category": "gifts", "always": "on"})
        assert "Bosse E." in page(client, "/plan/rules/")
        client.post(f"/plan/rules/{Rule.objects.get().id}/forget/")
        assert "No rules yet" in page(client, "/plan/rules/")
        assert items_of(ada)[0].category == "eating_out"

    @pytest.mark.parametrize("category", ["", "yachts", "\x00", "x" * 500])
    def test_refuses_a_category_at_the_field(self, ada: Customer, bo: Customer, pay: Pay, category: str) -> None:
        pay(ada, bo, 21_00)
        answer = client_of(ada).post(f"/plan/items/{items_of(ada)[0].id}/", {"category": category})
        assert answer.status_code == 422
        assert 'href="#id_category"' in answer.content.decode()

    def test_a_payment_that_is_not_in_the_feed_leads_back(self, ada: Customer, bo: Customer, now: datetime) -> None:
        payment = ada.send("@bosse", eur(5_00), now=now).payment
        assert client_of(ada).get(f"/plan/payments/{payment.id}/")["Location"] == f"/activity/{payment.id}/"


class TestCategory:
    def test_lists_its_payments_page_by_page(self, ada: Customer, bo: Customer, pay: Pay, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("budgeting.views.PAGE_SIZE", 2)
        for index in range(5):
            pay(ada, bo, 1_00 + index, "Lunch")
        client, seen, path = client_of(ada), [], "/plan/categories/eating_out/"
        while path:
            text = page(client, path)
            seen += [index for index in range(5) if f"€1.0{index}" in text]
            after = text.split("?after=")[1].split('"')[0] if "?after=" in text and "Older" in text else ""
            path = f"/plan/categories/eating_out/?after={after}" if after else ""
        assert sorted(seen) == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("query", ["after=x", "after=%00", "after=WzFd", "month=x"])
    def test_takes_nonsense_in_the_address_for_nothing(self, ada: Customer, query: str) -> None:
        page(client_of(ada), f"/plan/categories/eating_out/?{query}")

    @pytest.mark.parametrize("code", ["yachts", "EATING_OUT", "x" * 200])
    def test_of_another_name_is_not_there(self, ada: Customer, code: str) -> None:
        assert client_of(ada).get(f"/plan/categories/{code}/").status_code == 404


class TestWhoMaySee:
    PATHS = ("/plan/", "/plan/budgets/", "/plan/categories/eating_out/", "/plan/rules/", "/plan/items/{item}/", "/plan/payments/{payment}/")

    def test_a_visitor_is_asked_to_sign_in(self, ada: Customer, bo: Customer, pay: Pay) -> None:
        names = {"payment": pay(ada, bo, 1_23).id, "item": items_of(ada)[0].id}
        for path in self.PATHS:
            assert Client().get(path.format(**names))["Location"].startswith("/auth/sign-in/")
        assert Client().post(f"/plan/rules/{uuid4()}/forget/")["Location"].startswith("/auth/sign-in/")

    @pytest.mark.parametrize("staff", [False, True])
    def test_somebody_else_finds_nothing(self, ada: Customer, bo: Customer, pay: Pay, now: datetime, staff: bool) -> None:
        pay(ada, bo, 1_23, "Lunch")
        item = items_of(ada)[0]
        services.item_file(party_id=ada.party_id, item_id=item.id, category="gifts", always=True, now=now)
        bo.person.is_staff = staff
        bo.person.save(update_fields=["is_staff"])
        client, rule = client_of(bo), Rule.objects.get()
        assert client.get(f"/plan/items/{item.id}/").status_code == 404
        assert client.post(f"/plan/items/{item.id}/", {"category": "leisure"}).status_code == 404
        assert client.post(f"/plan/rules/{rule.id}/forget/").status_code == 404
        assert "Nothing here this month" in page(client, "/plan/categories/gifts/")
        assert "No rules yet" in page(client, "/plan/rules/")
        assert FeedItem.objects.get(id=item.id).category == "gifts"

    def test_changes_are_posts(self, ada: Customer) -> None:
        assert client_of(ada).get(f"/plan/rules/{uuid4()}/forget/").status_code == 405


def test_home_shows_what_is_safe_to_spend(ada: Customer, bo: Customer, pay: Pay) -> None:
    pay(ada, bo, 21_00)
    text = page(client_of(ada), "/")
    assert "Safe to spend" in text
    assert "/plan/#safe" in text

"""The page of statements and its downloads."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core import clock
from core.money import Money
from tests.unit.payments.conftest import Customer, customer_make
from tests.unit.wallets.pots.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def asa() -> Customer:
    return customer_make("asa", balance=100_00)


@pytest.fixture
def bo() -> Customer:
    return customer_make("bosse")


def year() -> str:
    today = clock.now().date()
    return f"from={today.year}-01-01&to={today.year}-12-31"


def test_shows_the_period_and_offers_every_form(asa: Customer, bo: Customer) -> None:
    asa.send("@bosse", Money(12_34, "EUR"), note="Lunch", now=clock.now())
    client = client_of(asa)
    page = client.get(f"/wallets/{asa.wallet.id}/statements/?{year()}").content.decode()
    for text in ("€100.00", "€87.66", "Bosse E.", "Lunch", "Balance at the end", "CAMT.053"):
        assert text in page
    assert client.get(f"/wallets/{asa.wallet.id}/statements/").status_code == 200


@pytest.mark.parametrize("form", ["pdf", "csv", "ofx", "camt053"])
def test_downloads(asa: Customer, form: str) -> None:
    answer: Any = client_of(asa).get(f"/wallets/{asa.wallet.id}/statements/{form}?{year()}")
    assert answer.status_code == 200
    assert len(b"".join(answer.streaming_content)) > 100
    assert "attachment" in answer["Content-Disposition"]


def test_says_at_the_field_what_is_wrong(asa: Customer) -> None:
    answer = client_of(asa).get(f"/wallets/{asa.wallet.id}/statements/?from=2026-02-01&to=2026-01-01")
    assert answer.status_code == 422
    assert 'href="#id_to"' in answer.content.decode()


@pytest.mark.parametrize("query", ["from=x&to=y", "from=%00&to=2026-01-01", "from=0001-01-01&to=9999-12-31", "from=2026-01-01"])
def test_nonsense_in_the_address_is_no_fault(asa: Customer, query: str) -> None:
    client = client_of(asa)
    assert client.get(f"/wallets/{asa.wallet.id}/statements/?{query}").status_code == 422
    assert client.get(f"/wallets/{asa.wallet.id}/statements/csv?{query}").status_code == 404
    assert client.get(f"/wallets/{asa.wallet.id}/statements/docx?{year()}").status_code == 404
    assert client.get(f"/wallets/{asa.wallet.id}/statements/?{year()}&after=zzz").status_code == 200


def test_nobody_elses_is_found(asa: Customer, bo: Customer) -> None:
    for rest in ("", f"csv?{year()}"):
        path = f"/wallets/{asa.wallet.id}/statements/{rest}"
        assert client_of(bo).get(path).status_code == 404
        assert Client().get(path)["Location"].startswith("/auth/sign-in/")


def test_hidden_amounts_are_not_on_the_page(asa: Customer) -> None:
    client = client_of(asa)
    client.post("/hide-amounts/", {"next": "/"})
    assert "100.00" not in client.get(f"/wallets/{asa.wallet.id}/statements/?{year()}").content.decode()


def test_costs_as_much_however_long_it_is(asa: Customer, bo: Customer, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        asa.send("@bosse", Money(1_00 + number, "EUR"), now=clock.now())
    client = client_of(asa)
    with django_assert_max_num_queries(30):
        client.get(f"/wallets/{asa.wallet.id}/statements/?{year()}")


def test_money_that_came_back_is_named_so(asa: Customer, bo: Customer) -> None:
    from wallets import ledger

    payment = asa.send("@bosse", Money(10_00, "EUR"), now=clock.now()).payment
    source = ledger.system_account("provider:test", "EUR")
    meta = {"payment": str(payment.id)}
    ledger.post(debit=source, credit=asa.wallet.account, amount=Money(10_00, "EUR"), key="back", now=clock.now(), meta=meta)
    assert "Given back" in client_of(asa).get(f"/wallets/{asa.wallet.id}/statements/?{year()}").content.decode()

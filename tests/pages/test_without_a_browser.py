"""Pages over the test client: refusals at their fields, one payment however often it is sent, and nobody else's business."""

from __future__ import annotations

import re

import pytest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from accounts.models import Party
from accounts.services import terms_accept
from core import clock, crypto
from core.money import Money
from hub.views import server_error
from payments.models import Payment, State
from payments.selectors import payments_for
from tests.unit.payments.conftest import Customer, customer_make

pytestmark = pytest.mark.django_db


def client_of(customer: Customer) -> Client:
    terms_accept(customer.person, now=clock.now())
    client = Client()
    client.force_login(customer.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def asa() -> Customer:
    return customer_make("asa", balance=100_00)


@pytest.fixture
def bo() -> Customer:
    return customer_make("bosse")


def draft_path(client: Client, payee: str) -> str:
    answer = client.post("/pay/send/", {"payee": payee})
    assert answer.status_code == 302
    return answer["Location"]


def check_path(client: Client, payee: str, **typed: str) -> str:
    amount = draft_path(client, payee)
    wallet = re.search(r'name="wallet" value="([^"]+)"', client.get(amount).content.decode())
    answer = client.post(amount, {"amount": "20", "wallet": wallet[1] if wallet else "", "note": "Lunch", **typed})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


class TestSending:
    def test_shows_the_payee_before_anything_moves(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        page = client.get(check_path(client, "@bosse")).content.decode()
        assert "Bosse E." in page
        assert "€20.00" in page
        assert not Payment.objects.exists()

    def test_is_one_payment_however_often_it_is_pressed(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        check = check_path(client, "bosse@example.com")
        first, second = client.post(check), client.post(check)
        assert first["Location"] == second["Location"]
        assert Payment.objects.get().state == State.POSTED
        assert bo.balance() == 20_00

    def test_a_changed_amount_is_another_payment(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        check = check_path(client, "@bosse")
        client.post(check)
        wallet = str(asa.wallet.id)
        client.post(check.replace("/check/", "/amount/"), {"amount": "5", "wallet": wallet, "note": ""})
        client.post(check)
        assert bo.balance() == 25_00

    def test_above_the_small_amount_it_asks_for_approval_first(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        answer = client.post(check_path(client, "@bosse", amount="35"))
        payment = Payment.objects.get()
        assert answer["Location"] == f"/approve/{payment.approval_id}/"
        page = client.get(f"/activity/{payment.id}/").content.decode()
        assert "waits for your approval" in page
        client.post(f"/activity/{payment.id}/cancel/")
        payment.refresh_from_db()
        assert payment.state == State.CANCELLED

    @pytest.mark.parametrize("payee", ["", "nobody@example.com", "@nobody", "asa@example.com", "@asa", "x" * 300, "\x00"])
    def test_refuses_a_payee_at_the_field_and_keeps_what_was_typed(self, asa: Customer, payee: str) -> None:
        answer = client_of(asa).post("/pay/send/", {"payee": payee})
        assert answer.status_code == 422
        assert 'href="#id_payee"' in answer.content.decode()
        assert "Error:" in answer.content.decode()

    @pytest.mark.parametrize(
        "amount", ["", "0", "-1", "12,345", "1e400", "NaN", "Infinity", str(2**63), "9" * 70, "100.01", "abc", "1,2,3", "\x00", "٫"]
    )
    def test_refuses_an_amount_at_the_field_and_keeps_what_was_typed(self, asa: Customer, bo: Customer, amount: str) -> None:
        client = client_of(asa)
        answer = client.post(draft_path(client, "@bosse"), {"amount": amount, "wallet": str(asa.wallet.id), "note": "Kept"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert 'href="#id_amount"' in page
        assert 'value="Kept"' in page
        if amount.isprintable() and len(amount) < 65:
            assert f'value="{amount}"' in page or not amount

    @pytest.mark.parametrize("amount", ["20", "20,00", "20.00", "۲۰", "２０"])
    def test_reads_amounts_as_people_type_them(self, asa: Customer, bo: Customer, amount: str) -> None:
        client = client_of(asa)
        client.post(check_path(client, "@bosse", amount=amount))
        assert bo.balance() == 20_00

    def test_goes_back_to_the_amount_when_the_balance_has_changed_meanwhile(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        check = check_path(client, "@bosse", amount="30")
        asa.send("@bosse", Money(25_00, "EUR"), now=clock.now())
        asa.send("@bosse", Money(25_00, "EUR"), now=clock.now())
        asa.send("@bosse", Money(25_00, "EUR"), now=clock.now())
        answer = client.post(check)
        assert answer.status_code == 422
        assert 'value="30"' in answer.content.decode()
        assert bo.balance() == 75_00

    def test_never_uses_somebody_elses_wallet(self, asa: Customer, bo: Customer) -> None:
        client = client_of(asa)
        answer = client.post(draft_path(client, "@bosse"), {"amount": "5", "wallet": str(bo.wallet.id), "note": ""})
        assert answer.status_code == 422

    def test_a_lost_draft_starts_again(self, asa: Customer) -> None:
        client = client_of(asa)
        for step in ("amount", "check"):
            assert client.get(f"/pay/send/01a20000-0000-7000-8000-000000000000/{step}/")["Location"] == "/pay/send/"


class TestPrivacyOfPages:
    def test_somebody_elses_payment_and_wallet_are_not_found(self, asa: Customer, bo: Customer) -> None:
        payment = asa.send("@bosse", Money(5_00, "EUR"), now=clock.now()).payment
        li = client_of(customer_make("liwei"))
        for path in (
            f"/activity/{payment.id}/",
            f"/activity/{payment.id}/status/",
            f"/wallets/{asa.wallet.id}/",
            f"/wallets/{asa.wallet.id}/close/",
        ):
            assert li.get(path).status_code == 404, path
        for path in (f"/activity/{payment.id}/cancel/", f"/activity/{payment.id}/go-on/", f"/wallets/{asa.wallet.id}/close/"):
            assert li.post(path).status_code == 404, path

    def test_the_payee_never_learns_of_a_payment_that_was_not_approved(self, asa: Customer, bo: Customer) -> None:
        waiting = asa.send("@bosse", Money(35_00, "EUR"), now=clock.now()).payment
        client = client_of(bo)
        assert client.get(f"/activity/{waiting.id}/").status_code == 404
        assert "35.00" not in client.get("/activity/").content.decode()

    @pytest.mark.parametrize(
        "path", ["/activity/", "/pay/", "/pay/send/", "/pay/top-up/", "/plan/", "/more/", "/more/limits/", "/wallets/", "/wallets/open/"]
    )
    def test_visitors_are_asked_to_sign_in(self, path: str) -> None:
        assert Client().get(path)["Location"].startswith("/auth/sign-in/")

    def test_hidden_amounts_are_not_in_the_page_at_all(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", Money(12_34, "EUR"), now=clock.now())
        client = client_of(asa)
        assert client.post("/hide-amounts/", {"next": "/activity/"})["Location"] == "/activity/"
        for path in ("/", "/activity/", "/wallets/", f"/wallets/{asa.wallet.id}/"):
            page = client.get(path).content.decode()
            assert "12.34" not in page, path
            assert "87.66" not in page, path
            assert "••••" in page, path

    def test_the_eye_goes_back_only_within_the_hub(self, asa: Customer) -> None:
        client = client_of(asa)
        for target in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""):
            assert client.post("/hide-amounts/", {"next": target})["Location"] == "/"


class TestActivity:
    def test_filters_and_search_live_in_the_address(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", Money(5_00, "EUR"), note="Croissant", now=clock.now())
        asa.send("@bosse", Money(6_00, "EUR"), note="Ticket", now=clock.now())
        client = client_of(asa)
        page = client.get("/activity/?q=croiss&direction=out").content.decode()
        assert "Croissant" in page
        assert "Ticket" not in page
        assert "Nothing found" in client.get("/activity/?direction=in").content.decode()
        assert "Nothing found" in client.get("/activity/?until=2001-01-01").content.decode()

    @pytest.mark.parametrize(
        "query",
        ["after=x", "after=%00", "since=yesterday", "direction=up", "q=" + "x" * 500, "q=%00", "until=9999-12-31", "since=0001-01-01"],
    )
    def test_nonsense_in_the_address_is_not_an_error(self, asa: Customer, query: str) -> None:
        assert client_of(asa).get(f"/activity/?{query}").status_code == 200

    def test_pages_follow_each_other_without_gap_or_overlap(self, asa: Customer, bo: Customer) -> None:
        ids = [asa.send("@bosse", Money(1_00 + n, "EUR"), now=clock.now()).payment.id for n in range(5)]
        seen, cursor = [], ""
        while True:
            page = payments_for(asa.party_id, cursor=cursor, limit=2)
            seen += [view.payment.id for view in page.rows]
            if not (cursor := page.next_cursor):
                break
        assert seen == ids[::-1]


class TestWallets:
    def test_open_see_and_close_one(self, asa: Customer) -> None:
        client = client_of(asa)
        opened = client.post("/wallets/open/", {"currency": "SEK"})
        assert "Swedish Krona" in client.get(opened["Location"]).content.decode()
        assert client.post(f"{opened['Location']}close/")["Location"] == "/wallets/"

    def test_one_with_money_stays_open_and_says_why(self, asa: Customer) -> None:
        answer = client_of(asa).post(f"/wallets/{asa.wallet.id}/close/")
        assert answer.status_code == 409
        assert "There is a problem" in answer.content.decode()

    def test_unknown_and_taken_currencies_are_refused_at_the_field(self, asa: Customer) -> None:
        for currency in ("", "XXX", "EUR", "eur\x00"):
            assert client_of(asa).post("/wallets/open/", {"currency": currency}).status_code == 422


class TestHome:
    def test_is_few_queries_whatever_has_happened(
        self, asa: Customer, bo: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for index in range(12):
            asa.send("@bosse", Money(1_00 + index, "EUR"), now=clock.now())
        client = client_of(asa)
        client.get("/")
        # In life these keys are committed and remembered by the process.
        crypto._uncommitted.owners.clear()
        client.get("/")
        with django_assert_max_num_queries(15):
            assert client.get("/").status_code == 200

    def test_draws_thirty_days_with_a_sentence_and_a_table(self, asa: Customer, bo: Customer) -> None:
        asa.send("@bosse", Money(5_00, "EUR"), now=clock.now())
        page = client_of(asa).get("/").content.decode()
        assert page.count("<tr data-x=") == 30
        assert "Up €95.00 since" in page

    def test_a_new_person_is_told_what_to_do(self, bo: Customer) -> None:
        page = client_of(bo).get("/").content.decode()
        assert "Your first steps" in page
        assert "/pay/top-up/" in page


def test_names_cannot_bring_markup_along(asa: Customer) -> None:
    client = client_of(asa)
    mallory = Party.objects.get(id=customer_make("mallory").party_id)
    mallory.name = "<script>alert(1)</script> & Sons"
    mallory.save()
    page = client.get(draft_path(client, "@mallory")).content.decode()
    assert "<script>alert" not in page
    assert "&amp;amp;" not in page


class TestErrorPages:
    @pytest.mark.django_db(databases=[])
    def test_a_broken_database_still_gets_a_page(self) -> None:
        answer = server_error(RequestFactory().get("/"))
        assert answer.status_code == 500
        assert "Something broke on our side" in answer.content.decode()

    def test_a_missing_page_and_an_old_form_say_what_to_do(self, asa: Customer) -> None:
        assert "We could not find this page" in Client().get("/no-such-page/").content.decode()
        strict = Client(enforce_csrf_checks=True)
        assert "open for too long" in strict.post("/auth/sign-in/").content.decode()

"""Sending to a bank account over the pages, as a browser without JavaScript does it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Approval
from accounts.services import terms_accept
from core import clock
from payments.models import BankAccount, Payment
from payments.services import payout_check
from tests.unit.payments.conftest import PASSWORD, Customer, customer_make, eur, reloaded
from tests.unit.sandbox import outside
from wallets import selectors as wallets

GOOD = "DE89 3704 0044 0532 0130 00"
CLOSED, REFUSED = "DE41370400440000000001", "DE84370400440000000003"


@pytest.fixture
def astrid(bank: outside.Sandbox) -> Customer:
    return customer_make("astrid", balance=100_00)


@pytest.fixture
def browser(astrid: Customer) -> Client:
    return client_of(astrid)


def client_of(who: Customer) -> Client:
    terms_accept(who.person, now=clock.now())
    client = Client()
    client.force_login(who.person)
    return client


def account(browser: Client, **typed: str) -> Any:
    return browser.post("/pay/bank/", {"iban": GOOD, "holder": "Land Lord", **typed})


def amount(browser: Client, who: Customer, minor: str = "20", **typed: str) -> Any:
    """The first two steps."""
    step = account(browser, **{name: typed.pop(name) for name in ("iban", "holder") if name in typed})
    return browser.post(step["Location"], {"amount": minor, "wallet": str(who.wallet.id), "note": "Rent", **typed})


def available(who: Customer) -> int:
    return wallets.balance_of(who.wallet).available.amount


class TestSending:
    def test_in_three_steps_to_the_banks_answer(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        check = amount(browser, astrid)["Location"]
        page = browser.get(check).text
        for shown in ("Land Lord", "DE89 3704 0044 0532 0130 00", "€20.00", "Rent"):
            assert shown in page
        assert not Payment.objects.exists()
        sent = browser.post(check)["Location"]
        assert browser.post(check)["Location"] == sent
        payment = Payment.objects.get()
        under_way = browser.get(sent).text
        assert (payment.state, "The bank has the order" in under_way, "DE89 3704" in under_way) == ("waiting", True, True)
        assert "Look again" in under_way
        assert browser.get(f"{sent}status/?seen=waiting").status_code == 204
        bank.control("settle")
        payout_check(payment_id=payment.id, now=clock.now())
        assert "Paid out" in browser.get(f"{sent}status/?seen=waiting").text
        assert "Land Lord" in browser.get("/activity/").text

    def test_a_larger_one_is_approved_for_this_account(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        check = amount(browser, astrid, "40")["Location"]
        assert "ask for your password" in browser.get(check).text
        approve = browser.post(check)["Location"]
        page = browser.get(approve).text
        assert "DE89 3704 0044 0532 0130 00" in page
        browser.post(approve, {"password": PASSWORD})
        payment = Payment.objects.get()
        assert Approval.objects.get().state == "confirmed"
        browser.post(f"/activity/{payment.id}/go-on/")
        assert (reloaded(payment).state, available(astrid)) == ("waiting", 60_00)

    def test_a_larger_one_can_be_given_up(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        browser.post(amount(browser, astrid, "40")["Location"])
        payment = Payment.objects.get()
        browser.post(f"/activity/{payment.id}/cancel/")
        assert (reloaded(payment).state, available(astrid)) == ("cancelled", 100_00)

    @pytest.mark.parametrize(("iban", "words"), [(REFUSED, "There is no such bank account"), (CLOSED, "The bank account is closed")])
    def test_what_the_bank_does_not_carry_is_told_with_its_reason(
        self, browser: Client, astrid: Customer, bank: outside.Sandbox, iban: str, words: str
    ) -> None:
        sent = browser.post(amount(browser, astrid, iban=iban)["Location"])["Location"]
        bank.control("settle")
        payout_check(payment_id=Payment.objects.get().id, now=clock.now())
        page = browser.get(sent).text
        assert (words in page, "Not paid out" in page, available(astrid)) == (True, True, 100_00)


class TestRefusals:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"iban": "DE89370400440532013001"}, "This is not a valid IBAN"),
            ({"iban": ""}, "Enter an IBAN"),
            ({"holder": ""}, "Enter the name of the account"),
            ({"holder": "x" * 71}, "at most 70"),
        ],
    )
    def test_of_an_account_stand_at_their_field(self, browser: Client, typed: dict[str, str], words: str) -> None:
        answer = account(browser, **typed)
        assert (answer.status_code, words in answer.text) == (422, True)

    @pytest.mark.parametrize(
        ("minor", "words"),
        [("100.01", "not enough money"), ("151", "more than you can"), ("0", "more than"), ("", "Enter an amount"), ("x", "amount")],
    )
    def test_of_an_amount_too(self, browser: Client, astrid: Customer, minor: str, words: str) -> None:
        answer = amount(browser, astrid, minor)
        assert answer.status_code == 422
        assert words.lower() in answer.text.lower()
        assert not Payment.objects.exists()

    def test_an_empty_account_has_nothing_to_send(self, bank: outside.Sandbox) -> None:
        poor = customer_make("poor")
        assert amount(client_of(poor), poor, "1").status_code == 422

    def test_somebody_elses_wallet_cannot_be_chosen(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        other = customer_make("bosse", balance=50_00)
        assert amount(browser, astrid, wallet=str(other.wallet.id)).status_code == 422

    def test_the_balance_may_change_until_it_is_sent(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        customer_make("bosse")
        check = amount(browser, astrid, "30")["Location"]
        for _ in range(3):
            astrid.send("@bosse", eur(25_00), now=clock.now())
        answer = browser.post(check)
        assert (answer.status_code, 'value="30"' in answer.text) == (422, True)

    def test_a_lost_draft_starts_again(self, browser: Client) -> None:
        for step in ("amount", "check"):
            assert browser.get(f"/pay/bank/{uuid4()}/{step}/")["Location"] == "/pay/bank/"

    def test_visitors_are_asked_to_sign_in(self, db: None) -> None:
        assert Client().get("/pay/bank/")["Location"].startswith("/auth/sign-in/")


class TestAccountsPaidBefore:
    def test_are_offered_and_take_one_press(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        browser.post(amount(browser, astrid)["Location"])
        bank.control("settle")
        payout_check(payment_id=Payment.objects.get().id, now=clock.now())
        page = browser.get("/pay/bank/").text
        assert ("DE…3000" in page, "DE89" in page) == (True, False)
        step = browser.post("/pay/bank/", {"account": str(BankAccount.objects.get().id)})
        assert "DE89 3704 0044 0532 0130 00" in browser.get(step["Location"]).text

    def test_are_nobody_elses(self, browser: Client, astrid: Customer, bank: outside.Sandbox) -> None:
        browser.post(amount(browser, astrid)["Location"])
        client = client_of(customer_make("bosse"))
        assert client.post("/pay/bank/", {"account": str(BankAccount.objects.get().id)}).status_code == 404
        assert client.post("/pay/bank/", {"account": "x"}).status_code == 422

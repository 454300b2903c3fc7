"""Steps of people in a browser, shared by the journeys."""

from __future__ import annotations

from datetime import datetime

from playwright.sync_api import Page, expect

from accounts.models import Person
from accounts.services import person_sign_up
from core import clock
from core.db import SYSTEM, scope
from core.money import Money
from tests.live import LiveHub
from wallets import ledger
from wallets.models import Wallet
from wallets.services import wallet_open

PASSWORD = "three unrelated words 42"


def person(email: str, name: str) -> Person:
    return person_sign_up(email=email, password=PASSWORD, name=name, now=clock.now(), email_proved=True)


def funded(person: Person, amount: int, now: datetime) -> Wallet:
    with scope(SYSTEM):
        wallet = wallet_open(party_id=person.party_id, currency="EUR", now=now)
        ledger.post(
            debit=ledger.system_account("provider:stripe", "EUR"),
            credit=wallet.account,
            amount=Money(amount, "EUR"),
            key=f"test:{person.id}:{now.timestamp()}",
            now=now,
        )
    return wallet


def signed_in(page: Page, hub: LiveHub, email: str) -> None:
    page.goto(f"{hub.url}/auth/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{hub.url}/")


def sign_up(page: Page, hub: LiveHub, *, email: str, name: str, password: str = PASSWORD) -> None:
    """From the front page to Home, with the code from the inbox."""
    page.goto(hub.url)
    page.get_by_role("main").get_by_role("link", name="Open an account").first.click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Home currency").select_option("EUR")
    page.get_by_label("I accept the").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Code").fill(hub.code_for(email))
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page).to_have_url(f"{hub.url}/")
    expect(page.get_by_role("heading", name="Your total")).to_be_visible()


def card_typed(page: Page, number: str) -> None:
    """On the provider's page."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry date").fill("12 / 40")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("A Person")
    page.get_by_role("button", name="Pay ").click()

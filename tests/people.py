"""Steps of people in a browser, shared by the journeys."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.live import LiveHub

PASSWORD = "three unrelated words 42"


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

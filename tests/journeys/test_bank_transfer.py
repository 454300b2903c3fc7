"""Money sent to bank accounts through the sandbox's bank, in a browser without JavaScript: kept, approved, refused, returned."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from core import clock
from payments.models import Payment
from tests.browsers import Watch, axe_problems, layout_problems
from tests.live import LiveHub, eventually
from tests.people import PASSWORD, funded, person, signed_in
from wallets.selectors import balance_of

pytestmark = pytest.mark.browser

# Accounts of the sandbox's bank: takes its money; sent back after two seconds; refused at once.
GOOD, CLOSED, REFUSED = "DE89 3704 0044 0532 0130 00", "DE41 3704 0044 0000 0000 01", "DE84 3704 0044 0000 0000 03"


def to_account(page: Page, hub: LiveHub, iban: str) -> None:
    page.goto(f"{hub.url}/pay/")
    page.get_by_role("main").get_by_role("link", name="Send to a bank account").click()
    page.get_by_label("Name of the account").fill("Land Lord")
    page.get_by_label("IBAN").fill(iban)
    page.get_by_role("button", name="Continue").click()


def amount(page: Page, typed: str) -> None:
    page.get_by_label("Amount").fill(typed)
    page.get_by_role("button", name="Continue").click()


def state(page: Page, wanted: str) -> None:
    """What the payment's page says, once the worker has heard from the bank."""
    payment_id = page.url.rstrip("/").rsplit("/", 1)[1].split("?")[0]
    eventually(lambda: Payment.objects.get(id=payment_id).state == wanted, seconds=40, why=f"the bank to say {wanted}")
    page.reload()


@pytest.mark.timeout(240)
def test_to_bank_accounts_of_every_kind(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    ada = person("ada@example.com", "Ada Lind")
    wallet = funded(ada, 140_00, clock.now() - timedelta(days=2))
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    signed_in(page, hub, ada.email)

    # A digit is wrong, then it is right; the amount is first above what is there.
    to_account(page, hub, "DE89 3704 0044 0532 0130 01")
    expect(page.get_by_role("alert")).to_contain_text("not a valid IBAN")
    page.get_by_label("IBAN").fill(GOOD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Land Lord")).to_be_visible()
    amount(page, "140,01")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Note").fill("Rent")
    amount(page, "20")
    check = page.url

    # Checked, sent, followed until the bank has carried it out.
    expect(page.get_by_text(GOOD)).to_be_visible()
    page.get_by_role("button", name="Send").click()
    state(page, "posted")
    expect(page.get_by_text("Paid out")).to_be_visible()
    done = page.url
    page.goto(f"{hub.sandbox}/bank/")
    expect(page.get_by_text("Land Lord").first).to_be_visible()

    # The draft sent again is the same payment; the account stands there for the next time.
    page.goto(check)
    page.get_by_role("button", name="Send").click()
    assert page.url == done
    page.goto(f"{hub.url}/pay/bank/")
    page.get_by_role("button", name="Land Lord").click()

    # A larger one is approved for this account and amount, then carried out.
    amount(page, "50")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(GOOD)).to_be_visible()
    approve = page.url
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Send now").click()
    state(page, "posted")

    # The bank knows no such account; another one is closed and its bank sends the money back.
    to_account(page, hub, REFUSED)
    amount(page, "10")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("There is no such bank account. No money was moved.").first).to_be_visible()
    refused = page.url
    to_account(page, hub, CLOSED)
    amount(page, "10")
    page.get_by_role("button", name="Send").click()
    state(page, "failed")
    expect(page.get_by_text("The money is back in your account.").first).to_be_visible()
    assert balance_of(wallet).available.amount == 70_00

    stored = context.storage_state()
    context.close()
    pages = {
        "pay": f"{hub.url}/pay/",
        "account": f"{hub.url}/pay/bank/",
        "amount": check.replace("check", "amount"),
        "check": check,
        "approve": approve,
        "done": done,
        "refused": refused,
    }
    problems: list[str] = []
    for theme, width in (("light", 390), ("dark", 390), ("light", 1440), ("dark", 1440)):
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, storage_state=stored)  # type: ignore[arg-type]
        watch, page = Watch.over(context, hub.url), context.new_page()
        for name, address in pages.items():
            page.goto(address)
            problems += [f"{name} {theme} {width}: {found}" for found in layout_problems(page) + axe_problems(page) + watch.take()]
            if folder := os.environ.get("HUB_SCREENSHOTS"):
                page.screenshot(path=f"{folder}/bank-{name}-{width}-{theme}.png", full_page=True)
        context.close()
    assert problems == []

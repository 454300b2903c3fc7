"""A month with a budget, in a browser without JavaScript: set it, spend, see what is left, put a payment right for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from budgeting.models import FeedItem
from core import clock
from core.db import SYSTEM, scope
from core.money import Money
from payments.services import transfer_send
from tests.live import LiveHub, eventually
from tests.people import funded, person, signed_in

pytestmark = pytest.mark.browser


def test_a_month_with_a_budget(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    ada, bo = person("ada@example.com", "Ada Lind"), person("bo@example.com", "Bo Ek")
    wallet = funded(ada, 120_00, clock.now() - timedelta(days=2))
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    signed_in(page, hub, ada.email)

    # The first budget, with a typing error on the way.
    page.get_by_role("link", name="Plan").click()
    page.get_by_role("link", name="Set budgets").click()
    page.get_by_label("Eating out").fill("12,345")
    page.get_by_role("button", name="Save budgets").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 2 decimals")
    page.get_by_label("Eating out").fill("40")
    page.get_by_role("button", name="Save budgets").click()
    expect(page.get_by_text("Your budgets are saved.")).to_be_visible()
    expect(page.get_by_text("€40.00 left").first).to_be_visible()

    # A lunch is paid; the budget follows by itself.
    with scope(SYSTEM):
        paid = transfer_send(
            by=ada,
            party_id=ada.party_id,
            source_wallet_id=wallet.id,
            payee=bo.email,
            amount=Money(15_00, "EUR"),
            note="Lunch",
            idempotency_key="lunch",
            now=clock.now(),
        ).payment
    eventually(lambda: FeedItem.objects.filter(payment=paid).count() == 2, why="the feed to follow")
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_text("€25.00 left").first).to_be_visible()
    expect(page.get_by_text("Eating out is the largest part: €15.00 of €15.00")).to_be_visible()

    # From the payment: it was no lunch, and never is with Bo.
    page.goto(f"{hub.url}/activity/{paid.id}/")
    page.get_by_role("link", name="See what it is filed under").click()
    expect(page.get_by_text("A word in the note.")).to_be_visible()
    page.get_by_label("Category").select_option(label="Rent, energy and phone")
    page.get_by_label("Always do this with payments to Bo E.").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Filed under Rent, energy and phone.")).to_be_visible()
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_text("€40.00 left").first).to_be_visible()
    page.get_by_role("link", name="Your rules for filing payments").click()
    expect(page.get_by_text("Bo E.").first).to_be_visible()
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()

    # Home says what is safe to spend.
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="Safe to spend")).to_be_visible()
    expect(page.get_by_text("€105.00").first).to_be_visible()
    context.close()

"""
In a real browser: a payment rings the other's bell and lies in their mail, choices hold, and details about oneself lead from
level 3 to level 2, past a birth date that contradicts the number.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from core import clock
from core.db import SYSTEM, scope
from core.money import Money
from payments.services import transfer_send
from tests.browsers import Watch, axe_problems, layout_problems
from tests.live import LiveHub, eventually
from tests.people import funded, person, signed_in

pytestmark = pytest.mark.browser


@pytest.mark.timeout(180)
def test_a_payment_is_told_and_an_identity_is_checked(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    asa, bo = person("asa@example.com", "Åsa Lind"), person("bo@example.com", "Bo Ek")
    wallet = funded(asa, 50_00, clock.now() - timedelta(days=1))

    def pay(key: str) -> None:
        with scope(SYSTEM):
            transfer_send(
                by=asa,
                party_id=asa.party_id,
                source_wallet_id=wallet.id,
                payee=bo.email,
                amount=Money(10_00, "EUR"),
                note="Lunch",
                idempotency_key=key,
                now=clock.now(),
            )

    context = browser.new_context(viewport={"width": 390, "height": 844})
    watch, page = Watch.over(context, hub.url, hub.sandbox), context.new_page()
    signed_in(page, hub, bo.email)
    pay("one")

    # The bell counts it, the list says it, the mail says the same.
    eventually(lambda: page.goto(f"{hub.url}/notices/") and page.get_by_text("Åsa L. sent you €10.00").count(), why="a notice")
    bell = page.get_by_role("link", name="Notices: 1 unread")
    expect(bell).to_be_visible()
    assert axe_problems(page) + layout_problems(page) == []
    [mail] = eventually(lambda: [mail for mail in hub.mails_to(bo.email) if "sent you" in mail["subject"]], why="the mail")
    assert mail["subject"] == "Åsa L. sent you €10.00"

    # Following it marks it as read and shows the payment.
    page.get_by_role("link", name="Åsa L. sent you €10.00").click()
    expect(page.get_by_role("heading", name="Money received")).to_be_visible()
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()

    # No more mails about money received; the list still tells.
    page.goto(f"{hub.url}/more/notices/")
    page.get_by_label("Money received: By e-mail").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your choices are saved.")).to_be_visible()
    assert axe_problems(page) == []
    pay("two")
    eventually(lambda: page.goto(f"{hub.url}/notices/?show=unread") and page.get_by_text("sent you €10.00").count(), why="a second notice")
    assert len([mail for mail in hub.mails_to(bo.email) if "sent you" in mail["subject"]]) == 1

    # Identity: a contradiction is refused at its field, then level 2 at once.
    page.goto(f"{hub.url}/more/limits/")
    page.get_by_role("link", name="Get higher limits").click()
    page.get_by_label("Birth date").fill("1985-07-08")
    page.get_by_label("Street and number").fill("Storgatan 1")
    page.get_by_label("Town").fill("Stockholm")
    page.get_by_label("Country where you live").select_option("SE")
    page.get_by_label("Personal number", exact=True).check()
    page.get_by_label("Country that issued it").select_option("SE")
    page.get_by_label("Number", exact=True).fill("850709-9805")
    page.get_by_role("button", name="Check and save").click()
    problem = page.get_by_role("link", name="The birth date in this number is not the one you gave above. Check both.")
    expect(problem).to_be_visible()
    assert axe_problems(page) + layout_problems(page) == []
    problem.click()
    expect(page.get_by_label("Number", exact=True)).to_be_focused()
    page.get_by_label("Birth date").fill("1985-07-09")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("Your details are checked and kept safe.")).to_be_visible()
    assert axe_problems(page) + layout_problems(page) == []
    page.goto(f"{hub.url}/more/limits/")
    expect(page.get_by_text("Level 2", exact=True)).to_be_visible()
    eventually(lambda: page.goto(f"{hub.url}/notices/") and page.get_by_text("Your level is now 2.").count(), why="the news of the level")
    assert watch.take() == []
    context.close()

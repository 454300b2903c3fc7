"""The first day of two people, in a real browser: sign up, see the limits, top up three ways, pay, see both sides."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from core import clock
from tests.browsers import Watch, axe_problems
from tests.live import LiveHub
from tests.people import card_typed, funded, person, sign_up, signed_in

pytestmark = pytest.mark.browser

FOCUSED = "() => document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"
SUCCEEDS, DECLINED, THREE_D_SECURE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


def top_up(page: Page, hub: LiveHub, amount: str) -> None:
    page.goto(f"{hub.url}/pay/")
    page.get_by_role("main").get_by_role("link", name="Top up").click()
    page.get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Continue to the payment provider").click()


@pytest.mark.timeout(180)
def test_two_people_from_nothing_to_a_payment(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    asa_context, bo_context = browser.new_context(), browser.new_context(viewport={"width": 390, "height": 844})
    watch = Watch.over(asa_context, hub.url, hub.sandbox, hub.sandbox.replace("localhost", "127.0.0.1"))
    asa, bo = asa_context.new_page(), bo_context.new_page()

    # Both open an account with the code from their mail.
    sign_up(bo, hub, email="bo@example.com", name="Bo Ek")
    sign_up(asa, hub, email="asa@example.com", name="Åsa Lind")

    # A new person has level 3 and its limits, and is told what to do next.
    expect(asa.get_by_role("heading", name="Your first steps")).to_be_visible()
    asa.goto(f"{hub.url}/more/limits/")
    expect(asa.get_by_text("Level 3", exact=True)).to_be_visible()
    expect(asa.get_by_text("€150.00 left of €150.00").first).to_be_visible()
    assert axe_problems(asa) == []

    # A card that succeeds: back here, the money is there without a reload.
    top_up(asa, hub, "50,00")
    elsewhere = asa_context.new_page()
    elsewhere.goto(f"{hub.url}/activity/")
    elsewhere.get_by_role("link", name="Top-up by card").click()
    card_typed(asa, SUCCEEDS)
    expect(asa.get_by_text("The money is in your account.")).to_be_visible(timeout=15_000)
    # The page that was open elsewhere all the while has changed by itself.
    expect(elsewhere.get_by_text("The money is in your account.")).to_be_visible(timeout=15_000)
    assert axe_problems(elsewhere) == []
    elsewhere.close()

    # A card that is declined: nothing moves; the next card asks for 3-D Secure and succeeds.
    top_up(asa, hub, "10.00")
    card_typed(asa, DECLINED)
    expect(asa.get_by_text("declined").first).to_be_visible()
    card_typed(asa, THREE_D_SECURE)
    asa.get_by_role("button", name="Approve").click()
    expect(asa.get_by_text("The money is in your account.")).to_be_visible(timeout=15_000)

    # The bank's question answered with no: nothing moves.
    top_up(asa, hub, "5")
    card_typed(asa, THREE_D_SECURE)
    asa.get_by_role("button", name="Fail").click()
    asa.goto(f"{hub.url}/")
    expect(asa.get_by_role("region", name="Your total", exact=True)).to_contain_text("€60.00")

    # 20 euro to Bo: whom, how much, check, send.
    asa.get_by_role("link", name="Send", exact=True).click()
    asa.get_by_label("E-mail address or handle").fill("bo@example.com")
    asa.get_by_role("button", name="Continue").click()
    asa.get_by_label("Amount").fill("20")
    asa.get_by_label("Note").fill("Lunch & coffee")
    asa.get_by_role("button", name="Continue").click()
    expect(asa.get_by_text("Bo E.")).to_be_visible()
    assert axe_problems(asa) == []
    asa.get_by_role("button", name="Send").click()
    expect(asa.get_by_text("−€20.00").first).to_be_visible()

    # Both sides see it.
    asa.goto(f"{hub.url}/")
    expect(asa.get_by_role("region", name="Your total", exact=True)).to_contain_text("€40.00")
    asa.goto(f"{hub.url}/activity/")
    expect(asa.get_by_text("Lunch & coffee").first).to_be_visible()
    bo.goto(f"{hub.url}/")
    expect(bo.get_by_role("region", name="Your total", exact=True)).to_contain_text("€20.00")
    bo.get_by_role("link", name="Åsa L.").click()
    expect(bo.get_by_text("+€20.00").first).to_be_visible()
    expect(bo.get_by_text("Lunch & coffee").first).to_be_visible()

    # 35 euro is above what goes without a word: the password, for this amount and payee, and it is sent.
    asa.goto(f"{hub.url}/pay/send/")
    asa.get_by_label("E-mail address or handle").fill("bo@example.com")
    asa.get_by_role("button", name="Continue").click()
    asa.get_by_label("Amount").fill("35")
    asa.get_by_role("button", name="Continue").click()
    expect(asa.get_by_text("Next we ask for your password")).to_be_visible()
    asa.get_by_role("button", name="Send").click()
    expect(asa.get_by_text("Bo E.")).to_be_visible()
    asa.get_by_label("Password").fill("three unrelated words 42")
    asa.get_by_role("button", name="Approve").click()
    expect(asa.get_by_text("Done", exact=True).first).to_be_visible()
    bo.goto(f"{hub.url}/")
    expect(bo.get_by_role("region", name="Your total", exact=True)).to_contain_text("€55.00")

    # The eye hides amounts on the server.
    bo.get_by_role("button", name="Hide amounts").click()
    assert "55.00" not in bo.content()

    assert watch.take() == []
    asa_context.close()
    bo_context.close()


@pytest.mark.timeout(120)
def test_sending_needs_no_pointer(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    asa, _bo = person("asa@example.com", "Åsa Lind"), person("bo@example.com", "Bo Ek")
    funded(asa, 100_00, clock.now())
    context = browser.new_context()
    page = context.new_page()
    signed_in(page, hub, asa.email)

    def tab_to(name: str) -> None:
        seen: list[str] = []
        while name not in " ".join(seen[-1:]):
            assert len(seen) < 40, f"{name!r} cannot be reached with the tabulator, only {seen}"
            page.keyboard.press("Tab")
            seen.append(" ".join(page.evaluate(FOCUSED).split()))

    # The skip link is first; Send is on Home; every step goes on with Enter.
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("Send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pay/send/")
    tab_to("E-mail address or handle")
    page.keyboard.type("bo@example.com\n")
    page.wait_for_url("**/amount/")
    tab_to("Amount")
    # A refusal takes the focus to the summary, whose link leads to the field.
    page.keyboard.type("1000\n")
    expect(page.locator("[data-focus]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Amount")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("12,50\n")
    page.wait_for_url("**/check/**")
    tab_to("Send €12.50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Money sent")).to_be_visible()

    # The chart's points are reached with the arrow keys and read out.
    page.goto(hub.url)
    page.get_by_role("slider", name="Your total over 30 days").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("€0.00"))
    context.close()


@pytest.mark.timeout(120)
def test_sending_works_without_javascript_and_loses_nothing_that_was_typed(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_up(page, hub, email="li@example.com", name="Li Wei")

    # Nobody to pay, oneself, too much: each refusal at its field, with what was typed still there.
    page.goto(f"{hub.url}/pay/send/")
    page.get_by_label("E-mail address or handle").fill("nobody@example.com")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title("Error: Send money: whom · Hub")
    expect(page.get_by_label("E-mail address or handle")).to_have_value("nobody@example.com")
    page.get_by_label("E-mail address or handle").fill("li@example.com")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="This is you.")).to_be_visible()

    # Topping up ends on a page with a link; the return page says what is known and has a link to look again.
    page.goto(f"{hub.url}/pay/top-up/")
    for wrong in ("", "0", "-5", "1e400", "12,345", "NaN", "9" * 30):
        page.get_by_label("Amount").fill(wrong)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        expect(page.get_by_label("Amount")).to_have_value(wrong)
    page.get_by_label("Amount").fill("۱۲٫۵۰")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("€12.50").first).to_be_visible()
    expect(page.get_by_role("link", name="Continue to the payment provider")).to_be_visible()
    context.close()

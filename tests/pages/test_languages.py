"""
Pages in every language in a real browser: what they say, from which side, in which font, and that nothing overflows.

HUB_SCREENSHOTS names a folder for pictures of all of them, to look at.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import translation
from playwright.sync_api import Browser, Page

from accounts.models import Person
from accounts.services import person_update
from budgeting import services as budgeting
from core import clock, events
from core.db import SYSTEM, scope
from core.money import Money
from payments.services import transfer_send
from tests.browsers import Watch, size_problems
from tests.live import LiveHub
from tests.pages.test_every_page import check, pot_with_a_goal
from tests.people import PASSWORD, funded, person
from tests.unit.languages import sources
from wallets.models import Wallet

pytestmark = pytest.mark.browser

PUBLIC = ["/", "/auth/sign-up/", "/more/help/", "/terms/terms-of-use/", "/no-such-page/"]
OWN = [
    "/",
    "/activity/",
    "/pay/",
    "/pay/send/",
    "/pay/bills/new/",
    "/plan/",
    "/plan/budgets/",
    "/more/",
    "/more/limits/",
    "/more/profile/",
    "/notices/",
]
# Looked at as well when pictures are asked for.
MORE = [
    *("/pay/bank/", "/pay/top-up/", "/pay/bills/", "/wallets/", "/wallets/open/", "/plan/categories/eating_out/", "/plan/rules/"),
    *("/more/identity/", "/more/sessions/", "/more/notices/", "/more/partners/", "/more/close/", "/auth/password/", "/auth/email/"),
]
FONTS = {"en": ["figtree"], "sv": ["figtree"], "zh-hans": ["figtree"], "fa": ["vazirmatn"]}
# What stays in Latin digits: account numbers, addresses, names of formats, the letters of a handle.
LATIN = re.compile(r"\b[A-Z]{2}\d{2}[\dA-Z ]+|\S+@\S+|OFX 2\.2|CAMT\.053|ISO 20022|0-9|Seal \d+.*|Not sealed yet.*")


def english_sentences() -> set[str]:
    """Strings of our own that are long enough to be nothing but English."""
    return {singular for _context, singular, _plural in sources.messages() if singular.count(" ") >= 2 and not re.search(r"[%{]", singular)}


def spoken(page: Page, language: str, path: str, english: set[str]) -> list[str]:
    """What is wrong with the words of the page."""
    root = page.evaluate("() => [document.documentElement.lang, document.documentElement.dir]")
    problems = [] if root == [language, "rtl" if language == "fa" else "ltr"] else [f"is {root}"]
    if language == "en":
        return problems
    text: str = page.evaluate("() => document.body.innerText")
    labels: list[str] = page.evaluate("() => [...document.querySelectorAll('[aria-label]')].map((one) => one.getAttribute('aria-label'))")
    lines = [line.strip() for line in [*text.splitlines(), *labels, page.title()]]
    if "/terms/" not in path:
        problems += [f"says in English: {line}" for line in lines if line in english]
    if language == "fa" and "/terms/" not in path:
        problems += [f"has Latin digits: {line}" for line in lines if re.search(r"[0-9]", LATIN.sub("", line))]
    return problems


def fonts_of(page: Page) -> list[str]:
    loaded: list[str] = page.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")
    return sorted({name.rsplit("/", 1)[1].split("-")[0] for name in loaded if name.endswith(".woff2")})


def a_year_of(person: Person, friend: Person, hub: LiveHub) -> Wallet:
    wallet = funded(person, 120_00, clock.now() - timedelta(days=9))
    with scope(SYSTEM):
        for index in range(2):
            transfer_send(
                by=person,
                party_id=person.party_id,
                source_wallet_id=wallet.id,
                payee=friend.email,
                amount=Money(12_50 + index, "EUR"),
                note="☕",
                idempotency_key=f"k{index}",
                now=clock.now(),
            )
        events.relay()
        pot_with_a_goal(wallet)
        budgeting.budgets_set(
            party_id=person.party_id, amounts={"eating_out": Money(25_00, "EUR"), "groceries": Money(200_00, "EUR")}, now=clock.now()
        )
    return wallet


@pytest.mark.timeout(900)
def test_every_language(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    asa, li = person("asa@example.com", "Åsa Lind"), person("li@example.com", "李雷 & <i>")
    wallet = a_year_of(asa, li, hub)
    english = english_sentences()
    problems: list[str] = []

    for language, _name in settings.LANGUAGES:
        context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light", locale=language.replace("hans", "CN"))
        watch, page = Watch.over(context, hub.url), context.new_page()
        for path in PUBLIC:
            problems += [
                f"{language} {found}"
                for found in check(page, hub, path, watch, who=f"{language}-visitor", axe=language in ("fa", "zh-hans"))
            ]
            problems += [f"{language} {path}: {found}" for found in spoken(page, language, path, english)]
        context.close()

    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{hub.url}/auth/sign-in/")
    page.locator("#id_login").fill(asa.email)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url(f"{hub.url}/")
    state = context.storage_state()
    context.close()

    own = [
        *OWN,
        *(MORE if os.environ.get("HUB_SCREENSHOTS") else []),
        f"/wallets/{wallet.id}/",
        f"/wallets/{wallet.id}/statements/",
        f"/activity/?q={li.name[:2]}",
    ]
    looks: list[tuple[str, str, int]] = [("sv", "light", 390), ("zh-hans", "light", 390), ("fa", "light", 390), ("fa", "dark", 1440)]
    for language, theme, width in looks:
        person_update(person=asa, language=language, now=clock.now())
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, storage_state=state)  # type: ignore[arg-type]
        watch, page = Watch.over(context, hub.url), context.new_page()
        for path in own:
            found = check(page, hub, path, watch, who=language, axe=language != "sv")
            problems += [f"{language} {theme} {width} {problem}" for problem in found]
            problems += [f"{language} {path}: {problem}" for problem in spoken(page, language, path, english)]
        if theme == "light":
            problems += [f"{language} weight: {found}" for found in size_problems(page, hub.url + "/")]
            problems += [f"{language} fetches {fonts_of(page)}"] if fonts_of(page) != FONTS[language] else []
        context.close()
    assert not problems, "\n".join(problems)


def test_a_chart_of_money_runs_from_left_to_right_everywhere(live_hub: LiveHub, browser: Browser) -> None:
    context = browser.new_context(locale="fa-IR", java_script_enabled=True)
    page = context.new_page()
    page.goto(f"{live_hub.url}/styleguide/")
    assert page.evaluate("() => getComputedStyle(document.querySelector('.chart')).direction") == "ltr"
    assert page.evaluate("() => getComputedStyle(document.body).direction") == "rtl"
    context.close()


def test_a_visitor_changes_the_language_without_javascript(live_hub: LiveHub, browser: Browser) -> None:
    context = browser.new_context(locale="sv-SE", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_hub.url}/more/help/")
    assert page.locator("html").get_attribute("lang") == "sv"
    page.get_by_role("button", name="فارسی").click()
    page.wait_for_url(f"{live_hub.url}/more/help/")
    assert page.locator("html").get_attribute("dir") == "rtl"
    with translation.override("fa"):
        assert page.get_by_role("heading", level=1).inner_text() == translation.gettext("Help")
    context.close()

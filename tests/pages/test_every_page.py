"""
Every page, as a visitor and as a person with history: axe, console, layout and weight, sampled.

HUB_SCREENSHOTS names a folder for pictures of all of them, to look at.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from budgeting import services as budgeting
from budgeting.selectors import item_of_payment as budgeting_item
from core import clock, events
from core.db import SYSTEM, scope
from core.money import Money
from engagement.models import Notice
from payments.services import transfer_send
from tests.browsers import Watch, axe_problems, layout_problems, size_problems
from tests.live import LiveHub
from tests.people import funded, person, signed_in
from wallets.models import Wallet
from wallets.pots.models import Pot
from wallets.pots.services import pot_open, pot_put
from wallets.seals.services import seal

pytestmark = pytest.mark.browser

PUBLIC = [
    "/",
    "/auth/sign-in/",
    "/auth/sign-up/",
    "/auth/reset/",
    "/more/help/",
    "/terms/terms-of-use/",
    "/ledger/",
    "/api/docs/",
    "/styleguide/",
    "/no-such-page/",
]
OWN = [
    *(
        "/",
        "/activity/",
        "/activity/?q=lunch",
        "/activity/?q=nothing-matches",
        "/pay/",
        "/pay/send/",
        "/pay/bank/",
        "/pay/top-up/",
        "/pay/bills/",
        "/pay/bills/new/",
        "/plan/",
        "/more/",
    ),
    *(
        "/more/profile/",
        "/more/limits/",
        "/more/sessions/",
        "/more/partners/",
        "/more/help/",
        "/more/close/",
        "/wallets/",
        "/wallets/open/",
    ),
    *("/auth/email/", "/auth/password/"),
    *("/notices/", "/notices/?show=unread", "/more/notices/", "/more/identity/"),
    *("/plan/budgets/", "/plan/categories/eating_out/", "/plan/categories/travel/", "/plan/?month=2026-01", "/plan/rules/"),
]
# Every page at one width and theme, and the pages with most on them at all.
WIDTHS = (320, 390, 1440)
DENSE = ["/", "/activity/", "/plan/", "/plan/budgets/", "/pay/top-up/", "/more/limits/", "/styleguide/"]


def check(page: Page, hub: LiveHub, path: str, watch: Watch, *, who: str, axe: bool = True) -> list[str]:
    answer = page.goto(hub.url + path)
    expected = 404 if "no-such-page" in path else 200
    problems = [] if answer and answer.status == expected else [f"answered {answer and answer.status}"]
    problems += layout_problems(page) + (axe_problems(page) if axe else []) + watch.take()
    if folder := os.environ.get("HUB_SCREENSHOTS"):
        size = page.viewport_size or {"width": 0}
        theme = "dark" if page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches") else "light"
        name = re.sub(r"[0-9a-f-]{36}", "one", path).strip("/").replace("/", "-").replace("?", "-") or "root"
        page.screenshot(path=f"{folder}/{who}-{name}-{size['width']}-{theme}.png", full_page=True)
    return [f"{who} {path}: {problem}" for problem in problems]


def pot_with_a_goal(wallet: Wallet) -> Pot:
    whose: dict[str, Any] = {"party_id": wallet.party_id, "idempotency_key": "pot", "now": clock.now()}
    day = clock.now().date() + timedelta(days=200)
    pot = pot_open(wallet_id=wallet.id, name="A holiday & <b>more</b>", goal=Money(80_00, "EUR"), goal_on=day, **whose)
    return pot_put(pot_id=pot.id, amount=Money(30_00, "EUR"), **whose)


@pytest.mark.timeout(600)
def test_every_page_stands(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    asa, bo = person("asa@example.com", "Åsa Lind"), person("bo@example.com", "Bo Ek & Söner <i>")
    wallet = funded(asa, 120_00, clock.now() - timedelta(days=3))
    with scope(SYSTEM):
        for index in range(3):
            movement = transfer_send(
                by=asa,
                party_id=asa.party_id,
                source_wallet_id=wallet.id,
                payee=bo.email,
                amount=Money(10_00 + index, "EUR"),
                note="Lunch & <b>coffee</b> with an unusually long note that has to wrap somewhere",
                idempotency_key=f"k{index}",
                now=clock.now(),
            )
        # Åsa is told of what Bo sends back: her list of notices and the bell have something to show.
        money: dict[str, Any] = {"payee": asa.email, "amount": Money(7_00, "EUR"), "note": "", "now": clock.now()}
        back = funded(bo, 20_00, clock.now() - timedelta(days=2))
        transfer_send(by=bo, party_id=bo.party_id, source_wallet_id=back.id, idempotency_key="back", **money)
        events.relay()
        assert Notice.objects.filter(person=asa).exists()
        seal(now=clock.now())
        pot = pot_with_a_goal(wallet)
        budgets = {"eating_out": Money(25_00, "EUR"), "groceries": Money(200_00, "EUR")}
        budgeting.budgets_set(party_id=asa.party_id, amounts=budgets, now=clock.now())
        item = budgeting_item(asa.party_id, movement.payment.id)
        assert item
        budgeting.item_file(party_id=asa.party_id, item_id=item.id, category="eating_out", always=True, now=clock.now())
    full = [*OWN, f"/plan/items/{item.id}/", f"/wallets/{wallet.id}/", f"/wallets/{wallet.id}/close/", f"/activity/{movement.payment.id}/"]
    full += [f"/wallets/{wallet.id}/statements/", f"/wallets/{wallet.id}/statements/?from=2026-01-01&to=2026-01-31"]
    full += [f"/wallets/{wallet.id}/pots/new/", *(f"/wallets/pots/{pot.id}/{page}" for page in ("", "change/", "put/", "take/", "close/"))]
    full += ["/ledger/", f"/activity/{movement.payment.id}/proofs/"]
    problems: list[str] = []

    for theme, width, pages in (("light", 1440, PUBLIC), ("dark", 320, PUBLIC)):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
        watch, page = Watch.over(context, hub.url), context.new_page()
        problems += [f"{theme} {width} {found}" for path in pages for found in check(page, hub, path, watch, who="visitor")]
        context.close()

    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light")
    page = context.new_page()
    signed_in(page, hub, asa.email)
    state = context.storage_state()
    context.close()
    whole = [("light", 390, full), ("dark", 1440, full)]
    sizes = [(theme, width, DENSE) for theme in ("light", "dark") for width in WIDTHS if (theme, width, full) not in whole]
    for theme, width, pages in whole + sizes:
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, storage_state=state)  # type: ignore[arg-type]
        watch, page = Watch.over(context, hub.url), context.new_page()
        problems += [
            f"{theme} {width} {found}" for path in pages for found in check(page, hub, path, watch, who="person", axe=pages is full)
        ]
        if (theme, width) == ("light", 390):
            problems += [f"weight {path}: {found}" for path in DENSE for found in size_problems(page, hub.url + path)]
        context.close()
    assert problems == []

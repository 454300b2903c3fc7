"""The staff's pages in a real browser: every list and one row of each, under the strict policy, without a word on the console."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from accounts.models import Person, TotpDevice
from accounts.models.factors import seed_new
from accounts.services import partner_create, person_sign_up
from compliance.cases.services import case_open
from core import clock
from core.db import SYSTEM, scope
from core.money import Money
from engagement.models import WebhookDelivery, WebhookEndpoint
from formats.statements import own_csv
from formats.statements.model import Head, Transaction
from payments.bills.services import Terms, To, bill_create
from payments.models import Kind, Mismatch, Payment, State
from payments.services import transfer_send
from tests.browsers import Watch, axe_problems
from tests.live import LiveHub
from tests.people import PASSWORD, funded, person
from wallets.models import Wallet
from wallets.pots.services import pot_open
from wallets.reconciliation.services import account_find, reconcile
from wallets.safeguarding.services import report_make

pytestmark = pytest.mark.browser

LISTS = {
    "accounts/person", "accounts/party", "accounts/membership", "wallets/wallet", "wallets/ledgeraccount",
    "wallets/ledgertransfer", "wallets/ledgerhold",
    "wallets/pot", "wallets/reconciliationrun", "wallets/reconciliationitem", "wallets/safeguardingreport",
    "payments/payment", "payments/bill", "payments/billrun",
    "payments/providerevent", "payments/mismatch", "compliance/case", "compliance/verdict", "compliance/limitrule",
    "compliance/partylevel", "compliance/usage", "compliance/sanctionslist", "compliance/listentry",
    "compliance/identitydata", "core/event", "core/delivery", "core/duework", "core/auditentry",
    "accounts/terms", "accounts/termsacceptance", "engagement/webhookendpoint", "engagement/webhookdelivery",
}  # fmt: skip


def chief() -> tuple[Person, TotpDevice]:
    found = person_sign_up(email="chief@example.com", password=PASSWORD, name="Chief", is_staff=True, email_proved=True, now=clock.now())
    found.is_superuser = True
    found.save(update_fields=["is_superuser"])
    return found, TotpDevice.objects.create(user=found, name="phone", confirmed=True, seed=seed_new())


def history() -> None:
    asa, bo = person("asa@example.com", "Åsa Lind"), person("bo@example.com", "Bo <b>Ek</b>")
    wallet = funded(asa, 120_00, clock.now() - timedelta(days=3))
    with scope(SYSTEM):
        what = {"by": asa, "party_id": asa.party_id, "idempotency_key": "k", "now": clock.now()}
        transfer_send(**what, source_wallet_id=wallet.id, payee=bo.email, amount=Money(10_00, "EUR"))  # type: ignore[arg-type]
        terms = Terms(name="Choir", wallet_id=wallet.id, amount=Money(9_00, "EUR"), first_on=(clock.now() + timedelta(days=3)).date())
        bill_create(**what, to=To(payee=bo.email), terms=terms)  # type: ignore[arg-type]
        mismatch(asa, wallet)
        pot_open(party_id=asa.party_id, wallet_id=wallet.id, name="Holiday", idempotency_key="p", now=clock.now())
        line = Transaction(booked_on=clock.now().date(), amount=Decimal("7.50"), currency="EUR", bank_id="b1", balance=Decimal("7.50"))
        head = Head("s", "a", "a", "Hub", "EUR", line.booked_on, line.booked_on, Decimal(0), line.amount, clock.now())
        reconcile(account=account_find(str(wallet.id)), data="".join(own_csv.write(head, [line])).encode(), by=None, now=clock.now())
        report_make(now=clock.now())
        case_open(party_id=bo.party_id, reason="hit", now=clock.now())
        program = partner_create(name="Books", redirect_uris=[], party=asa.party, now=clock.now()).application
        where = {"application": program, "url": "https://partner.example/<b>", "events": [], "created_at": clock.now()}
        endpoint = WebhookEndpoint.objects.create(**where)
        WebhookDelivery.objects.create(
            endpoint=endpoint, party_id=asa.party_id, event_type="ping", source_id=asa.id, created_at=clock.now(), payload={}
        )


def mismatch(person: Person, wallet: Wallet) -> None:
    """A top-up of 40 EUR of which the provider reports 50."""
    now = clock.now()
    payment = Payment.objects.create(
        kind=Kind.TOP_UP, state=State.HELD, party_id=person.party_id, payee_party_id=person.party_id, wallet_to=wallet, amount_minor=40_00,
        currency="EUR", idempotency_key="m", request_hash=b"m", failure_code="amount_mismatch", created_at=now,
    )  # fmt: skip
    Mismatch.objects.create(
        payment=payment,
        asked_minor=40_00,
        asked_currency="EUR",
        reported_minor=50_00,
        reported_currency="EUR",
        is_ours=True,
        reported_at=now,
    )


def sign_in(page: Page, hub: LiveHub, found: Person, device: TotpDevice) -> None:
    page.goto(f"{hub.url}/admin/")
    page.get_by_label("E-mail").fill(found.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(device.code_at(clock.real()))
    page.locator("form").get_by_role("button").last.click()
    page.wait_for_url(f"{hub.url}/admin/")


@pytest.mark.timeout(300)
def test_every_list_and_a_row_of_each(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    history()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watch, page = Watch.over(context, hub.url), context.new_page()
    sign_in(page, hub, *chief())
    problems = [f"index: {found}" for found in watch.take() + serious(page)]
    links = page.locator("#content-main th a").evaluate_all("(found) => found.map((link) => link.getAttribute('href'))")
    lists = sorted({urlsplit(link).path for link in links})
    assert {path.removeprefix("/admin/").strip("/") for path in lists} >= LISTS
    problems += looked_at(page, hub, "/admin/wallets/reconciliationrun/add/", watch)
    for path in lists:
        problems += looked_at(page, hub, path, watch)
        row = page.locator("#result_list tbody th a").first
        # The picker on a group's page is Django's own and not ours to mend; rights come from the table in the code anyway.
        if row.count() and path != "/admin/auth/group/":
            problems += looked_at(page, hub, row.get_attribute("href") or "", watch)
    context.close()
    assert problems == [], "\n".join(problems)


def looked_at(page: Page, hub: LiveHub, path: str, watch: Watch) -> list[str]:
    answer = page.goto(hub.url + path)
    wrong = [] if answer and answer.status == 200 else [f"answered {answer and answer.status}"]
    said = watch.take() + serious(page)
    # axe reads imported style sheets by writing one of its own, which the policy refuses.
    watch.take()
    return [f"{path}: {found}" for found in wrong + said]


def serious(page: Page) -> list[str]:
    """What is serious or worse; smaller remarks of axe are about Django's own markup."""
    return axe_problems(page, impacts=("serious", "critical"))

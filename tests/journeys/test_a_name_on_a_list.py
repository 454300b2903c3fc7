"""Somebody whose name is on the loaded list pays: held, a case, two members of staff, and the payment arrives."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect

from accounts.models import Person
from compliance.models import Case, Verdict
from compliance.screening.lists import DEMO_LIST
from core import clock
from core.db import SYSTEM, scope
from payments.models import Payment
from tests.live import LiveHub, eventually
from tests.people import sign_up
from tests.unit.core.test_admin import verified

pytestmark = [pytest.mark.browser, pytest.mark.screened]


def officer(name: str) -> Client:
    person = Person.objects.create_user(f"{name}@example.com", "a long pass phrase", name=name.title(), is_staff=True)
    person.groups.add(Group.objects.get(name="compliance"))
    return verified(person)


def decide(client: Client, case: Case, decision: str) -> None:
    answer = client.post(reverse("admin:compliance_case_change", args=[case.id]), {"decision": decision, "remark": "Another birthday."})
    assert answer.status_code == 302


@pytest.mark.timeout(240)
def test_is_held_until_two_members_of_staff_release_it(live_hub: LiveHub, browser: Browser) -> None:
    hub = live_hub
    call_command("screening_load", "demo", str(DEMO_LIST))
    mallory, bo = browser.new_context().new_page(), browser.new_context().new_page()
    sign_up(bo, hub, email="bo@example.com", name="Bo Ek")
    sign_up(mallory, hub, email="mallory@example.com", name="Malory Madeup")
    person = Person.objects.get(email="mallory@example.com")
    with scope(SYSTEM):
        wallet = funded_first(person)

    # The screening process has looked at both, and opened a case for one.
    eventually(lambda: Verdict.objects.filter(state="hit", party=person.party_id).exists(), why="a verdict about Malory")
    eventually(lambda: Verdict.objects.filter(state="clear").exists(), why="a verdict about Bo")
    case = Case.objects.get(party=person.party_id)
    assert (case.reason, case.state) == ("hit", "open")

    # She pays: the page says that it is being checked, and nothing of a list.
    mallory.goto(f"{hub.url}/pay/send/")
    mallory.get_by_label("E-mail address or handle").fill("bo@example.com")
    mallory.get_by_role("button", name="Continue").click()
    mallory.get_by_label("Amount").fill("20")
    mallory.get_by_role("button", name="Continue").click()
    mallory.get_by_role("button", name="Send").click()
    expect(mallory.get_by_text("We are checking this payment").first).to_be_visible()
    for word in ("sanction", "listed", "screening", "suspicious"):
        assert word not in mallory.content().lower()
    payment = Payment.objects.get(payer_party=person.party_id)
    assert (payment.state, payment.wallet_from_id) == ("held", wallet)
    bo.goto(f"{hub.url}/activity/")
    assert "€20.00" not in bo.content()

    # One member of staff alone cannot release it, however often.
    cora, carl = officer("cora"), officer("carl")
    for _ in range(2):
        decide(cora, case, "release")
    case.refresh_from_db()
    assert (case.state, case.proposal) == ("open", "release")

    # The second one does, and it arrives.
    decide(carl, case, "release")
    eventually(lambda: Payment.objects.get(id=payment.id).state == "posted", why="the payment to go on")
    mallory.reload()
    expect(mallory.get_by_text("We are checking this payment")).to_have_count(0)
    bo.goto(f"{hub.url}/")
    expect(bo.get_by_role("region", name="Your total", exact=True)).to_contain_text("€20.00")


def funded_first(person: Person) -> object:
    """Money in the wallet that sign-up opened."""
    from core.ids import uuid7
    from core.money import Money
    from wallets import ledger
    from wallets.models import Wallet

    wallet = eventually(lambda: Wallet.objects.filter(party_id=person.party_id).first(), why="the first wallet")
    assert wallet
    source = ledger.system_account("provider:stripe", "EUR")
    ledger.post(debit=source, credit=wallet.account, amount=Money(50_00, "EUR"), key=f"test:{uuid7()}", now=clock.now())
    return wallet.id

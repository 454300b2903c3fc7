"""Where a person sees and ends what partners may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import PartnerConsent, Party, Person
from accounts.services import PartnerCreated, consent_grant
from core import clock
from tests.unit.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(asa: Person) -> Client:
    client = Client()
    client.force_login(asa)
    return client


def test_nobody_has_access_at_first(browser: Client) -> None:
    assert "Nobody has access" in browser.get("/more/partners/").content.decode()


def test_shows_who_may_do_what_for_whom(browser: Client, partner: PartnerCreated, asa: Person, shop: Party) -> None:
    consent_grant(person=asa, application=partner.application, party_id=shop.id, scopes=["wallets:read"], now=clock.now())
    page = browser.get("/more/partners/").content.decode()
    assert "Ledger Books" in page
    assert "See wallets, balances and their history" in page
    assert "Lind&#x27;s Shop" in page


def test_taking_it_back_works_at_once(browser: Client, partner_of_asa: Callable[..., Api]) -> None:
    api = partner_of_asa("profile:read")
    assert api.get("/me").status_code == 200
    answer = browser.post(f"/more/partners/{PartnerConsent.objects.get().id}/end/", follow=True)
    assert "Ledger Books has no access any more." in answer.content.decode()
    assert api.get("/me").status_code == 401


def test_somebody_elses_cannot_be_ended(bo: Person, partner_of_asa: Callable[..., Api]) -> None:
    partner_of_asa("profile:read")
    client = Client()
    client.force_login(bo)
    assert client.post(f"/more/partners/{PartnerConsent.objects.get().id}/end/").status_code == 404
    assert PartnerConsent.objects.get().revoked_at is None


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get("/more/partners/")["Location"].startswith("/auth/sign-in/")

"""Two people, a business of three, and the mails that lie in line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Party, Person
from accounts.services import business_open, membership_add, terms_accept
from core import clock, due, events
from core.models import DueWork
from core.money import Money
from tests.unit.payments.conftest import Customer, customer_make
from tests.unit.payments.conftest import fund as fund  # for the tests here

EUR_20 = Money(20_00, "EUR")


@pytest.fixture
def asa(db: None) -> Customer:
    return customer_make("asa", balance=100_00)


@pytest.fixture
def bo(db: None) -> Customer:
    return customer_make("bosse")


@pytest.fixture
def shop(asa: Customer, bo: Customer) -> Party:
    """Åsa owns it, Bo only looks."""
    party = business_open(by=asa.person, name="Lind's Shop", now=clock.now() - timedelta(hours=1))
    membership_add(by=asa.person, party_id=party.id, person=bo.person, role="viewer", now=clock.now() - timedelta(hours=1))
    deliver()
    return party


def deliver() -> None:
    """Everything that waits is handed to its handlers."""
    while events.relay():
        pass


def work_off(*kinds: str) -> int:
    return due.sweep(kinds=list(kinds))


def client_of(person: Person) -> Client:
    terms_accept(person, now=clock.now())
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def mails(to: str = "") -> list[dict[str, str]]:
    """Every mail in line, oldest first."""
    found = [json.loads(work.secret) for work in DueWork.objects.filter(kind="core.mail").order_by("created_at", "id")]
    return [mail for mail in found if not to or mail["to"] == to]


@pytest.fixture
def person(db: None) -> Callable[[str], Person]:
    return lambda name: customer_make(name).person

"""People with money, and a card provider in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from accounts.models import Person
from accounts.services import handle_set
from compliance.models import PartyLevel
from core import clock
from core.ids import uuid7
from core.money import Money
from payments import gateways
from payments.models import Payment
from payments.services import Movement, transfer_send
from tests.unit.sandbox import outside
from wallets import ledger, selectors
from wallets.models import Wallet
from wallets.services import wallet_open

PASSWORD = "a long pass phrase"


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@dataclass
class Customer:
    """A person who signed up, with one wallet."""

    person: Person
    wallet: Wallet

    @property
    def party_id(self) -> UUID:
        return self.person.party_id

    def balance(self, currency: str = "EUR") -> int:
        found = Wallet.objects.filter(party_id=self.party_id, currency=currency).order_by("-opened_at").first()
        return selectors.balance_of(found).posted.amount if found else 0

    def send(self, payee: str, amount: Money, *, key: str = "", now: datetime, **more: Any) -> Movement:
        asked = {"source_wallet_id": self.wallet.id, "party_id": self.party_id, "by": self.person, **more}
        return transfer_send(payee=payee, amount=amount, idempotency_key=key or str(uuid7()), now=now, **asked)


def customer_make(name: str, *, balance: int = 0, currency: str = "EUR", level: int | None = None, at: datetime | None = None) -> Customer:
    at = at or clock.now()
    person = Person.objects.create_user(f"{name}@example.com", PASSWORD, name=f"{name.title()} Example")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    handle_set(by=person, party_id=person.party_id, handle=name, now=clock.now())
    if level is not None:
        PartyLevel.objects.create(party_id=person.party_id, level=level, active_from=datetime(2020, 1, 1, tzinfo=UTC))
    wallet = wallet_open(party_id=person.party_id, currency=currency, now=at)
    if balance:
        fund(wallet, balance, at)
    return Customer(person, wallet)


def fund(wallet: Wallet, minor: int, now: datetime) -> None:
    source = ledger.system_account("provider:test", wallet.currency)
    ledger.post(debit=source, credit=wallet.account, amount=Money(minor, wallet.currency), key=f"fund:{uuid7()}", now=now)


@pytest.fixture
def customer(now: datetime) -> Callable[..., Customer]:
    def make(name: str, **more: Any) -> Customer:
        return customer_make(name, **{"at": now, **more})

    return make


@pytest.fixture
def astrid(customer: Callable[..., Customer]) -> Customer:
    return customer("astrid", balance=100_00)


@pytest.fixture
def bo(customer: Callable[..., Customer]) -> Customer:
    return customer("bosse")


@pytest.fixture
def officer(now: datetime) -> Person:
    return Person.objects.create_user("officer@example.com", PASSWORD, is_staff=True)


@pytest.fixture(scope="session")
def _receiver() -> Iterator[outside.Receiver]:
    with outside.receiver_running(outside.free_port()) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def _sandbox(_receiver: outside.Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[outside.Sandbox]:
    sandbox = outside.Sandbox(tmp_path_factory.mktemp("provider"), _receiver.url)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def provider_apart(_sandbox: outside.Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[outside.Sandbox]:
    """The same for tests with `fresh_db`, where transactions end."""
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = _sandbox.url, outside.KEY, outside.SECRET
    settings.HUB_PUBLIC_URL = "http://localhost:8000"
    monkeypatch.setattr("payments.gateways.stripe.client.READ_SECONDS", 1.0)
    gateways.gateway.cache_clear()
    _sandbox.control("reset")
    yield _sandbox
    gateways.gateway.cache_clear()


@pytest.fixture
def provider(db: None, provider_apart: outside.Sandbox, monkeypatch: pytest.MonkeyPatch) -> outside.Sandbox:
    """
    The running provider, with nothing in it, and the hub configured to use it with short time-outs. Asking it inside a
    transaction is refused as in production; only the transaction that the test itself runs in does not count.
    """
    outer = len(connection.atomic_blocks)
    monkeypatch.setattr("payments.gateways.stripe.client.in_transaction", lambda: len(connection.atomic_blocks) > outer)
    return provider_apart


@pytest.fixture
def bank(provider: outside.Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[outside.Sandbox]:
    """The same outside world as a bank."""
    outer = len(connection.atomic_blocks)
    monkeypatch.setattr("payments.gateways.bank.client.in_transaction", lambda: len(connection.atomic_blocks) > outer)
    monkeypatch.setattr("payments.gateways.bank.client.READ_SECONDS", 1.0)
    settings.BANK_API_BASE, settings.BANK_API_KEY = provider.url, "bk_test_of_these_tests"
    gateways.bank_gateway.cache_clear()
    yield provider
    gateways.bank_gateway.cache_clear()


@pytest.fixture
def news(provider: outside.Sandbox, _receiver: outside.Receiver) -> outside.Receiver:
    """What the provider has sent, kept here until the test hands it to the hub."""
    _receiver.received.clear()
    _receiver.answers.clear()
    return _receiver


def reloaded(payment: Payment) -> Payment:
    return Payment.objects.get(id=payment.id)

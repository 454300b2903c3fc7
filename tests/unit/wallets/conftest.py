from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Party
from core.money import Money
from tests import databases
from wallets import ledger
from wallets.ledger_models import LedgerAccount


@dataclass
class Book:
    """Short words for tests: accounts, money put into them, what they hold."""

    now: datetime
    keys: Iterator[int] = field(default_factory=itertools.count)

    def key(self) -> str:
        return f"test:{next(self.keys)}"

    def account(self, funds: int = 0, currency: str = "EUR", *, floor: int = 0, ceiling: int | None = None) -> int:
        account = ledger.account_open(currency=currency, now=self.now, floor=floor, ceiling=ceiling)
        if funds:
            self.post(self.world(currency), account, funds, currency)
        return account

    def world(self, currency: str = "EUR") -> int:
        return ledger.system_account("test:world", currency, now=self.now)

    def post(self, debit: int, credit: int, amount: int, currency: str = "EUR", *, key: str | None = None) -> ledger.Transfer:
        return ledger.post(debit=debit, credit=credit, amount=Money(amount, currency), key=key or self.key(), now=self.now)

    def state(self, account: int) -> tuple[int, int]:
        """Posted and held."""
        found = LedgerAccount.objects.get(id=account)
        return found.posted, found.held


@pytest.fixture
def book(db: None, now: datetime) -> Book:
    return Book(now)


@pytest.fixture
def committed_book(fresh_db: str, now: datetime) -> Book:
    """On a database of the test's own, where commits are real."""
    return Book(now)


@pytest.fixture
def somebody(db: None) -> Party:
    return Party.objects.create(name="Åsa")


@contextmanager
def as_owner() -> Iterator[psycopg2.extensions.connection]:
    """The owner's connection to the database that Django is pointed at."""
    found = psycopg2.connect(databases.url_for(connection.settings_dict["NAME"], owner=True))
    found.autocommit = True
    try:
        yield found
    finally:
        found.close()


assert settings.DATABASE_OWNER_URL

"""People with money whose payments are in the feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from budgeting.models import FeedItem
from core import events
from core.money import Money
from payments.models import Payment
from tests.unit.payments.conftest import Customer, customer_make

__all__ = ["Customer", "Pay", "eur", "items_of", "told"]

Pay = Callable[..., Payment]


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def told() -> None:
    """Everything that was said has been heard."""
    while events.relay():
        pass


def items_of(customer: Customer) -> list[FeedItem]:
    return list(FeedItem.objects.filter(party_id=customer.party_id).order_by("at", "id"))


@pytest.fixture
def ada(db: None, now: datetime) -> Customer:
    return customer_make("ada", balance=1000_00, level=1, at=now)


@pytest.fixture
def bo(db: None, now: datetime) -> Customer:
    return customer_make("bosse", balance=500_00, level=1, at=now)


@pytest.fixture
def pay(now: datetime) -> Pay:
    """A transfer that has arrived, and the news of it too. Small, so that nobody has to approve."""

    def run(source: Customer, target: Customer, minor: int, note: str = "", at: datetime | None = None, **more: Any) -> Payment:
        movement = source.send(f"{target.person.email}", eur(minor), note=note, now=at or now, **more)
        assert movement.outcome.value == "posted", movement.outcome
        told()
        return movement.payment

    return run

"""A clock that goes from one due piece of work to the next, as the hub's would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from core import clock, due
from core.ids import uuid7
from core.models import DueWork, Event
from payments.bills.models import Bill
from payments.bills.services import Terms, To, bill_create
from tests.unit.payments.conftest import Customer, customer_make, eur

KINDS = ["payments.bill_run", "payments.bill_expire", "payments.payout_check", "payments.payout_expire"]


@dataclass
class Time:
    """What clock.now() says in this test."""

    now: datetime

    def to(self, moment: datetime | str) -> None:
        """Let time pass, doing everything at its moment."""
        until = datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment
        while (work := DueWork.objects.filter(kind__in=KINDS, state="waiting", due_at__lte=until).order_by("due_at").first()) is not None:
            self.now = max(self.now, work.due_at)
            assert due.sweep(kinds=KINDS) > 0
        self.now = until


@pytest.fixture
def time(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time(now)
    real = clock.real()
    monkeypatch.setattr(clock, "real", lambda: real)
    monkeypatch.setattr(clock, "offset", lambda: found.now - real)
    return found


@pytest.fixture
def astrid(db: None, time: Time) -> Customer:
    return customer_make("astrid", balance=100_00, level=1, at=time.now)


@pytest.fixture
def bo(db: None, time: Time) -> Customer:
    return customer_make("bosse", level=1, at=time.now)


def terms(who: Customer, **more: Any) -> Terms:
    values = {"name": "Rent", "wallet_id": who.wallet.id, "amount": eur(20_00), "first_on": date(2026, 3, 31), "note": "Flat 3"}
    return Terms(**{**values, **more})


@pytest.fixture
def bill(time: Time) -> Callable[..., Bill]:
    """Set a bill up: `bill(astrid, payee="@bosse", amount=...)`."""

    def make(
        who: Customer, *, payee: str = "@bosse", iban: str = "", holder: str = "", key: str = "", present: bool = True, **more: Any
    ) -> Bill:
        to = To(payee="" if iban else payee, iban=iban, holder=holder)
        return bill_create(
            by=who.person,
            party_id=who.party_id,
            to=to,
            terms=terms(who, **more),
            idempotency_key=key or str(uuid7()),
            now=time.now,
            present=present,
        )

    return make


def events(name: str) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(name=f"payments.bill.{name}").order_by("id")]


def runs(bill: Bill) -> list[tuple[str, str]]:
    return list(bill.runs.order_by("on_date").values_list("period", "state"))

"""Every list of payments: as many queries for a long page as for a short one, and an index that has its order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from core import clock
from core.api.paging import older_than
from core.ids import uuid7
from core.money import Money
from payments import selectors
from payments.bills.models import Bill
from payments.models import Kind, Mismatch, Payment
from payments.selectors import Filters
from payments.services import payout_send
from tests.unit.payments.conftest import Customer, customer_make, eur

pytestmark = pytest.mark.django_db
IBANS = ("DE89370400440532013000", "DE14370400440000000002", "DE57370400440000000004")


@pytest.fixture
def many(astrid: Customer) -> Callable[[int], list[Payment]]:
    """Transfers to different people and payouts to different accounts that wait for approval; nothing is asked of a bank."""

    def make(count: int) -> list[Payment]:
        made = []
        for turn in range(count):
            name = f"payee{uuid7().hex[-8:]}"
            customer_make(name)
            made.append(astrid.send(f"@{name}", eur(1_00), note="Tea", now=clock.now()).payment)
            asked: dict[str, Any] = {"by": astrid.person, "party_id": astrid.party_id, "source_wallet_id": astrid.wallet.id}
            sent = payout_send(
                **asked,
                iban=IBANS[turn % len(IBANS)],
                name=f"Lord {turn}",
                amount=eur(1_00),
                idempotency_key=str(uuid7()),
                now=clock.now(),
                present=False,
            )
            made.append(sent.payment)
        return made

    return make


def queries_of(listed: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        for view in listed():
            # Everything that a row of the page or of the API shows.
            _ = (view.title, view.sub, view.counterparty, view.handle, view.provider_url, view.is_approved, view.failure)
    # Data keys that are not committed yet, as here, are read each time.
    return len([query for query in queries.captured_queries if "core_data_key" not in query["sql"]])


def test_queries_do_not_grow_with_the_page(astrid: Customer, many: Callable[[int], list[Payment]]) -> None:
    made = many(1)
    lists: list[Callable[[], Any]] = [
        lambda: selectors.payments_for(astrid.party_id).rows,
        lambda: selectors.payments_for(astrid.party_id, filters=Filters(kind=Kind.PAYOUT)).rows,
        lambda: selectors.payments_for(astrid.party_id, filters=Filters(text="tea")).rows,
        partial(selectors.payments_latest, astrid.party_id, limit=20),
        lambda: selectors.payments_by_id(astrid.party_id, [payment.id for payment in made]).values(),
    ]
    before = [queries_of(listed) for listed in lists]
    made += many(4)
    assert [queries_of(listed) for listed in lists] == before
    assert max(before) <= 3


def plan(rows: QuerySet[Any]) -> str:
    """How PostgreSQL goes about it when the table is large: neither reading all of it nor sorting."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    return str(rows[:10].explain())


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda party: Payment.objects.all().out_of(party), "payments_payment_by_payer"),
        (lambda party: Payment.objects.all().into(party), "payments_payment_by_payee"),
        (lambda party: Payment.objects.all().out_of(party).filter(kind=Kind.PAYOUT), "payments_payment_rare_by_payer"),
        (lambda party: Payment.objects.all().into(party).filter(kind=Kind.TOP_UP), "payments_payment_rare_by_payee"),
        (lambda party: Bill.objects.filter(party_id=party).exclude(state="ended"), "payments_bill_by_party"),
        (lambda party: Bill.objects.filter(payee_party_id=party, state="active", amount_kind="up_to"), "payments_bill_by_payee"),
    ],
    ids=["sent", "received", "payouts", "top-ups", "bills", "asked"],
)  # fmt: skip
def test_pages_are_read_in_an_indexs_order(astrid: Customer, rows: Callable[[Any], QuerySet[Any]], index: str) -> None:
    page = older_than(rows(astrid.party_id), (clock.now(), uuid7())).order_by("-created_at", "-id")
    found = plan(page)
    assert index in found
    assert "Sort" not in found


def test_staff_read_mismatches_in_an_indexs_order() -> None:
    assert "payments_mismatch_newest" in plan(Mismatch.objects.order_by("-reported_at", "-id"))


def test_amounts_are_signed_from_the_readers_side(astrid: Customer, many: Callable[[int], list[Payment]]) -> None:
    many(1)
    assert {view.amount for view in selectors.payments_latest(astrid.party_id, limit=5)} == {Money(-1_00, "EUR")}
